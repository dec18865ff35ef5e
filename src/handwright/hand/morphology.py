"""Masks grown, shrunk and cleaned by a disc, in a time that does not depend on how large the disc is."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool

_SLACK_PX = 0.3
"""Pixels whose middle lies so far beyond its radius are still a disc's: at 1 it is a cross, at 2 round."""


def dilated(mask: Bool[np.ndarray, "h w"], radius_px: float) -> Bool[np.ndarray, "h w"]:
    """The mask and all pixels no farther from it than ``radius_px``."""
    near = _around(mask, radius_px)
    out = np.zeros_like(mask)
    if near is not None:
        out[near] = _within(mask[near], radius_px)
    return out


def eroded(mask: Bool[np.ndarray, "h w"], radius_px: float) -> Bool[np.ndarray, "h w"]:
    """What of the mask lies farther from all else than ``radius_px``; beyond the picture the mask goes on."""
    near = _around(mask, 0.0)
    if near is None or mask[near].all():
        return mask.copy()
    out = np.zeros_like(mask)
    out[near] = ~_within(~mask[near], radius_px)
    return out


def opened(mask: Bool[np.ndarray, "h w"], radius_px: float) -> Bool[np.ndarray, "h w"]:
    """The mask without what is narrower than a disc of ``radius_px``."""
    return dilated(eroded(mask, radius_px), radius_px)


def _around(mask: Bool[np.ndarray, "h w"], radius_px: float) -> tuple[slice, slice] | None:
    """Rows and columns of all that a disc can change or be stopped by; None for an empty mask."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return None
    rim = int(radius_px) + 3
    return slice(max(rows[0] - rim, 0), rows[-1] + rim), slice(max(columns[0] - rim, 0), columns[-1] + rim)


def _within(mask: Bool[np.ndarray, "h w"], radius_px: float) -> Bool[np.ndarray, "h w"]:
    away = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    return away <= radius_px + _SLACK_PX
