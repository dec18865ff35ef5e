"""A critic's word beside geometry's: it may fail what that passed, and pass what that could not tell."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from handwright.hand.defects import COUNT_DEFECTS, SHAPE_DEFECTS, Defect
from handwright.review.checklist import CHECKS, Check, CheckName, Where, cannot_tell
from handwright.review.checks.joint_angles import finger_words
from handwright.review.critic.prediction import MOST_GLOVED, CriticPrediction
from handwright.types import HandObservation

SURE_SIDE, SURE_POSE, SURE_COUNT = 0.9, 0.7, 0.7
_SURE_SURPLUS = 0.9

CLEAR = 0.5
"""A hand passes while all that may be wrong with it stays below this share of its limit."""

_LOOKED_AT: Mapping[CheckName, tuple[str, ...]] = {
    "finger_count": COUNT_DEFECTS,
    "joint_bending": SHAPE_DEFECTS,
}
STATE_OF_POSE: Mapping[str, str] = {
    "one": "point",
    "two": "two fingers",
    "three": "three fingers",
    "open": "open",
    "little": "one finger",
    "horns": "two fingers",
    "ring": "two fingers",
    "folded": "relaxed",
    "pinch": "pinch",
    "fist": "fist",
    "hooked": "hook",
    "wrap": "relaxed",
}
"""The critic's groups of poses in the words of ``grasp.grasp_state``."""

_UNSEEN = "Nothing speaks against it, but landmarks overlook most wrong hands and no critic is installed."
_WORDS: Mapping[str, str] = {
    Defect.EXTRA: "a finger too many",
    Defect.MISSING: "a finger missing",
    Defect.FUSED: "fingers grown together",
    Defect.SPLIT: "a finger that forks",
    Defect.TWO_THUMBS: "two thumbs",
    Defect.OVERBENT: "a joint bent too far",
    Defect.SIDEWAYS: "a joint bent sideways",
    Defect.TOO_LONG: "a finger too long",
    Defect.TOO_SHORT: "a finger too short",
    Defect.MELTED: "melted flesh",
    Defect.DETACHED: "a hand off its arm",
}


def fuse_without_critic(checks: Mapping[CheckName, Check]) -> dict[CheckName, Check]:
    """Geometry's checks where no critic looks: what only landmarks let pass is not passed.

    The landmarks of a detector snap to a regular hand: to them most hands with a wrong finger look sound.
    """
    heard = dict(checks)
    for name in _LOOKED_AT:
        if checks[name].verdict == "pass":
            heard[name] = replace(checks[name], verdict="cannot tell", confidence=0.0, reason=_UNSEEN)
    return heard


def fuse_prediction(
    checks: Mapping[CheckName, Check],
    prediction: CriticPrediction,
    hand: HandObservation | None,
    settled: Collection[CheckName],
    colourless: bool = False,
) -> dict[CheckName, Check]:
    """Geometry's checks as they stand once a critic has been heard.

    Args:
        checks: By geometry.
        prediction: The critic.
        hand: Whose side is compared with the critic's; None: nobody's.
        settled: Checks that cannot be made on this hand, whatever a critic says.
        colourless: Its flesh has no colour (``colour.is_colourless``): the critic calls nothing wrong that
            may be stone.
    """
    heard = dict(checks)
    open_ones: list[CheckName] = [name for name in CHECKS if name not in settled]
    if prediction.not_assessable:
        asked: list[CheckName] = [name for name in open_ones if name in _LOOKED_AT]
        return {**heard, **{name: cannot_tell(_unclear(prediction), checks[name].value) for name in asked}}
    for name in open_ones:
        if name in _LOOKED_AT:
            heard[name] = _heard(name, checks[name], prediction, colourless)
        elif name == "grasp":
            heard[name] = _heard_grasp(checks[name], prediction)
        elif hand is not None:
            heard[name] = _heard_side(checks[name], prediction, hand)
    return heard


def _unclear(prediction: CriticPrediction) -> str:
    """Why a critic cannot judge a hand."""
    if prediction.gloved > MOST_GLOVED:
        return "It wears a glove."
    return "Too little of it is plain to see." if prediction.is_hand else "It may be no hand."


def _heard(name: CheckName, check: Check, prediction: CriticPrediction, colourless: bool) -> Check:
    """Finger count or joint bending: wrong where the critic's likeliest defect is of that kind."""
    count, sure = prediction.counted
    value = {**check.value}
    if name == "finger_count" and sure >= SURE_COUNT:
        value["counted"] = count
    if prediction.threshold_ratio >= 1:
        wrong = prediction.likeliest_defect
        own = [
            defect
            for defect in _LOOKED_AT[name]
            if prediction.defects[defect] >= prediction.thresholds[defect]
        ]
        if colourless and (wrong in _LOOKED_AT[name] or own):
            return cannot_tell("Without colour, stone and malformed flesh look alike.", value, check.where)
        if wrong in _LOOKED_AT[name] or own:
            wrong = wrong if wrong in _LOOKED_AT[name] else own[0]
            points = (prediction.where_px[wrong],) if wrong in prediction.where_px else ()
            value["critic"] = {
                wrong: round(prediction.defects[wrong], 3),
                "malformed": round(prediction.malformed, 3),
            }
            plain = _SURE_SURPLUS if prediction.has_surplus else 0.0
            confidence = max(prediction.malformed, prediction.defects[wrong], plain)
            reason = f"The critic sees {_said(wrong, prediction)}."
            return Check("fail", confidence, reason, Where(points), value)
    if check.verdict == "fail":
        return check
    own = max(prediction.defects[defect] / prediction.thresholds[defect] for defect in _LOOKED_AT[name])
    if max(own, prediction.threshold_ratio if prediction.threshold_ratio < 1 else 0.0) >= CLEAR:
        return cannot_tell("Nothing is plainly wrong, and not all is plainly right.", value, check.where)
    reason = check.reason if check.verdict == "pass" else "Nothing wrong is seen in what can be seen of it."
    return Check("pass", 1 - prediction.malformed, reason, check.where, value)


def _said(wrong: str, prediction: CriticPrediction) -> str:
    """The defect in words; of a missing finger, which one if that is plain."""
    if wrong != Defect.MISSING or not prediction.present:
        return _WORDS[wrong]
    finger = min(prediction.present, key=lambda name: prediction.present[name])
    plain = prediction.present[finger] < 1 - SURE_COUNT
    return f"the {finger_words(finger)} missing" if plain else _WORDS[wrong]


def _heard_grasp(check: Check, prediction: CriticPrediction) -> Check:
    """What the hand does, where landmarks leave it open and the critic is sure."""
    if not prediction.poses:
        return check
    pose = max(prediction.poses, key=lambda name: prediction.poses[name])
    sure = prediction.poses[pose]
    if check.verdict != "cannot tell" or sure < SURE_POSE:
        return check
    state = STATE_OF_POSE[pose]
    return Check(
        "pass",
        sure,
        f"{state.capitalize()}, as the critic sees it.",
        check.where,
        {**check.value, "state": state},
    )


def _heard_side(check: Check, prediction: CriticPrediction, hand: HandObservation) -> Check:
    sure = max(prediction.right, 1 - prediction.right)
    critic_side = "right" if prediction.right >= 0.5 else "left"
    if check.verdict == "cannot tell" or sure < SURE_SIDE:
        return check
    if critic_side != hand.side:
        reason = f"One look says {hand.side}, another {critic_side}."
        return cannot_tell(reason, {**check.value, "critic": critic_side}, check.where)
    return replace(check, confidence=max(check.confidence, sure))
