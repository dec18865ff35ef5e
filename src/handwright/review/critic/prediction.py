"""What the critic predicts of one hand, and the protocol of a critic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from jaxtyping import Float, UInt8

from handwright.hand.defects import SURPLUS_DEFECTS
from handwright.review.critic.output_maps import PartMaps
from handwright.review.critic.upright_crops import OrientedSquare
from handwright.types import Side

MIN_ASSESSABLE, MAX_GLOVED = 0.5, 0.5
"""Bounds on P(assessable) and P(gloved) of a hand that can be judged: the likelier of two."""

SURE_SIDE = 0.9
"""Least certainty of a side that counts. Chosen by eye on the training hands."""

SMALLEST_PX = 32.0
"""Least hand size in pixels; smaller hands, enlarged to a crop, all look regular. Chosen by eye."""

MALFORMED = "malformed"
"""Name of the output and threshold of 'anything is wrong'."""

APPEARANCE = "appearance"
"""Name of the output 'it looks malformed', and of the classifier's file."""

SURPLUS = "surplus"
"""Name of the threshold on the share of a hand's skin that no regular hand has."""

HAND_WITHOUT_DETECTION = "sure_hand"
"""Name of the threshold on P(hand) where no detector found the hand."""


@dataclass(frozen=True, eq=False, kw_only=True)
class CriticPrediction:
    """The critic's output for one hand; probabilities in [0, 1], calibrated as far as the critic is.

    Attributes:
        malformed: Probability that anything is wrong with the hand, by the network that learnt defects.
        appearance: Probability that it looks malformed, by the classifier that learnt hands of image
            generators; 0 where there is none. It orders hands and fails none.
        defects: Probability by name of defect.
        where_px: By name of defect the (x, y) in the picture where the network sees it most.
        thresholds: By name of defect, and for 'malformed', the probability from which on it is reported; for
            'surplus' the share of skin; for 'hand' and 'sure_hand' the P(hand) from which on it is one.
        fingers: Probability of having k fingers, k from 3 (or fewer) to 7 (or more).
        landmarks_px: float64 [21, 2] in the picture; None where the critic predicts none.
        visible: float64 [21] probability that the landmark is in view; None likewise.
        right: Probability of a right hand.
        poses: Probability by group of poses (``fusion.STATE_OF_POSE`` names them).
        gloved: Probability that the hand wears a glove.
        assessable: Probability that enough is in view to judge it.
        hand: Probability that it is a hand at all.
        present: Probability by name of finger that the hand has it.
        part_maps: Where the hand and its surplus skin are; None where the critic has no such output.
        reason: What the critic gives as its reason, in a sentence for people; empty where it gives none.
    """

    malformed: float
    defects: Mapping[str, float] = field(default_factory=dict[str, float])
    where_px: Mapping[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]])
    thresholds: Mapping[str, float] = field(default_factory=dict[str, float])
    fingers: Mapping[int, float] = field(default_factory=dict[int, float])
    landmarks_px: Float[np.ndarray, "21 2"] | None = None
    visible: Float[np.ndarray, "21"] | None = None
    right: float = 0.5
    poses: Mapping[str, float] = field(default_factory=dict[str, float])
    gloved: float = 0.0
    assessable: float = 1.0
    appearance: float = 0.0
    hand: float = 1.0
    present: Mapping[str, float] = field(default_factory=dict[str, float])
    part_maps: PartMaps | None = None
    reason: str = ""

    @property
    def malformed_by_any(self) -> float:
        """Probability that either of ``malformed`` and ``appearance`` is right (noisy-or; Pearl 1988)."""
        return self.malformed + self.appearance - self.malformed * self.appearance

    @property
    def not_assessable(self) -> bool:
        """Whether too little is in view to judge it (a glove, a blur, a few pixels), or it is no hand."""
        return not self.is_bare or self.assessable < MIN_ASSESSABLE

    @property
    def likelier_side(self) -> Side:
        """The hand's side, however uncertain."""
        return "right" if self.right >= 0.5 else "left"

    @property
    def side_certainty(self) -> float:
        """Probability of ``likelier_side``, in [0.5, 1]."""
        return max(self.right, 1 - self.right)

    @property
    def sure_side(self) -> Side | None:
        """The hand's side, where it is certain enough and the hand can be judged at all."""
        return None if self.not_assessable or self.side_certainty < SURE_SIDE else self.likelier_side

    @property
    def is_bare(self) -> bool:
        """Whether it is a hand, and wears no glove."""
        return self.is_hand and self.gloved <= MAX_GLOVED

    @property
    def is_hand(self) -> bool:
        """Whether it is a hand at all, however malformed."""
        return self.hand >= self.thresholds.get("hand", 0.0)

    @property
    def is_hand_without_detection(self) -> bool:
        """Whether it is one even though no detector found it."""
        return self.is_hand and self.hand >= self.thresholds.get(HAND_WITHOUT_DETECTION, 0.0)

    @property
    def surplus_share(self) -> float:
        """Share of its skin that no regular hand has, in [0, 1]; 0 without part maps."""
        return 0.0 if self.part_maps is None else self.part_maps.surplus_share

    @property
    def has_surplus(self) -> bool:
        """Whether its surplus skin reaches its threshold."""
        return self.surplus_share >= self.thresholds.get(SURPLUS, 2.0)

    @property
    def defect_scores(self) -> dict[str, float]:
        """P(malformed), the probability of each defect, and the share of surplus skin, by name."""
        return {MALFORMED: self.malformed, **self.defects, SURPLUS: self.surplus_share}

    @property
    def threshold_ratio(self) -> float:
        """The largest of ``defect_scores`` as a share of its threshold; ≥ 1 is malformed."""
        scores = self.defect_scores.items()
        return max(value / self.thresholds[name] for name, value in scores if name in self.thresholds)

    @property
    def is_malformed(self) -> bool:
        """Whether the hand can be assessed and any of ``defect_scores`` reaches its threshold."""
        return not self.not_assessable and self.threshold_ratio >= 1

    @property
    def likeliest_defect(self) -> str | None:
        """Name of the defect nearest to its threshold; a surplus defect where only the surplus is reached.

        None where the critic names no defect.
        """
        names = list(self.defects)
        if not any(self.defects.values()):
            return None
        nearest = max(names, key=self.defect_ratio)
        if self.has_surplus and self.defect_ratio(nearest) < 1:
            return max([name for name in names if name in SURPLUS_DEFECTS] or names, key=self.defect_ratio)
        return nearest

    def defect_ratio(self, defect: str) -> float:
        """Probability of a defect as a share of its threshold."""
        return self.defects[defect] / self.thresholds.get(defect, 1.0)

    @property
    def likeliest_count(self) -> tuple[int, float]:
        """The likeliest number of fingers, and its probability, 0 where the critic does not count."""
        if not self.fingers:
            return 5, 0.0
        count = max(self.fingers, key=lambda k: self.fingers[k])
        return count, self.fingers[count]


class Critic(Protocol):
    """Anything that judges a hand from its pixels alone, without the detector's landmarks."""

    def judge(
        self, pixels: UInt8[np.ndarray, "h w 3"], regions: Sequence[OrientedSquare]
    ) -> list[CriticPrediction]:
        """One prediction for each of these hands of a picture.

        Args:
            pixels: sRGB, the whole picture.
            regions: At least one hand: where it is, how large, and where its fingers point.
        """
        ...
