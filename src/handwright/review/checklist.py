"""The checklist's values: the checks of a hand, or of an arm that lacks one, and of a picture."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from handwright.errors import InvalidValueError
from handwright.perception.detect.not_a_hand import NotAHand
from handwright.review.critic.prediction import CriticPrediction
from handwright.types import Box, HandObservation, Side

Verdict = Literal["pass", "fail", "cannot tell"]
Overall = Literal["pass", "fail", "unsure"]
PictureVerdict = Literal["pass", "fail", "unsure", "no_hands"]
CheckName = Literal["finger_count", "joint_bending", "left_right", "grasp"]
CHECKS: tuple[CheckName, ...] = ("finger_count", "joint_bending", "left_right", "grasp")


@dataclass(frozen=True)
class Where:
    """The place of a check's finding, in pixels of the picture.

    Attributes:
        points_px: (x, y) of joints or tips.
        region_xyxy_px: A box, or None.
    """

    points_px: tuple[tuple[float, float], ...] = ()
    region_xyxy_px: Box | None = None


@dataclass(frozen=True)
class Check:
    """One line of the checklist.

    Attributes:
        verdict: 'pass', 'fail' or 'cannot tell'.
        confidence: In [0, 1], how sure a pass or a fail is; 0 for 'cannot tell'.
        reason: A sentence in words.
        where: The place of the finding.
        value: The finding, JSON-ready.
    """

    verdict: Verdict
    confidence: float
    reason: str
    where: Where = Where()
    value: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        if not 0.0 <= self.confidence <= 1.0:
            raise InvalidValueError(f"Check.confidence must lie in [0, 1], got {self.confidence}")


@dataclass(frozen=True, eq=False, kw_only=True)
class HandReview:
    """The checks of one hand, or of an arm that ends without one.

    Attributes:
        id: 1-based number in its picture.
        bbox_xyxy_px: The landmarks' box; at a bare arm where its hand should be.
        side: Of the hand or the arm; None where neither is clear.
        checks: All of ``CHECKS``.
        observation: The detection; None at a bare arm, and where the fingers could not be made out.
        prediction: The critic's; None without a critic, and at a bare arm.
    """

    id: int
    bbox_xyxy_px: Box
    side: Side | None
    checks: Mapping[CheckName, Check]
    observation: HandObservation | None
    prediction: CriticPrediction | None = None

    @property
    def verdict(self) -> Overall:
        """'fail' if any check failed, 'pass' if all passed, else 'unsure'."""
        verdicts = {check.verdict for check in self.checks.values()}
        return "fail" if "fail" in verdicts else "pass" if verdicts == {"pass"} else "unsure"


@dataclass(frozen=True, eq=False)
class PictureReview:
    """The checks of a picture's hands.

    Attributes:
        hands: Its hands, left to right, then arms that end without one.
        notes: Further findings, one sentence each; a picture with notes does not pass.
        refused: What was found and is no hand, with the reason; it counts for nothing.
        width: Of the picture in pixels.
        height: Of the picture in pixels.
    """

    hands: tuple[HandReview, ...]
    width: int
    height: int
    notes: tuple[str, ...] = ()
    refused: tuple[NotAHand, ...] = ()

    @property
    def verdict(self) -> PictureVerdict:
        """'no_hands', else the worst of its hands; 'unsure' at best where there are notes."""
        if not self.hands:
            return "unsure" if self.notes else "no_hands"
        verdicts = {hand.verdict for hand in self.hands}
        if "fail" in verdicts:
            return "fail"
        return "unsure" if "unsure" in verdicts or self.notes else "pass"


def cannot_tell(reason: str, value: Mapping[str, Any] | None = None, where: Where | None = None) -> Check:
    """A check without a decision, and why."""
    return Check("cannot tell", 0.0, reason, where or Where(), value or {})


def decision_confidence(value: float, limit: float) -> float:
    """Confidence of a decision at ``limit``: .5 there, 1 where ``value`` is 0 or at least twice the limit."""
    return float(0.5 + 0.5 * min(1.0, abs(value - limit) / limit))
