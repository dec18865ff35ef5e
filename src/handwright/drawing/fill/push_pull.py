"""Push-pull: fill the gaps of scattered samples with a smooth surface, in time linear in the picture."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float

_FINEST_SMOOTHINGS = 2
"""Relaxations of the gaps on the finest level; each coarser level takes twice as many."""

_MOST_SMOOTHINGS = 16
"""Most relaxations on a level; by eye."""

_SATURATION = 2.0
"""Factor on the weights that are handed to the next coarser level, before they are cut off at 1."""

_EPSILON = 1e-6


def push_pull(
    values: Float[np.ndarray, "h w c"], weights: Float[np.ndarray, "h w"]
) -> Float[np.ndarray, "h w c"]:
    """Interpolate ``values`` into every pixel whose weight is below 1.

    Samples are pushed up a Gaussian pyramid until no gap is left, then pulled down again; on the way down the
    gaps of each level are relaxed towards the mean of their neighbours, so that the surface bends like a
    membrane.

    Args:
        values: float32 [H, W, C]; what stands where the weight is 0 is ignored (it must be finite).
        weights: float32 [H, W] in [0, 1]: 1 keeps a sample, 0 ignores it.

    Returns:
        float32 [H, W, C]; equal to ``values`` where the weight is 1. All zeros if no weight is above 0.

    Source:
        Gortler et al., The Lumigraph (1996), §3.4, with the weights' saturation at 1.
    """
    if not (weights > 0).any():
        return np.zeros(values.shape, np.float32)
    levels = _push(np.ascontiguousarray(values, np.float32), np.clip(weights, 0.0, 1.0).astype(np.float32))
    premultiplied, weight = levels[-1]
    surface = premultiplied / np.maximum(weight, _EPSILON)[..., None]
    for depth in reversed(range(len(levels) - 1)):
        surface = _pull(surface, *levels[depth], min(_FINEST_SMOOTHINGS << depth, _MOST_SMOOTHINGS))
    return surface


def _push(values: np.ndarray, weights: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Premultiplied samples and weights of every level, finest first, until the weights are full."""
    levels = [(values * weights[..., None], weights)]
    while levels[-1][1].min() < 1.0 and max(levels[-1][1].shape) > 1:
        premultiplied, weight = levels[-1]
        total = cv2.pyrDown(weight)
        mean = _channels(cv2.pyrDown(premultiplied)) / np.maximum(total, _EPSILON)[..., None]
        weight = np.minimum(total * _SATURATION, 1.0)
        levels.append((mean * weight[..., None], weight))
    return levels


def _pull(coarse: np.ndarray, premultiplied: np.ndarray, weight: np.ndarray, smoothings: int) -> np.ndarray:
    """The finer surface: samples where their weight is 1, the relaxed coarser surface in the gaps."""
    gap = (1.0 - weight)[..., None]
    surface = _channels(cv2.pyrUp(coarse, dstsize=(weight.shape[1], weight.shape[0])))
    surface = premultiplied + gap * surface
    for _ in range(smoothings):
        surface = premultiplied + gap * _channels(cv2.blur(surface, (3, 3)))
    return surface


def _channels(array: np.ndarray) -> np.ndarray:
    """Restore the channel axis that cv2 drops for single-channel pictures."""
    return array if array.ndim == 3 else array[..., None]
