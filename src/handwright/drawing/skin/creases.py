"""Dark lines where skin touches skin: between fingers, and where they fold onto the palm.

Ambient occlusion reaches 15 mm, so it darkens touching fingers as one. In a photograph they are kept apart by
the last few millimetres before they meet, where little light enters, and that light is red from the skin
around it.
"""
# pyright: reportMissingParameterType=false

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numba as nb
import numpy as np
from jaxtyping import Float

from handwright.drawing.geometry.surface import Surface


@dataclass(frozen=True, kw_only=True)
class CreaseParams:
    """Numbers of ``crease_light``; all of them chosen by eye on closed hands of training photographs."""

    # Distances to both sides at which depths are compared, metres
    reaches_m: tuple[float, ...] = (0.0011, 0.0023, 0.004)
    directions: int = 4  # Directions across which the two sides are compared, evenly spread over half a turn
    # Mean rise of both sides towards the camera, per metre of reach, up to which skin is smooth
    flat: float = 0.22
    deepest: float = 0.9  # The same rise from which skin is fully creased
    touching_m: float = 0.006  # A step in depth up to this is skin on skin, metres
    # From this step on one part is far in front of the other and touches nothing, metres
    apart_m: float = 0.016
    nail_fold_m: float = 0.002  # Width of the rim of nail plates that is spared, metres
    nail_spared: float = 0.75  # Share of the crease that is taken away there, 0…1
    # Share of linear red, green and blue that a full crease takes
    darkest_rgb: tuple[float, float, float] = (0.50, 0.64, 0.68)


def crease_light(
    surface: Surface, nail: Float[np.ndarray, " n"], params: CreaseParams = CreaseParams()
) -> Float[np.ndarray, "n 3"]:
    """Share of linear light, by colour, that reaches each visible point past the skin that it touches.

    Args:
        surface: The drawn hand's surface with N visible points.
        nail: float [N] 1 on nail plates, whose own step in depth is no touch.
        params: Numbers of the method.

    Returns:
        float [N, 3] in 0…1; 1 on smooth skin.
    """
    radius = max(1, round(params.nail_fold_m * surface.pixels_per_m))
    square = np.ones((2 * radius + 1, 2 * radius + 1), np.uint8)
    beside_nail = cv2.dilate(surface.place(nail[:, None].astype(np.float32))[..., 0], square)[surface.visible]
    crease = _crease_depth(surface, params) * (1 - params.nail_spared * beside_nail)
    return 1 - np.array([params.darkest_rgb], np.float32) * crease[:, None]


def _crease_depth(surface: Surface, params: CreaseParams) -> Float[np.ndarray, " n"]:
    """Depth of the crease at each visible point: 0 on smooth skin, 1 where skin lies against skin."""
    angle = np.pi * (np.arange(params.directions) + 0.5) / params.directions
    away = np.stack([np.cos(angle), np.sin(angle)], 1)
    sides = [np.rint(away * max(reach * surface.pixels_per_m, 1.0)) for reach in params.reaches_m]
    reaches = [max(reach, 1 / surface.pixels_per_m) for reach in params.reaches_m]
    reach_m = np.repeat(reaches, params.directions)
    offsets = np.concatenate(sides).astype(np.int64)
    thresholds = params.flat, params.deepest, params.touching_m, params.apart_m
    return _valleys(surface.depth_m, offsets, reach_m, int(surface.visible.sum()), *thresholds)


@nb.njit(cache=True, nogil=True)
def _valleys(depth, offsets, reach_m, count, flat, deepest, touching_m, apart_m):  # noqa: ANN001, ANN202
    """How far the two sides of each point rise towards the camera together, the mean over directions.

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
            for k in range(offsets.shape[0]):
                dx, dy = offsets[k, 0], offsets[k, 1]
                if min(r - dy, r + dy) < 0 or max(r - dy, r + dy) >= height:
                    continue
                if min(c - dx, c + dx) < 0 or max(c - dx, c + dx) >= width:
                    continue
                a, b = here - depth[r + dy, c + dx], here - depth[r - dy, c - dx]
                if not (np.isfinite(a) and np.isfinite(b)):
                    continue
                gap = min(max((max(a, b) - touching_m) / (apart_m - touching_m), 0.0), 1.0)
                rise = min(a, 3 * reach_m[k]) + min(b, 3 * reach_m[k])
                deep = (rise / (2 * reach_m[k]) - flat) / (deepest - flat)
                total += min(max(deep, 0.0), 1.0) * (1 - gap)
            out[n] = min(2.0 * total / offsets.shape[0], 1.0)
            n += 1
    return out
