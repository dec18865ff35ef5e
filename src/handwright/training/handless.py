"""Places of a picture where no hand is, as large as hands are: what a critic learns not to take for one."""

from __future__ import annotations

import zlib

import numpy as np

from handwright.review.critic import Region
from handwright.training.pictures import LabelledPicture

_IN_PHOTOGRAPH, _IN_RENDER, _TRIES = 3, 0.3, 20
"""Places to a photograph, to a rendered picture, and attempts at each."""

_APART, _EDGE = 0.45, 0.1
"""What must be free of hands, in sizes of the place; how far hands reach beyond their landmarks."""


def handless_regions(picture: LabelledPicture, name: str, least_px: float) -> list[Region]:
    """Some places whose middle is no part of a hand, turned anyhow; none unless all hands are known.

    Args:
        picture: Where to look.
        name: Of the picture; the same name, the same places.
        least_px: Size of the smallest.
    """
    if not picture.complete:
        return []
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    count = _IN_PHOTOGRAPH if picture.kind == "photograph" else int(rng.random() < _IN_RENDER)
    found = (_region(rng, picture, least_px) for _ in range(count))
    return [region for region in found if region is not None]


def _region(rng: np.random.Generator, picture: LabelledPicture, least_px: float) -> Region | None:
    """One such place; None where none was hit upon."""
    height, width = picture.pixels.shape[:2]
    edges = _EDGE * np.ptp(picture.hands, axis=1).max(1, initial=0.0)[:, None]
    low, high = picture.hands.min(1) - edges, picture.hands.max(1) + edges
    for _ in range(_TRIES):
        size = float(np.exp(rng.uniform(np.log(least_px), np.log(max(least_px, 0.6 * min(height, width))))))
        middle = rng.uniform(0.2 * size, np.array([width, height]) - 0.2 * size)
        apart = (middle + _APART * size <= low) | (middle - _APART * size >= high)
        if apart.any(1).all():
            x, y = middle
            return Region((float(x), float(y)), size, float(rng.uniform(-np.pi, np.pi)))
    return None
