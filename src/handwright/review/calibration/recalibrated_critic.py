"""A critic whose answers are read by another calibration than its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from jaxtyping import UInt8

from handwright.errors import DataError
from handwright.review.calibration.calibration import Calibration
from handwright.review.critic.prediction import CriticSays
from handwright.review.critic.upright_crops import Region

MALFORMED = "malformed"
MADE_FOR = "made_for"
"""Under which a calibration tells the digest of the one that it takes the place of."""


class CalibratedCritic(Protocol):
    """A critic that tells how its logits are read."""

    @property
    def calibration(self) -> Calibration:
        """The calibration in use."""
        ...

    def judge(self, pixels: UInt8[np.ndarray, "h w 3"], regions: Sequence[Region]) -> list[CriticSays]:
        """As ``review.critic.prediction.Critic``."""
        ...


@dataclass(frozen=True, eq=False)
class Recalibrated:
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

    def judge(self, pixels: UInt8[np.ndarray, "h w 3"], regions: Sequence[Region]) -> list[CriticSays]:
        """What the critic says of each of these hands, read anew."""
        return [
            reread(says, self.critic.calibration, self.calibration)
            for says in self.critic.judge(pixels, regions)
        ]


def reread(says: CriticSays, old: Calibration, new: Calibration) -> CriticSays:
    """What a critic says of a hand as ``new`` reads it, where ``old`` read it before."""

    def again(name: str, probability: float) -> float:
        return new.probability(name, old.raw_logit(name, probability))

    return replace(
        says,
        malformed=again(MALFORMED, says.malformed),
        defects={name: again(name, told) for name, told in says.defects.items()},
        limits={name: new.limits[name] for name in says.limits},
    )


def can_tell(says: CriticSays) -> bool:
    """Whether the critic sees enough of the hand to judge it."""
    return not says.is_blind


def calls(says: CriticSays, limits: Mapping[str, float] | None = None) -> bool:
    """Whether a critic calls a hand wrong: it sees enough of it, and something lies at or above its limit.

    Args:
        says: The critic.
        limits: In place of its own.
    """
    return can_tell(says) and replace(says, limits=says.limits if limits is None else limits).excess >= 1
