"""How good the drawn hand is: python bench/draw.py [--set SET] [--n N] [--seed S] [--sheet PATH].

Runs the whole pipeline (find, fit, depth, draw, check, paste) on one hand of each picture and prints a
table with bootstrap 95 % intervals, pictures as units. Joint error is SPEC's MPJPE in % of hand size, a
hand that is not found counts as 100 %; its floor is the same measure on the untouched picture. The
'independent detection' is the landmark network at its default thresholds on a square around the hand: it took
no part in the making. Drawn skin is compared with the old hand's own skin inside the mask. Real pictures come
from $HANDWRIGHT_PHOTOS. Only ``--sheet`` and ``--pairs`` write pictures.
"""

from __future__ import annotations

import argparse
import json
import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command line does

import cv2
import numpy as np

from handwright.drawing.photo.sharpness import edge_blur_sigma
from handwright.hand.depth import render_hand
from handwright.hand.kinematics import mesh_of
from handwright.hand.skin_colour import skin_distance
from handwright.image import write_png
from handwright.perception.analysis import crop_window
from handwright.perception.detect.landmarker import Landmarker
from handwright.perception.detect.views import DetectionOptions, around, box_iou
from handwright.perception.fit.hand_fit import fit_hand
from handwright.perception.segment import hand_region
from handwright.refine.pipeline import Engine, open_engine, refine_picture
from handwright.refine.result import HandRepair, Repair
from handwright.refine.settings import RefineSettings
from handwright.types import HandFit, HandObservation, HandRegion, Image
from measures import ciede2000, grain_ratio, mean, mean_lab, median, row, sharpness_ratio
from sheets import hand_crop, save_pages
from subjects import EVERY_HAND, Subject, subjects

SETS = ("rendered", "real", "fresh", "defects", "malformed", "surgery")
FEWEST_PX = 80
MISSED = dict.fromkeys(("found", "found_before", "found_again", "plain_before", "plain_after"), 0.0)
MISSED |= dict.fromkeys(("error", "floor", "plain_error_before", "plain_error_after"), 1.0)


@dataclass(frozen=True, eq=False)
class Outcome:
    """One redrawn hand and what was measured on it.

    Attributes:
        subject: What was to be redrawn.
        repair: Of the picture; None when no hand was found there.
        hand: The hand in question, or None.
        values: Measures by name; missing ones are NaN.
    """

    subject: Subject
    repair: Repair | None
    hand: HandRepair | None
    values: dict[str, float]


def redraw(subject: Subject, engine: Engine) -> Outcome:
    """Refine every hand of the picture, and measure the one that is meant."""
    repair = refine_picture(Image(subject.pixels), RefineSettings(hand_ids=EVERY_HAND, candidates=1), engine)
    hand = nearest(repair.hands, subject)
    if hand is None:
        return Outcome(subject, None, None, dict(MISSED))
    scores = hand.candidates[0].scores
    values = {
        "found": 1.0,
        "found_before": scores["found_before"],
        "found_again": scores["found_again"],
        "error": scores["joint_error"],
        "floor": scores["joint_error_before"],
        "paint_ms": 1000 * repair.seconds["paint"] / sum(len(each.candidates) for each in repair.hands),
        "all_ms": 1000 * sum(repair.seconds.values()),
        "leaked": leaked(repair),
        "residual": hand.fit.residual,
    }
    if subject.truth_px is not None:
        size = np.ptp(subject.truth_px, axis=0).max()
        apart = np.linalg.norm(hand.fit.landmarks_px - subject.truth_px, axis=1)
        values["fit_truth"] = float(apart.mean() / size)
    for name, pixels in (("before", subject.pixels), ("after", painted(subject.pixels, hand))):
        seen, error = independent_detection(pixels, hand.observation, hand.fit, engine.landmarker)
        values |= {f"plain_{name}": float(seen), f"plain_error_{name}": error}
    return Outcome(subject, repair, hand, values | likeness(subject.pixels, hand))


def nearest(hands: Iterable[HandRepair], subject: Subject) -> HandRepair | None:
    """The found hand whose box overlaps the subject's best; without a box, the largest."""
    hands = list(hands)
    if subject.bbox is None:
        return max(hands, key=lambda h: h.observation.size_px, default=None)
    box = subject.bbox
    best = max(hands, key=lambda h: box_iou(h.observation.bbox_xyxy_px, box), default=None)
    return best if best is not None and box_iou(best.observation.bbox_xyxy_px, box) > 0.2 else None


def painted(pixels: np.ndarray, hand: HandRepair) -> np.ndarray:
    """The picture with the hand's first candidate, accepted or not."""
    out, candidate = pixels.copy(), hand.candidates[0]
    (x, y), (height, width) = candidate.origin_xy_px, candidate.inside.shape
    out[y : y + height, x : x + width] = candidate.pixels
    return out


def independent_detection(
    pixels: np.ndarray, wanted: HandObservation, fit: HandFit, landmarker: Landmarker
) -> tuple[bool, float]:
    """Whether the landmark network finds the hand at default thresholds, and MPJPE of a fit to that."""
    view = around(wanted, margin=2.0, size_px=384)
    seen = view.detect(pixels, landmarker, DetectionOptions(2, 0.5, 0.5), "picture")
    apart = [np.linalg.norm(h.landmarks_px - wanted.landmarks_px, axis=1).mean() for h in seen]
    if not apart or min(apart) > 0.35 * wanted.size_px:
        return False, 1.0
    again = fit_hand(seen[int(np.argmin(apart))], pixels.shape[1], pixels.shape[0]).hand
    here, there = (h.camera.project(mesh_of(h).joints_cam_m) for h in (fit.hand, again))
    error = np.linalg.norm(here - there, axis=1).mean() / np.ptp(here, axis=0).max()
    return True, float(min(error, 1.0))


def leaked(repair: Repair) -> float:
    """Pixels that differ outside the hands' masks."""
    changed = (repair.after.pixels != repair.before.pixels).any(-1)
    return float((changed & ~np.any([hand.mask.inside for hand in repair.hands], axis=0)).sum())


def likeness(before: np.ndarray, hand: HandRepair) -> dict[str, float]:
    """Colour, sharpness, grain and outline of drawn skin beside the old skin."""
    height, width = before.shape[:2]
    window = crop_window(hand.observation, hand.fit, width, height)
    x0, y0, x1, y1 = window
    candidate = hand.candidates[0]
    old_crop = np.ascontiguousarray(before[y0:y1, x0:x1])
    new_crop = np.ascontiguousarray(painted(before, hand)[y0:y1, x0:x1])
    region = hand_region(old_crop, hand.observation.landmarks_px - np.array([x0, y0]))
    silhouette = render_hand(hand.fit.hand, height, width, window=window).face >= 0
    inside = np.zeros((height, width), bool)
    (cx, cy), (ch, cw) = candidate.origin_xy_px, candidate.inside.shape
    inside[cy : cy + ch, cx : cx + cw] = candidate.inside
    return skin_likeness(old_crop, new_crop, region, silhouette, inside[y0:y1, x0:x1])


def skin_likeness(
    old_crop: np.ndarray,
    new_crop: np.ndarray,
    region: HandRegion,
    silhouette: np.ndarray,
    inside: np.ndarray,
) -> dict[str, float]:
    """Colour, sharpness, grain and outline of drawn skin beside the old skin, in one crop.

    Args:
        old_crop: uint8 [h, w, 3] sRGB before.
        new_crop: After.
        region: The old hand.
        silhouette: bool [h, w] of the fitted hand.
        inside: bool [h, w] pixels that were painted.
    """
    rim = np.ones((5, 5), np.uint8)
    new = cv2.erode((silhouette & inside).astype(np.uint8), rim) > 0
    old = (
        cv2.erode((region.inside & inside & (skin_distance(old_crop, region) < 12)).astype(np.uint8), rim) > 0
    )
    if min(new.sum(), old.sum()) < FEWEST_PX:
        return {}
    return {
        "delta_e": float(ciede2000(mean_lab(old_crop, old), mean_lab(new_crop, new))),
        "sharpness": sharpness_ratio(new_crop, new, old_crop, old),
        "grain": grain_ratio(new_crop, new, old_crop, old),
        "outline": edge_blur_sigma(new_crop, silhouette) / edge_blur_sigma(old_crop, region.inside),
    }


def table(name: str, outcomes: list[Outcome]) -> list[str]:
    """Lines of the table; several hands of one picture count as one unit."""
    by_unit: dict[str, list[dict[str, float]]] = defaultdict(list)
    for outcome in outcomes:
        by_unit[outcome.subject.unit].append(outcome.values)

    def column(key: str) -> np.ndarray:
        units = [[v.get(key, np.nan) for v in values] for values in by_unit.values()]
        return np.array([np.mean(u) if np.isfinite(u).all() else np.nan for u in units])

    pairs = np.stack([column("error"), column("floor")], 1)
    plain = np.stack([column("plain_error_after"), column("plain_error_before")], 1)
    lines = [f"— {name}: {len(outcomes)} hands in {len(by_unit)} pictures"]
    lines += [
        row("found by the pipeline, %", column("found"), mean, scale=100),
        row("found again after drawing, %", column("found_again"), mean, scale=100),
        row("   the same check on the untouched picture, %", column("found_before"), mean, scale=100),
        row("independent detection after drawing, %", column("plain_after"), mean, scale=100),
        row("   on the untouched picture, %", column("plain_before"), mean, scale=100),
        row("joint error, misses 100 %, median %", column("error"), median, scale=100),
        row("   floor, median %", column("floor"), median, scale=100),
        row("   ratio of medians", pairs, lambda r: float(np.median(r[:, 0]) / np.median(r[:, 1]))),
        row("joint error, misses 100 %, mean %", column("error"), mean, scale=100),
        row("   floor, mean %", column("floor"), mean, scale=100),
        row("   ratio of means", pairs, lambda r: float(r[:, 0].mean() / r[:, 1].mean())),
        row("joint error by the independent detection, median %", plain[:, 0], median, scale=100),
        row("   floor, median %", plain[:, 1], median, scale=100),
        row("   ratio of medians", plain, lambda r: float(np.median(r[:, 0]) / np.median(r[:, 1]))),
        row("   ratio of means", plain, lambda r: float(r[:, 0].mean() / r[:, 1].mean())),
        row("ΔE00 of mean skin colour, median", column("delta_e"), median),
    ]
    for key in ("sharpness", "grain", "outline"):
        off = np.abs(column(key) - 1)
        within = np.where(np.isnan(off), np.nan, off <= 0.25)
        lines.append(row(f"{key} ratio, median", column(key), median))
        lines.append(row("   |ratio − 1|, median", off, median))
        lines.append(row("   within 25 %, %", within, mean, scale=100))
    lines += [
        row("fit's 2-D residual, median %", column("residual"), median, scale=100),
        row("paint, ms a painting, median", column("paint_ms"), median),
        row("find, fit, depth, paint, check: ms, median", column("all_ms"), median),
        f"samples changed outside the mask: {int(np.nansum(column('leaked')))}",
    ]
    if np.isfinite(column("fit_truth")).any():
        lines.insert(-3, row("fit against exact landmarks, median %", column("fit_truth"), median, scale=100))
    return lines


def caption(outcome: Outcome) -> str:
    """Name, group and the key numbers of a pair."""
    v = outcome.values
    state = "NOT FOUND" if outcome.hand is None else outcome.hand.action
    numbers = f"err {100 * v['error']:.1f}/{100 * v['floor']:.1f} dE {v.get('delta_e', float('nan')):.1f}"
    return f"{outcome.subject.name} {outcome.subject.group} {state} {numbers}"


def tiles(outcome: Outcome) -> list[np.ndarray]:
    """Before, after, and for hands with a defect what it should have been."""
    subject, hand = outcome.subject, outcome.hand
    box = subject.bbox or (hand.observation.bbox_xyxy_px if hand else (0, 0, *subject.pixels.shape[1::-1]))
    pictures = [subject.pixels, subject.pixels if hand is None else painted(subject.pixels, hand)]
    if subject.sound is not None:
        pictures.append(subject.sound())
    return [hand_crop(p, box) for p in pictures]


def save_pair(outcome: Outcome, folder: Path) -> None:
    """Add a painted hand to a folder of pairs: two crops of 256 px and a line of pairs.jsonl."""
    hand, subject = outcome.hand, outcome.subject
    if hand is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{subject.name}-{hand.id}".replace("/", "_")
    line: dict[str, Any] = {"id": name, "group": subject.group, "box": [57, 57, 199, 199]}
    box = hand.observation.bbox_xyxy_px
    for which, picture in (("old", subject.pixels), ("new", painted(subject.pixels, hand))):
        path = folder / f"{name}-{which}.png"
        write_png(path, cv2.resize(hand_crop(picture, box), (256, 256), interpolation=cv2.INTER_AREA))
        line[which] = str(path.resolve())
    with (folder / "pairs.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--set", choices=SETS, action="append", help="default: all that can be had")
    parser.add_argument("--n", type=int, help="hands per set")
    parser.add_argument("--seed", type=int, help="first seed of rendered sets")
    parser.add_argument("--sheet", type=Path, help="NAME.png: write contact sheets NAME_<set>_00.png …")
    parser.add_argument("--pairs", type=Path, help="DIR: write each hand before and after, for blind viewers")
    options = parser.parse_args()
    possible = SETS if "HANDWRIGHT_PHOTOS" in os.environ else ("rendered", "defects", "malformed")
    with open_engine() as engine:
        for kind in options.set or possible:
            outcomes, groups = [], []
            for subject in subjects(kind, options.n, options.seed):
                outcome = redraw(subject, engine)
                outcomes.append(outcome)
                if options.pairs:
                    save_pair(outcome, options.pairs / kind)
                if options.sheet:
                    groups.append((caption(outcome), tiles(outcome)))
            print("\n".join(table(kind, outcomes)), flush=True)
            for group in sorted({o.subject.group for o in outcomes} & {"free", "difficult"}):
                print("\n".join(table(f"{kind}, {group}", [o for o in outcomes if o.subject.group == group])))
            if options.sheet:
                name = options.sheet.with_name(f"{options.sheet.stem}_{kind}.png")
                print("sheets:", *save_pages(name, groups))


if __name__ == "__main__":
    main()
