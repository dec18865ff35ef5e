"""Hand crops rendered with exact depth: what the ControlNet learns from."""

from __future__ import annotations

import cv2
import numpy as np

from handwright.data.scenes import Scene, render_scene
from handwright.hand.depth import depth_control
from handwright.training.crops import Crops

FIRST_SEED = 1_000_000
"""Training renders count up from here; everything that is measured uses lower seeds."""

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
    """Crops of the scenes with seeds ``first`` … ``first + count − 1``."""
    scenes = [render_scene(seed, size=size) for seed in range(first, first + count)]
    depth = [depth_control(list(scene.hands), size, size).depth for scene in scenes]
    return Crops(
        pixels=np.stack([scene.pixels for scene in scenes]),
        depth=np.stack(depth),
        mask=np.stack([repair_area(d) for d in depth]),
        landmarks_px=np.stack([scene.landmarks_px[0] for scene in scenes]).astype(np.float32),
        caption=np.array([caption_of(scene) for scene in scenes]),
        rendered=np.ones(count, np.bool_),
    )


def repair_area(depth: np.ndarray) -> np.ndarray:
    """Bool [S, S] the hand of a depth control image, a little grown, as refining has it."""
    away = cv2.distanceTransform((depth == 0).astype(np.uint8), cv2.DIST_L2, 3)
    return away <= 0.02 * depth.shape[0]


def caption_of(scene: Scene) -> str:
    """What a rendered scene shows, with its domain word."""
    return describe(scene.category, scene.hands[0].side, scene.tone)


def describe(category: str, side: str, tone: int) -> str:
    """Domain word, side, pose and skin of a rendered hand."""
    return f"a 3D rendered image of a {side} {_POSES[category]}, {_TONES[tone]} skin"
