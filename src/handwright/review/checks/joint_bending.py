"""Joint bending: every joint as it was seen against the limits of a human hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from handwright.hand.anatomy import DOF_LIMITS_RAD, DOF_NAMES, FINGERS, SHAPE_NAMES
from handwright.perception.analysis import HandAnalysis
from handwright.review.checklist import Check, Where, cannot_tell, sureness
from handwright.review.checks.joint_angles import JOINTS, SeenJoint, finger_words, seen_joints

SLACK_DEG = 60.0
"""How far beyond its anatomical limit a flexion must be seen."""

MOST_SIDEWAYS_DEG = {"knuckle": 70.0, "middle joint": 55.0, "end joint": 55.0}
"""From here on a joint is bent sideways."""

DOUBTED = 0.6
"""Share of these that is enough not to call a joint sound: landmarks of sound hands go as far."""

LEAST_SEEN, LEAST_REACH = 0.85, 0.08
"""A joint is judged where so much of its bend lies in the picture, and its bones are so long there."""

MOST_LENGTH = 0.24
"""Largest logarithm of a finger's length over the mean hand's; the fit stops a little beyond."""

MOST_MISFIT = 0.09
"""A finger this far (in sizes of the hand) from where any hand could put it is not judged."""

_FEWEST_JOINTS, _ALL_JOINTS = 7, 14
_LIMITED = {"middle joint": "pip_flexion", "end joint": "dip_flexion", "knuckle": "mcp_flexion"}


def check_joints(analysis: HandAnalysis) -> Check:
    """The check; ``value`` is {"joints": how many were judged, "worst": {...} or None}.

    Args:
        analysis: Of a hand that can be judged.
    """
    joints = [joint for joint in seen_joints(analysis.observation, analysis.fit) if joint.reach > LEAST_REACH]
    value: dict[str, Any] = {"joints": len(joints), "worst": None}
    worst = max(
        (bend for joint in joints for bend in bends(joint)), key=lambda bend: bend.share, default=None
    )
    if worst is not None and worst.share > DOUBTED:
        value["worst"] = {
            "finger": worst.joint.finger,
            "joint": worst.joint.joint,
            worst.kind: round(worst.degrees, 1),
            "limit_deg": worst.limit_deg,
        }
        x, y = analysis.observation.landmarks_px[worst.joint.landmark]
        where = Where(((float(x), float(y)),))
        if worst.share > 1:
            return Check("fail", sureness(worst.share, 1.0), f"{worst}.", where, value)
        return cannot_tell(f"{worst}, or was not seen well.", value, where)
    if (doubt := _odd_finger(analysis)) is not None:
        return cannot_tell(f"{doubt}, or was not seen well.", value)
    if len(joints) < _FEWEST_JOINTS:
        return cannot_tell("Most joints are seen end-on or hidden.", value)
    sure = 0.5 + 0.5 * len(joints) / _ALL_JOINTS
    return Check("pass", sure, "No joint is bent beyond what it can.", value=value)


@dataclass(frozen=True)
class Bend:
    """One joint's bend against its limit.

    Attributes:
        joint: The joint.
        kind: 'sideways_deg' or 'flexion_deg'.
        degrees: How far it is bent; backwards is negative.
        limit_deg: Beyond this it is wrong.
        share: How far it went of the way from the anatomical limit to that, and more than 1 beyond it.
    """

    joint: SeenJoint
    kind: str
    degrees: float
    limit_deg: float
    share: float

    def __str__(self) -> str:
        """In words, without a full stop."""
        if self.kind == "sideways_deg":
            how = f"{self.degrees:.0f}° sideways"
        else:
            how = f"{-self.degrees:.0f}° backwards" if self.degrees < 0 else f"by {self.degrees:.0f}°"
        return f"The {finger_words(self.joint.finger)}'s {self.joint.joint} looks bent {how}"


def bends(joint: SeenJoint) -> list[Bend]:
    """What of a joint's bending the picture itself shows well enough to be judged."""
    found: list[Bend] = []
    if joint.finger != "thumb" and joint.sideways_seen > LEAST_SEEN:
        limit = MOST_SIDEWAYS_DEG[joint.joint]
        found.append(Bend(joint, "sideways_deg", joint.sideways_deg, limit, joint.sideways_deg / limit))
    if joint.flexion_seen > LEAST_SEEN:
        low, high = limits_deg(joint)
        limit = low if joint.flexion_deg < (low + high) / 2 else high
        beyond = SLACK_DEG - abs(joint.flexion_deg - limit)
        inside = low <= joint.flexion_deg <= high
        share = beyond / SLACK_DEG if inside else 2 - beyond / SLACK_DEG
        found.append(Bend(joint, "flexion_deg", joint.flexion_deg, limit, share))
    return found


def _odd_finger(analysis: HandAnalysis) -> str | None:
    """What is odd about a finger as a whole, in words; None where nothing is."""
    misfit = analysis.misfit[1:].reshape(5, 4)[:, 1:].mean(1)
    if misfit.max() > MOST_MISFIT:
        return f"The {finger_words(FINGERS[int(misfit.argmax())])} is not where a hand can have it"
    lengths = analysis.fit.hand.shape[[SHAPE_NAMES.index(f"{name}_length") for name in FINGERS]]
    worst = int(np.abs(lengths).argmax())
    if abs(lengths[worst]) > MOST_LENGTH:
        return f"The {finger_words(FINGERS[worst])} looks too {'long' if lengths[worst] > 0 else 'short'}"
    return None


def limits_deg(joint: SeenJoint) -> tuple[float, float]:
    """Lowest and highest flexion at which a joint may be seen: its limits and the slack."""
    if joint.finger == "thumb":
        name = "thumb_mcp_flexion" if joint.joint == JOINTS[1] else "thumb_ip_flexion"
    else:
        name = f"{joint.finger}_{_LIMITED[joint.joint]}"
    low, high = np.rad2deg(DOF_LIMITS_RAD[DOF_NAMES.index(name)])
    return float(low - SLACK_DEG), float(high + SLACK_DEG)
