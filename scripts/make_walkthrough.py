"""Make the pictures of docs/handrefiner.md: one rendered hand with a sixth finger through every stage.

python scripts/make_walkthrough.py [--model DIR]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import PIL.Image

from handwright.data.hands import render_one_hand
from handwright.hand.defects import Defect
from handwright.handrefiner.diffusion_settings import DiffusionSettings
from handwright.handrefiner.square import picture_at
from handwright.image import with_patch
from handwright.refine.pipeline import open_engine, refine_picture
from handwright.refine.settings import RefineSettings
from handwright.types import Image

DOCS = Path(__file__).parent.parent / "docs"
SEED, TILE_PX, ONE_PAINTING_S = 36, 256, 1e-3  # With that budget a hand is painted once


def beside(*tiles: np.ndarray) -> np.ndarray:
    """Tiles in a row."""
    return np.concatenate([picture_at(t, TILE_PX) for t in tiles], axis=1)


def grey(plane: np.ndarray) -> np.ndarray:
    """A plane as a picture."""
    return np.repeat(plane.astype(np.uint8)[..., None], 3, axis=2)


def write_jpeg(path: Path, pixels: np.ndarray) -> None:
    """A picture for a page."""
    PIL.Image.fromarray(pixels).save(path, quality=88)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="tiny")
    model = parser.parse_args().model
    image, results = Image(render_one_hand(SEED, defect=Defect.EXTRA).pixels), []
    with open_engine() as engine:
        for strength in (0.0, 0.25, 0.55, 0.8, 1.0):
            diffusion = DiffusionSettings(model=model, strength=strength)
            settings = RefineSettings(
                painter="diffuse", all_hands=True, diffusion=diffusion, keep_intermediates=True,
                budget_s=ONE_PAINTING_S,
            )  # fmt: skip
            hand = refine_picture(image, settings, engine).hands[0]
            results.append(hand)
        others = [
            RefineSettings(painter=painter, all_hands=True, budget_s=ONE_PAINTING_S)
            for painter in ("draw", "harmonise")
        ]
        drawn = [refine_picture(image, settings, engine).hands[0] for settings in others]
    fixed = results[2]
    mask, depth = grey(255 * fixed.mask.inside), grey(fixed.depth.depth)
    write_jpeg(DOCS / "handrefiner_stages.jpg", beside(image.pixels, depth, mask))
    write_jpeg(DOCS / "handrefiner_steps.jpg", fixed.candidates[0].strip)
    strengths = [with_patch(image, hand.candidates[0]).pixels for hand in results]
    write_jpeg(DOCS / "handrefiner_strengths.jpg", beside(*strengths))
    painters = [with_patch(image, hand.candidates[0]).pixels for hand in (*drawn, fixed)]
    write_jpeg(DOCS / "handrefiner_painters.jpg", beside(image.pixels, *painters))


if __name__ == "__main__":
    main()
