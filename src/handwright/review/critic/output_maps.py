"""The critic's spatial outputs: heatmaps to landmarks, and maps of a hand's parts back to the picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float

from handwright.review.critic.upright_crops import Affine, to_opencv_affine

OTHER, ARM, SURPLUS = "other", "arm", "too much"
"""Names of the parts that are no hand, or that no regular hand has; all others are the hand."""

LIKELY = 0.5  # Probability from which on a place shows the hand, or surplus skin
_PEAK_RADIUS = 2
"""Cells on either side of a heatmap's maximum that enter the mean: 5 × 5. Chosen by eye."""


def heatmap_peaks(
    heatmaps: Float[np.ndarray, "21 h h"], size_px: int
) -> tuple[Float[np.ndarray, "21 2"], Float[np.ndarray, "21"]]:
    """Landmarks in pixels of the crop, and the share of each distribution that lies at its peak.

    The mean position over 5 × 5 cells around the likeliest cell: finer than a cell, and not drawn away by a
    second peak elsewhere (a local soft-argmax).

    Args:
        heatmaps: Logits.
        size_px: Side of the crop.
    """
    side = heatmaps.shape[-1]
    shares = np.exp(heatmaps - heatmaps.max((1, 2), keepdims=True)).astype(np.float64)
    shares /= shares.sum((1, 2), keepdims=True)
    rows, columns = np.divmod(shares.reshape(len(shares), -1).argmax(1), side)
    y, x = np.mgrid[:side, :side]
    near_row = np.abs(y - rows[:, None, None]) <= _PEAK_RADIUS
    shares *= near_row & (np.abs(x - columns[:, None, None]) <= _PEAK_RADIUS)
    mass = shares.sum((1, 2))
    points = np.column_stack([(shares * x).sum((1, 2)) / mass, (shares * y).sum((1, 2)) / mass])
    return (points + 0.5) * (size_px / side), mass


@dataclass(frozen=True, eq=False)
class PartMaps:
    """Probabilities of one hand's skin on the network's coarse cells."""

    # float32 [c, c] probability that a cell shows the hand, surplus skin included, its arm not
    hand: Float[np.ndarray, "c c"]
    # float32 [c, c] probability that it shows skin that no regular hand has: a sixth finger
    surplus: Float[np.ndarray, "c c"]
    to_cells: Affine  # From the picture to the cells

    @property
    def surplus_share(self) -> float:
        """Cells of surplus skin as a share of the hand's cells, in [0, 1]."""
        return float((self.surplus > LIKELY).sum() / max(int((self.hand > LIKELY).sum()), 1))

    @property
    def cell_px(self) -> float:
        """Side of a cell in pixels of the picture."""
        return 1 / math.hypot(self.to_cells[0, 0], self.to_cells[1, 0])

    @classmethod
    def of(
        cls, logits: Float[np.ndarray, "p c c"], parts: tuple[str, ...], to_crop: Affine, size_px: int
    ) -> PartMaps:
        """Maps from the network's logits of a crop's parts.

        Args:
            logits: Of each part, by cell.
            parts: Their names.
            to_crop: From the picture to the crop.
            size_px: Side of the crop.
        """
        shares = np.exp(logits - logits.max(0))
        shares /= shares.sum(0)
        hand = 1 - shares[parts.index(OTHER)] - shares[parts.index(ARM)]
        surplus, cells = shares[parts.index(SURPLUS)], logits.shape[-1] / size_px
        return cls(hand.astype(np.float32), surplus.astype(np.float32), to_crop * cells)

    def in_window(
        self, window: tuple[int, int, int, int]
    ) -> tuple[Float[np.ndarray, "h w"], Float[np.ndarray, "h w"]]:
        """Probabilities of the hand and of its surplus skin in a window of the picture.

        Args:
            window: x0, y0, x1, y1 in whole pixels.
        """
        x0, y0, x1, y1 = window
        linear = self.to_cells[:, :2]
        moved = np.column_stack([linear, self.to_cells[:, 2] + linear @ np.array([x0, y0], np.float64)])
        size, how = (x1 - x0, y1 - y0), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        hand, surplus = (
            np.asarray(cv2.warpAffine(plane, to_opencv_affine(moved), size, flags=how), np.float32)
            for plane in (self.hand, self.surplus)
        )
        return hand, surplus
