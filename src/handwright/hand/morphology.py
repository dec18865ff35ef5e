"""Morphology of masks with a disc, by distance transform: the time does not depend on the radius."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool

_SLACK_PX = 0.3
"""Distance beyond the radius up to which a pixel belongs to the disc: 1 gives a cross, 2 a round disc."""


def dilated(mask: Bool[np.ndarray, "h w"], radius_px: float) -> Bool[np.ndarray, "h w"]:
    """Return the mask grown by ``radius_px`` pixels."""
    near = _around(mask, radius_px)
    out = np.zeros_like(mask)
    if near is not None:
        out[near] = _within(mask[near], radius_px)
    return out


def eroded(mask: Bool[np.ndarray, "h w"], radius_px: float) -> Bool[np.ndarray, "h w"]:
    """Return the mask shrunk by ``radius_px`` pixels; it is taken to continue beyond the picture's border."""
    near = _around(mask, 0.0)
    if near is None or mask[near].all():
        return mask.copy()
    out = np.zeros_like(mask)
    out[near] = ~_within(~mask[near], radius_px)
    return out


def opened(mask: Bool[np.ndarray, "h w"], radius_px: float) -> Bool[np.ndarray, "h w"]:
    """Return the mask without parts that are narrower than a disc of ``radius_px`` pixels."""
    return dilated(eroded(mask, radius_px), radius_px)


def _around(mask: Bool[np.ndarray, "h w"], radius_px: float) -> tuple[slice, slice] | None:
    """Return rows and columns of the mask and its surroundings; None for an empty mask."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return None
    rim = int(radius_px) + 3
    return slice(max(rows[0] - rim, 0), rows[-1] + rim), slice(max(columns[0] - rim, 0), columns[-1] + rim)


def _within(mask: Bool[np.ndarray, "h w"], radius_px: float) -> Bool[np.ndarray, "h w"]:
    away = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    return away <= radius_px + _SLACK_PX
