"""Joining a hand to its arm, on and off: python bench/detached.py --set SET --json F [--n N] [--seed S].

SET is 'rendered' (hands off their arm, and the same picture rendered sound) or 'real' (test-only photographs
with that photo edit, and the same crop as it was). Every hand is attempted with the default settings, as
shipped and without joining; where joining was never considered both are the same by construction.

Measures of the finished picture: mean ΔE (CIE 2000) to the clean picture over every pixel that differs
between clean, malformed and results; joint error of the hand as redetected (1: missed); the referee's
P(malformed) at the hand's true landmarks; whether the hand was replaced. On − off with paired bootstrap
95 % intervals.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from unittest import mock

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import cv2
import numpy as np

from handwright.data.hands.defects.generators import GENERATORS, SHOWN_EDGEWAYS, add_defect
from handwright.data.hands.sample import render_setup
from handwright.data.hands.setup import draw_setup
from handwright.hand.kinematics import hand_landmarks_m
from handwright.perception.detect.views import box_iou
from handwright.refine import attempt, pose_hypotheses
from handwright.refine.pipeline import open_engine, refine_picture
from handwright.refine.redetection import measure_redetection
from handwright.refine.settings import RefineSettings
from handwright.review.critic.onnx_critic import open_critic
from handwright.review.critic.upright_crops import OrientedSquare
from handwright.types import Image
from measures import bootstrap, ciede2000
from subjects import EVERY_HAND

SIZE = 320


def rendered(seed: int, count: int) -> Iterator[tuple]:
    index, name = 0, "detached"
    while count:
        rng = np.random.default_rng([seed, index, 42])
        generator = int(rng.integers(len(GENERATORS[name])))
        setup = draw_setup(rng, SIZE, (), showing=True, edgeways=name in SHOWN_EDGEWAYS, pair=None)
        malformed_setup = add_defect(setup, name, generator, np.random.default_rng([seed, index, 43]))
        rng2 = copy.deepcopy(rng)
        made, clean = render_setup(malformed_setup, rng, SIZE), render_setup(setup, rng2, SIZE)
        hand = made.hands[0]
        index += 1
        if not hand.gloved and hand.visible.sum() >= 12 and np.ptp(hand.keypoints_px, axis=0).max() >= 80:
            count -= 1
            yield f"{name}/{generator}/{index - 1}", made.pixels, clean.pixels, hand.keypoints_px


def real(seed: int, count: int) -> Iterator[tuple]:
    from handwright.data.photo_edits.canvas import new_canvas
    from handwright.data.photo_edits.hand_crop import crop_hand
    from handwright.data.photo_edits.moves import EditTask, NotEditable
    from handwright.data.photo_edits.sample import EDITS, _finished, _lend, needed_hand
    from judge_real import held_out_photos

    photos = [photo.path for photo in held_out_photos(Path(os.environ["HANDWRIGHT_PHOTOS"]))]
    rng = np.random.default_rng([seed, 45])
    used: dict[str, int] = {}
    turn, name = 0, "detached"
    while count and turn < 4000:
        turn += 1
        generator = int(rng.integers(len(EDITS[name])))
        path = photos[int(rng.integers(len(photos)))]
        if used.get(path.name, 0) >= 2:
            continue
        crop = crop_hand(path, SIZE, rng, needed_hand(name, generator))
        if crop is None:
            continue
        try:
            done = EDITS[name][generator](EditTask(crop, False, rng, _lend(crop, seed, SIZE, photos, rng)))
        except NotEditable:
            continue
        used[path.name] = used.get(path.name, 0) + 1
        same = int(rng.integers(1 << 30))
        way = (name, generator)
        made = _finished(done.canvas, way, (), False, SIZE, np.random.default_rng(same))
        clean = _finished(new_canvas(crop), way, (), True, SIZE, np.random.default_rng(same))
        hand = crop.scaled_hand(made.scale)
        count -= 1
        yield (
            f"{name}/{generator}/{path.name}",
            made.pixels,
            clean.pixels,
            hand.camera.project(hand_landmarks_m(hand)),
        )


@contextmanager
def joining(on: bool, fired: list):
    with_arm, off = pose_hypotheses._with_arm, attempt._off_its_arm

    def watch_arm(pixels, task, seed):
        found = with_arm(pixels, task, seed) if on else []
        fired.append(f"considered; {len(found)} ways")
        return found

    def watch_off(says):
        result = off(says)
        if result:
            fired.append("tried although not doubtful")
        return result and on

    with (
        mock.patch.object(pose_hypotheses, "_with_arm", watch_arm),
        mock.patch.object(attempt, "_off_its_arm", watch_off),
    ):
        yield


def measure(repair, truth, region, clean, referee, engine):
    pixels = repair.after.pixels
    lab = [cv2.cvtColor(p.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[region] for p in (pixels, clean)]
    low, high = truth.min(0), truth.max(0)
    box = (*low, *high)
    hand = max(repair.hands, key=lambda h: box_iou(h.observation.bbox_xyxy_px, box), default=None)
    error, replaced, hypothesis = 1.0, 0.0, ""
    if hand is not None and box_iou(hand.observation.bbox_xyxy_px, box) > 0.2:
        seen = hand.observation
        if hand.action == "refined":
            seen = replace(seen, landmarks_px=hand.fit.landmarks_px)
            hypothesis = hand.candidates[hand.picked].pose_hypothesis
        error = measure_redetection(pixels, seen, hand.fit, engine.landmarker).joint_error
        replaced = float(hand.action == "refined")
    malformed = referee.judge(pixels, [OrientedSquare.of(truth)])[0].malformed
    return {
        "dE": float(ciede2000(*lab).mean()),
        "joint": error,
        "referee": float(malformed),
        "replaced": replaced,
        "hypothesis": hypothesis,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--set", required=True)
    parser.add_argument("--n", type=int, default=36)
    parser.add_argument("--seed", type=int, default=970_000)
    parser.add_argument("--json", type=Path, required=True)
    options = parser.parse_args()
    source = rendered if options.set.startswith("rendered") else real
    referee = open_critic(Path(attempt.__file__).parents[1] / "weights" / "referee")
    settings, rows = RefineSettings(hand_ids=EVERY_HAND), []
    with open_engine() as engine, options.json.open("a") as out:
        for name, pixels, clean, truth in source(options.seed, options.n):
            fired: list[str] = []
            with joining(True, fired):
                on = refine_picture(Image(pixels), settings, engine)
            off = on
            if fired:
                with joining(False, []):
                    off = refine_picture(Image(pixels), settings, engine)
            stack = np.stack([pixels, on.after.pixels, off.after.pixels]).astype(int)
            region = (np.abs(stack - clean).max(-1) > 12).any(0)
            region = cv2.morphologyEx(region.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)) > 0
            if not region.any():
                continue
            on_values = measure(on, truth, region, clean, referee, engine)
            row = {"name": name, "fired": fired, "on": on_values}
            row["off"] = measure(off, truth, region, clean, referee, engine) if fired else on_values
            out.write(json.dumps(row) + "\n")
            out.flush()
            rows.append(row)
    for name in ("dE", "joint", "referee", "replaced"):
        print(row_of(name, np.array([[row["on"][name], row["off"][name]] for row in rows])))


def row_of(name: str, pairs: np.ndarray) -> str:
    """One measure: on, off, and the difference with its interval."""
    change, low, high = bootstrap(
        pairs[:, :1] - pairs[:, 1:], lambda drawn: float(drawn.mean()), rounds=10_000
    )
    on, off = pairs.mean(0)
    return f"{name}: on {on:.3f}, off {off:.3f}, on − off {change:+.3f} [{low:+.3f}, {high:+.3f}]"


if __name__ == "__main__":
    main()
