"""The eight EXIF orientations: from samples as stored to an upright picture and back."""

from __future__ import annotations

import numpy as np

_INVERSE = {6: 8, 8: 6}


def upright(stored: np.ndarray, orientation: int) -> np.ndarray:
    """Turn samples as stored into the picture as it is meant to be seen (EXIF 2.32 §4.6.4, tag 274)."""
    swapped = stored.swapaxes(0, 1)
    views = {
        2: stored[:, ::-1],
        3: stored[::-1, ::-1],
        4: stored[::-1],
        5: swapped,
        6: swapped[:, ::-1],
        7: swapped[::-1, ::-1],
        8: swapped[::-1],
    }
    return np.ascontiguousarray(views.get(orientation, stored))


def as_stored(picture: np.ndarray, orientation: int) -> np.ndarray:
    """Inverse of :func:`upright`: turn an upright picture [H, W, ...] into the order its file stores."""
    return upright(picture, _INVERSE.get(orientation, orientation))
