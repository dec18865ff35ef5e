"""A critic's words, made up, and a stub critic that reads them off a hand's place."""

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
    told = dict.fromkeys(DEFECTS, 0.001) | dict(defects or {})
    others = dict.fromkeys(range(3, 8), 0.02) | {fingers: 0.92}
    return CriticPrediction(
        malformed,
        told,
        {},
        dict.fromkeys(("malformed", *DEFECTS), threshold),
        others,
        np.zeros((21, 2)),
        np.ones(21),
        right,
        {"open": 0.1, "fist": 0.1} | {pose: 0.9},
        gloved,
        assessable,
    )


@dataclass(frozen=True, eq=False)
class StubCritic:
    """Says of each region what it is told to say of it."""

    of: Callable[[np.ndarray, OrientedSquare], CriticPrediction]
    calibration: Calibration = field(default_factory=calibration)

    def judge(self, pixels, regions):
        return [self.of(pixels, region) for region in regions]
