"""Whether the cast shadow helps: python bench/shadow.py [--n N] [--seed S] [--sheet PATH].

Rendered hands with an extra, a missing or no fault, of which about half shade their backdrop. The sound
hand's true mesh is drawn over each with the shadow and without it, and the background inside the mask is
compared with the same scene rendered without the fault: mean error of lightness L*, exposure matched far from
the hand. Only pictures in which a shadow is found can differ. Intervals: bootstrap 95 %, pictures as units.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import cv2
import numpy as np

from handwright.data.hands import HandPicture, render_one_hand
from handwright.drawing import painter
from handwright.drawing.painter import DrawResult, draw_hand
from handwright.drawing.photo.srgb import to_linear, to_srgb
from handwright.drawing.shadow_search import find_shadow
from handwright.hand.defects import Defect
from handwright.perception.analysis import crop_window
from handwright.perception.segment import hand_region
from handwright.refine.compositing.repair_mask import compute_repair_mask
from handwright.types import HandFit, HandObservation
from measures import mean, median, row
from sheets import hand_crop, save_pages

FIRST = 710000
FAULTS = (Defect.EXTRA, Defect.MISSING, None)


@dataclass(frozen=True, eq=False)
class Pair:
    """A scene drawn over with and without the shadow, all in one crop.

    Attributes:
        crop: The scene with its fault.
        truth: The scene without it.
        on: Drawn with the shadow.
        off: Drawn without.
        bare: Pixels that show backdrop in the truth, clear of the hand's edge.
        far: Pixels that neither hand touches or shades much.
    """

    crop: np.ndarray
    truth: np.ndarray
    on: DrawResult
    off: DrawResult
    bare: np.ndarray
    far: np.ndarray


def rendered(seed: int, fault: str | None) -> tuple[HandPicture, HandPicture, bool]:
    """A picture, the same without its fault, and whether the hand shades its background."""
    scene = render_one_hand(seed, defect=fault)
    sound = render_one_hand(seed, defect=fault, without_defect=True) if fault else scene
    return scene, sound, scene.setup.place.near


def drawn_pair(scene: HandPicture, mended: HandPicture) -> tuple[Pair | None, float]:
    """Draw the sound hand over the scene with and without the shadow; None where none is found.

    Also the processor time that looking for it took, in ms.
    """
    hand, marks = scene.hands[0].hand, scene.hands[0].keypoints_px
    seen = HandObservation(
        landmarks_px=marks, depth_px=np.zeros(21), side=hand.side, score=1.0, found_by="truth"
    )
    fit = HandFit(hand=hand, landmarks_px=marks, residual=0.0, landmark_weights=np.ones(21))
    x0, y0, x1, y1 = window = crop_window(seen, fit, *scene.pixels.shape[1::-1])
    place = np.s_[y0:y1, x0:x1]
    crop, marks = np.ascontiguousarray(scene.pixels[place]), marks - np.array([x0, y0])
    region = hand_region(crop, marks)
    allowed = compute_repair_mask(hand, window, marks, region)
    spent = []

    def timed(*arguments: object) -> object:
        start = time.process_time()
        shadow = find_shadow(*arguments)
        spent.append(1000 * (time.process_time() - start))
        return shadow

    def draw(search: object) -> DrawResult:
        with patch.object(painter, "find_shadow", search):
            return draw_hand(crop, window, hand, marks, region, seed=0, repair_mask=allowed)

    on = draw(timed)
    if on.shadow is None:
        return None, spent[0]
    off = draw(lambda *_: None)
    truly, there = ((s.scene > 0)[place] for s in (mended, scene))
    away, from_either = (distance_to(mask) for mask in (truly, truly | there))
    bare = allowed & (away > 0.012 * seen.size_px + 1.5) & (off.layers.alpha < 0.01)
    far = (from_either > 0.3 * seen.size_px) & ~allowed
    return Pair(crop, np.ascontiguousarray(mended.pixels[place]), on, off, bare, far), spent[0]


def distance_to(mask: np.ndarray) -> np.ndarray:
    """Pixels to the nearest True one."""
    return cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 3)


def errors(pair: Pair) -> dict[str, float]:
    """Mean absolute error of L* on the backdrop inside the mask: all of it, filled and kept; on and off."""
    light = [to_linear(picture) for picture in (pair.crop, pair.truth)]
    exposure = light[0][pair.far].mean(0) / light[1][pair.far].mean(0) if pair.far.sum() > 500 else 1.0
    wanted = lightness(to_srgb(light[1] * exposure))
    share = pair.off.layers.hole_alpha
    parts = {"all": pair.bare, "filled": pair.bare & (share > 0.5), "kept": pair.bare & (share < 0.01)}
    values = {}
    for state, drawn in (("on", pair.on), ("off", pair.off)):
        miss = np.abs(lightness(drawn.pixels) - wanted)
        values |= {f"{part} {state}": miss[m].mean() if m.sum() > 30 else np.nan for part, m in parts.items()}
    return values


def lightness(pixels: np.ndarray) -> np.ndarray:
    """L* 0 … 100, smoothed over the grain."""
    scaled = np.asarray(pixels, np.float32) / 255
    return cv2.GaussianBlur(cv2.cvtColor(scaled, cv2.COLOR_RGB2LAB)[..., 0], (0, 0), 1.5)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--seed", type=int, default=FIRST)
    parser.add_argument("--sheet", type=Path, help="NAME.png: scene, without, with, truth")
    options = parser.parse_args()
    found, cast, times, table, groups = [], [], [], [], []
    for seed in range(options.seed, options.seed + options.n):
        fault = FAULTS[seed % len(FAULTS)]
        scene, mended, shaded = rendered(seed, fault)
        pair, spent = drawn_pair(scene, mended)
        found.append(pair is not None)
        cast.append(shaded)
        times.append(spent)
        if pair is None:
            continue
        shadow = pair.on.shadow
        values = errors(pair)
        table.append(values)
        print(
            seed,
            fault,
            f"shaded {shaded}",
            shadow,
            {k: round(float(v), 2) for k, v in values.items()},
            flush=True,
        )
        tiles = (pair.crop, pair.off.pixels, pair.on.pixels, pair.truth)
        whole = (0, 0, *pair.crop.shape[1::-1])
        groups.append((f"{seed} {fault} {shadow.strength:.2f}", [hand_crop(t, whole, 1.0) for t in tiles]))
    found, cast = np.array(found), np.array(cast)
    print(f"{options.n} pictures, {cast.sum()} with a shadow: found in {(found & cast).sum()}")
    print(f"{(~cast).sum()} without: found in {(found & ~cast).sum()}")
    print(row("looking for it, ms of processor time, median", np.array(times), median))
    for part in ("all", "filled", "kept") if table else ():
        off, on = (np.array([v[f"{part} {state}"] for v in table]) for state in ("off", "on"))
        print(row(f"error of L*, {part}: off", off, mean))
        print(row("   on", on, mean))
        print(row("   off − on", off - on, mean), f"better in {(off > on).sum()} of {np.isfinite(off).sum()}")
    if options.sheet:
        print("sheets:", *save_pages(options.sheet, groups))


if __name__ == "__main__":
    main()
