"""Made-up predictions, and a stub critic that derives them from the pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from handwright.hand.defects import COUNT_DEFECTS, SHAPE_DEFECTS
from handwright.review.calibration.calibration import Calibration, Head
from handwright.review.critic.prediction import CriticPrediction
from handwright.review.critic.upright_crops import OrientedSquare

DEFECTS = (*COUNT_DEFECTS, *SHAPE_DEFECTS)


def calibration(threshold: float = 0.5, scale: float = 1.0, bias: float = 0.0) -> Calibration:
    names = ("malformed", *DEFECTS, "right", "gloved", "assessable", "hand")
    return Calibration({name: Head(scale, bias, threshold) for name in names}, {"fingers": 1.0, "poses": 1.0})


def prediction(
    malformed: float = 0.01,
    defects: Mapping[str, float] | None = None,
    threshold: float = 0.5,
    assessable: float = 0.99,
    gloved: float = 0.01,
    fingers: int = 5,
    right: float = 0.9,
    pose: str = "open",
) -> CriticPrediction:
    probabilities = dict.fromkeys(DEFECTS, 0.001) | dict(defects or {})
    counts = dict.fromkeys(range(3, 8), 0.02) | {fingers: 0.92}
    return CriticPrediction(
        malformed=malformed,
        defects=probabilities,
        where_px={},
        thresholds=dict.fromkeys(("malformed", *DEFECTS), threshold),
        fingers=counts,
        landmarks_px=np.zeros((21, 2)),
        visible=np.ones(21),
        right=right,
        poses={"open": 0.1, "fist": 0.1} | {pose: 0.9},
        gloved=gloved,
        assessable=assessable,
    )


@dataclass(frozen=True, eq=False)
class StubCritic:
    """Predicts for each region what a function returns for it."""

    of: Callable[[np.ndarray, OrientedSquare], CriticPrediction]
    calibration: Calibration = field(default_factory=calibration)

    def judge(self, pixels, regions):
        return [self.of(pixels, region) for region in regions]
