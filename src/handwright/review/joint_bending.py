"""Joint bending: every joint as it was seen against the limits of a human hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from handwright.hand.anatomy import DOF_LIMITS_RAD, DOF_NAMES, FINGERS, SHAPE_NAMES
from handwright.review.checklist import Check, Where, cannot_tell, sureness
from handwright.review.evidence import HandEvidence
from handwright.review.joints import JOINTS, SeenJoint, seen_joints

SLACK_DEG = 36.0
"""How far beyond its anatomical limit a flexion must be seen."""

MOST_SIDEWAYS_DEG = {"knuckle": 55.0, "middle joint": 30.0, "end joint": 30.0}
"""From here on a joint is bent sideways."""

LEAST_SEEN, LEAST_REACH = 0.85, 0.08
"""A joint is judged where so much of its bend lies in the picture, and its bones are so long there."""

MOST_LENGTH = 0.24
"""Largest logarithm of a finger's length over the mean hand's; the fit stops a little beyond."""

MOST_MISFIT = 0.09
"""A finger this far (in sizes of the hand) from where any hand could put it is not judged."""

_LIMITED = {"middle joint": "pip_flexion", "end joint": "dip_flexion", "knuckle": "mcp_flexion"}


def check_joints(evidence: HandEvidence) -> Check:
    """The check; ``value`` is {"joints": how many were judged, "worst": {...} or None}.

    Args:
        evidence: Of a hand that can be judged.
    """
    joints = [joint for joint in seen_joints(evidence.observation, evidence.fit) if joint.reach > LEAST_REACH]
    wrong = [said for joint in joints for said in _wrong(joint)]
    value: dict[str, Any] = {"joints": len(joints), "worst": None}
    if wrong:
        excess, joint, reason, detail = max(wrong, key=lambda item: item[0])
        value["worst"] = detail
        x, y = evidence.observation.landmarks_px[joint.landmark]
        return Check("fail", sureness(1 + excess, 1.0), reason, Where(((float(x), float(y)),)), value)
    lengths = evidence.fit.hand.shape[[SHAPE_NAMES.index(f"{name}_length") for name in FINGERS]]
    worst = int(np.abs(lengths).argmax())
    misfit = evidence.misfit.reshape(-1)[1:].reshape(5, 4)[:, 1:].mean(1)
    if misfit.max() > MOST_MISFIT:
        name = FINGERS[int(misfit.argmax())]
        return cannot_tell(
            f"The {_finger(name)} is not where a hand can have it, or was not seen well.", value
        )
    if abs(lengths[worst]) > MOST_LENGTH:
        ratio = float(np.exp(lengths[worst]))
        value["worst"] = {"finger": FINGERS[worst], "length_ratio": round(ratio, 3)}
        kind = "long" if ratio > 1 else "short"
        return cannot_tell(f"The {_finger(FINGERS[worst])} looks too {kind}, or was not seen well.", value)
    if len(joints) < 7:
        return cannot_tell("Most joints are seen end-on or hidden.", value)
    return Check("pass", 0.5 + 0.5 * len(joints) / 14, "No joint is bent beyond what it can.", value=value)


def _wrong(joint: SeenJoint) -> list[tuple[float, SeenJoint, str, Mapping[str, Any]]]:
    """How far beyond its limit, as a share of it; the joint; words; numbers."""
    found: list[tuple[float, SeenJoint, str, Mapping[str, Any]]] = []
    said = f"{_finger(joint.finger)}'s {joint.joint}"
    limit = MOST_SIDEWAYS_DEG[joint.joint]
    if joint.finger != "thumb" and joint.sideways_seen > LEAST_SEEN and joint.sideways_deg > limit:
        angle = round(joint.sideways_deg, 1)
        detail = {"finger": joint.finger, "joint": joint.joint, "sideways_deg": angle, "limit_deg": limit}
        found.append((angle / limit - 1, joint, f"The {said} is bent {angle:.0f}° sideways.", detail))
    low, high = limits_deg(joint)
    if joint.flexion_seen > LEAST_SEEN and not low <= joint.flexion_deg <= high:
        angle, limit = round(joint.flexion_deg, 1), low if joint.flexion_deg < low else high
        detail = {"finger": joint.finger, "joint": joint.joint, "flexion_deg": angle, "limit_deg": limit}
        how = f"{-angle:.0f}° backwards" if angle < 0 else f"by {angle:.0f}°"
        found.append((abs(angle - limit) / 45, joint, f"The {said} is bent {how}.", detail))
    return found


def limits_deg(joint: SeenJoint) -> tuple[float, float]:
    """Lowest and highest flexion at which a joint may be seen: its limits and the slack."""
    if joint.finger == "thumb":
        name = "thumb_mcp_flexion" if joint.joint == JOINTS[1] else "thumb_ip_flexion"
    else:
        name = f"{joint.finger}_{_LIMITED[joint.joint]}"
    low, high = np.rad2deg(DOF_LIMITS_RAD[DOF_NAMES.index(name)])
    return float(low - SLACK_DEG), float(high + SLACK_DEG)


def _finger(name: str) -> str:
    return name if name == "thumb" else "little finger" if name == "pinky" else f"{name} finger"
