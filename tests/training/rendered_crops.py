"""Training data made for tests: a shard of rendered hands."""

from __future__ import annotations

import numpy as np

from handwright.data.hands.defects.generators import DEFECTS
from handwright.data.synthesise import synthesise
from handwright.training.streams.crops import Crops


def shard(folder, count=3, kind="hands", seed=900, size=96):
    """A folder with ``count`` rendered pictures."""
    synthesise(folder, kind, count=count, seed=seed, size=size)
    return folder


def crops(count=6, size=36, rendered=True):
    """Noise with a bar where the hand is."""
    rng = np.random.default_rng(3)
    depth = np.zeros((count, size, size), np.uint8)
    depth[:, 8:24, 10:20] = 200
    return Crops(
        pixels=rng.integers(0, 255, (count, size, size, 3), np.uint8),
        depth=depth,
        mask=depth > 0,
        landmarks_px=np.full((count, 21, 2), (12.0, 9.0), np.float32),
        visible=np.ones((count, 21), np.bool_),
        side=np.ones(count, np.int8),
        defects=np.zeros((count, len(DEFECTS)), np.bool_),
        caption=np.array(["a 3D rendered image of a right hand\n3D rendered image, right hand"] * count),
        rendered=np.full(count, rendered),
    )
