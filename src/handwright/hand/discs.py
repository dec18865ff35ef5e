"""Masks grown, shrunk and cleaned by a disc, in a time that does not depend on how large the disc is."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool

_SLACK_PX = 0.3
"""Pixels whose middle lies so far beyond its radius are still a disc's: at 1 it is a cross, at 2 round."""


def dilated(mask: Bool[np.ndarray, "h w"], radius_px: float) -> Bool[np.ndarray, "h w"]:
    """The mask and all pixels no farther from it than ``radius_px``."""
    return _within(mask, radius_px) if mask.any() else mask.copy()


def eroded(mask: Bool[np.ndarray, "h w"], radius_px: float) -> Bool[np.ndarray, "h w"]:
    """What of the mask lies farther from all else than ``radius_px``; beyond the picture the mask goes on."""
    return mask.copy() if mask.all() else ~_within(~mask, radius_px)


def opened(mask: Bool[np.ndarray, "h w"], radius_px: float) -> Bool[np.ndarray, "h w"]:
    """The mask without what is narrower than a disc of ``radius_px``."""
    return dilated(eroded(mask, radius_px), radius_px)


def _within(mask: Bool[np.ndarray, "h w"], radius_px: float) -> Bool[np.ndarray, "h w"]:
    away = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    return away <= radius_px + _SLACK_PX
