"""Renders changed in one respect: python bench/changed_renders.py smooth|coarse DATA -o OUT [--look PNG].

For ControlNets that `handwright reproduce handrefiner --variants` paints with beside ones of the same renders
as they are, to see whether what sets our rows apart from HandRefiner's lies there:

    smooth  hands without fine detail: HandRefiner's learnt from such, and takes the detail of pictures away
    coarse  the depth of scenes as an estimator gives it, blurred and with a background, not exact: what
            HandRefiner's untuned network learnt from
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

BLUR, FAR = 0.025, (10, 110)
"""σ of an estimate in sides; what of 255 a background may have."""


def smooth(entry: Entry) -> Entry:
    """The same with all hands smooth; outlines and folds stay."""
    pixels = entry.pictures["image"]
    filtered = pixels
    for _ in range(TIMES):
        filtered = cv2.bilateralFilter(filtered, -1, COLOUR, REACH_PX)
    hand = cv2.GaussianBlur((entry.pictures["depth"] > 0).astype(np.float32), (0, 0), 0.7)[..., None]
    mixed = np.rint(hand * filtered + (1 - hand) * pixels).astype(np.uint8)
    return replace(entry, pictures={**entry.pictures, "image": mixed}, encoded={})


def coarse(entry: Entry) -> Entry:
    """The same with an estimate for its scene's depth; the far plane slopes down, as floors and tables do."""
    scene = entry.pictures["scene"].astype(np.float32)
    top, bottom = np.sort(np.random.default_rng(int(entry.key)).uniform(*FAR, 2))
    plane = np.broadcast_to(np.linspace(top, bottom, len(scene), dtype=np.float32)[:, None], scene.shape)
    estimate = cv2.GaussianBlur(np.maximum(scene, plane), (0, 0), BLUR * len(scene))
    return replace(
        entry, pictures={**entry.pictures, "scene": np.rint(estimate).astype(np.uint8)}, encoded={}
    )


CHANGES = {"smooth": (smooth, "image"), "coarse": (coarse, "scene")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split(":")[0])
    parser.add_argument("change", choices=CHANGES)
    parser.add_argument("data", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--look", type=Path, help="a picture of the first ones, before and after")
    options = parser.parse_args()
    change, changed = CHANGES[options.change]
    options.output.mkdir(parents=True, exist_ok=True)
    shards = list_shards(options.data)
    for path in shards:
        write_shard(options.output / path.name, map(change, read_shards([path])))
    if options.look:
        first = [entry for _, entry in zip(range(6), read_shards(shards[:1]), strict=False)]
        rows = [[made.pictures[changed] for made in row] for row in (first, map(change, first))]
        write_png(options.look, np.concatenate([np.concatenate(row, 1) for row in rows], 0))


if __name__ == "__main__":
    main()
