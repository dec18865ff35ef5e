"""Fill what the old hand uncovers with background: PatchMatch from coarse to fine, a membrane at the rim."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from handwright.drawing.fill.onion_peel import peel
from handwright.drawing.fill.patchmatch import RADIUS, search, vote
from handwright.drawing.fill.push_pull import push_pull
from handwright.drawing.fill.pyramid import PAD, Level, build_pyramid, enlarged_field, enlarged_picture
from handwright.errors import InvalidValueError

_NEARNESS = 2000.0
_ROUNDS_COARSEST, _ROUNDS = 4, 3
_SWEEPS = 2
_MOST_TARGETS_SEARCHED = 5000
_REACH_FINE_PX = 8
_VOICE_DECAY = 1.3
_VOICE_SHARPNESS = 0.1
_MEMBRANE_TRUST_LEVELS = 60.0


def fill_background(
    crop: UInt8[np.ndarray, "h w 3"],
    hole: Bool[np.ndarray, "h w"],
    sources: Bool[np.ndarray, "h w"],
    seed: int,
) -> UInt8[np.ndarray, "h w 3"]:
    """Paint ``hole`` with plausible background.

    The nearest source patches are found on small pictures and handed on to larger ones; at full size they are
    copied with their own sharpness and grain, so that the fill is as crisp as what surrounds it.

    Args:
        crop: uint8 [H, W, 3] sRGB.
        hole: bool [H, W], True where background is wanted.
        sources: bool [H, W], True where the picture shows background; pixels of the hole are never sources.
        seed: Same seed, same fill.

    Returns:
        uint8 [H, W, 3], equal to ``crop`` outside the hole. With too few sources for patches the hole is
        bridged smoothly (push-pull); with none at all the crop is returned as it came.

    Raises:
        InvalidValueError: The three arrays differ in height or width.

    Source:
        Wexler et al., Space-Time Completion of Video (2007); Barnes et al., PatchMatch (2009); the colour
        bias of patches follows Darabi et al., Image Melding (2012).
    """
    if not crop.shape[:2] == hole.shape == sources.shape:
        shapes = f"{crop.shape[:2]}, {hole.shape} and {sources.shape}"
        raise InvalidValueError(f"crop, hole and sources must have one size, got {shapes}")
    sources = sources & ~hole
    if not hole.any() or not sources.any():
        return crop.copy()
    picture = crop.astype(np.float32)
    levels = build_pyramid(picture, hole, sources)
    if levels:
        painted = _coarse_to_fine(levels, seed)[PAD:-PAD, PAD:-PAD]
        painted = _meet_the_rim(painted, picture, hole, sources)
    else:
        painted = push_pull(picture, sources.astype(np.float32))
    return np.where(hole[..., None], np.clip(painted + 0.5, 0, 255).astype(np.uint8), crop)


def _coarse_to_fine(levels: list[Level], seed: int) -> np.ndarray:
    """The padded finest picture with its unknown pixels painted."""
    picture, field = peel(levels[-1], _NEARNESS / levels[-1].unknown.size, seed)
    for depth in reversed(range(len(levels))):
        level = levels[depth]
        coarsest = level is levels[-1]
        if not coarsest:
            picture = enlarged_picture(picture, level)
            field = enlarged_field(field, level, seed + depth)
            vote(picture, _means(picture), level.targets, field, level.unknown.astype(np.float32), 1)
        if coarsest or len(level.targets) <= _MOST_TARGETS_SEARCHED:
            reach = _REACH_FINE_PX if depth < len(levels) - 2 else max(level.unknown.shape)
            _settle(
                picture, field, level, _ROUNDS_COARSEST if coarsest else _ROUNDS, reach, seed + 31 * depth
            )
    return picture


def _settle(picture: np.ndarray, field: np.ndarray, level: Level, rounds: int, reach: int, seed: int) -> None:
    """Match and vote in turns at one resolution; ``picture`` and ``field`` change in place."""
    cost = np.full(level.unknown.shape, -1.0, np.float32)
    inwards = cv2.distanceTransform(level.unknown.astype(np.uint8), cv2.DIST_L2, 3)
    decay = np.maximum(_VOICE_DECAY**-inwards, 1e-3)
    for turn in range(rounds):
        means = _means(picture)
        nearness = _NEARNESS / level.unknown.size
        search(
            picture, means, level.targets, level.centres, field, cost, nearness, _SWEEPS, reach, seed + turn
        )
        last = turn == rounds - 1
        vote(picture, means, level.targets, field, _belief(cost, level.unknown, decay), 1 if last else 2)


def _means(picture: np.ndarray) -> np.ndarray:
    return cv2.blur(picture, (2 * RADIUS + 1, 2 * RADIUS + 1))


def _belief(cost: np.ndarray, unknown: np.ndarray, decay: np.ndarray) -> np.ndarray:
    """Weight of each patch's voice: well matched and near the hole's rim counts more (Wexler, §3.2)."""
    spread = _VOICE_SHARPNESS * np.percentile(cost[unknown], 75) + 1.0
    voice = np.exp(-np.minimum(cost / (2.0 * spread), 60.0)) * decay + 1e-20
    return np.where(unknown, voice, 0).astype(np.float32)


def _meet_the_rim(
    painted: np.ndarray, picture: np.ndarray, hole: np.ndarray, sources: np.ndarray
) -> np.ndarray:
    """Bend the paint until it meets the sources along the hole's rim without a step in colour.

    Where paint and picture differ much, an edge ends at the rim: there the difference is not believed, or it
    would be drawn into the hole as smoke.
    """
    x, y, width, height = cv2.boundingRect(hole.astype(np.uint8))
    near = np.s_[max(y - 2, 0) : y + height + 2, max(x - 2, 0) : x + width + 2]
    inside, outside = hole[near], sources[near]
    rim = inside & (cv2.dilate(outside.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)
    steps = (_local_mean(picture[near], outside) - _local_mean(painted[near], inside))[rim]
    values, weights = np.zeros((*rim.shape, 3), np.float32), np.zeros(rim.shape, np.float32)
    values[rim] = steps
    weights[rim] = 1.0 / (1.0 + (np.abs(steps).max(axis=1) / _MEMBRANE_TRUST_LEVELS) ** 4)
    bent = painted.copy()
    bent[near] += push_pull(values, weights)
    return bent


def _local_mean(picture: np.ndarray, where: np.ndarray) -> np.ndarray:
    weights = where.astype(np.float32)
    total = np.maximum(cv2.blur(weights, (3, 3)), 1e-3)
    return cv2.blur(picture * weights[..., None], (3, 3)) / total[..., None]
