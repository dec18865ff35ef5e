"""The baked skin: relative albedo and nails, looked up by texture coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import cv2
import numpy as np
from jaxtyping import Float

from handwright.drawing.geometry.surface import Surface

_ATLAS_M = 0.32
"""Length of skin that one side of the atlas covers, about, metres."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Skin:
    """Skin at each point of a surface."""

    albedo: Float[np.ndarray, "n 3"]  # float32 [N, 3] relative to the hand's mean, linear light
    nail: Float[np.ndarray, " n"]  # float32 [N] 1 on nail plates


def skin_at(surface: Surface) -> Skin:
    """Look the atlas up at each visible point of a surface, at a level that fits the picture's resolution."""
    texels_per_m = _atlas()[0].shape[0] / _ATLAS_M
    level = int(
        np.clip(np.floor(np.log2(max(texels_per_m / surface.pixels_per_m, 1.0))), 0, len(_atlas()) - 1)
    )
    atlas = _atlas()[level]
    at = surface.uv * atlas.shape[0] - 0.5
    sampled = cv2.remap(
        atlas, *_grid(at), interpolation=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    ).reshape(-1, 4)[: len(at)]
    return Skin(
        albedo=sampled[:, :3] / 128,
        nail=sampled[:, 3] / 255,
    )


@cache
def _atlas() -> tuple[Float[np.ndarray, "s s 4"], ...]:
    """The atlas and its halvings down to 128 texels, float32, channels albedo 3, nail."""
    with files("handwright.drawing.skin").joinpath("skin.npz").open("rb") as stream, np.load(stream) as data:
        full = np.dstack([data["albedo"], data["nail"]]).astype(np.float32)
    levels = [full]
    while levels[-1].shape[0] > 128:
        half = levels[-1].shape[0] // 2
        levels.append(
            np.asarray(cv2.resize(levels[-1], (half, half), interpolation=cv2.INTER_AREA), np.float32)
        )
    return tuple(levels)


def _grid(at: Float[np.ndarray, "n 2"]) -> tuple[Float[np.ndarray, "r c"], Float[np.ndarray, "r c"]]:
    """Columns and rows of points as two maps 8,192 wide: OpenCV's remap takes at most 32,767."""
    columns = 8192
    rows = max(1, -(-len(at) // columns))
    padded = np.zeros((rows * columns, 2), np.float32)
    padded[: len(at)] = at
    return padded[:, 0].reshape(rows, columns), padded[:, 1].reshape(rows, columns)
