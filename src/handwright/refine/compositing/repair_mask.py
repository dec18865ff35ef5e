"""The repair mask: which pixels may change (SPEC §1: too small a one leaves the sixth finger standing)."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float

from handwright.hand.depth import render_hand
from handwright.hand.rig import dilated
from handwright.hand.skeleton import distal_of_wrist, skeleton_masks
from handwright.types import Hand, HandRegion


@dataclass(frozen=True, kw_only=True)
class RepairMaskParams:
    """How far the repair mask reaches; chosen by eye. Lengths in spans are wrist-to-knuckles lengths."""

    reach: float = 0.24  # How far from the skeleton's limbs the old hand goes, in spans
    finger_reach: float = 0.8  # The same of slim parts of it on the fingers' side: a sixth finger, in spans
    finger_start: float = 0.5  # Where that side begins, as a share of the way from wrist to knuckles
    # Down to where slim skin that the critic takes for the hand's is no arm: such a share, < 0 beyond the
    # wrist
    hanging: float = -0.4
    # Radius, in spans, of a disc that fits into palm, arm or face, and into no finger
    broad_radius: float = 0.14
    dilation: float = 0.025  # How far the mask reaches beyond both hands, in hand sizes …
    dilation_px: float = 4.0  # … plus this, in pixels: twice the usual blur of a picture's edges


PARAMS = RepairMaskParams()


def compute_repair_mask(
    hand: Hand,
    window: tuple[int, int, int, int],
    landmarks_px: Float[np.ndarray, "21 2"],
    region: HandRegion,
) -> Bool[np.ndarray, "h w"]:
    """Rendered silhouette ∪ the old hand near its own skeleton or known to be it, dilated in proportion.

    ``landmarks_px`` are those of the old hand in the crop.
    """
    x0, y0, x1, y1 = window
    silhouette = render_hand(hand, y1, x1, window=window).face >= 0
    _, thick = skeleton_masks(landmarks_px, y1 - y0, x1 - x0)
    far = cv2.distanceTransform((~thick).astype(np.uint8), cv2.DIST_L2, 3)
    slim = ~_broad(region)
    spare = distal_of_wrist(landmarks_px, y1 - y0, x1 - x0, PARAMS.finger_start) & slim
    hand_px = float(np.ptp(landmarks_px, axis=0).max())
    radius = int(np.ceil(PARAMS.dilation * hand_px + PARAMS.dilation_px))
    old = region.inside & (far < np.where(spare, PARAMS.finger_reach, PARAMS.reach) * region.span_px)
    if region.certain is not None:
        hanging = distal_of_wrist(landmarks_px, y1 - y0, x1 - x0, PARAMS.hanging) & slim
        going = region.certain & (hanging | distal_of_wrist(landmarks_px, y1 - y0, x1 - x0, 0.0))
        old |= region.certain & dilated(going, radius)
    hand_pixels = silhouette | old
    if not hand_pixels.any():
        return hand_pixels
    return (
        cv2.distanceTransform((~hand_pixels).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE) <= radius
    )


def _broad(region: HandRegion) -> Bool[np.ndarray, "h w"]:
    """Return parts of the old hand's region that are wider than a finger: palm, arm, a face behind it."""
    radius = max(2, round(PARAMS.broad_radius * region.span_px))
    inside = cv2.copyMakeBorder(region.inside.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    core = cv2.distanceTransform(inside, cv2.DIST_L2, 3) > radius
    return cv2.distanceTransform((~core).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1] <= radius + 1
