"""The same hand seen twice is one hand; two hands that touch stay two."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from handwright.types import Box, HandObservation

SAME_HAND = 0.25
"""Two observations are one hand when their landmarks lie closer than this share of hand size."""


def landmark_distance(a: HandObservation, b: HandObservation) -> float:
    """Mean distance between two hands' landmarks as a fraction of the smaller hand's size, in [0, ∞).

    0 for identical observations. Two hands side by side are about 1 apart; one hand seen twice is below 0.1; clasped
    hands differ in where each finger is, so they stay above 0.25 although their boxes coincide.
    """
    gap = float(np.linalg.norm(a.landmarks_px - b.landmarks_px, axis=1).mean())
    return gap / max(min(a.size_px, b.size_px), 1e-9)


def merge_hands(hands: Iterable[HandObservation], *, same: float = SAME_HAND) -> list[HandObservation]:
    """Keep one observation of every hand: the better score wins, on equal scores the one that came first.

    Args:
        hands: Observations of one picture, duplicates among them.
        same: Largest ``landmark_distance`` at which two observations are taken for one hand.

    Returns:
        The survivors, best score first.
    """
    kept: list[HandObservation] = []
    for hand in sorted(hands, key=lambda h: -h.score):
        if all(landmark_distance(hand, other) > same for other in kept):
            kept.append(hand)
    return kept


def box_iou(a: Box, b: Box) -> float:
    """Intersection over union of two boxes, in [0, 1]."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    shared = max(width, 0.0) * max(height, 0.0)
    union = _area(a) + _area(b) - shared
    return shared / union if union > 0 else 0.0


def _area(box: Box) -> float:
    return max(box[2] - box[0], 0.0) * max(box[3] - box[1], 0.0)
