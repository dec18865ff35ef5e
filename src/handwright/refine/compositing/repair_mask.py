"""Crop and mask: where a hand's repair happens (SPEC §1: too small leaves the sixth finger standing)."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float

from handwright.hand.depth import render_hand
from handwright.hand.morphology import dilated
from handwright.hand.skeleton import distal_of_wrist, skeleton_masks
from handwright.types import Hand, HandRegion

_REACH, _SPARE_REACH, _BROAD_RADIUS = 0.24, 0.8, 0.14
"""How far from the stick figure the old hand goes, in wrist-to-knuckles spans; the second for fingers."""

_MID_PALM, _HANGING = 0.5, -0.4
"""Shares of the way from wrist to knuckles: where fingers begin; down to where what is slim is no arm."""

_DILATION = 0.025


def compute_repair_mask(
    hand: Hand,
    window: tuple[int, int, int, int],
    landmarks_px: Float[np.ndarray, "21 2"],
    region: HandRegion,
    blur_px: float = 2.0,
) -> Bool[np.ndarray, "h w"]:
    """Rendered silhouette ∪ the old hand near its own skeleton or known to be it, dilated in proportion.

    Args:
        hand: The fitted hand.
        window: The crop.
        landmarks_px: [21, 2] of the old hand, in the crop.
        region: The old hand.
        blur_px: Width of the picture's edges, added to the dilation.
    """
    x0, y0, x1, y1 = window
    silhouette = render_hand(hand, y1, x1, window=window).face >= 0
    _, thick = skeleton_masks(landmarks_px, y1 - y0, x1 - x0)
    far = cv2.distanceTransform((~thick).astype(np.uint8), cv2.DIST_L2, 3)
    slim = ~_broad(region)
    spare = distal_of_wrist(landmarks_px, y1 - y0, x1 - x0, _MID_PALM) & slim
    hand_px = float(np.ptp(landmarks_px, axis=0).max())
    radius = int(np.ceil(_DILATION * hand_px + 2 * blur_px))
    old = region.inside & (far < np.where(spare, _SPARE_REACH, _REACH) * region.span_px)
    if region.certain is not None:
        hanging = distal_of_wrist(landmarks_px, y1 - y0, x1 - x0, _HANGING) & slim
        going = region.certain & (hanging | distal_of_wrist(landmarks_px, y1 - y0, x1 - x0, 0.0))
        old |= region.certain & dilated(going, radius)
    hand_pixels = silhouette | old
    if not hand_pixels.any():
        return hand_pixels
    return (
        cv2.distanceTransform((~hand_pixels).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE) <= radius
    )


def _broad(region: HandRegion) -> Bool[np.ndarray, "h w"]:
    """Parts of the old hand's region that are wider than a finger: palm, arm, a face that was taken along."""
    radius = max(2, round(_BROAD_RADIUS * region.span_px))
    inside = cv2.copyMakeBorder(region.inside.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    core = cv2.distanceTransform(inside, cv2.DIST_L2, 3) > radius
    return cv2.distanceTransform((~core).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1] <= radius + 1
