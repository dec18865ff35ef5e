"""Landmarks read off a network's heatmaps."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

_NEAR = 2
"""Cells around a heatmap's peak that decide where it is."""


def heatmap_peaks(
    heatmaps: Float[np.ndarray, "21 h h"], size_px: int
) -> tuple[Float[np.ndarray, "21 2"], Float[np.ndarray, "21"]]:
    """Landmarks in pixels of the crop, and how much of each distribution lies there.

    The mean place of the 5 × 5 cells around the likeliest one: finer than a cell, and not drawn away by a
    second peak elsewhere.

    Args:
        heatmaps: Logits.
        size_px: Side of the crop.
    """
    side = heatmaps.shape[-1]
    shares = np.exp(heatmaps - heatmaps.max((1, 2), keepdims=True)).astype(np.float64)
    shares /= shares.sum((1, 2), keepdims=True)
    rows, columns = np.divmod(shares.reshape(len(shares), -1).argmax(1), side)
    y, x = np.mgrid[:side, :side]
    near = (np.abs(y - rows[:, None, None]) <= _NEAR) & (np.abs(x - columns[:, None, None]) <= _NEAR)
    shares *= near
    mass = shares.sum((1, 2))
    points = np.column_stack([(shares * x).sum((1, 2)) / mass, (shares * y).sum((1, 2)) / mass])
    return (points + 0.5) * (size_px / side), mass
