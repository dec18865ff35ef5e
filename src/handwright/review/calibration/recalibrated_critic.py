"""A critic whose answers are read by another calibration than its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from jaxtyping import UInt8

from handwright.errors import DataError
from handwright.review.calibration.calibration import Calibration
from handwright.review.critic.prediction import CriticPrediction
from handwright.review.critic.upright_crops import OrientedSquare

MALFORMED = "malformed"
MADE_FOR = "made_for"
"""Under which a calibration tells the digest of the one that it takes the place of."""


class CalibratedCritic(Protocol):
    """A critic that tells how its logits are read."""

    @property
    def calibration(self) -> Calibration:
        """The calibration in use."""
        ...

    def judge(
        self, pixels: UInt8[np.ndarray, "h w 3"], regions: Sequence[OrientedSquare]
    ) -> list[CriticPrediction]:
        """As ``review.critic.prediction.Critic``."""
        ...


@dataclass(frozen=True, eq=False)
class RecalibratedCritic:
    """A critic that is read by a user's calibration; satisfies ``review.critic.prediction.Critic``.

    Attributes:
        critic: The critic.
        calibration: How it is read from now on; of its heads only what is malformed, and which defects.
    """

    critic: CalibratedCritic
    calibration: Calibration

    def __post_init__(self) -> None:
        if self.calibration.about.get(MADE_FOR) != self.critic.calibration.digest:
            raise DataError(
                "the calibration was made for another critic",
                "",
                "make it again with handwright review --calibrate",
            )

    def judge(
        self, pixels: UInt8[np.ndarray, "h w 3"], regions: Sequence[OrientedSquare]
    ) -> list[CriticPrediction]:
        """What the critic says of each of these hands, read anew."""
        return [
            reread(prediction, self.critic.calibration, self.calibration)
            for prediction in self.critic.judge(pixels, regions)
        ]


def reread(prediction: CriticPrediction, old: Calibration, new: Calibration) -> CriticPrediction:
    """What a critic says of a hand as ``new`` reads it, where ``old`` read it before."""

    def again(name: str, probability: float) -> float:
        return new.probability(name, old.raw_logit(name, probability))

    return replace(
        prediction,
        malformed=again(MALFORMED, prediction.malformed),
        defects={name: again(name, told) for name, told in prediction.defects.items()},
        thresholds={name: new.thresholds[name] for name in prediction.thresholds},
    )


def can_tell(prediction: CriticPrediction) -> bool:
    """Whether the critic sees enough of the hand to judge it."""
    return not prediction.not_assessable


def calls(prediction: CriticPrediction, thresholds: Mapping[str, float] | None = None) -> bool:
    """Whether a critic calls a hand wrong: it sees enough of it, and something lies at or above its limit.

    Args:
        prediction: The critic.
        thresholds: In place of its own.
    """
    return (
        can_tell(prediction)
        and replace(
            prediction, thresholds=prediction.thresholds if thresholds is None else thresholds
        ).threshold_ratio
        >= 1
    )
