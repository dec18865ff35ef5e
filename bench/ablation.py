"""What each part of the painter gains: python bench/ablation.py [--set SET] [--n N] [--off PART …].

Finds and fits one hand of each picture as the pipeline does and draws it once with every part of
``draw_hand`` and once without each. Measures, each the smaller the better, inside the repair mask:

- *pixels*: mean ΔE00 against the true picture, both blurred by σ 1. Truth is the picture itself where its
  hand is sound, and the scene rendered without the fault where it has one ('defects').
- *skin ΔE*: ΔE00 of the mean skin colour beside the old skin's.
- *sharpness*, *grain*: |ln ratio| of fine detail and of grain between drawn and old skin.
- *seam*: what the gradient along the painted area's edge exceeds the true one by, levels a pixel.
- *joints*: joint error of a detection on the finished picture that took no part in the making, % of hand
  size; a miss counts 100 %.

The table holds the means of (without − with), so that a positive number is what the part gains, with paired
bootstrap 95 % intervals, pictures as units. Pictures whose bytes do not change count as 0. Ctrl-C prints the
table of what was measured until then. ``--vary`` instead changes every number of ``DrawParams`` by ± 30 % and
prints those that change no picture's bytes. Set 'grey' is 'real' in black and white. Real pictures come from
$HANDWRIGHT_PHOTOS.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command line does

import cv2
import numpy as np

from draw import independent_detection, skin_likeness
from handwright.drawing.painter import DrawResult, draw_hand
from handwright.drawing.params import DrawParams
from handwright.hand.depth import render_hand
from handwright.perception.analysis import analyse_hand
from handwright.perception.detect.landmarker import HandLandmarker
from handwright.perception.detect.search import find_hands
from handwright.perception.detect.views import box_iou
from handwright.refine.hand_task import HandTask, plan_hand
from handwright.refine.settings import RefineSettings
from handwright.types import Image
from measures import bootstrap, ciede2000, mean
from subjects import Subject, subjects

SETS = ("rendered", "real", "defects", "grey")
MEASURES = ("pixels", "skin ΔE", "sharpness", "grain", "seam", "joints")
ON = DrawParams()


def shading(**parts: object) -> DrawParams:
    """All parts but some of shading."""
    return replace(ON, shading=replace(ON.shading, **parts))


WITHOUT = {
    "wrist": replace(ON, surface=replace(ON.surface, wrist=None)),
    "ambient occlusion": replace(
        ON, surface=replace(ON.surface, occlusion=replace(ON.surface.occlusion, strength=0.0))
    ),
    "seam": replace(ON, layers=replace(ON.layers, seam_below_m=-1.0)),
    "smoothing": replace(ON, layers=replace(ON.layers, smoothing=0.0)),
    "membrane": replace(ON, fill=replace(ON.fill, membrane_levels=0.0)),
    "occluders": replace(ON, occluders=None),
    "inliers": shading(inliers=None),
    "relight": shading(relight=None),
    "cast": shading(cast=None),
    "creases": shading(creases=None),
    "match": shading(match=None),
    "grey pictures": shading(grey_pictures=False),
    "grain": replace(ON, finish=replace(ON.finish, grain=None)),
}


@dataclass(frozen=True, eq=False)
class Case:
    """One hand that is drawn again and again.

    Attributes:
        subject: Where it comes from.
        task: The hand as the pipeline found and fitted it.
        crop: uint8 [h, w, 3] the picture in its window.
        truth: uint8 [h, w, 3] what should come out.
    """

    subject: Subject
    task: HandTask
    crop: np.ndarray
    truth: np.ndarray

    def draw(self, params: DrawParams) -> DrawResult:
        """The crop with the hand drawn in."""
        task = self.task
        return draw_hand(
            self.crop,
            task.window,
            task.fit.hand,
            task.landmarks_px,
            task.region,
            seed=0,
            repair_mask=task.repair_mask,
            params=params,
        )


def cases(kind: str, count: int, seed: int | None, landmarker: HandLandmarker) -> Iterator[Case | None]:
    """The hands of a set; None where the hand was not found."""
    for subject in subjects("real" if kind == "grey" else kind, count, seed):
        pixels = subject.pixels
        if kind == "grey":
            pixels = cv2.cvtColor(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        hands = find_hands(pixels, landmarker=landmarker)
        best = max(hands, key=lambda hand: box_iou(hand.bbox_xyxy_px, subject.bbox), default=None)
        if best is None or box_iou(best.bbox_xyxy_px, subject.bbox) <= 0.2:
            yield None
            continue
        image = Image(pixels)
        task = plan_hand(1, image, analyse_hand(image, best), RefineSettings())
        truth = pixels
        if subject.sound is not None:
            truth = subject.sound()
        yield Case(subject, task, task.cut(pixels), task.cut(truth))


def measured(case: Case, drawn: DrawResult, landmarker: HandLandmarker) -> list[float]:
    """The measures of one drawing, in the order of ``MEASURES``."""
    task = case.task
    height, width = case.subject.pixels.shape[:2]
    error = ciede2000(*(lab(picture)[task.repair_mask] for picture in (drawn.pixels, case.truth)))
    silhouette = render_hand(task.fit.hand, height, width, window=task.window).face >= 0
    skin = skin_likeness(case.crop, drawn.pixels, task.region, silhouette, drawn.painted)
    square = np.ones((3, 3), np.uint8)
    inside = drawn.painted.astype(np.uint8)
    edge = cv2.dilate(inside, square) != cv2.erode(inside, square, borderValue=1)
    seam = np.maximum(gradient(drawn.pixels) - gradient(case.truth), 0)[edge]
    picture = case.subject.pixels.copy()
    x0, y0, x1, y1 = task.window
    picture[y0:y1, x0:x1] = drawn.pixels
    joints = independent_detection(picture, task.observation, task.fit, landmarker)[1]
    return [
        float(error.mean()),
        skin.get("delta_e", np.nan),
        abs(np.log(max(skin["sharpness"], 1e-3))) if skin else np.nan,
        abs(np.log(max(skin["grain"], 1e-3))) if skin else np.nan,
        float(seam.mean()) if seam.size else 0.0,
        100 * joints,
    ]


def lab(pixels: np.ndarray) -> np.ndarray:
    """CIE L*a*b* of a picture blurred by σ 1."""
    soft = cv2.GaussianBlur(pixels.astype(np.float32) / 255, (0, 0), 1.0)
    return cv2.cvtColor(soft, cv2.COLOR_RGB2LAB)


def gradient(pixels: np.ndarray) -> np.ndarray:
    """Levels a pixel, of the steepest channel."""
    soft = cv2.GaussianBlur(pixels.astype(np.float32), (0, 0), 1.0)
    return np.hypot(cv2.Sobel(soft, cv2.CV_32F, 1, 0) / 8, cv2.Sobel(soft, cv2.CV_32F, 0, 1) / 8).max(-1)


def compare(kind: str, options: argparse.Namespace, landmarker: HandLandmarker) -> None:
    """Print the table of one set."""
    changed = dict.fromkeys(options.off, 0)
    gains: dict[str, dict[str, list[list[float]]]] = {name: {} for name in options.off}
    levels: list[list[float]] = []
    missed, start = 0, time.process_time()
    try:
        for number, case in enumerate(cases(kind, options.n, options.seed, landmarker)):
            print(f"\r{kind} {number + 1} of {options.n}", end="", file=sys.stderr, flush=True)
            if case is None:
                missed += 1
                continue
            base = None
            whole = case.draw(ON)
            for name in options.off:
                part = case.draw(WITHOUT[name])
                gain = [0.0] * len(MEASURES)
                if not np.array_equal(part.pixels, whole.pixels):
                    changed[name] += 1
                    if base is None:
                        base = measured(case, whole, landmarker)
                        levels.append(base)
                    gain = np.subtract(measured(case, part, landmarker), base).tolist()
                gains[name].setdefault(case.subject.unit, []).append(gain)
    except KeyboardInterrupt:
        print(" interrupted: the table holds what was measured until then", file=sys.stderr)
    units, seconds = len(next(iter(gains.values()))), time.process_time() - start
    print(f"— {kind}: {units} pictures, {missed} hands not found, {seconds:.0f} s of processor time")
    print(f"{'without':14s}{'changed':>8s}  " + "".join(f"{name:>26s}" for name in MEASURES))
    if levels:
        cells = "".join(f"{value:>26.3f}" for value in np.nanmean(levels, 0))
        print(f"{'(nothing)':14s}{len(levels):8d}  {cells}")
    for name, by_unit in gains.items():
        rows = np.array([np.mean(each, axis=0) for each in by_unit.values()])
        cells = ""
        for k in range(len(MEASURES)):
            value, low, high = bootstrap(rows[:, k : k + 1], mean)
            mark = "*" if low > 0 or high < 0 else " "
            cells += f"{f'{value:+.3f} [{low:+.3f}, {high:+.3f}]{mark}':>26s}"
        print(f"{name:14s}{changed[name]:8d}  {cells}", flush=True)


def numbers(params: object, path: str = "") -> Iterator[tuple[str, float, tuple[DrawParams, ...]]]:
    """Every number below a frozen value: its name, the number, and the value with 70 % and 130 % of it."""
    for field in fields(params):  # type: ignore[arg-type]
        value, name = getattr(params, field.name), f"{path}{field.name}"
        for inner, number, varied in variations(value, name):
            yield inner, number, tuple(replace(params, **{field.name: v}) for v in varied)  # type: ignore[type-var]


def variations(value: Any, name: str) -> Iterator[tuple[str, float, tuple[Any, ...]]]:
    """As ``numbers``, of any value."""
    if is_dataclass(value):
        yield from numbers(value, f"{name}.")
    elif isinstance(value, tuple):
        for k, part in enumerate(value):
            for inner, number, varied in variations(part, f"{name}[{k}]"):
                yield inner, number, tuple((*value[:k], v, *value[k + 1 :]) for v in varied)
    elif isinstance(value, float):
        yield name, value, (0.7 * value, 1.3 * value)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield name, value, tuple(v for v in {max(1, round(0.7 * value)), round(1.3 * value)} if v != value)


def vary(found: list[Case]) -> None:
    """Print the numbers whose change by ± 30 % changes no picture, and how many pictures the others need."""
    base = [case.draw(ON).pixels for case in found]
    idle, rare = [], []
    for name, number, varied in numbers(ON):
        first = next(
            (
                k
                for k, (case, pixels) in enumerate(zip(found, base, strict=True))
                for params in varied
                if not np.array_equal(drawn_or_none(case, params), pixels)
            ),
            None,
        )
        if first is None:
            idle.append(f"{name} = {number:g}")
        elif first >= len(found) // 2:
            rare.append(f"{name} = {number:g} ({first + 1} pictures)")
        print(f"{name:48s} {number:10g}  {'—' if first is None else first + 1}", flush=True)
    print(f"no change on {len(found)} pictures:", *idle, sep="\n  ")
    print("first change late:", *rare, sep="\n  ")


def drawn_or_none(case: Case, params: DrawParams) -> np.ndarray | None:
    """The drawn crop; None where such a number cannot be drawn with, which is a change, too."""
    try:
        return case.draw(params).pixels
    except (ValueError, IndexError, cv2.error, np.linalg.LinAlgError):
        return None


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--set", choices=SETS, action="append", help="default: rendered and real")
    parser.add_argument("--n", type=int, default=60, help="pictures per set")
    parser.add_argument("--seed", type=int, help="first seed of rendered sets")
    parser.add_argument("--off", choices=WITHOUT, action="append", help="default: every part, one at a time")
    parser.add_argument("--vary", action="store_true", help="numbers instead of parts")
    options = parser.parse_args()
    options.off = options.off or list(WITHOUT)
    with HandLandmarker(None) as landmarker:
        if options.vary:
            kinds = options.set or ["rendered", "real", "defects"]
            found = [case for kind in kinds for case in cases(kind, options.n, options.seed, landmarker)]
            order = [case for case in found if case is not None]
            vary(order[::3] + order[1::3] + order[2::3])
            return
        for kind in options.set or ("rendered", "real"):
            compare(kind, options, landmarker)


if __name__ == "__main__":
    main()
