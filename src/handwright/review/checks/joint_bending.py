"""The joint-bending check: joints as observed, free of a fit's limits, against those of a human hand."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float

from handwright.hand.anatomy import (
    DOF_LIMITS_RAD,
    DOF_NAMES,
    FINGER_BONES,
    FINGERS,
    METACARPAL_BONES,
    SHAPE_NAMES,
)
from handwright.hand.kinematics import pose_bones
from handwright.hand.rig import axis_angle_matrix, load_rig
from handwright.perception.analysis import HandAnalysis
from handwright.review.checklist import Check, Where, cannot_tell, decision_confidence
from handwright.types import HandFit, HandObservation

JOINTS = ("knuckle", "middle joint", "end joint")
_MIRROR = np.diag([-1.0, 1.0, 1.0])


@dataclass(frozen=True, kw_only=True)
class ObservedJoint:
    """The observed bend of one joint."""

    finger: str  # One of ``anatomy.FINGERS``
    joint: str  # One of ``JOINTS``; the thumb's are called alike
    landmark: int  # Its index among the 21
    flexion_deg: float  # Towards the palm positive
    sideways_deg: float  # Away from the finger's own plane, ≥ 0
    flexion_in_plane: float  # Share of a flexion that lies in the picture plane, 0…1; the rest rests on depth
    sideways_in_plane: float  # The same of a sideways bend
    reach: float  # The shorter of its two bones in the picture, in hand sizes


def observed_joints(observation: HandObservation, fit: HandFit) -> list[ObservedJoint]:
    """Every joint but the thumb's first, by the landmarks.

    A bone lies between its two observed landmarks (depth included). The hinge of a joint is that
    of the fitted palm (of the thumb: of its first bone), square to the bone before the joint: fingers do not
    twist, and a fit that twists one to follow odd landmarks is not trusted.
    """
    rig, posed = load_rig(), pose_bones(load_rig(), fit.hand)
    to_camera = axis_angle_matrix(fit.hand.wrist)
    if fit.hand.side == "left":
        to_camera = to_camera @ _MIRROR
    points = np.column_stack([observation.landmarks_px, observation.depth_px])
    size = max(observation.size_px, 1e-9)
    joints: list[ObservedJoint] = []
    for finger, name in enumerate(FINGERS):
        chain = points[1 + 4 * finger : 5 + 4 * finger]
        axes = rig.finger_axes[finger]
        palm = METACARPAL_BONES[finger] if finger else FINGER_BONES[0][0]
        turned = to_camera @ posed.rotations[palm] @ axes.T
        for joint in range(1 if finger == 0 else 0, 3):
            before = turned[:, 2] if joint == 0 else _unit(chain[joint] - chain[joint - 1])
            after = chain[joint + 1] - chain[joint]
            hinge = _unit(turned[:, 0] - (turned[:, 0] @ before) * before)
            back = turned[:, 1] - (turned[:, 1] @ before) * before
            back = _unit(back - (back @ hinge) * hinge)
            reach = np.linalg.norm(after[:2])
            if joint:
                reach = min(reach, np.linalg.norm((chain[joint] - chain[joint - 1])[:2]))
            direction = _unit(after)
            joints.append(
                ObservedJoint(
                    finger=name,
                    joint=JOINTS[joint],
                    landmark=1 + 4 * finger + joint,
                    flexion_deg=float(np.rad2deg(np.arctan2(-direction @ back, direction @ before))),
                    sideways_deg=float(np.rad2deg(np.arcsin(min(abs(direction @ hinge), 1.0)))),
                    flexion_in_plane=float(np.hypot(back[0], back[1])),
                    sideways_in_plane=float(np.hypot(hinge[0], hinge[1])),
                    reach=float(reach / size),
                )
            )
    return joints


def finger_words(name: str) -> str:
    """What people call one of ``anatomy.FINGERS``."""
    return name if name == "thumb" else "little finger" if name == "pinky" else f"{name} finger"


def _unit(vector: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3"]:
    return vector / max(float(np.linalg.norm(vector)), 1e-9)


@dataclass(frozen=True, kw_only=True)
class JointBendingParams:
    """When a joint is bent too far; set on sound hands of training photographs and renders."""

    slack_deg: float = 60.0  # How far beyond its anatomical limit a flexion must be observed to fail
    # Sideways bend by joint, from which on it fails
    max_sideways_deg: Mapping[str, float] = field(
        default_factory=lambda: {"knuckle": 70.0, "middle joint": 55.0, "end joint": 55.0}
    )
    # Share of either from which on a joint does not pass; sound hands reach as far
    max_sound_share: float = 0.6
    # Share of a bend that must lie in the picture plane, of 1, for the joint to be judged
    min_in_plane: float = 0.85
    min_reach: float = 0.08  # Least length of its bones in the picture in hand sizes
    # Largest logarithm of a finger's length over the mean hand's; the fit stops a little beyond
    max_log_length: float = 0.24
    max_misfit: float = 0.09  # Misfit of a finger in hand sizes from which on it does not pass
    min_joints: int = 7  # Fewest joints judged in a hand that passes
    all_joints: int = 14  # Joints of a hand, for the confidence


PARAMS = JointBendingParams()

_LIMITED = {"middle joint": "pip_flexion", "end joint": "dip_flexion", "knuckle": "mcp_flexion"}


def check_joints(analysis: HandAnalysis) -> Check:
    """Check every joint's bend; ``value`` is {"joints": how many were judged, "worst": {...} or None}."""
    joints = [
        joint
        for joint in observed_joints(analysis.observation, analysis.fit)
        if joint.reach > PARAMS.min_reach
    ]
    value: dict[str, Any] = {"joints": len(joints), "worst": None}
    worst = max(
        (bend for joint in joints for bend in bends(joint)), key=lambda bend: bend.share, default=None
    )
    if worst is not None and worst.share > PARAMS.max_sound_share:
        value["worst"] = {
            "finger": worst.joint.finger,
            "joint": worst.joint.joint,
            worst.kind: round(worst.degrees, 1),
            "limit_deg": worst.limit_deg,
        }
        x, y = analysis.observation.landmarks_px[worst.joint.landmark]
        where = Where(((float(x), float(y)),))
        if worst.share > 1:
            return Check("fail", decision_confidence(worst.share, 1.0), f"{worst}.", where, value)
        return cannot_tell(f"{worst}, or its landmarks are wrong.", value, where)
    if (oddity := _odd_finger(analysis)) is not None:
        return cannot_tell(f"{oddity}, or its landmarks are wrong.", value)
    if len(joints) < PARAMS.min_joints:
        return cannot_tell("Most joints point at the camera or are hidden.", value)
    confidence = 0.5 + 0.5 * len(joints) / PARAMS.all_joints
    return Check("pass", confidence, "No joint is bent beyond what it can.", value=value)


@dataclass(frozen=True)
class Bend:
    """One joint's bend against its limit."""

    joint: ObservedJoint  # The joint
    kind: str  # 'sideways_deg' or 'flexion_deg'
    degrees: float  # How far it is bent; backwards is negative
    limit_deg: float  # Beyond this it is wrong
    share: float  # How much of the way from the anatomical limit to that it went; more than 1 is beyond it

    def __str__(self) -> str:
        """In words, without a full stop."""
        if self.kind == "sideways_deg":
            how = f"{self.degrees:.0f}° sideways"
        else:
            how = f"{-self.degrees:.0f}° backwards" if self.degrees < 0 else f"by {self.degrees:.0f}°"
        return f"The {finger_words(self.joint.finger)}'s {self.joint.joint} looks bent {how}"


def bends(joint: ObservedJoint) -> list[Bend]:
    """The bends of a joint that lie enough in the picture plane to be judged."""
    found: list[Bend] = []
    if joint.finger != "thumb" and joint.sideways_in_plane > PARAMS.min_in_plane:
        limit = PARAMS.max_sideways_deg[joint.joint]
        found.append(Bend(joint, "sideways_deg", joint.sideways_deg, limit, joint.sideways_deg / limit))
    if joint.flexion_in_plane > PARAMS.min_in_plane:
        low, high = limits_deg(joint)
        limit = low if joint.flexion_deg < (low + high) / 2 else high
        beyond = PARAMS.slack_deg - abs(joint.flexion_deg - limit)
        inside = low <= joint.flexion_deg <= high
        share = beyond / PARAMS.slack_deg if inside else 2 - beyond / PARAMS.slack_deg
        found.append(Bend(joint, "flexion_deg", joint.flexion_deg, limit, share))
    return found


def _odd_finger(analysis: HandAnalysis) -> str | None:
    """A finger whose place or length no hand has, in words; None where there is none."""
    misfit = analysis.misfit[1:].reshape(5, 4)[:, 1:].mean(1)
    if misfit.max() > PARAMS.max_misfit:
        return f"The {finger_words(FINGERS[int(misfit.argmax())])} is not where a hand can have it"
    lengths = analysis.fit.hand.shape[[SHAPE_NAMES.index(f"{name}_length") for name in FINGERS]]
    worst = int(np.abs(lengths).argmax())
    if abs(lengths[worst]) > PARAMS.max_log_length:
        return f"The {finger_words(FINGERS[worst])} looks too {'long' if lengths[worst] > 0 else 'short'}"
    return None


def limits_deg(joint: ObservedJoint) -> tuple[float, float]:
    """Lowest and highest flexion at which a joint may be observed: its limits and the slack."""
    if joint.finger == "thumb":
        name = "thumb_mcp_flexion" if joint.joint == JOINTS[1] else "thumb_ip_flexion"
    else:
        name = f"{joint.finger}_{_LIMITED[joint.joint]}"
    low, high = np.rad2deg(DOF_LIMITS_RAD[DOF_NAMES.index(name)])
    return float(low - PARAMS.slack_deg), float(high + PARAMS.slack_deg)
