"""A drawn wrist as broad as the arm that it grows out of, and in line with it."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

_RING_M = (-0.008, 0.010)
"""Reach along the resting hand of the ring where wrist and arm are compared."""

_FADE_M = (0.012, 0.075)
"""Reach up to which the hand is as broad as the arm, and from which it is as it was."""

_STRETCH, _SHIFT = (0.75, 1.5), 0.3
"""Beyond these (widths of the wrist) what was measured is something else than the arm."""

_LINES, _REACH, _OFF, _LEAST_PX = 5, 1.3, 0.2, 4.0
_LEAST_LENGTH = 0.8
"""A hand seen along its arm, whose palm looks shorter than so many widths of its wrist, has no such lines."""


def met_arm(
    points: Float[np.ndarray, "v 2"], reach_m: Float[np.ndarray, " v"], arm: Bool[np.ndarray, "h w"]
) -> Float[np.ndarray, "v 2"] | None:
    """A hand's projected vertices, those near the wrist moved across it until its outline meets the arm's.

    Args:
        points: [V, 2] in the pixels of ``arm``.
        reach_m: [V] distance of each vertex from the wrist along the resting hand.
        arm: The picture's own hand with its arm.

    Returns:
        The points, or None where no arm is seen that they could meet.
    """
    ring = points[(reach_m > _RING_M[0]) & (reach_m < _RING_M[1])]
    origin = ring.mean(0)
    along = points[(reach_m > 0.08) & (reach_m < 0.1)].mean(0) - origin
    length = float(np.hypot(*along))
    along = along / max(length, 1e-6)
    across = np.array([-along[1], along[0]])
    where, aside = (ring - origin) @ along, (ring - origin) @ across
    width = float(np.ptp(aside))
    if length < _LEAST_LENGTH * width or width < _LEAST_PX:
        return None
    places = np.linspace(where.min(), where.max(), _LINES + 2)
    found: list[tuple[float, float]] = []
    for place in places[1:-1]:
        here = aside[np.abs(where - place) <= places[1] - places[0]]
        own = (float(here.min()), float(here.max())) if here.size else (0.0, 0.0)
        seen = _edges(origin + place * along, across, own, arm) if own[1] > own[0] else None
        if seen is not None:
            found.append(((seen[1] - seen[0]) / (own[1] - own[0]), (sum(seen) - sum(own)) / 2))
    if len(found) <= _LINES // 2:
        return None
    stretch, shift = np.median(found, axis=0)
    if not _STRETCH[0] <= stretch <= _STRETCH[1] or abs(shift) > _SHIFT * width:
        return None
    t = np.clip((reach_m - _FADE_M[0]) / (_FADE_M[1] - _FADE_M[0]), 0, 1)
    share = 1 - t * t * (3 - 2 * t)
    off = (points - origin) @ across - (aside.min() + aside.max()) / 2
    return points + (share * ((stretch - 1) * off + shift))[:, None] * across


def _edges(
    at: Float[np.ndarray, "2"],
    across: Float[np.ndarray, "2"],
    own: tuple[float, float],
    arm: Bool[np.ndarray, "h w"],
) -> tuple[float, float] | None:
    """Where the arm begins and ends on a line across it; None where it does neither within reach."""
    middle, width = sum(own) / 2, own[1] - own[0]
    s = np.arange(middle - _REACH * width, middle + _REACH * width, 0.5)
    x, y = np.floor(at[:, None] + across[:, None] * s).astype(int)
    seen = (x >= 0) & (y >= 0) & (x < arm.shape[1]) & (y < arm.shape[0])
    inside = np.zeros(s.shape, np.bool_)
    inside[seen] = arm[y[seen], x[seen]]
    near = np.flatnonzero(inside & (np.abs(s - middle) < _OFF * width))
    if not near.size:
        return None
    start = near[np.argmin(np.abs(s[near] - middle))]
    outside = np.flatnonzero(~inside)
    before, after = outside[outside < start], outside[outside > start]
    if not before.size or not after.size or not (seen[before[-1]] and seen[after[0]]):
        return None
    return float(s[before[-1]] + 0.25), float(s[after[0]] - 0.25)
