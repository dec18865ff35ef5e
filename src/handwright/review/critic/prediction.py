"""What a critic says of a hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from jaxtyping import Float, UInt8

from handwright.hand.defects import SURPLUS_DEFECTS
from handwright.review.critic.part_maps import PartMaps
from handwright.review.critic.upright_crops import OrientedSquare

LEAST_ASSESSABLE, MOST_GLOVED = 0.5, 0.5
SMALLEST_PX = 32.0
"""Hands below this size are not judged: enlarged, they look like sharp ones."""


SURPLUS = "surplus"
"""Name of the limit of a hand's share of flesh that no sound hand has."""

HAND_WITHOUT_DETECTION = "sure_hand"
"""Name of the limit of P(hand) for what no detector has found."""


@dataclass(frozen=True, eq=False)
class CriticPrediction:
    """What a critic says of one hand; probabilities in [0, 1], calibrated as far as the critic is.

    Attributes:
        malformed: Something is wrong with it.
        defects: Probability by name of defect.
        where_px: By name of defect the (x, y) in the picture that speaks for it most.
        limits: Probability by name of defect ('malformed' too) from which on it is called a defect; of
            'surplus' the share of flesh; of 'hand' and 'sure_hand' that from which on it is one.
        fingers: Probability of having k fingers, k from 3 (or fewer) to 7 (or more).
        landmarks_px: float64 [21, 2] in the picture.
        visible: float64 [21] the landmark is seen.
        right: It is a right hand.
        poses: Probability by group of poses.
        gloved: It wears a glove.
        assessable: Enough can be seen to judge it.
        hand: It is a hand at all.
        present: Probability by name of finger that the hand has it.
        flesh: Where its flesh is; None where the critic does not say.
    """

    malformed: float
    defects: Mapping[str, float]
    where_px: Mapping[str, tuple[float, float]]
    thresholds: Mapping[str, float]
    fingers: Mapping[int, float]
    landmarks_px: Float[np.ndarray, "21 2"]
    visible: Float[np.ndarray, "21"]
    right: float
    poses: Mapping[str, float]
    gloved: float
    assessable: float
    hand: float = 1.0
    present: Mapping[str, float] = field(default_factory=dict[str, float])
    flesh: PartMaps | None = None

    @property
    def not_assessable(self) -> bool:
        """Too little can be seen to judge it: a glove, a blur, a few pixels; or it is no hand."""
        return self.gloved > MOST_GLOVED or self.assessable < LEAST_ASSESSABLE or not self.is_hand

    @property
    def is_hand(self) -> bool:
        """Whether it is a hand at all, however malformed."""
        return self.hand >= self.thresholds.get("hand", 0.0)

    @property
    def surplus(self) -> float:
        """Share of its flesh that no sound hand has; 0 where the critic does not say."""
        return 0.0 if self.flesh is None else self.flesh.surplus_share

    @property
    def is_surely_hand(self) -> bool:
        """Whether it is one even though no detector has found it."""
        return self.is_hand and self.hand >= self.thresholds.get(HAND_WITHOUT_DETECTION, 0.0)

    @property
    def told(self) -> dict[str, float]:
        """All that may be wrong: P(malformed), of each defect, and the share of flesh that is too much."""
        return {"malformed": self.malformed, **self.defects, SURPLUS: self.surplus}

    @property
    def threshold_ratio(self) -> float:
        """How near it comes to being called wrong: the largest of ``told`` in shares of its limit; ≥ 1 is."""
        return max(
            value / self.thresholds[name] for name, value in self.told.items() if name in self.thresholds
        )

    @property
    def has_surplus(self) -> bool:
        """Whether it shows more flesh than a sound hand has by what the critic marks of it."""
        return self.surplus >= self.thresholds.get(SURPLUS, 2.0)

    @property
    def likeliest_defect(self) -> str:
        """Name of the defect that comes nearest to its limit; where flesh is too much, of such a defect."""
        names = list(self.defects)
        nearest = max(names, key=self._nearness)
        if self.has_surplus and self._nearness(nearest) < 1:
            return max([name for name in names if name in SURPLUS_DEFECTS] or names, key=self._nearness)
        return nearest

    def _nearness(self, defect: str) -> float:
        return self.defects[defect] / self.thresholds.get(defect, 1.0)

    @property
    def counted(self) -> tuple[int, float]:
        """The likeliest number of fingers, and its probability."""
        count = max(self.fingers, key=lambda k: self.fingers[k])
        return count, self.fingers[count]


class Critic(Protocol):
    """Anything that judges a hand by looking at it, with eyes that are not the finder's."""

    def judge(
        self, pixels: UInt8[np.ndarray, "h w 3"], regions: Sequence[OrientedSquare]
    ) -> list[CriticPrediction]:
        """What it says of each of these hands in a picture."""
        ...
