"""The same hand seen twice is one hand; two hands that touch stay two."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from jaxtyping import Float

from handwright.types import Box, HandObservation

SAME_HAND = 0.25
"""Two observations are one hand when their landmarks lie closer than this share of hand size."""

_KNOWN = 0.35
_SMALLER, _SLACK = 0.7, 0.03
"""Of what is seen in another hand's fingers: its size, and how far beyond their outline it may reach, in
sizes of that hand."""


def landmark_distance(a: HandObservation, b: HandObservation) -> float:
    """Mean distance between two hands' landmarks as a fraction of the smaller hand's size, in [0, ∞).

    0 for identical observations. Hands side by side are about 1 apart; one hand seen twice is mostly below
    0.1; clasped hands differ in where each finger is: they stay above 0.25 although their boxes coincide.
    """
    gap = float(np.linalg.norm(a.landmarks_px - b.landmarks_px, axis=1).mean())
    return gap / max(min(a.size_px, b.size_px), 1e-9)


def same_hand(a: HandObservation, b: HandObservation) -> bool:
    """Whether two observations are of one hand: landmarks close, or same side, direction and box.

    The second rule catches a hand seen at two sizes or with other fingers, or again in its own fingers. It
    spares the hands of one person (different sides) and a handshake (opposite directions).
    """
    if landmark_distance(a, b) <= SAME_HAND:
        return True
    if a.side != b.side or float(_direction(a) @ _direction(b)) <= 0.5:
        return False
    return box_iou(a.bbox_xyxy_px, b.bbox_xyxy_px) > 0.5 or _in_fingers(a, b) or _in_fingers(b, a)


def _in_fingers(small: HandObservation, large: HandObservation) -> bool:
    """Whether all of a hand, its wrist too, lies within the outline of another's joints."""
    if small.size_px >= _SMALLER * large.size_px:
        return False
    outline = cv2.convexHull(large.landmarks_px.astype(np.float32))
    slack = _SLACK * large.size_px
    return all(
        cv2.pointPolygonTest(outline, (float(x), float(y)), measureDist=True) >= -slack
        for x, y in small.landmarks_px
    )


def near_known_hand(hand: HandObservation, others: Iterable[HandObservation]) -> bool:
    """Whether a doubtful hand may be one of ``others``: a wider guard than ``same_hand``."""
    return any(landmark_distance(hand, other) < _KNOWN or same_hand(hand, other) for other in others)


def merge_hands(hands: Iterable[HandObservation]) -> list[HandObservation]:
    """Keep one observation of every hand: the better score wins, on equal scores the one that came first.

    Args:
        hands: Observations of one picture, duplicates among them.

    Returns:
        The survivors, best score first.
    """
    kept: list[HandObservation] = []
    for hand in sorted(hands, key=lambda h: -h.score):
        if not any(same_hand(hand, other) for other in kept):
            kept.append(hand)
    return kept


def box_iou(a: Box, b: Box) -> float:
    """Intersection over union of two boxes, in [0, 1]."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    shared = max(width, 0.0) * max(height, 0.0)
    union = _area(a) + _area(b) - shared
    return shared / union if union > 0 else 0.0


def _direction(hand: HandObservation) -> Float[np.ndarray, "2"]:
    """Unit vector from the wrist to the middle knuckle."""
    along = hand.landmarks_px[9] - hand.landmarks_px[0]
    return along / max(float(np.linalg.norm(along)), 1e-9)


def _area(box: Box) -> float:
    return max(box[2] - box[0], 0.0) * max(box[3] - box[1], 0.0)
