"""A critic's word beside geometry's: it may fail what that passed, and pass what that could not tell."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from handwright.review.checklist import Check, CheckName, Where, cannot_tell
from handwright.review.critic import COUNT_DEFECTS, SHAPE_DEFECTS, CriticSays
from handwright.types import HandObservation

LEAST_ASSESSABLE, MOST_GLOVED = 0.5, 0.5
SURE_SIDE = 0.9

_LOOKED_AT: Mapping[CheckName, tuple[str, ...]] = {
    "finger_count": COUNT_DEFECTS,
    "joint_bending": SHAPE_DEFECTS,
}
_UNSEEN = "Nothing speaks against it, but landmarks overlook most wrong hands and no critic is installed."
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


def without_opinion(checks: Mapping[CheckName, Check]) -> dict[CheckName, Check]:
    """Geometry's checks where no critic looks: what only landmarks let pass is not passed.

    The landmarks of a detector snap to a regular hand: to them most hands with a wrong finger look sound.
    """
    heard = dict(checks)
    for name in _LOOKED_AT:
        if checks[name].verdict == "pass":
            heard[name] = replace(checks[name], verdict="cannot tell", confidence=0.0, reason=_UNSEEN)
    return heard


def with_opinion(
    checks: Mapping[CheckName, Check], says: CriticSays, hand: HandObservation, settled: Collection[CheckName]
) -> dict[CheckName, Check]:
    """Geometry's checks as they stand once a critic has been heard.

    Args:
        checks: By geometry.
        says: The critic.
        hand: Whose side is compared with the critic's.
        settled: Checks that cannot be made on this hand, whatever a critic says.
    """
    heard = dict(checks)
    unclear = "It wears a glove." if says.gloved > MOST_GLOVED else "Too little of it is plain to see."
    blind = says.gloved > MOST_GLOVED or says.assessable < LEAST_ASSESSABLE
    for name, defects in _LOOKED_AT.items():
        if name not in settled:
            check = checks[name]
            heard[name] = cannot_tell(unclear, check.value) if blind else _heard(check, says, defects)
    if "left_right" not in settled and not blind:
        heard["left_right"] = _heard_side(checks["left_right"], says, hand)
    return heard


def _heard(check: Check, says: CriticSays, names: tuple[str, ...]) -> Check:
    worst = says.worst(names)
    if worst is not None:
        name, sure = worst
        points = (says.where_px[name],) if name in says.where_px else ()
        value = {**check.value, "critic": {name: round(sure, 3)}}
        return Check("fail", sure, f"The critic sees {_WORDS[name]}.", Where(points), value)
    if check.verdict == "fail":
        return check
    if not says.clears(names):
        return cannot_tell(
            "Nothing is plainly wrong, and not all is plainly right.", check.value, check.where
        )
    doubt = max(says.defects[name] for name in names)
    reason = check.reason if check.verdict == "pass" else "Nothing wrong is seen in what can be seen of it."
    return Check("pass", 1 - doubt, reason, check.where, check.value)


def _heard_side(check: Check, says: CriticSays, hand: HandObservation) -> Check:
    sure = max(says.right, 1 - says.right)
    critic_side = "right" if says.right >= 0.5 else "left"
    if check.verdict == "cannot tell" or sure < SURE_SIDE:
        return check
    if critic_side != hand.side:
        reason = f"One look says {hand.side}, another {critic_side}."
        return cannot_tell(reason, {**check.value, "critic": critic_side}, check.where)
    return replace(check, confidence=max(check.confidence, sure))
