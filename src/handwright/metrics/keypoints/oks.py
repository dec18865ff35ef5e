"""Object keypoint similarity: how near found keypoints are, weighed by how surely people place them.

OKS = mean over annotated points of exp(−d² / (2 · area · (2σ)²)). Sigmas are those of COCO-WholeBody (Jin et
al. 2020), in its order: 17 body, 6 feet, 68 face, 21 left hand, 21 right hand.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from handwright.metrics.keypoints.joints import annotated

_BODY = (26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89)
_FEET = (68, 66, 66, 92, 94, 94)
_FACE = (
    42, 43, 44, 43, 40, 35, 31, 25, 20, 23, 29, 32, 37, 38, 43, 41, 45, 13, 12, 11, 11, 12, 12, 11, 11,
    13, 15, 9, 7, 7, 7, 12, 9, 8, 16, 10, 17, 11, 9, 11, 9, 7, 13, 8, 11, 12, 10, 34, 8, 8, 9, 8, 8, 7,
    10, 8, 9, 9, 9, 7, 7, 8, 11, 8, 8, 8, 10, 8,
)  # fmt: skip
_HAND = (29, 22, 35, 37, 47, 26, 25, 24, 35, 18, 24, 22, 26, 17, 21, 21, 32, 20, 19, 22, 31)

HAND_SIGMAS: Float[np.ndarray, "21"] = np.array(_HAND) / 1000  # Of the 21 points of one hand

HANDS_SIGMAS: Float[np.ndarray, "42"] = np.array(_HAND + _HAND) / 1000
"""Of the 42 points of a person's two hands, left first."""

WHOLEBODY_SIGMAS: Float[np.ndarray, "133"] = np.array(_BODY + _FEET + _FACE + _HAND + _HAND) / 1000
"""Of the 133 points of a person."""

HANDS = slice(91, 133)  # The 42 hand points among the 133


def person_box_px(
    points_px: Float[np.ndarray, "k 2"],
) -> tuple[Float[np.ndarray, "2"], Float[np.ndarray, "2"]]:
    """Upper left corner and sides of the box of the annotated points; (0, 0) must not inflate it."""
    known = points_px[annotated(points_px)]
    return (known.min(0), np.ptp(known, axis=0)) if len(known) else (np.zeros(2), np.zeros(2))


def person_area_px(points_px: Float[np.ndarray, "k 2"]) -> float:
    """Area of the box of the annotated points."""
    return float(np.prod(person_box_px(points_px)[1]))


def keypoint_similarity(
    truth_px: Float[np.ndarray, "k 2"],
    found_px: Float[np.ndarray, "k 2"],
    sigmas: Float[np.ndarray, " k"],
    area_px: float,
) -> float:
    """OKS in [0, 1] of a found person with a true one, whose whole area counts; (0, 0) is not annotated."""
    known = annotated(truth_px)
    if not known.any():
        return 0.0
    squared = ((found_px - truth_px) ** 2).sum(-1)
    return float(np.exp(-squared / (2 * area_px * (2 * sigmas) ** 2))[known].mean())
