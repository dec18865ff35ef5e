"""Maps of the skin in texture coordinates: the drawn hand's own atlas, and veins, tendons, creases, hair."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

import cv2
import numpy as np
from jaxtyping import Float

from handwright.data.world._detail import draw_detail
from handwright.hand.anatomy import FINGER_BONES
from handwright.hand.dense import load_dense_rig
from handwright.hand.raster import rasterize

_DETAIL_PX = 512
_SPAN_M = 0.32

_VEINS_CM = np.array(
    [
        (0.9, 8.2, 0.7, 5.6), (0.7, 5.6, 1.5, 3.4), (1.5, 3.4, 1.9, 0.4), (1.9, 0.4, 2.0, -5.0),
        (-0.8, 8.0, -0.6, 5.9), (-0.6, 5.9, 0.7, 5.6), (-0.6, 5.9, -1.3, 3.0), (-1.3, 3.0, -1.2, -0.6),
        (-2.2, 7.2, -2.0, 5.0), (-2.0, 5.0, -1.3, 3.0), (-2.0, 5.0, -2.4, 2.0), (-1.2, -0.6, -0.6, -5.0),
        (2.1, 7.6, 1.5, 5.4), (1.5, 5.4, 0.7, 5.6),
    ],
    np.float32,
)  # fmt: skip
"""The dorsal venous network of the resting hand as line pieces x0, y0, x1, y1 in cm (Gray's Anatomy)."""


@lru_cache(maxsize=1)
def skin_levels() -> tuple[Float[np.ndarray, "s s 6"], ...]:
    """The drawn hand's atlas and its halvings: albedo 3 (128 = mean), height, nail, palmar; 0 … 255."""
    with files("handwright.drawing.skin").joinpath("skin.npz").open("rb") as stream, np.load(stream) as data:
        full = np.dstack([data["albedo"], data["height"], data["nail"], data["palmar"]]).astype(np.float32)
    return _halvings(full)


@lru_cache(maxsize=1)
def detail_levels() -> tuple[Float[np.ndarray, "s s 4"], ...]:
    """Veins, tendons, creases and where hair grows, each 0 … 1, on the back of the hand; and halvings."""
    dense = load_dense_rig()
    rig = dense.rig
    corners = rig.corner_uv.reshape(-1, 2)
    faces = np.arange(len(corners)).reshape(-1, 3)
    seen = rasterize(corners * _DETAIL_PX, np.ones(len(corners)), faces, _DETAIL_PX, _DETAIL_PX)
    flat = rig.faces.ravel()
    points = (100 * seen.interpolate(rig.vertices_m[flat], faces)).astype(np.float32)
    normals = seen.interpolate(dense.normals[flat], faces).astype(np.float32)
    fingers = np.isin(rig.weight_bones, [b for chain in FINGER_BONES for b in chain])
    share = seen.interpolate((rig.weights * fingers).sum(1)[flat][:, None], faces)[:, 0].astype(np.float32)
    knuckles = (100 * rig.joints_m[[1, 4, 10, 7]]).astype(np.float32)
    values = draw_detail(points, normals, share, _VEINS_CM, knuckles)
    full = np.zeros((_DETAIL_PX, _DETAIL_PX, 4), np.float32)
    full[seen.face >= 0] = values
    return _halvings(full)


def pick_level(levels: tuple[Float[np.ndarray, "s s c"], ...], pixels_per_m: float) -> np.ndarray:
    """The level whose texels are about as fine as the picture's pixels (no aliasing)."""
    finer = levels[0].shape[0] / _SPAN_M / pixels_per_m
    return levels[int(np.clip(np.floor(np.log2(max(finer, 1.0))), 0, len(levels) - 1))]


def _halvings(full: Float[np.ndarray, "s s c"]) -> tuple[Float[np.ndarray, "s s c"], ...]:
    levels = [np.ascontiguousarray(full)]
    while levels[-1].shape[0] > 128:
        half = levels[-1].shape[0] // 2
        smaller = cv2.resize(levels[-1], (half, half), interpolation=cv2.INTER_AREA)
        levels.append(np.ascontiguousarray(smaller, np.float32))
    return tuple(levels)
