"""Left–right: does the hand's own side agree with the arm it ends and with the person's other hand?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from handwright.review.checklist import Check, Where, cannot_tell
from handwright.review.checks.arms import OwnArm
from handwright.types import HandObservation

LEAST_SURE = 0.8
"""How sure a hand's own side must be to be told at all."""

BEYOND_DOUBT = 0.97
"""How sure it must be to be called wrong."""


def check_side(
    hand: HandObservation, arm: OwnArm | None, others: Sequence[HandObservation], people: int
) -> Check:
    """The check; ``value`` is {"side", "arm"}, the arm's None where none is seen.

    Args:
        hand: The hand.
        arm: The arm it ends.
        others: The picture's other hands.
        people: How many people were seen.
    """
    value: dict[str, Any] = {"side": hand.side, "arm": arm.side if arm else None}
    if hand.score < LEAST_SURE:
        return cannot_tell("Whether it is a left or a right hand cannot be told.", value)
    if arm is None:
        alike = [other for other in others if other.side == hand.side and other.score >= LEAST_SURE]
        if alike and people <= 1 and len(others) == 1:
            reason = f"Two {hand.side} hands: of two people, or one of them is wrong."
            return cannot_tell(reason, value)
        reason = f"A {hand.side} hand by its thumb and palm; no arm is seen to compare."
        return Check("pass", 0.5 + 0.5 * (hand.score - LEAST_SURE) / (1 - LEAST_SURE), reason, value=value)
    if arm.side == hand.side:
        return Check("pass", hand.score, f"A {hand.side} hand on a {arm.side} arm.", value=value)
    x, y = arm.arm.wrist_px
    where = Where(((float(x), float(y)),), hand.bbox_xyxy_px)
    if arm.sure and hand.score >= BEYOND_DOUBT:
        return Check("fail", hand.score, f"A {hand.side} hand on a {arm.side} arm.", where, value)
    reason = f"It looks like a {hand.side} hand on a {arm.side} arm, but the arm or the hand is not plain."
    return cannot_tell(reason, value, where)
