"""A critic's word beside geometry's: it may fail what that passed, and pass what that could not tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from handwright.review.checklist import Check, CheckName, Where, cannot_tell
from handwright.review.critic import COUNT_DEFECTS, SHAPE_DEFECTS, CriticSays
from handwright.types import HandObservation

LEAST_ASSESSABLE, MOST_GLOVED = 0.5, 0.5
SURE_SIDE = 0.9

_WORDS = {
    "extra": "a finger too many",
    "missing": "a finger missing",
    "fused": "fingers grown together",
    "split": "a finger that forks",
    "two_thumbs": "two thumbs",
    "overbent": "a joint bent too far",
    "sideways": "a joint bent sideways",
    "too_long": "a finger too long",
    "too_short": "a finger too short",
    "melted": "melted flesh",
    "detached": "a hand off its arm",
}


def with_opinion(
    checks: Mapping[CheckName, Check], says: CriticSays, hand: HandObservation
) -> dict[CheckName, Check]:
    """Geometry's checks as they stand once a critic has been heard.

    Args:
        checks: By geometry.
        says: The critic.
        hand: Whose side is compared with the critic's.
    """
    heard = dict(checks)
    if says.gloved > MOST_GLOVED or says.assessable < LEAST_ASSESSABLE:
        why = "It wears a glove." if says.gloved > MOST_GLOVED else "Too little of it is plain to see."
        for name in ("finger_count", "joint_bending"):
            heard[name] = cannot_tell(why, checks[name].value)
        return heard
    heard["finger_count"] = _heard(checks["finger_count"], says, COUNT_DEFECTS, "Five fingers.")
    heard["joint_bending"] = _heard(checks["joint_bending"], says, SHAPE_DEFECTS, "Every joint looks sound.")
    heard["left_right"] = _heard_side(checks["left_right"], says, hand)
    return heard


def _heard(check: Check, says: CriticSays, names: tuple[str, ...], sound: str) -> Check:
    worst = says.worst(names)
    if worst is not None:
        name, sure = worst
        points = (says.where_px[name],) if name in says.where_px else ()
        value = {**check.value, "critic": {name: round(sure, 3)}}
        return Check("fail", sure, f"The critic sees {_WORDS[name]}.", Where(points), value)
    if check.verdict == "cannot tell" and says.clears(names):
        doubt = max(says.defects[name] for name in names)
        return Check("pass", 1 - doubt, sound, check.where, check.value)
    return check


def _heard_side(check: Check, says: CriticSays, hand: HandObservation) -> Check:
    sure = max(says.right, 1 - says.right)
    critic_side = "right" if says.right >= 0.5 else "left"
    if check.verdict == "cannot tell" or sure < SURE_SIDE:
        return check
    if critic_side != hand.side:
        reason = f"One look says {hand.side}, another {critic_side}."
        return cannot_tell(reason, {**check.value, "critic": critic_side}, check.where)
    return replace(check, confidence=max(check.confidence, sure))
