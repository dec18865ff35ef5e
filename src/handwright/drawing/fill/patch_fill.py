"""Fill what the old hand uncovers with background: PatchMatch from coarse to fine, a membrane at the rim."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from handwright.drawing.fill.onion_peel import onion_peel
from handwright.drawing.fill.patchmatch import RADIUS, search, vote
from handwright.drawing.fill.push_pull import push_pull
from handwright.drawing.fill.pyramid import (
    PAD,
    Level,
    PyramidParams,
    build_pyramid,
    enlarged_field,
    enlarged_picture,
)
from handwright.errors import InvalidValueError


@dataclass(frozen=True, kw_only=True)
class FillParams:
    """Numbers of ``fill_background``; by eye where no source is named."""

    pyramid: PyramidParams = field(default_factory=PyramidParams)  # The resolutions
    # Price of a squared pixel of distance between target and source, in squared levels of 0..255 times the
    # pixels of the level
    nearness: float = 2000.0
    rounds_coarsest: int = 4  # Turns of matching and voting on the coarsest level
    rounds: int = 3  # Turns on every other level
    sweeps: int = 2  # Passes of the search over the targets, per turn
    # Targets up to which a level is searched; larger ones copy the coarser level's matches. bench/fill.py,
    # seed 760000, 120 holes: error of colour .004 levels [-.010, .017] above that of 9000.
    most_searched: int = 5000
    fine_reach_px: int = 8  # First radius of the random search on the finer levels
    decay: float = 1.3  # Base of the decay of a patch's weight per pixel of its distance from the hole's rim
    sharpness: float = 0.1  # How far a patch's weight depends on its cost: spread of costs that counts as one
    # Step of colour at the rim up to which the fill is bent to meet the sources, levels of 0..255; 0: not at
    # all. bench/fill.py, seed 760000, 60 holes: error of colour 9.1 levels for 60, 10.0 for 10 on backdrops,
    # 16.3 for 18.2 on photographs; without a limit dark things get a haze.
    membrane_levels: float = 60.0


def fill_background(
    crop: UInt8[np.ndarray, "h w 3"],
    hole: Bool[np.ndarray, "h w"],
    sources: Bool[np.ndarray, "h w"],
    seed: int,
    params: FillParams | None = None,
) -> UInt8[np.ndarray, "h w 3"]:
    """Paint ``hole`` with plausible background.

    The nearest source patches are found on small pictures and handed on to larger ones; at full size they are
    copied with their own sharpness and grain, so that the fill is as crisp as what surrounds it.

    Args:
        crop: uint8 [H, W, 3] sRGB.
        hole: bool [H, W], True where background is wanted.
        sources: bool [H, W], True where the picture shows background; pixels of the hole are never sources.
        seed: Same seed, same fill.
        params: Numbers of the method.

    Returns:
        uint8 [H, W, 3], equal to ``crop`` outside the hole. With too few sources for patches the hole is
        bridged smoothly (push-pull); with none at all the crop is returned as it came.

    Raises:
        InvalidValueError: The three arrays differ in height or width.

    Source:
        Wexler et al., Space-Time Completion of Video (2007); Barnes et al., PatchMatch (2009); the colour
        bias of patches follows Darabi et al., Image Melding (2012).
    """
    params = params or FillParams()
    if not crop.shape[:2] == hole.shape == sources.shape:
        shapes = f"{crop.shape[:2]}, {hole.shape} and {sources.shape}"
        raise InvalidValueError(f"crop, hole and sources must have one size, got {shapes}")
    sources = sources & ~hole
    if not hole.any() or not sources.any():
        return crop.copy()
    picture = crop.astype(np.float32)
    levels = build_pyramid(picture, hole, sources, params.pyramid)
    if levels:
        painted = _coarse_to_fine(levels, seed, params)[PAD:-PAD, PAD:-PAD]
        if params.membrane_levels > 0:
            painted = _meet_rim(painted, picture, hole, sources, params.membrane_levels)
    else:
        painted = push_pull(picture, sources.astype(np.float32))
    return np.where(hole[..., None], np.clip(painted + 0.5, 0, 255).astype(np.uint8), crop)


def _coarse_to_fine(levels: list[Level], seed: int, params: FillParams) -> np.ndarray:
    """The padded finest picture with its unknown pixels painted."""
    picture, field = onion_peel(levels[-1], params.nearness / levels[-1].unknown.size, seed)
    for depth in reversed(range(len(levels))):
        level = levels[depth]
        coarsest = level is levels[-1]
        if not coarsest:
            picture = enlarged_picture(picture, level)
            field = enlarged_field(field, level, seed + depth)
            vote(picture, _means(picture), level.targets, field, level.unknown.astype(np.float32), 1)
        if coarsest or len(level.targets) <= params.most_searched:
            reach = params.fine_reach_px if depth < len(levels) - 2 else max(level.unknown.shape)
            rounds = params.rounds_coarsest if coarsest else params.rounds
            _settle(picture, field, level, rounds, reach, seed + 31 * depth, params)
    return picture


def _settle(
    picture: np.ndarray,
    field: np.ndarray,
    level: Level,
    rounds: int,
    reach: int,
    seed: int,
    params: FillParams,
) -> None:
    """Match and vote in turns at one resolution; ``picture`` and ``field`` change in place."""
    cost = np.full(level.unknown.shape, -1.0, np.float32)
    inwards = cv2.distanceTransform(level.unknown.astype(np.uint8), cv2.DIST_L2, 3)
    decay = np.maximum(params.decay**-inwards, 1e-3)
    for turn in range(rounds):
        means = _means(picture)
        nearness = params.nearness / level.unknown.size
        sweeps = params.sweeps
        search(
            picture, means, level.targets, level.centres, field, cost, nearness, sweeps, reach, seed + turn
        )
        last = turn == rounds - 1
        weight = _patch_weights(cost, level.unknown, decay, params.sharpness)
        vote(picture, means, level.targets, field, weight, 1 if last else 2)


def _means(picture: np.ndarray) -> np.ndarray:
    return cv2.blur(picture, (2 * RADIUS + 1, 2 * RADIUS + 1))


def _patch_weights(cost: np.ndarray, unknown: np.ndarray, decay: np.ndarray, sharpness: float) -> np.ndarray:
    """Weight of each patch's vote: well matched and near the hole's rim counts more (Wexler et al., §3.2)."""
    spread = sharpness * np.percentile(cost[unknown], 75) + 1.0
    weight = np.exp(-np.minimum(cost / (2.0 * spread), 60.0)) * decay + 1e-20
    return np.where(unknown, weight, 0).astype(np.float32)


def _meet_rim(
    painted: np.ndarray, picture: np.ndarray, hole: np.ndarray, sources: np.ndarray, most_levels: float
) -> np.ndarray:
    """Bend the paint until it meets the sources along the hole's rim without a step in colour.

    Where paint and picture differ by much more than ``most_levels``, an edge ends at the rim: there the
    difference is left, or it would be drawn into the hole as smoke.
    """
    x, y, width, height = cv2.boundingRect(hole.astype(np.uint8))
    near = np.s_[max(y - 2, 0) : y + height + 2, max(x - 2, 0) : x + width + 2]
    inside, outside = hole[near], sources[near]
    rim = inside & (cv2.dilate(outside.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)
    steps = (_local_mean(picture[near], outside) - _local_mean(painted[near], inside))[rim]
    values, weights = np.zeros((*rim.shape, 3), np.float32), np.zeros(rim.shape, np.float32)
    values[rim] = steps
    weights[rim] = 1.0 / (1.0 + (np.abs(steps).max(axis=1) / most_levels) ** 4)
    bent = painted.copy()
    bent[near] += push_pull(values, weights)
    return bent


def _local_mean(picture: np.ndarray, where: np.ndarray) -> np.ndarray:
    weights = where.astype(np.float32)
    total = np.maximum(cv2.blur(weights, (3, 3)), 1e-3)
    return cv2.blur(picture * weights[..., None], (3, 3)) / total[..., None]
