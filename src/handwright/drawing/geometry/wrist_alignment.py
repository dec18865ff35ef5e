"""The drawn wrist made as broad as the arm that it grows out of, and moved into line with it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from handwright.image.compositing import smoothstep


@dataclass(frozen=True, kw_only=True)
class WristParams:
    """Numbers of ``align_wrist``; chosen on malformed renders (seed 951002) and 12 training photographs."""

    # Reach along the resting hand of the ring where wrist and arm are compared, metres
    ring_m: tuple[float, float] = (-0.008, 0.010)
    # Reach of the vertices that the ring's axis points to, metres
    knuckles_m: tuple[float, float] = (0.08, 0.1)
    # Reach up to which the hand takes the arm's width, and from which it keeps its own, metres
    fade_m: tuple[float, float] = (0.012, 0.075)
    # Least and greatest ratio of widths; outside of it what was measured is not the arm
    stretch: tuple[float, float] = (0.75, 1.5)
    most_shift: float = 0.3  # Greatest sideways shift in widths of the wrist
    lines: int = 5  # Lines across the ring on which arm and wrist are compared; most of them must meet an arm
    search: float = 1.3  # Half the length of each line, in widths of the wrist
    near: float = 0.2  # How far from the wrist's middle an arm must begin, in widths of the wrist
    # Shortest palm in widths of the wrist: a hand seen along its arm has no such lines
    least_length: float = 0.8


def align_wrist(
    points: Float[np.ndarray, "v 2"],
    reach_m: Float[np.ndarray, " v"],
    arm: Bool[np.ndarray, "h w"],
    params: WristParams = WristParams(),
) -> Float[np.ndarray, "v 2"] | None:
    """Move a hand's projected vertices near the wrist across it until its outline meets the arm's.

    Args:
        points: [V, 2] in the pixels of ``arm``.
        reach_m: [V] distance of each vertex from the wrist along the resting hand, metres.
        arm: bool [h, w] the picture's own hand with its arm.
        params: Numbers of the method.

    Returns:
        [V, 2] the moved points, or None where no arm is seen that they could meet.
    """
    ring = points[(reach_m > params.ring_m[0]) & (reach_m < params.ring_m[1])]
    origin = ring.mean(0)
    along = points[(reach_m > params.knuckles_m[0]) & (reach_m < params.knuckles_m[1])].mean(0) - origin
    length = float(np.hypot(*along))
    along = along / max(length, 1e-6)
    across = np.array([-along[1], along[0]])
    where, aside = (ring - origin) @ along, (ring - origin) @ across
    width = float(np.ptp(aside))
    if length < params.least_length * width:
        return None
    places = np.linspace(where.min(), where.max(), params.lines + 2)
    measured: list[tuple[float, float]] = []
    for place in places[1:-1]:
        here = aside[np.abs(where - place) <= places[1] - places[0]]
        wrist = (float(here.min()), float(here.max())) if here.size else (0.0, 0.0)
        edges = (
            _arm_edges(origin + place * along, across, wrist, arm, params) if wrist[1] > wrist[0] else None
        )
        if edges is not None:
            ratio = (edges[1] - edges[0]) / (wrist[1] - wrist[0])
            measured.append((ratio, (sum(edges) - sum(wrist)) / 2))
    if len(measured) <= params.lines // 2:
        return None
    stretch, shift = np.median(measured, axis=0)
    if not params.stretch[0] <= stretch <= params.stretch[1] or abs(shift) > params.most_shift * width:
        return None
    share = 1 - smoothstep(*params.fade_m, reach_m)
    off = (points - origin) @ across - (aside.min() + aside.max()) / 2
    return points + (share * ((stretch - 1) * off + shift))[:, None] * across


def _arm_edges(
    at: Float[np.ndarray, "2"],
    across: Float[np.ndarray, "2"],
    wrist: tuple[float, float],
    arm: Bool[np.ndarray, "h w"],
    params: WristParams,
) -> tuple[float, float] | None:
    """Where the arm begins and ends on a line across it, pixels; None where an edge is out of reach.

    Args:
        at: x, y of the line's origin.
        across: Unit vector along the line.
        wrist: Where the drawn wrist begins and ends on it.
        arm: bool [h, w] the picture's own hand with its arm.
        params: As of ``align_wrist``.
    """
    middle, width = sum(wrist) / 2, wrist[1] - wrist[0]
    s = np.arange(middle - params.search * width, middle + params.search * width, 0.5)
    x, y = np.floor(at[:, None] + across[:, None] * s).astype(int)
    within = (x >= 0) & (y >= 0) & (x < arm.shape[1]) & (y < arm.shape[0])
    inside = np.zeros(s.shape, np.bool_)
    inside[within] = arm[y[within], x[within]]
    near = np.flatnonzero(inside & (np.abs(s - middle) < params.near * width))
    if not near.size:
        return None
    start = near[np.argmin(np.abs(s[near] - middle))]
    outside = np.flatnonzero(~inside)
    below, above = outside[outside < start], outside[outside > start]
    if not below.size or not above.size or not (within[below[-1]] and within[above[0]]):
        return None
    return float(s[below[-1]] + 0.25), float(s[above[0]] - 0.25)
