"""A critic's words, made up, and a stub critic that reads them off a hand's place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from handwright.review.calibration.calibration import Calibration, Head
from handwright.review.critic.prediction import COUNT_DEFECTS, SHAPE_DEFECTS, CriticSays
from handwright.review.critic.upright_crops import Region

DEFECTS = (*COUNT_DEFECTS, *SHAPE_DEFECTS)


def calibration(limit: float = 0.5, scale: float = 1.0, bias: float = 0.0) -> Calibration:
    names = ("malformed", *DEFECTS, "right", "gloved", "assessable", "hand")
    return Calibration({name: Head(scale, bias, limit) for name in names}, {"fingers": 1.0, "poses": 1.0})


def says(
    malformed: float = 0.01,
    defects: Mapping[str, float] | None = None,
    limit: float = 0.5,
    assessable: float = 0.99,
    gloved: float = 0.01,
    fingers: int = 5,
    right: float = 0.9,
    pose: str = "open",
) -> CriticSays:
    told = dict.fromkeys(DEFECTS, 0.001) | dict(defects or {})
    others = dict.fromkeys(range(3, 8), 0.02) | {fingers: 0.92}
    return CriticSays(
        malformed,
        told,
        {},
        dict.fromkeys(("malformed", *DEFECTS), limit),
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

    of: Callable[[np.ndarray, Region], CriticSays]
    calibration: Calibration = field(default_factory=calibration)

    def judge(self, pixels, regions):
        return [self.of(pixels, region) for region in regions]
