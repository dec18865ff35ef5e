"""Grasp state: what the hand does, whether it touches something, and whether that was asked for."""

from __future__ import annotations

from typing import Any

from handwright.hand.grammar import PoseWords, words_of
from handwright.hand.joint_angles import dofs_of_pose
from handwright.perception.analysis import HandAnalysis
from handwright.review.checklist import Check, cannot_tell
from handwright.review.checks.covering import covered_share

LEAST_THING = 0.06
"""Share of the fitted hand beyond the wrist that something else must cover to be a thing in the hand."""

CLEAR_RESIDUAL = 0.025
"""Mean distance of landmarks from the fit, in sizes of the hand, up to which a pose is believed."""

_COUNTED = {1: "one finger", 2: "two fingers", 3: "three fingers", 4: "four fingers"}


def check_grasp(analysis: HandAnalysis) -> Check:
    """The check; ``value`` is {"state", "extended", "contact", "pose"}.

    Args:
        analysis: Of a hand that can be judged.
    """
    hand = analysis.fit.hand
    words = words_of(dofs_of_pose(hand.pose, hand.palm_arch))
    covered = covered_share(analysis)
    holding = covered > LEAST_THING
    state = grasp_state(words, holding)
    value: dict[str, Any] = {
        "state": state,
        "extended": extended_fingers(words),
        "contact": True if holding else None,
        "pose": str(words),
    }
    if analysis.fit.residual > CLEAR_RESIDUAL:
        return cannot_tell(f"Perhaps {state}: its fingers are not plain enough to say.", value)
    touching = "something lies across it" if holding else "nothing lies across it"
    confidence = 0.5 + 0.5 * (1 - analysis.fit.residual / CLEAR_RESIDUAL)
    return Check("pass", confidence, f"{state.capitalize()}; {touching}.", value=value)


def grasp_state(words: PoseWords, holding: bool) -> str:
    """One word or two for what a hand does.

    'pinch', 'flat', 'open', 'point', 'fist', 'power grasp', 'thumb up', 'one finger' … 'four fingers', 'hook'
    or 'relaxed'.

    Args:
        words: Its pose.
        holding: Something lies across it.
    """
    count = sum(bend == "extended" for bend in words.fingers)
    bent = [bend for bend in words.fingers if bend != "extended"]
    if words.contacts and words.fingers[words.contacts[0] - 1] != "curled":
        return "pinch"
    if count == 4:
        return "flat" if set(words.gaps) <= {"together", "crossed"} and words.thumb != "out" else "open"
    if count == 1 and words.fingers[0] == "extended":
        return "point"
    if count:
        return _COUNTED[count]
    if holding:
        return "power grasp"
    if set(bent) == {"curled"}:
        return "thumb up" if words.thumb == "out" and not words.thumb_bent else "fist"
    return "hook" if bent.count("hooked") > 2 else "relaxed"


def extended_fingers(words: PoseWords) -> list[str]:
    """Names of the fingers that are stretched out."""
    out = not words.thumb_bent and words.thumb in ("out", "beside")
    fingers = ("index", "middle", "ring", "pinky")
    straight = [f for f, bend in zip(fingers, words.fingers, strict=True) if bend == "extended"]
    return ["thumb", *straight] if out else straight
