"""The left–right check: does the hand's own side agree with its arm and with the person's other hand?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from handwright.perception.detect.landmarker import of_side
from handwright.review.checklist import Check, Where, cannot_tell
from handwright.review.checks.arms import OwnArm
from handwright.review.critic.prediction import CriticPrediction
from handwright.types import HandObservation


@dataclass(frozen=True, kw_only=True)
class LeftRightParams:
    """How sure a hand's own side must be, as the detector's score; chosen by eye."""

    min_score: float = 0.8  # To be judged at all, unless arm and critic agree
    min_score_to_fail: float = 0.97  # To fail against a sure arm, unless the critic sees the same side


PARAMS = LeftRightParams()


def of_its_arm(
    hand: HandObservation, arm: OwnArm | None, prediction: CriticPrediction | None
) -> HandObservation:
    """The hand as its arm's side has it, where the critic sees that side and the detector is not sure."""
    if arm is None or prediction is None or not prediction.sure_side == arm.side != hand.side:
        return hand
    if hand.score >= PARAMS.min_score_to_fail:
        return hand
    return of_side(hand, arm.side)


def check_side(
    hand: HandObservation,
    arm: OwnArm | None,
    others: Sequence[HandObservation],
    people: int,
    prediction: CriticPrediction | None = None,
) -> Check:
    """Check the hand's side; ``value`` is {"side", "arm"}, the arm's None where there is none.

    Where detector and critic (``prediction``) disagree, ``value`` has the critic's "other_side", too.
    """
    by_critic = None if prediction is None else prediction.sure_side
    agrees, certainty = by_critic == hand.side, hand.score
    if prediction is not None and agrees:
        certainty = max(certainty, prediction.side_certainty)
    value: dict[str, Any] = {"side": hand.side, "arm": arm.side if arm else None}
    if hand.score < PARAMS.min_score and not (agrees and arm is not None and arm.side == hand.side):
        return cannot_tell("Whether it is a left or a right hand is not clear.", value)
    if by_critic not in (None, hand.side):
        reason = f"Two checks of its side disagree: {hand.side} and {by_critic}."
        return cannot_tell(reason, {**value, "other_side": by_critic})
    if arm is None:
        alike = [other for other in others if other.side == hand.side and other.score >= PARAMS.min_score]
        if alike and people <= 1 and len(others) == 1:
            reason = f"Two {hand.side} hands: of two people, or one of them is wrong."
            return cannot_tell(reason, value)
        reason = f"A {hand.side} hand by its thumb and palm; there is no arm to compare."
        confidence = 0.5 + 0.5 * (certainty - PARAMS.min_score) / (1 - PARAMS.min_score)
        return Check("pass", confidence, reason, value=value)
    reason = f"A {hand.side} hand on a {arm.side} arm."
    if arm.side == hand.side:
        return Check("pass", certainty, reason, value=value)
    x, y = arm.arm.wrist_px
    where = Where(((float(x), float(y)),), hand.bbox_xyxy_px)
    if arm.sure and (agrees or hand.score >= PARAMS.min_score_to_fail):
        return Check("fail", certainty, reason, where, value)
    reason = (
        f"It looks like a {hand.side} hand on a {arm.side} arm, but the arm or the hand is not in plain view."
    )
    return cannot_tell(reason, value, where)
