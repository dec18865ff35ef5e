"""PatchMatch in two compiled kernels: the nearest known patch of every patch of a hole, and their vote.

A *field* is int32 [H, W, 2]: the row and column of the source patch's centre for each target pixel. Patches
are squares of side 2·RADIUS + 1. A source patch may be lifted by a constant colour (at most ``BIAS_LIMIT``
levels a channel), so that a wall goes on in spite of the light falling off along it.
"""

from __future__ import annotations

import numba
import numpy as np
from jaxtyping import Bool, Float, Int

RADIUS = 2
"""Patches are squares of side 2 · RADIUS + 1, pixels."""

BIAS_LIMIT = 12.0
"""Most that a source patch is lifted by, levels of 0..255 a channel; by eye."""

_JUMP = 0.8
"""Factor on the best cost that a match of the random search must stay below: neighbours' matches go first."""

_SIDE = 2 * RADIUS + 1
_ROW = 3 * _SIDE
_PIXELS = _SIDE * _SIDE


@numba.njit(cache=True, fastmath=True, nogil=True)
def _bias(means: np.ndarray, i: int, j: int, a: int, b: int, c: int) -> float:
    return max(-BIAS_LIMIT, min(BIAS_LIMIT, means[i, j, c] - means[a, b, c]))


@numba.njit(cache=True, fastmath=True, nogil=True)
def _distance(
    rows: np.ndarray, means: np.ndarray, nearness: float, i: int, j: int, a: int, b: int, limit: float
) -> float:
    """Mean squared difference of two patches after the best bias, plus the price of the way between them."""
    distance = nearness * ((i - a) * (i - a) + (j - b) * (j - b))
    for c in range(3):
        bias = _bias(means, i, j, a, b, c)
        distance -= bias * (2.0 * (means[i, j, c] - means[a, b, c]) - bias)
    for di in range(-RADIUS, RADIUS + 1):
        squares = np.float32(0.0)
        for k in range(_ROW):
            difference = rows[i + di, 3 * (j - RADIUS) + k] - rows[a + di, 3 * (b - RADIUS) + k]
            squares += difference * difference
        distance += float(squares) / _PIXELS
        if distance >= limit:
            break
    return max(distance, 0.0)


@numba.njit(cache=True, fastmath=True, nogil=True)
def search(
    picture: Float[np.ndarray, "h w 3"],
    means: Float[np.ndarray, "h w 3"],
    targets: Int[np.ndarray, "n 2"],
    is_source: Bool[np.ndarray, "h w"],
    field: Int[np.ndarray, "h w 2"],
    cost: Float[np.ndarray, "h w"],
    nearness: float,
    sweeps: int,
    reach: int,
    seed: int,
) -> None:
    """Improve ``field`` and ``cost`` in place by propagation and random search (PatchMatch, 2009, §3.2).

    Args:
        picture: float32 [H, W, 3], C-contiguous.
        means: float32 [H, W, 3], the picture's box mean over one patch.
        targets: int32 [N, 2] rows and columns to match, in raster order, at least RADIUS from every edge.
        is_source: bool [H, W], True where a patch may be centred; never within RADIUS of an edge.
        field: int32 [H, W, 2]; must point at a source for every target.
        cost: float32 [H, W]; negative where the pixel is no target; rewritten for the targets.
        nearness: Price of a squared pixel of distance between target and source, in squared levels.
        sweeps: Passes over the targets, alternately forwards and backwards.
        reach: First radius of the random search in pixels, halved down to 1.
        seed: Same seed, same field.
    """
    height, width = is_source.shape
    rows = picture.reshape(height, 3 * width)
    state = np.uint64(seed + 1) * np.uint64(0x9E3779B97F4A7C15) | np.uint64(1)
    for n in range(len(targets)):
        i, j = targets[n, 0], targets[n, 1]
        cost[i, j] = _distance(rows, means, nearness, i, j, field[i, j, 0], field[i, j, 1], 1e30)
    for sweep in range(sweeps):
        step = 1 if sweep % 2 == 0 else -1
        for m in range(len(targets)):
            n = m if step == 1 else len(targets) - 1 - m
            i, j = targets[n, 0], targets[n, 1]
            best = float(cost[i, j])
            for axis in range(2):
                di, dj = (step, 0) if axis == 0 else (0, step)
                a, b = field[i - di, j - dj, 0] + di, field[i - di, j - dj, 1] + dj
                if cost[i - di, j - dj] >= 0 and is_source[a, b]:
                    found = _distance(rows, means, nearness, i, j, a, b, best)
                    if found < best:
                        best, field[i, j, 0], field[i, j, 1] = found, a, b
            radius = reach
            while radius >= 1:
                state ^= state << np.uint64(13)
                state ^= state >> np.uint64(7)
                state ^= state << np.uint64(17)
                span = np.uint64(2 * radius + 1)
                a = field[i, j, 0] + np.int64((state >> np.uint64(32)) % span) - radius
                b = field[i, j, 1] + np.int64((state & np.uint64(0xFFFFFFFF)) % span) - radius
                radius //= 2
                if 0 <= a < height and 0 <= b < width and is_source[a, b]:
                    found = _distance(rows, means, nearness, i, j, a, b, _JUMP * best)
                    if found < _JUMP * best:
                        best, field[i, j, 0], field[i, j, 1] = found, a, b
            cost[i, j] = best


@numba.njit(cache=True, fastmath=True, nogil=True)
def vote(
    picture: Float[np.ndarray, "h w 3"],
    means: Float[np.ndarray, "h w 3"],
    targets: Int[np.ndarray, "n 2"],
    field: Int[np.ndarray, "h w 2"],
    patch_weight: Float[np.ndarray, "h w"],
    radius: int,
) -> None:
    """Repaint the targets of ``picture`` in place with the weighted mean of the patches that lie over them.

    Args:
        picture: float32 [H, W, 3]; sources lie outside the targets, so they are never overwritten.
        means: float32 [H, W, 3], the picture's box mean when ``field`` was found.
        targets: int32 [N, 2] as in ``search``.
        field: int32 [H, W, 2] as in ``search``.
        patch_weight: float32 [H, W] ≥ 0, the weight of each patch's vote; 0 outside the targets.
        radius: Patches centred within this many pixels vote; 0 copies the centre of the pixel's own.
    """
    for n in range(len(targets)):
        i, j = targets[n, 0], targets[n, 1]
        red = green = blue = weight = np.float32(0.0)
        for di in range(-radius, radius + 1):
            for dj in range(-radius, radius + 1):
                share = patch_weight[i + di, j + dj]
                if share > 0:
                    a, b = field[i + di, j + dj, 0], field[i + di, j + dj, 1]
                    red += share * (picture[a - di, b - dj, 0] + _bias(means, i + di, j + dj, a, b, 0))
                    green += share * (picture[a - di, b - dj, 1] + _bias(means, i + di, j + dj, a, b, 1))
                    blue += share * (picture[a - di, b - dj, 2] + _bias(means, i + di, j + dj, a, b, 2))
                    weight += share
        if weight > 0:
            picture[i, j, 0], picture[i, j, 1], picture[i, j, 2] = red / weight, green / weight, blue / weight
