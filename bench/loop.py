"""The closed loop on rendered pictures: python bench/loop.py [--defects N] [--good M] [--second DIR].

`refine` goes through N pictures with a malformed hand and M with sound hands only, of a world that no weights
were trained on, as a user starts it: review first, only what fails is attempted. Printed with bootstrap 95 %
intervals, pictures as units:

- attempted, replaced: shares of the malformed hands, and of the sound ones (false repairs);
- ends good: shares of the malformed hands that as they leave are called sound by the second critic *and* by
  geometry; a hand that was never found, or is not found in the end, does not end good. Without --second only
  geometry speaks. The same before refining stands beside it.

`--critic DIR` selects (default: the packaged one); `--second DIR` must be another one, of other seed, data
and architecture. `--sheet F.png` writes pairs of before and after, of malformed and sound hands mixed, in
random order and sides, and F.key.json which tells them apart: count first, look afterwards.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from handwright.data.hands import HandTruth, render_defects
from handwright.data.hands.record import record_of
from handwright.hand.defects import Defect
from handwright.metrics.estimate import mean_estimate
from handwright.perception.detect.views import box_iou
from handwright.refine.acceptance import CriticScore
from handwright.refine.pipeline import Engine, open_engine, refine_picture
from handwright.refine.result import HandRepair
from handwright.refine.settings import RefineSettings
from handwright.review.critic.onnx_critic import open_critic
from handwright.review.critic.prediction import Critic
from handwright.review.critic.upright_crops import OrientedSquare
from handwright.review.judge import Judge, review_picture
from handwright.types import Box, HandObservation, Image
from sheets import hand_crop, save_pages

HELD_OUT = 900_000
"""First seed of worlds that no weights were trained on."""

LEAST_OVERLAP, LEAST_SEEN = 0.2, 10


@dataclass(frozen=True, eq=False)
class Subject:
    """One hand of a rendered picture, before and after.

    Attributes:
        name: Number of its picture in the world.
        defect: Name of what is wrong with it, '' where nothing is.
        before: uint8 [S, S, 3].
        after: The same after refining.
        box: Of its true landmarks.
        row: What was measured; numbers, words and None.
    """

    name: str
    defect: str
    before: UInt8[np.ndarray, "s s 3"]
    after: UInt8[np.ndarray, "s s 3"]
    box: Box
    row: dict[str, Any]


def pictures(seed: int, size: int, defects: int, good: int) -> Iterator[tuple[str, Image, list[HandTruth]]]:
    """Name, picture, and its hands in sight; of pictures with a malformed hand that one alone."""
    wanted, index = {True: defects, False: good}, 0
    while any(wanted.values()):
        made = render_defects(seed, index, size)
        spoiled = any(hand.defects for hand in made.hands)
        told = record_of(made, seed, index, "defects")["hands"]
        shown = [
            hand
            for hand, record in zip(made.hands, told, strict=True)
            if in_sight(hand, record) and bool(hand.defects) == spoiled
        ]
        if wanted[spoiled] and shown:
            wanted[spoiled] -= 1
            yield f"{seed}-{index}", Image(made.pixels), shown
        index += 1


def in_sight(hand: HandTruth, record: dict[str, Any]) -> bool:
    """Whether a hand is bare, mostly seen, and its defect, if it has one, is of its form and shows.

    A wrong hand at an arm is well formed: no critic of single hands can tell.
    """
    shows = all(place["bbox_xyxy_px"] and place["name"] != Defect.WRONG_HAND for place in record["defects"])
    return shows and not hand.gloved and hand.visible.sum() >= LEAST_SEEN


def measure(
    name: str,
    image: Image,
    truths: Sequence[HandTruth],
    settings: RefineSettings,
    engine: Engine,
    second: Critic | None,
) -> list[Subject]:
    """Refine one picture and judge each of these hands before and after by eyes that took no part."""
    repair = refine_picture(image, settings, engine)
    found = []
    for truth in truths:
        box = box_of(truth.keypoints_px)
        hand = nearest(repair.hands, box)
        region = OrientedSquare.of(truth.keypoints_px)
        row = {
            "found": hand is not None,
            "action": "not found" if hand is None else hand.action,
            "reason": "" if hand is None else hand.reason,
            "judged_before": None if hand is None else hand.review_before["verdict"],
            "candidates": 0 if hand is None else len(hand.candidates),
            "refused": [] if hand is None else [list(c.refused) for c in hand.candidates],
            "seconds": dict(repair.seconds),
            "second_before": prediction(second, image, region),
            "second_after": prediction(second, repair.after, region),
            "geometry_before": sound_by_geometry(image, hand, engine),
            "geometry_after": sound_by_geometry(repair.after, hand, engine),
        }
        defect = truth.defects[0].name if truth.defects else ""
        found.append(Subject(name, defect, image.pixels, repair.after.pixels, box, row))
    return found


def prediction(second: Critic | None, image: Image, region: OrientedSquare) -> bool | None:
    """Whether a critic calls a hand sound; None without one. What it cannot assess is not called sound."""
    if second is None:
        return None
    opinion = CriticScore.of(second.judge(image.pixels, [region])[0])
    return opinion is not None and not opinion.failed


def sound_by_geometry(image: Image, hand: HandRepair | None, engine: Engine) -> bool:
    """Whether the hand is found there and geometry alone fails none of its checks."""
    if hand is None:
        return False
    seen = found_again(image, hand, engine)
    if seen is None:
        return False
    (review,) = review_picture(image, Judge(engine.landmarker), hands=[seen]).hands
    return review.verdict != "fail"


def found_again(image: Image, hand: HandRepair, engine: Engine) -> HandObservation | None:
    """The hand as a fresh look sees it."""
    from handwright.refine.redetection import redetect_hand

    wanted = hand.observation
    if hand.action == "refined":
        wanted = replace(wanted, landmarks_px=hand.fit.landmarks_px)
    return redetect_hand(image.pixels, wanted, engine.landmarker)


def box_of(points: Float[np.ndarray, "21 2"]) -> Box:
    (x0, y0), (x1, y1) = points.min(0), points.max(0)
    return float(x0), float(y0), float(x1), float(y1)


def nearest(hands: Sequence[HandRepair], box: Box) -> HandRepair | None:
    """The found hand that overlaps a box most, if any does plainly."""
    best = max(hands, key=lambda hand: box_iou(hand.observation.bbox_xyxy_px, box), default=None)
    return best if best and box_iou(best.observation.bbox_xyxy_px, box) > LEAST_OVERLAP else None


def good(row: dict[str, Any], when: str) -> bool:
    """By everybody who took no part."""
    return row[f"geometry_{when}"] and row[f"second_{when}"] is not False


def told(subjects: Sequence[Subject], judges: str) -> list[str]:
    """The lines of both sets."""
    lines = []
    for kind, part in (
        ("malformed", [s for s in subjects if s.defect]),
        ("sound", [s for s in subjects if not s.defect]),
    ):
        if not part:
            continue
        units = np.unique([s.name for s in part], return_inverse=True)[1]
        lines.append(f"— {kind} hands: {len(part)} in {units.max() + 1} pictures")
        measures = {
            "found": [s.row["found"] for s in part],
            "failed by the review": [s.row["judged_before"] == "fail" for s in part],
            "attempted": [s.row["action"] in ("refined", "kept") for s in part],
            "replaced": [s.row["action"] == "refined" for s in part],
            f"good before, by {judges}": [good(s.row, "before") for s in part],
            f"ends good, by {judges}": [good(s.row, "after") for s in part],
        }
        lines += [str(mean_estimate(name, np.array(v, float), units)) for name, v in measures.items()]
        tried = [s.row["action"] == "refined" for s in part if s.row["action"] in ("refined", "kept")]
        if tried:
            lines.append(str(mean_estimate("replaced, of those attempted", np.array(tried, float))))
        why = Counter(reason.split(" (")[0] for s in part for c in s.row["refused"] for reason in c)
        lines += [f"   refused {count}×: {reason}" for reason, count in why.most_common(8)]
    for defect in sorted({s.defect for s in subjects} - {""}):
        part = [s for s in subjects if s.defect == defect]
        lines.append(f"   {defect}: {sum(good(s.row, 'after') for s in part)} of {len(part)} end good")
    return lines


def write_sheet(path: Path, subjects: Sequence[Subject], seed: int) -> None:
    """Pairs in random order, each with random sides, and the key."""
    rng = np.random.default_rng(seed)
    key, groups = {}, []
    for number, k in enumerate(rng.permutation(len(subjects)), start=1):
        subject, swapped = subjects[k], bool(rng.random() < 0.5)
        tiles = [hand_crop(pixels, subject.box) for pixels in (subject.before, subject.after)]
        groups.append((f"{number}", tiles[::-1] if swapped else tiles))
        key[number] = {
            "picture": subject.name,
            "defect": subject.defect,
            "left": "after" if swapped else "before",
            "action": subject.row["action"],
            "ends_good": good(subject.row, "after"),
        }
    for page in save_pages(path, groups):
        print(page)
    path.with_suffix(".key.json").write_text(json.dumps(key, indent=1) + "\n", "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--defects", type=int, default=200)
    parser.add_argument("--good", type=int, default=300)
    parser.add_argument("--seed", type=int, default=HELD_OUT, help="of the world, 900000 or more")
    parser.add_argument("--size", type=int, default=256, help="side of the pictures")
    parser.add_argument("--critic", type=Path, help="folder of the critic that selects")
    parser.add_argument("--second", type=Path, help="folder of the critic that evaluates")
    parser.add_argument("--painter", default="draw")
    parser.add_argument("--candidates", type=int, default=4)
    parser.add_argument("--all", action="store_true", help="attempt every hand")
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--json", type=Path, help="write every hand's row here")
    options = parser.parse_args()
    if options.seed < HELD_OUT:
        sys.exit(f"--seed is {options.seed}: worlds below {HELD_OUT} were trained on")
    second = None if options.second is None else open_critic(options.second)
    if options.second is not None and second is None:
        sys.exit(f"--second {options.second} is no folder")
    settings = RefineSettings(painter=options.painter, candidates=options.candidates, all_hands=options.all)
    subjects: list[Subject] = []
    with open_engine() as engine:
        if options.critic is not None:
            engine = replace(engine, critic=open_critic(options.critic))
        for name, image, truths in pictures(options.seed, options.size, options.defects, options.good):
            subjects += measure(name, image, truths, settings, engine, second)
    judges = "geometry" if second is None else "the second critic and geometry"
    print(f"selected by {' and '.join(engine.judges)}; {options.painter}, {options.candidates} candidates")
    print("\n".join(told(subjects, judges)))
    if options.json is not None:
        rows = [{"picture": s.name, "defect": s.defect, **s.row} for s in subjects]
        options.json.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
    if options.sheet is not None:
        write_sheet(options.sheet, subjects, options.seed)


if __name__ == "__main__":
    main()
