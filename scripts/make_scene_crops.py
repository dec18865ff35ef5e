"""Render training crops with exact depth: scripts/make_scene_crops.py -o DIR [--n N].

Of the scenes that `bench/` draws its test hands from, with seeds that nothing else uses: from FIRST_SEED up.
The files go beside the shards of `handwright synth` that a member trains on; files that are there already are
kept.
"""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from handwright.data.hands.defects.generators import DEFECTS
from handwright.data.scenes import Scene, render_scene
from handwright.hand.depth import depth_control
from handwright.training.streams.crop_folders import repair_area
from handwright.training.streams.crops import Crops, save_crops

FIRST_SEED = 1_100_000
"""Everything that is measured uses lower seeds; the first embedded family used those from 1,000,000 up."""

LOT = 100
_TONES = (
    *("very light", "light", "light", "light brown", "light brown"),
    *("brown", "brown", "dark brown", "dark", "very dark"),
)
_POSES = {
    "open": "open hand",
    "spread": "open hand with spread fingers",
    "together": "flat hand with the fingers together",
    "relaxed": "relaxed hand",
    "pointing": "hand pointing with the index finger",
    "victory": "hand showing two fingers",
    "pinch": "hand pinching with thumb and index finger",
    "grip": "half closed hand",
    "fist": "fist",
}


def rendered_crops(first: int, count: int, size: int) -> Crops:
    """Crops of the scenes with seeds ``first`` … ``first + count − 1``, one hand each."""
    scenes = [render_scene(seed, size=size) for seed in range(first, first + count)]
    depth = np.stack([depth_control(scene.hands[:1], size, size).depth for scene in scenes])
    landmarks = np.stack([scene.landmarks_px[0] for scene in scenes]).astype(np.float32)
    return Crops(
        pixels=np.stack([scene.pixels for scene in scenes]),
        depth=depth,
        mask=np.stack([repair_area(plane) for plane in depth]),
        landmarks_px=landmarks,
        visible=np.all((landmarks >= 0) & (landmarks < size), axis=-1),
        side=np.array([int(scene.hands[0].side == "right") for scene in scenes], np.int8),
        pose=np.array([_POSES[scene.category] for scene in scenes]),
        defects=np.zeros((count, len(DEFECTS)), np.bool_),
        gloved=np.zeros(count, np.bool_),
        caption=np.array([caption_of(scene) for scene in scenes]),
        rendered=np.ones(count, np.bool_),
    )


def caption_of(scene: Scene) -> str:
    """Domain word, side, pose and skin of a rendered hand."""
    shown = f"a {scene.hands[0].side} {_POSES[scene.category]}, {_TONES[scene.tone]} skin"
    return f"a 3D rendered image of {shown}"


def make_lot(path: Path, first: int, count: int, size: int) -> Path:
    """One file, unless it is there already."""
    if not path.exists():
        save_crops(path, rendered_crops(first, count, size))
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--n", type=int, default=2600, help="how many, whole hundreds")
    parser.add_argument("--size", type=int, default=288, help="side of the crops")
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        lots = range(-(-args.n // LOT))
        paths = [args.output / f"scenes-{lot:04d}.npz" for lot in lots]
        firsts = [FIRST_SEED + LOT * lot for lot in lots]
        for path in pool.map(make_lot, paths, firsts, repeat(LOT), repeat(args.size)):
            print(path)


if __name__ == "__main__":
    main()
