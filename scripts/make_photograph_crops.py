"""Cut training crops out of licensed photographs: scripts/make_photograph_crops.py PHOTOS -o DIR.

Test-only pictures are left out by the split's rule. The file goes beside the shards of `handwright synth`
that a member trains on, with photographs.csv, the hashes of all that was looked at; a file that is there
already is kept.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import cv2
import numpy as np

from handwright.data.hands.defects.generators import DEFECTS
from handwright.hand.depth import depth_control
from handwright.perception.analysis import analyse_hand
from handwright.perception.detect.landmarker import HandLandmarker, Landmarker
from handwright.perception.detect.search import find_hands
from handwright.refine.compositing.repair_mask import compute_repair_mask
from handwright.training.streams.crops import CONTEXT, Crops, joined, save_crops
from handwright.training.streams.photographs import Photograph, training_photographs
from handwright.types import HandObservation, Image

LEAST_PX = 64
FARTHEST_FIT = 0.02
"""Residual of a fit, in sizes of its hand, up to which its depth is learnt from."""


def photograph_crops(
    photograph: Photograph, landmarker: Landmarker, size: int, least_px: float
) -> Crops | None:
    """Crops around the hands of a photograph, or None when no hand of ``least_px`` is seen.

    The mask is the repair mask of a fresh fit, as when refining, and the depth that of the fit; without any
    where the fit is farther than ``FARTHEST_FIT`` from what was seen.
    """
    seen = [h for h in find_hands(photograph.pixels, landmarker=landmarker) if h.size_px >= least_px]
    if not seen:
        return None
    cut = [_cut(photograph.pixels, hand, size) for hand in seen]
    landmarks = np.stack([c[2] for c in cut]).astype(np.float32)
    return Crops(
        pixels=np.stack([c[0] for c in cut]),
        depth=np.stack([c[3] for c in cut]),
        mask=np.stack([c[1] for c in cut]),
        landmarks_px=landmarks,
        visible=np.all((landmarks >= 0) & (landmarks < size), axis=-1),
        side=np.array([int(h.side == "right") for h in seen], np.int8),
        defects=np.zeros((len(cut), len(DEFECTS)), np.bool_),
        caption=np.array([f"a photograph of a {h.side} hand" for h in seen]),
        rendered=np.zeros(len(cut), np.bool_),
    )


def _cut(
    pixels: np.ndarray, seen: HandObservation, size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The square around one hand: pixels, mask, landmarks and depth at ``size``."""
    hand = analyse_hand(Image(np.ascontiguousarray(pixels)), seen)
    fit = hand.fit
    height, width = pixels.shape[:2]
    inside = np.zeros((height, width), np.uint8)
    x0, y0, x1, y1 = hand.window
    inside[y0:y1, x0:x1] = compute_repair_mask(fit.hand, hand.window, hand.landmarks_px, hand.region)
    low, high = seen.landmarks_px.min(0), seen.landmarks_px.max(0)
    scale = size / (CONTEXT * seen.size_px)
    move = size / 2 - scale * (low + high) / 2
    to_crop = np.array([[scale, 0, move[0]], [0, scale, move[1]]])
    shrunk = pixels if scale >= 0.9 else cv2.GaussianBlur(pixels, (0, 0), 0.45 / scale)
    colour = cv2.warpAffine(
        shrunk, to_crop, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    mask = cv2.warpAffine(inside, to_crop, (size, size), flags=cv2.INTER_NEAREST)
    depth = np.zeros((height, width), np.uint8)
    if fit.residual <= FARTHEST_FIT:
        depth = depth_control([fit.hand], height, width).depth
    depth = cv2.warpAffine(depth, to_crop, (size, size), flags=cv2.INTER_LINEAR)
    return colour, mask > 0, seen.landmarks_px * scale + move, depth


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path, help="folder of the real photographs")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--every", type=int, default=1, help="take every N-th photograph")
    parser.add_argument("--size", type=int, default=288, help="side of the crops")
    args = parser.parse_args()
    path = args.output / "photographs.npz"
    if path.exists():
        return
    args.output.mkdir(parents=True, exist_ok=True)
    lots, seen = [], ["photograph,sha256"]
    with HandLandmarker(None) as landmarker:
        for number, photograph in enumerate(training_photographs(args.photos)):
            if number % args.every == 0:
                seen.append(f"{photograph.source},{photograph.sha256}")
                crops = photograph_crops(photograph, landmarker, args.size, LEAST_PX)
                lots += [] if crops is None else [crops]
    path.with_suffix(".csv").write_text("\n".join(seen) + "\n", encoding="utf-8")
    save_crops(path, joined(lots))
    print(f"{sum(map(len, lots))} hands of {len(lots)} photographs: {path}")


if __name__ == "__main__":
    main()
