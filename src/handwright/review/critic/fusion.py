"""The critic's prediction beside the checks by geometry: it may fail what they passed and the reverse."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from handwright.hand.defects import COUNT_DEFECTS, SHAPE_DEFECTS, Defect
from handwright.review.checklist import CHECKS, Check, CheckName, Where, cannot_tell
from handwright.review.checks.joint_bending import finger_words
from handwright.review.critic.prediction import MALFORMED, MAX_GLOVED, CriticPrediction


@dataclass(frozen=True, kw_only=True)
class FusionParams:
    """How sure the critic must be, as probabilities; chosen by eye on the training hands."""

    min_pose: float = 0.7  # Of a group of poses, to name a hand's state that geometry leaves open
    # Of a number of fingers to be reported, or of the finger that is missing to be named
    min_count: float = 0.7
    # Confidence of a failure by surplus skin: the critic sees it on none of 281 sound hands of the
    # development set
    surplus_confidence: float = 0.9
    # A hand passes while all its defect scores lie below this share of their thresholds
    max_clear_ratio: float = 0.5


PARAMS = FusionParams()

_DEFECTS_OF: Mapping[CheckName, tuple[Defect, ...]] = {
    "finger_count": COUNT_DEFECTS,
    "joint_bending": SHAPE_DEFECTS,
}
_UNNAMED_IN: CheckName = "joint_bending"  # The check that fails where the critic names no defect
_COLOURLESS = "Without colour, stone and malformed skin look alike."
_UNNAMED = "Something is wrong with its shape."
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

_LANDMARKS_ONLY = (
    "Its landmarks show nothing wrong, but they miss most malformed hands, and the network that looks for "
    "defects is not installed."
)
_REASONS: Mapping[str, str] = {
    Defect.EXTRA: "There is a finger too many.",
    Defect.MISSING: "A finger is missing.",
    Defect.FUSED: "Fingers are grown together.",
    Defect.SPLIT: "A finger forks.",
    Defect.TWO_THUMBS: "There are two thumbs.",
    Defect.OVERBENT: "A joint is bent too far.",
    Defect.SIDEWAYS: "A joint is bent sideways.",
    Defect.TOO_LONG: "A finger is too long.",
    Defect.TOO_SHORT: "A finger is too short.",
    Defect.MELTED: "Its skin has lost the shape of a hand.",
    Defect.DETACHED: "The hand is apart from its arm.",
}


def fuse_without_critic(checks: Mapping[CheckName, Check]) -> dict[CheckName, Check]:
    """The checks by geometry where there is no critic: what landmarks alone pass becomes 'cannot tell'.

    A detector's landmarks snap to a regular hand: by them most hands with a wrong finger are regular.
    """
    unsure: dict[CheckName, Check] = {
        name: replace(checks[name], verdict="cannot tell", confidence=0.0, reason=_LANDMARKS_ONLY)
        for name in _DEFECTS_OF
        if checks[name].verdict == "pass"
    }
    return {**checks, **unsure}


def fuse_prediction(
    checks: Mapping[CheckName, Check],
    prediction: CriticPrediction,
    settled: Collection[CheckName],
    colourless: bool = False,
) -> dict[CheckName, Check]:
    """The checks by geometry, corrected by the critic's prediction.

    Args:
        checks: By geometry.
        prediction: The critic's.
        settled: Checks that cannot be made on this hand, whatever the prediction.
        colourless: Its skin has no colour (``assessability.is_colourless``): it may be stone, and no defect
            is reported.
    """
    fused = dict(checks)
    for name in CHECKS:
        if name in settled:
            continue
        if name in _DEFECTS_OF:
            if prediction.not_assessable:
                fused[name] = cannot_tell(_why_not_assessable(prediction), checks[name].value)
            else:
                fused[name] = _fuse_defects(name, checks[name], prediction, colourless)
        elif name == "grasp" and not prediction.not_assessable:
            fused[name] = _fuse_grasp(checks[name], prediction)
    return fused


def _why_not_assessable(prediction: CriticPrediction) -> str:
    if prediction.gloved > MAX_GLOVED:
        return "It wears a glove."
    return "Too little of it is in view." if prediction.is_hand else "It may be no hand."


def _fuse_defects(name: CheckName, check: Check, prediction: CriticPrediction, colourless: bool) -> Check:
    """Finger count or joint bending; fails where its own defect is the likeliest or above its threshold."""
    mine = _DEFECTS_OF[name]
    count, certainty = prediction.likeliest_count
    value = {**check.value}
    if name == "finger_count" and certainty >= PARAMS.min_count:
        value["counted"] = count
    if prediction.threshold_ratio >= 1:
        above = [d for d in mine if prediction.defects[d] >= prediction.thresholds[d]]
        likeliest = prediction.likeliest_defect
        wrong = likeliest if likeliest in mine else above[0] if above else None
        unnamed = likeliest is None and name == _UNNAMED_IN
        if (wrong is not None or unnamed) and colourless:
            return cannot_tell(_COLOURLESS, value, check.where)
        if wrong is not None:
            return _failed(wrong, prediction, value)
        if unnamed:
            scores = {MALFORMED: round(prediction.malformed_by_any, 3)}
            reason, sure = prediction.reason or _UNNAMED, prediction.malformed_by_any
            return Check("fail", sure, reason, value={**value, "defect_probabilities": scores})
    if check.verdict == "fail":
        return check
    ratio = max(prediction.defects[d] / prediction.thresholds[d] for d in mine)
    if (
        max(ratio, prediction.threshold_ratio if prediction.threshold_ratio < 1 else 0.0)
        >= PARAMS.max_clear_ratio
    ):
        return cannot_tell(
            "Nothing is clearly wrong, but not everything is clearly right.", value, check.where
        )
    reason = check.reason if check.verdict == "pass" else "What is in view shows nothing wrong."
    return Check("pass", 1 - prediction.malformed_by_any, reason, check.where, value)


def _failed(defect: str, prediction: CriticPrediction, value: Mapping[str, object]) -> Check:
    probability = prediction.defects[defect]
    surplus = PARAMS.surplus_confidence if prediction.has_surplus else 0.0
    confidence = max(prediction.malformed_by_any, probability, surplus)
    points = (prediction.where_px[defect],) if defect in prediction.where_px else ()
    scores = {defect: round(probability, 3), MALFORMED: round(prediction.malformed_by_any, 3)}
    reason = _reason(defect, prediction)
    return Check("fail", confidence, reason, Where(points), {**value, "defect_probabilities": scores})


def _reason(defect: str, prediction: CriticPrediction) -> str:
    """A sentence for the defect: the critic's own; of a missing finger, which one if that is plain."""
    if prediction.reason:
        return prediction.reason
    if defect == Defect.MISSING and prediction.present:
        finger = min(prediction.present, key=lambda name: prediction.present[name])
        if prediction.present[finger] < 1 - PARAMS.min_count:
            return f"The {finger_words(finger)} is missing."
    return _REASONS[defect]


def _fuse_grasp(check: Check, prediction: CriticPrediction) -> Check:
    """What the hand does, where geometry leaves it open and the prediction is sure."""
    if not prediction.poses or check.verdict != "cannot tell":
        return check
    pose = max(prediction.poses, key=lambda name: prediction.poses[name])
    certainty = prediction.poses[pose]
    if certainty < PARAMS.min_pose:
        return check
    state = STATE_OF_POSE[pose]
    value = {**check.value, "state": state}
    return Check("pass", certainty, f"{state.capitalize()}, by the look of it.", check.where, value)
