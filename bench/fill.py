"""How well backgrounds are invented: python bench/fill.py [--n N] [--vary FIELD VALUE …].

Holes of the shape of rendered hands in pictures without them, filled from all that is left: procedural
backdrops, and where $HANDWRIGHT_PHOTOS is set, pieces of training photographs. *Colour*: mean error of the
fill in levels of 255, both blurred by σ 3; *step*: what the gradient at the hole's rim exceeds the true one
by. ``--vary`` compares values of a field of ``FillParams``, the first is what the others are held against,
hole by hole. Bootstrap 95 % intervals, holes as units.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from dataclasses import replace
from itertools import count, islice
from pathlib import Path

import cv2
import numpy as np

from handwright.data.hands import render_one_hand
from handwright.data.world.places import draw_place
from handwright.drawing.fill.patch_fill import FillParams, fill_background
from handwright.hand.rig import dilated
from handwright.training.streams.photographs import training_photographs
from measures import mean, row

SIDE, RIM_PX, SEED = 320, 5, 760_000
EVERY, SHORTER_PX = 7, 480


def backdrops() -> Iterator[np.ndarray]:
    """Backgrounds of the renders, with a little grain."""
    for number in count():
        rng = np.random.default_rng([SEED, number])
        linear = np.clip(draw_place(rng, SIDE).linear, 0, 1)
        yield np.clip(255 * linear ** (1 / 2.2) + rng.normal(0, 2, linear.shape), 0, 255).astype(np.uint8)


def photographs(root: Path) -> Iterator[np.ndarray]:
    """A piece of every so many training photographs, whatever it shows."""
    for number, photograph in enumerate(training_photographs(root)):
        shorter = min(photograph.pixels.shape[:2])
        if number % EVERY or shorter < SIDE:
            continue
        scale = min(1.0, SHORTER_PX / shorter)
        small = cv2.resize(photograph.pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        rng = np.random.default_rng([SEED, number])
        y, x = (int(rng.integers(size - SIDE + 1)) for size in small.shape[:2])
        yield np.ascontiguousarray(small[y : y + SIDE, x : x + SIDE])


def errors(picture: np.ndarray, hole: np.ndarray, params: FillParams) -> tuple[float, float]:
    """Colour and step of one fill."""
    spoiled = np.where(hole[..., None], np.array([150, 110, 90], np.uint8), picture)
    filled = fill_background(spoiled, hole, ~hole, 0, params)
    soft, true = (cv2.GaussianBlur(p.astype(np.float32), (0, 0), 3.0) for p in (filled, picture))
    rim = hole & dilated(~hole, 2)
    step = np.maximum(gradient(filled) - gradient(picture), 0)[rim].mean()
    return float(np.abs(soft - true)[hole].mean()), float(step)


def gradient(picture: np.ndarray) -> np.ndarray:
    """Levels a pixel, of the steepest channel."""
    soft = cv2.GaussianBlur(picture.astype(np.float32), (0, 0), 1.0)
    return np.hypot(cv2.Sobel(soft, cv2.CV_32F, 1, 0) / 8, cv2.Sobel(soft, cv2.CV_32F, 0, 1) / 8).max(-1)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n", type=int, default=60)
    parser.add_argument("--vary", nargs="+", default=["membrane_levels", str(FillParams().membrane_levels)])
    options = parser.parse_args()
    name, *given = options.vary
    values = [type(getattr(FillParams(), name))(value) for value in given]
    kinds = {"backdrops": backdrops()}
    if "HANDWRIGHT_PHOTOS" in os.environ:
        kinds["training photographs"] = photographs(Path(os.environ["HANDWRIGHT_PHOTOS"]))
    for kind, pictures in kinds.items():
        measured = np.array(
            [
                [errors(picture, hole, replace(FillParams(), **{name: value})) for value in values]
                for number, picture in enumerate(islice(pictures, options.n))
                for hole in [dilated(render_one_hand(SEED + number, SIDE).mask, RIM_PX)]
            ]
        )
        print(f"— {kind}: {len(measured)} holes")
        for k, value in enumerate(values):
            for measure, column in zip(
                ("colour, levels", "step at the rim"), measured.transpose(2, 0, 1), strict=True
            ):
                print(row(f"{value:g}: {measure}", column[:, k], mean))
                if k:
                    print(row(f"   less {values[0]:g}'s", column[:, k] - column[:, 0], mean))


if __name__ == "__main__":
    main()
