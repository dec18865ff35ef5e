"""Where every pixel of a picture comes from: along bent fingers, in a smooth warp, in sectors of a fan.

A map is float32 [h, w, 2], x and y in the source for every pixel of the target; pixel centres at + 0.5.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float

Map = Float[np.ndarray, "h w 2"]

_STEP = 8
_NEAR_BONE = 0.55


def grid(width: int) -> Map:
    """The map that moves nothing."""
    y, x = np.mgrid[:width, :width].astype(np.float32) + 0.5
    return np.stack([x, y], -1)


def sample(picture: Float[np.ndarray, "h w *c"], where: Map) -> Float[np.ndarray, "h w *c"]:
    """The picture read at a map's places; beyond its border the nearest pixel."""
    at = where.astype(np.float32) - np.float32(0.5)
    return cv2.remap(
        picture,
        np.ascontiguousarray(at[..., 0]),
        np.ascontiguousarray(at[..., 1]),
        cv2.INTER_CUBIC if picture.ndim == 3 else cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )


def bone_map(
    target: Float[np.ndarray, "4 2"],
    source: Float[np.ndarray, "4 2"],
    width: int,
    radius: float,
    thicker: float = 1.0,
    mirrored: bool = False,
) -> Map:
    """Each pixel of a bent, moved or stretched finger → its place on the finger as it was.

    Every bone carries its own frame along (stretched along itself, ``thicker`` across); near a joint the
    frames of both bones mix.

    Args:
        target: [4, 2] joints as they shall be.
        source: [4, 2] joints as they are.
        width: Of the picture.
        radius: Half the finger's thickness in the target.
        thicker: Thickness in the target over that in the source.
        mirrored: Left and right of the finger change places.
    """
    here = grid(width)
    total = np.zeros_like(here)
    weights = np.full((width, width), 1e-9, np.float32)
    flip = -1.0 if mirrored else 1.0
    for bone in range(3):
        a, b, c, d = target[bone], target[bone + 1], source[bone], source[bone + 1]
        to, fro = b - a, d - c
        length, other = max(float(np.hypot(*to)), 1e-3), max(float(np.hypot(*fro)), 1e-3)
        to, fro = to / length, fro / other
        away = here - a.astype(np.float32)
        u = away @ to.astype(np.float32)
        v = away @ np.array([-to[1], to[0]], np.float32)
        beyond = (
            np.maximum(np.maximum(-u, u - length), 0)
            if 0 < bone < 2
            else (np.maximum(u - length, 0) if bone == 0 else np.maximum(-u, 0))
        )
        weight = np.exp(-((beyond / (_NEAR_BONE * radius)) ** 2)).astype(np.float32) + 1e-12
        along, across = u * np.float32(other / length), v * np.float32(flip / thicker)
        if bone == 2:
            along = np.where(u > length, other + (u - length) / thicker, along)
        side = np.array([-fro[1], fro[0]], np.float32)
        place = c.astype(np.float32) + along[..., None] * fro.astype(np.float32) + across[..., None] * side
        total += weight[..., None] * place
        weights += weight
    return total / weights[..., None]


def smooth_map(target: Float[np.ndarray, "n 2"], source: Float[np.ndarray, "n 2"], width: int) -> Map:
    """A smooth warp that brings points to where they shall be (moving least squares, similarities).

    Args:
        target: [n, 2] where points shall be; points that stay are named too.
        source: [n, 2] where they are.
        width: Of the picture.

    Source:
        Schaefer, McPhail and Warren, Image Deformation Using Moving Least Squares (2006), §2.2,
        with points of the plane as complex numbers.
    """
    count = width // _STEP + 3
    nodes = (np.arange(count) - 0.5) * _STEP
    y, x = np.meshgrid(nodes, nodes, indexing="ij")
    v = (x + 1j * y).reshape(-1, 1)
    a, b = (p[:, 0] + 1j * p[:, 1] for p in (target, source))
    w = 1.0 / (np.abs(v - a) ** 2 + (0.004 * width) ** 2) ** 2.0
    w /= w.sum(1, keepdims=True)
    mean_a, mean_b = (w * a).sum(1, keepdims=True), (w * b).sum(1, keepdims=True)
    turn = (w * np.conj(a - mean_a) * (b - mean_b)).sum(1, keepdims=True)
    size = (w * np.abs(a - mean_a) ** 2).sum(1, keepdims=True)
    moved = (mean_b + (v - mean_a) * turn / np.maximum(size, 1e-9)).reshape(count, count)
    coarse = np.stack([moved.real, moved.imag], -1).astype(np.float32)
    fine = cv2.resize(coarse, (count * _STEP, count * _STEP), interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(fine[_STEP : _STEP + width, _STEP : _STEP + width])


def polar(
    where: Map, center: Float[np.ndarray, "2"], ahead: Float[np.ndarray, "2"]
) -> tuple[np.ndarray, ...]:
    """Radius, and angle from ``ahead`` (clockwise on the screen is positive), of a map's places."""
    away = where - center.astype(np.float32)
    u = away @ ahead.astype(np.float32)
    v = away @ np.array([-ahead[1], ahead[0]], np.float32)
    return np.hypot(u, v), np.arctan2(v, u)


def from_polar(
    radius: np.ndarray, angle: np.ndarray, center: Float[np.ndarray, "2"], ahead: Float[np.ndarray, "2"]
) -> Map:
    """The inverse of :func:`polar`."""
    u, v = radius * np.cos(angle), radius * np.sin(angle)
    x, y = u * ahead[0] - v * ahead[1] + center[0], u * ahead[1] + v * ahead[0] + center[1]
    return np.stack([x, y], -1).astype(np.float32)
