"""Places of a picture where no hand is, as large as hands are: what a critic learns not to take for one.

Some are anywhere; others are where the proposal network believes that it sees a hand: faces, knees, folds.
"""

from __future__ import annotations

import zlib

import numpy as np

from handwright.review.critic.upright_crops import OrientedSquare
from handwright.review.proposals.network import Proposer
from handwright.training.streams.whole_pictures import LabelledPicture

_IN_PHOTOGRAPH, _IN_RENDER, _TRIES = 3, 0.3, 20
"""Places to a photograph, to a rendered picture, and attempts at each."""

_LEAST_SCORE, _MOST_ALIKE = 0.02, 4
"""Finds of the proposal network that look like a hand to it, and how many of them to a picture."""

_APART, _EDGE = 0.45, 0.1
"""What must be free of hands, in sizes of the place; how far hands reach beyond their landmarks."""


def handless_regions(
    picture: LabelledPicture, name: str, least_px: float, proposer: Proposer | None = None
) -> list[OrientedSquare]:
    """Some places whose middle is no part of a hand; none unless all hands are known.

    Args:
        picture: Where to look.
        name: Of the picture; the same name, the same places.
        least_px: Size of the smallest.
        proposer: Tells what looks like a hand; without it all places are anywhere, turned anyhow.
    """
    if not picture.complete:
        return []
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    count = _IN_PHOTOGRAPH if picture.kind == "photograph" else int(rng.random() < _IN_RENDER)
    anywhere = [_region(rng, picture, least_px) for _ in range(count)]
    alike = _alike(picture, least_px, proposer) if proposer is not None and count else []
    return [region for region in anywhere if region is not None] + alike


def _alike(picture: LabelledPicture, least_px: float, proposer: Proposer) -> list[OrientedSquare]:
    """Where the proposal network sees a hand that is none, those that it believes most."""
    low, high = _bounds(picture)
    found = (one.region for one in proposer.propose(picture.pixels, _LEAST_SCORE))
    wrong = [
        one
        for one in found
        if one.size_px >= least_px and _is_apart(np.array(one.center_px), one.size_px, low, high)
    ]
    return wrong[:_MOST_ALIKE]


def _bounds(picture: LabelledPicture) -> tuple[np.ndarray, np.ndarray]:
    """[N, 2] upper left and lower right corners of its hands."""
    edges = _EDGE * np.ptp(picture.hands, axis=1).max(1, initial=0.0)[:, None]
    return picture.hands.min(1) - edges, picture.hands.max(1) + edges


def _is_apart(middle: np.ndarray, size: float, low: np.ndarray, high: np.ndarray) -> bool:
    """Whether the middle of a place is free of all hands."""
    return bool(((middle + _APART * size <= low) | (middle - _APART * size >= high)).any(1).all())


def _region(rng: np.random.Generator, picture: LabelledPicture, least_px: float) -> OrientedSquare | None:
    """One such place; None where none was hit upon."""
    height, width = picture.pixels.shape[:2]
    low, high = _bounds(picture)
    for _ in range(_TRIES):
        size = float(np.exp(rng.uniform(np.log(least_px), np.log(max(least_px, 0.6 * min(height, width))))))
        middle = rng.uniform(0.2 * size, np.array([width, height]) - 0.2 * size)
        if _is_apart(middle, size, low, high):
            x, y = middle
            return OrientedSquare((float(x), float(y)), size, float(rng.uniform(-np.pi, np.pi)))
    return None
