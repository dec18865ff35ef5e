"""The grasp check: what the hand does, and whether a thing lies across it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from handwright.hand.grammar import PoseWords, bent_by_deg, words_of
from handwright.hand.kinematics import dofs_of_pose
from handwright.perception.analysis import HandAnalysis
from handwright.review.checklist import Check, cannot_tell
from handwright.review.checks.unexplained_skin import covered_share
from handwright.types import Hand


@dataclass(frozen=True, kw_only=True)
class GraspParams:
    """When a grasp state is reported; chosen by eye on rendered hands."""

    min_covered: float = 0.06  # Share of the fitted hand distal of the wrist that a thing in the hand covers
    # Mean distance of the landmarks from the fit, in hand sizes, up to which a pose counts
    max_residual: float = 0.025


PARAMS = GraspParams()

_COUNTED = {1: "one finger", 2: "two fingers", 3: "three fingers", 4: "four fingers"}


@dataclass(frozen=True)
class FingerStates:
    """How a hand's fingers are."""

    words: PoseWords
    state: str  # ``grasp_state``
    bent_by_deg: Sequence[float]  # ``grammar.bent_by_deg``


def finger_states(hand: Hand, holding: bool) -> FingerStates:
    """The fingers of a fitted hand, across which a thing lies or none."""
    dofs_rad = dofs_of_pose(hand.pose, hand.palm_arch)
    words = words_of(dofs_rad)
    return FingerStates(words, grasp_state(words, holding), [*map(float, bent_by_deg(dofs_rad))])


def check_grasp(analysis: HandAnalysis) -> Check:
    """Check the grasp; ``value`` is {"state", "extended", "contact", "pose", "bent_by_deg"}."""
    covered = covered_share(analysis)
    holding = covered > PARAMS.min_covered
    states = finger_states(analysis.fit.hand, holding)
    value: dict[str, Any] = {
        "state": states.state,
        "extended": extended_fingers(states.words),
        "contact": True if holding else None,
        "pose": str(states.words),
        "bent_by_deg": [round(degrees, 1) for degrees in states.bent_by_deg],
    }
    if analysis.fit.residual > PARAMS.max_residual:
        return cannot_tell(f"Perhaps {states.state}: its fingers are not clear enough to say.", value)
    touching = "something lies across it" if holding else "nothing lies across it"
    confidence = 0.5 + 0.5 * (1 - analysis.fit.residual / PARAMS.max_residual)
    return Check("pass", confidence, f"{states.state.capitalize()}; {touching}.", value=value)


def grasp_state(words: PoseWords, holding: bool) -> str:
    """The state of a hand in one word or two.

    'pinch', 'flat', 'open', 'point', 'fist', 'power grasp', 'thumb up', 'one finger' … 'four fingers', 'hook'
    or 'relaxed'.
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
