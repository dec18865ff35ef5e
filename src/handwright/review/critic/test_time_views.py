"""Several looks at one crop, of which the mean is more exact than any: as it is, mirrored, and nearer."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from jaxtyping import UInt8

VIEWS = 4
"""As it is, mirrored, nearer, nearer and mirrored."""

NEARER = 1.14

_SIDED = "right"
_MAPS = ("heatmaps", "parts", "where", "visible")
"""Outputs that are read off the first look alone."""


def augmented_views(crops: UInt8[np.ndarray, "n s s 3"]) -> UInt8[np.ndarray, "m s s 3"]:
    """All looks at each crop, one crop's after another's.

    Returns:
        [N · ``VIEWS``, S, S, 3].
    """
    near = np.stack([_nearer(crop) for crop in crops])
    every = np.stack([crops, crops[:, :, ::-1], near, near[:, :, ::-1]], 1)
    return np.ascontiguousarray(every.reshape(-1, *crops.shape[1:]))


def mean_over_views(told: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What all looks at a crop say together: the mean of their logits, sides turned back.

    Args:
        told: By output, [N · ``VIEWS``, …] logits of :func:`augmented_views`'s crops.

    Returns:
        By output, [N, …].
    """
    said: dict[str, np.ndarray] = {}
    for name, values in told.items():
        looks = values.reshape(-1, VIEWS, *values.shape[1:])
        if name in _MAPS:
            said[name] = looks[:, 0]
        elif name == _SIDED:
            said[name] = (looks * np.array([1.0, -1.0, 1.0, -1.0])).mean(1)
        else:
            said[name] = looks.mean(1)
    return said


def _nearer(crop: UInt8[np.ndarray, "s s 3"]) -> UInt8[np.ndarray, "s s 3"]:
    side = crop.shape[0]
    edge = round(side * (1 - 1 / NEARER) / 2)
    return cv2.resize(
        crop[edge : side - edge, edge : side - edge], (side, side), interpolation=cv2.INTER_LINEAR
    )
