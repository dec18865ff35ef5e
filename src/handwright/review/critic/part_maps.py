"""Where a critic sees a hand's own flesh, and such as no sound hand has."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float

from handwright.review.critic.upright_crops import Affine, to_opencv_affine

OTHER, ARM, SURPLUS = "other", "arm", "too much"
"""Parts by name that are not the hand, or should not be there; all others are the hand."""

_SURE = 0.5


@dataclass(frozen=True, eq=False)
class PartMaps:
    """One hand's flesh, on a critic's coarse cells.

    Attributes:
        hand: float32 [c, c] chance that a cell shows the hand, surplus flesh included, its arm not.
        surplus: float32 [c, c] chance that it shows flesh that no sound hand has: a sixth finger.
        to_cells: From the picture to the cells.
    """

    hand: Float[np.ndarray, "c c"]
    surplus: Float[np.ndarray, "c c"]
    to_cells: Affine

    @property
    def surplus_share(self) -> float:
        """Cells of flesh that no sound hand has, as a share of all of the hand's cells, in [0, 1]."""
        return float((self.surplus > _SURE).sum() / max(int((self.hand > _SURE).sum()), 1))

    @property
    def cell_px(self) -> float:
        """Side of a cell in pixels of the picture."""
        return 1 / math.hypot(self.to_cells[0, 0], self.to_cells[1, 0])

    @classmethod
    def of(
        cls, logits: Float[np.ndarray, "p c c"], parts: tuple[str, ...], to_crop: Affine, size_px: int
    ) -> PartMaps:
        """What a critic says of the parts of a crop.

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

    def within(
        self, window: tuple[int, int, int, int]
    ) -> tuple[Bool[np.ndarray, "h w"], Bool[np.ndarray, "h w"]]:
        """Where the hand is, and where it has too much of itself, in a window of the picture.

        Args:
            window: x0, y0, x1, y1 in whole pixels.
        """
        x0, y0, x1, y1 = window
        linear = self.to_cells[:, :2]
        moved = np.column_stack([linear, self.to_cells[:, 2] + linear @ np.array([x0, y0], np.float64)])
        size, how = (x1 - x0, y1 - y0), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        hand, surplus = (
            cv2.warpAffine(plane, to_opencv_affine(moved), size, flags=how) > _SURE
            for plane in (self.hand, self.surplus)
        )
        return hand, surplus
