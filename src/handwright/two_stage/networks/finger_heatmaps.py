"""What stage I reads of a pose: one heatmap for each finger of each hand (Pelykh et al. 2024, §III-B)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from handwright.types import Side

SIDES: tuple[Side, ...] = ("left", "right")
CHANNELS = 10  # Five fingers of the left hand, thumb first, then of the right one

_FINGER_POINTS = np.array([[0, *range(1 + 4 * finger, 5 + 4 * finger)] for finger in range(5)])
"""Landmarks of each channel: the wrist, which all fingers share, and the finger's own four."""


@dataclass(frozen=True, kw_only=True)
class HeatmapParams:
    """How a keypoint is drawn."""

    # Standard deviation of its spot, as a share of the picture's side: one latent at 64 latents a side, so
    # that a spot is still there after it was made as small as the latents; chosen by eye, the paper has none
    spread: float = 1 / 64


PARAMS = HeatmapParams()


def finger_heatmaps(
    hands: Mapping[Side, Float[np.ndarray, "21 2"]],
    side_px: int,
    visible: Mapping[Side, Float[np.ndarray, "21"]] | None = None,
) -> Float[np.ndarray, "10 s s"]:
    """Draw the keypoints of hands, one channel a finger so that fingers that overlap stay apart.

    Args:
        hands: 21 landmarks by side, in pixels of the square crop; a side that is missing has empty channels.
        side_px: Side of the crop, pixels.
        visible: Height of each landmark's spot, 0 … 1, by side; 1 where nothing is given.

    Returns:
        float32 [10, side_px, side_px], 0 … 1: left thumb … left little finger, right thumb … right little
        finger. Where spots overlap the higher one counts.
    """
    spread = PARAMS.spread * side_px
    centres = np.arange(side_px) + 0.5
    maps = np.zeros((CHANNELS, side_px, side_px), np.float32)
    for number, side in enumerate(SIDES):
        if side not in hands:
            continue
        points = hands[side]
        height = np.ones(21) if visible is None or side not in visible else visible[side]
        along = np.exp(-((centres - points[:, :, None]) ** 2) / (2 * spread**2))  # [21, 2, s]
        for finger, chain in enumerate(_FINGER_POINTS):
            spots = height[chain, None, None] * along[chain, 1, :, None] * along[chain, 0, None, :]
            maps[5 * number + finger] = spots.max(0)
    return maps
