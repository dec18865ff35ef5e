"""How much colour a hand shows, and how many colours: stone has none, a drawing few."""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt8

from handwright.review.critic.upright_crops import OrientedSquare

LEAST_COLOUR = 8.0
"""Spread of the three channels, of 255, below which there is no colour; flesh of any tone has more."""

MOST_DRAWN = 0.6
"""Share of a hand that has one of ``_FEW`` colours exactly; flesh has less, flat fills have more."""

_FEW, _MIDDLE, _LOOKED_AT = 4, 0.35, 128
"""Half of a hand's middle's side in sizes of the hand; at most so many rows and columns of it are asked."""


def colourfulness(pixels: UInt8[np.ndarray, "*n 3"], percent: float = 50.0) -> float:
    """A percentile of the pixels' spread of their three channels, in [0, 255]; 255 of no pixels."""
    if not pixels.size:
        return 255.0
    return float(np.percentile(np.ptp(pixels.reshape(-1, 3), axis=1), percent))


def is_colourless(pixels: UInt8[np.ndarray, "h w 3"], region: OrientedSquare) -> bool:
    """Whether the middle of a hand has no colour: stone, or a picture in black and white."""
    return colourfulness(_middle(pixels, region)) < LEAST_COLOUR


def is_drawn(pixels: UInt8[np.ndarray, "h w 3"], region: OrientedSquare) -> bool:
    """Whether the middle of a hand is filled with a few colours: a drawing, or overexposed.

    Lossy compression spreads flat colours: a drawing that went through JPEG is not told by this.
    """
    middle = _middle(pixels, region)
    if not middle.size:
        return False
    step = -(-max(middle.shape[:2]) // _LOOKED_AT)
    red, green, blue = middle[::step, ::step].reshape(-1, 3).astype(np.int64).T
    counts = np.sort(np.unique(red << 16 | green << 8 | blue, return_counts=True)[1])
    return float(counts[-_FEW:].sum() / counts.sum()) > MOST_DRAWN


def _middle(pixels: UInt8[np.ndarray, "h w 3"], region: OrientedSquare) -> UInt8[np.ndarray, "m n 3"]:
    (x, y), reach = region.center_px, _MIDDLE * region.size_px
    rows, columns = (slice(max(0, round(at - reach)), max(1, round(at + reach))) for at in (y, x))
    return pixels[rows, columns]
