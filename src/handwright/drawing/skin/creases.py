"""Where skin meets skin: narrow dark lines between fingers that touch, and where they fold onto the palm.

Ambient occlusion looks 15 mm far, so that touching fingers melt into one; what tells them apart in a
photograph is the last few millimetres before they meet, where next to no light enters and what does is red
from the skin around it.
"""
# pyright: reportMissingParameterType=false

from __future__ import annotations

import cv2
import numba as nb
import numpy as np
from jaxtyping import Float

from handwright.drawing.geometry.surface import Surface

_REACHES_M = (0.0011, 0.0023, 0.004)
_DIRECTIONS = 4
_FLAT, _DEEPEST = 0.22, 0.9
"""Mean rise of both sides, per reach, below which a surface is not folded, and from which it is a crease."""

_TOUCHING_M, _APART_M = 0.006, 0.016
"""A step in depth up to the first is skin on skin; from the second on, one part is far before the other."""

_NAIL_FOLD_M, _NAIL_SPARED = 0.002, 0.75
_DARKEST = np.array([[0.50, 0.64, 0.68]], np.float32)
"""Share of linear red, green and blue that a crease takes at most."""


def crease_light(surface: Surface, nail: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n 3"]:
    """Share of linear light, by colour, that reaches every seen point past the skin it touches, 0…1.

    Args:
        surface: The surface.
        nail: [N] 1 on nail plates, whose own step is no touch.
    """
    radius = max(1, round(_NAIL_FOLD_M * surface.pixels_per_m))
    square = np.ones((2 * radius + 1, 2 * radius + 1), np.uint8)
    beside_nail = cv2.dilate(surface.place(nail[:, None].astype(np.float32))[..., 0], square)[surface.seen]
    deep = _deepness(surface) * (1 - _NAIL_SPARED * beside_nail)
    return 1 - _DARKEST * deep[:, None]


def _deepness(surface: Surface) -> Float[np.ndarray, " n"]:
    """0 on smooth skin, 1 where skin lies against skin."""
    angle = np.pi * (np.arange(_DIRECTIONS) + 0.5) / _DIRECTIONS
    away = np.stack([np.cos(angle), np.sin(angle)], 1)
    sides = [np.rint(away * max(reach * surface.pixels_per_m, 1.0)) for reach in _REACHES_M]
    lengths = np.repeat([max(reach, 1 / surface.pixels_per_m) for reach in _REACHES_M], _DIRECTIONS)
    steps = np.concatenate(sides).astype(np.int64)
    return _valleys(surface.depth_m, steps, lengths, int(surface.seen.sum()))


@nb.njit(cache=True, nogil=True)
def _valleys(depth, steps, lengths, count):  # noqa: ANN001, ANN202
    """Of each point, how far its two sides rise towards the camera together, the mean over directions.

    On a slope one side rises as the other one falls, so that only folds and steps count.
    """
    height, width = depth.shape
    out = np.zeros(count, np.float32)
    n = 0
    for r in range(height):
        for c in range(width):
            here = depth[r, c]
            if not np.isfinite(here):
                continue
            total = 0.0
            for k in range(steps.shape[0]):
                dx, dy = steps[k, 0], steps[k, 1]
                if min(r - dy, r + dy) < 0 or max(r - dy, r + dy) >= height:
                    continue
                if min(c - dx, c + dx) < 0 or max(c - dx, c + dx) >= width:
                    continue
                a, b = here - depth[r + dy, c + dx], here - depth[r - dy, c - dx]
                if not (np.isfinite(a) and np.isfinite(b)):
                    continue
                far = min(max((max(a, b) - _TOUCHING_M) / (_APART_M - _TOUCHING_M), 0.0), 1.0)
                rise = min(a, 3 * lengths[k]) + min(b, 3 * lengths[k])
                deep = (rise / (2 * lengths[k]) - _FLAT) / (_DEEPEST - _FLAT)
                total += min(max(deep, 0.0), 1.0) * (1 - far)
            out[n] = min(2.0 * total / steps.shape[0], 1.0)
            n += 1
    return out
