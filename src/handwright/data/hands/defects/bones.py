"""Fingers of posed bones moved, shrunk, swung aside and stretched, as no joint would do it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from handwright.hand.anatomy import FINGER_BONES
from handwright.hand.kinematics import PosedBones
from handwright.hand.rig import axis_angle_matrix, load_rig


def moved(posed: PosedBones, finger: int, offset: np.ndarray, size: float) -> PosedBones:
    """All bones scaled about a finger's root and moved."""
    at = posed.joints_m[FINGER_BONES[finger][0]]
    return replace(posed, joints_m=at + size * (posed.joints_m - at) + offset, linear=size * posed.linear)


def shrunk(posed: PosedBones, finger: int, joint: int) -> PosedBones:
    """A finger that ends in a round stump at a joint (0 knuckle, 1 middle, 2 end)."""
    joints, linear = posed.joints_m.copy(), posed.linear.copy()
    kept, root = FINGER_BONES[finger][joint], posed.joints_m[FINGER_BONES[finger][joint]]
    inward = 0.06 * (posed.joints_m[0] - root) if joint == 0 else np.zeros(3)
    for bone in FINGER_BONES[finger][joint:]:
        joints[bone] = root + inward
        linear[bone] = posed.linear[kept] * (0.12 if joint == 0 else 0.35)
    return replace(posed, joints_m=joints, linear=linear)


def swung(posed: PosedBones, finger: int, joint: int, angle: float) -> PosedBones:
    """A finger turned sideways from a joint on, about the axis out of its back there."""
    joints, linear = posed.joints_m.copy(), posed.linear.copy()
    chain = FINGER_BONES[finger]
    axis = posed.rotations[chain[joint]] @ load_rig().finger_axes[finger, 1]
    turn, pivot = axis_angle_matrix(angle * axis), posed.joints_m[chain[joint]]
    for bone in chain[joint:]:
        joints[bone] = pivot + turn @ (posed.joints_m[bone] - pivot)
        linear[bone] = turn @ posed.linear[bone]
    return replace(posed, joints_m=joints, linear=linear)


def stretched(posed: PosedBones, finger: int, factor: float) -> PosedBones:
    """A finger stretched along itself beyond its middle joint."""
    joints, linear = posed.joints_m.copy(), posed.linear.copy()
    _, middle, end = FINGER_BONES[finger]
    rest = load_rig().finger_axes[finger, 2]
    for bone in (middle, end):
        linear[bone] = posed.linear[bone] @ (np.eye(3) + (factor - 1) * np.outer(rest, rest))
    joints[end] = posed.joints_m[middle] + factor * (posed.joints_m[end] - posed.joints_m[middle])
    return replace(posed, joints_m=joints, linear=linear)
