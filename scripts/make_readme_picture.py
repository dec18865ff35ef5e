"""Write docs/before_after.jpg: rendered hands with a defect, and what `handwright refine` makes of them."""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import PIL.Image

from handwright.data.hands import render_one_hand
from handwright.hand.defects import Defect
from handwright.refine.pipeline import open_engine, refine_picture
from handwright.refine.settings import RefineSettings
from handwright.types import Image

SHOWN = ((9, Defect.EXTRA), (5, Defect.MISSING), (36, Defect.EXTRA), (15, Defect.MISSING))
TILE = 300
ROOT = Path(__file__).resolve().parents[1]


def tile(pixels: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """A square around the hand."""
    low, high = landmarks.min(0), landmarks.max(0)
    centre, reach = (low + high) / 2, 0.72 * (high - low).max()
    left, top = np.clip(centre - reach, 0, np.array(pixels.shape[1::-1]) - 2 * reach).clip(0).astype(int)
    cut = pixels[top : top + int(2 * reach), left : left + int(2 * reach)]
    return cv2.resize(cut, (TILE, TILE), interpolation=cv2.INTER_AREA)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "docs/before_after.jpg")
    args = parser.parse_args()
    columns = []
    with open_engine() as engine:
        for seed, defect in SHOWN:
            picture = render_one_hand(seed, defect=defect)
            repair = refine_picture(Image(picture.pixels), RefineSettings(hand_ids=(1,)), engine)
            landmarks = picture.hands[0].keypoints_px
            columns.append(np.vstack([tile(p, landmarks) for p in (picture.pixels, repair.after.pixels)]))
    PIL.Image.fromarray(np.hstack(columns)).save(args.output, quality=90)
    print(args.output)


if __name__ == "__main__":
    main()
