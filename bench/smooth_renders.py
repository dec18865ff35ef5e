"""Renders without fine detail on skin: python bench/smooth_renders.py DATA -o OUT [--look FILE.png].

What a ControlNet learnt from shows where it is strong. HandRefiner's learnt from renders with less fine
detail than the pictures that it mends, and takes it away; this makes such renders of ours, for a ControlNet
that `handwright reproduce handrefiner --variants` paints with beside one of the same renders unchanged.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from handwright.data.shards import Entry, list_shards, read_shards, write_shard
from handwright.image import write_png

REACH_PX, COLOUR, TIMES = 4.0, 60.0, 3
"""σ in pixels, of 255, and how often the edge-preserving filter goes over a hand."""


def smoothed(entry: Entry) -> Entry:
    """The same with all hands smooth; outlines and folds stay."""
    pixels = entry.pictures["image"]
    smooth = pixels
    for _ in range(TIMES):
        smooth = cv2.bilateralFilter(smooth, -1, COLOUR, REACH_PX)
    hand = cv2.GaussianBlur((entry.pictures["depth"] > 0).astype(np.float32), (0, 0), 0.7)[..., None]
    mixed = np.rint(hand * smooth + (1 - hand) * pixels).astype(np.uint8)
    return replace(entry, pictures={**entry.pictures, "image": mixed}, encoded={})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split(":")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--look", type=Path, help="a picture of the first ones, before and after")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    shards = list_shards(options.data)
    for path in shards:
        write_shard(options.output / path.name, map(smoothed, read_shards([path])))
    if options.look:
        first = [entry for _, entry in zip(range(6), read_shards(shards[:1]), strict=False)]
        rows = [[made.pictures["image"] for made in row] for row in (first, map(smoothed, first))]
        write_png(options.look, np.concatenate([np.concatenate(row, 1) for row in rows], 0))


if __name__ == "__main__":
    main()
