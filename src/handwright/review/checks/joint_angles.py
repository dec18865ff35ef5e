"""The angles of a hand's joints as they are *observed*, free of the limits that a fit keeps to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from handwright.hand.anatomy import FINGER_BONES, FINGERS, METACARPAL_BONES
from handwright.hand.kinematics import pose_bones
from handwright.hand.rig import axis_angle_matrix, load_rig
from handwright.types import HandFit, HandObservation

JOINTS = ("knuckle", "middle joint", "end joint")
_MIRROR = np.diag([-1.0, 1.0, 1.0])


@dataclass(frozen=True)
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
