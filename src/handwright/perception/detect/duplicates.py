"""Duplicate detections: one hand detected twice becomes one, two hands that touch stay two."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float

from handwright.types import Box, HandObservation


@dataclass(frozen=True, kw_only=True)
class DuplicateParams:
    """When two detections are of one hand. All values were chosen by eye on photographs of clasped hands."""

    # Two detections closer than this ``landmark_distance`` are one hand; clasped hands stay above
    same_distance: float = 0.25
    near_distance: float = 0.35  # The same for a doubtful detection beside confirmed hands
    # Least cosine between wrist-to-knuckle directions of one hand detected at two sizes
    same_direction: float = 0.5
    same_box_iou: float = 0.5  # Least overlap of their boxes, in [0, 1]
    # Largest size of a detection within another hand's fingers, in sizes of that hand
    inner_size: float = 0.7
    inner_slack: float = 0.03  # How far it may reach beyond their outline, in sizes of that hand


PARAMS = DuplicateParams()


def landmark_distance(a: HandObservation, b: HandObservation) -> float:
    """Mean distance between two hands' landmarks as a fraction of the smaller hand's size, in [0, ∞).

    It is 0 for identical observations and about 1 for hands side by side. One hand detected twice is mostly
    below 0.1; clasped hands differ in where each finger is and stay above 0.25 although their boxes coincide.
    """
    gap = float(np.linalg.norm(a.landmarks_px - b.landmarks_px, axis=1).mean())
    return gap / max(min(a.size_px, b.size_px), 1e-9)


def same_hand(a: HandObservation, b: HandObservation) -> bool:
    """Whether two observations are of one hand: landmarks close, or same side, direction and box.

    The second rule finds a hand detected at two sizes, with other fingers, or again within its own fingers.
    It leaves the hands of one person (different sides) and a handshake (opposite directions) apart.
    """
    if landmark_distance(a, b) <= PARAMS.same_distance:
        return True
    if a.side != b.side or float(_direction(a) @ _direction(b)) <= PARAMS.same_direction:
        return False
    overlap = box_iou(a.bbox_xyxy_px, b.bbox_xyxy_px) > PARAMS.same_box_iou
    return overlap or _within_fingers(a, b) or _within_fingers(b, a)


def _within_fingers(small: HandObservation, large: HandObservation) -> bool:
    """Whether all of a hand, its wrist too, lies within the outline of another's joints."""
    if small.size_px >= PARAMS.inner_size * large.size_px:
        return False
    outline = cv2.convexHull(large.landmarks_px.astype(np.float32))
    slack = PARAMS.inner_slack * large.size_px
    return all(
        cv2.pointPolygonTest(outline, (float(x), float(y)), measureDist=True) >= -slack
        for x, y in small.landmarks_px
    )


def near_known_hand(hand: HandObservation, others: Iterable[HandObservation]) -> bool:
    """Whether a doubtful detection may be one of ``others``: a wider test than ``same_hand``."""
    return any(
        landmark_distance(hand, other) < PARAMS.near_distance or same_hand(hand, other) for other in others
    )


def merge_hands(hands: Iterable[HandObservation]) -> list[HandObservation]:
    """The hands, best score first, each once: the observation of the higher score, or the first of equals."""
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
