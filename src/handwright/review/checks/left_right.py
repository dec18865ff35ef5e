"""The left–right check: does the hand's own side agree with its arm and with the person's other hand?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from handwright.review.checklist import Check, Where, cannot_tell
from handwright.review.checks.arms import OwnArm
from handwright.types import HandObservation


@dataclass(frozen=True, kw_only=True)
class LeftRightParams:
    """How sure a hand's own side must be, as the detector's score; chosen by eye."""

    min_score: float = 0.8  # To be judged at all
    min_score_to_fail: float = 0.97  # To fail against a sure arm


PARAMS = LeftRightParams()


def check_side(
    hand: HandObservation, arm: OwnArm | None, others: Sequence[HandObservation], people: int
) -> Check:
    """Check the hand's side; ``value`` is {"side", "arm"}, the arm's None where there is none."""
    value: dict[str, Any] = {"side": hand.side, "arm": arm.side if arm else None}
    if hand.score < PARAMS.min_score:
        return cannot_tell("Whether it is a left or a right hand is not clear.", value)
    if arm is None:
        alike = [other for other in others if other.side == hand.side and other.score >= PARAMS.min_score]
        if alike and people <= 1 and len(others) == 1:
            reason = f"Two {hand.side} hands: of two people, or one of them is wrong."
            return cannot_tell(reason, value)
        reason = f"A {hand.side} hand by its thumb and palm; there is no arm to compare."
        return Check(
            "pass", 0.5 + 0.5 * (hand.score - PARAMS.min_score) / (1 - PARAMS.min_score), reason, value=value
        )
    if arm.side == hand.side:
        return Check("pass", hand.score, f"A {hand.side} hand on a {arm.side} arm.", value=value)
    x, y = arm.arm.wrist_px
    where = Where(((float(x), float(y)),), hand.bbox_xyxy_px)
    if arm.sure and hand.score >= PARAMS.min_score_to_fail:
        return Check("fail", hand.score, f"A {hand.side} hand on a {arm.side} arm.", where, value)
    reason = (
        f"It looks like a {hand.side} hand on a {arm.side} arm, but the arm or the hand is not in plain view."
    )
    return cannot_tell(reason, value, where)
