"""A hand as it is rendered: its bones, copied fingers and surface; and the edits that no joint could make."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from handwright.data.shapes import Angles, Vector
from handwright.hand.anatomy import FINGER_BONES
from handwright.hand.defects import Defect
from handwright.hand.kinematics import PosedBones, pose_bones, pose_of_dofs
from handwright.hand.rig import axis_angle_matrix, load_rig
from handwright.types import Hand

_RENDERED: Mapping[str, tuple[int | None, ...]] = {
    Defect.EXTRA: (6, 6, 6), Defect.MISSING: (4, 4, 3), Defect.FUSED: (4, 4, 5), Defect.SPLIT: (6, 6, 6),
    Defect.TWO_THUMBS: (6, 5, 6), Defect.MELTED: (None, None, None),
}  # fmt: skip
_EDITED: Mapping[str, tuple[int | None, ...]] = {
    **_RENDERED, Defect.MISSING: (4, 4, 4), Defect.FUSED: (4, 5, 4), Defect.TWO_THUMBS: (6, 6, 6),
}  # fmt: skip


def fingers_of(defects: Iterable[Mapping[str, Any]], *, photograph: bool) -> int | None:
    """Number of fingers, thumbs included, hidden ones too; None where nobody could say.

    A stump does not count, two fingers run together along their whole length count as one, a fork as two.
    """
    count = 5
    for defect in defects:
        table = _EDITED if photograph else _RENDERED
        with_defect = table.get(defect["name"], (5, 5, 5))[defect["generator"]]
        if with_defect is None:
            return None
        count += with_defect - 5
    return count


STUMP_SIZES = (0.12, 0.35, 0.35)
"""Scale of a finger's lost bones, lost from the knuckle, middle or end joint on; chosen by eye."""
STUMP_DEPTH = 0.06
"""How far a finger lost at its knuckle sinks towards the wrist, share of that distance; chosen by eye."""


@dataclass(frozen=True)
class DefectLabel:
    """What is wrong with a hand."""

    name: str  # One of ``generators.DEFECTS``
    generator: int  # Index of the generator that made it
    hand: int  # Index of the hand in the picture
    fingers: tuple[str, ...]  # Names of the fingers concerned; empty where it is the whole hand


@dataclass(frozen=True)
class SurfaceFlaw:
    """What is wrong with a surface."""

    kind: str  # 'melted' or 'detached'
    variant: int  # Which of three ways
    amount: float  # How much, 0 … 1
    seed: int  # Of its shape


@dataclass(frozen=True, eq=False)
class FingerCopy:
    """A finger that is rendered once more elsewhere."""

    finger: int  # Index into ``anatomy.FINGERS``
    bones: PosedBones  # Of the copy, right-hand space


@dataclass(frozen=True, eq=False)
class PosedHand:
    """A hand as it is rendered; a sound one has its own bones, no copies and no flaw."""

    hand: Hand  # Its angles, which may be impossible
    bones: PosedBones  # Some of them may be shrunk to nothing, right-hand space
    copies: tuple[FingerCopy, ...] = ()  # Fingers rendered once more
    # Indices into ``anatomy.FINGERS`` of those that a defect concerns; empty for the whole hand
    fingers: tuple[int, ...] = ()
    flaw: SurfaceFlaw | None = None  # What is wrong with its surface, or None


Generator = Callable[[Hand, Angles, np.random.Generator], PosedHand]
"""Makes a sound hand wrong: the hand, its own copy of the 24 angles in radians, which finger and how much."""


def first_angle(finger: int) -> int:
    """Index of a finger's abduction among the 24 angles; MCP, PIP and DIP flexion follow."""
    return 6 + 4 * (finger - 1)


def any_finger(rng: np.random.Generator) -> int:
    """A finger but the thumb, the outer ones a little more rarely."""
    return int(rng.choice([1, 2, 3, 4], p=[0.28, 0.27, 0.25, 0.2]))


def with_angles(hand: Hand, dofs_rad: Angles) -> Hand:
    """The hand in another pose, possibly an impossible one."""
    pose, arch = pose_of_dofs(dofs_rad)
    return replace(hand, pose=pose, palm_arch=arch)


def bones_of(hand: Hand) -> PosedBones:
    """The bones of a hand as its angles pose them, right-hand space."""
    return pose_bones(load_rig(), hand)


def between_knuckles(bones: PosedBones, finger: int) -> Vector:
    """The middle between the knuckles of a finger and its next neighbour."""
    return (bones.joints_m[FINGER_BONES[finger][0]] + bones.joints_m[FINGER_BONES[finger + 1][0]]) / 2


def moved(bones: PosedBones, finger: int, offset_m: Vector, size: float) -> PosedBones:
    """All bones scaled about a finger's knuckle and moved."""
    root = bones.joints_m[FINGER_BONES[finger][0]]
    joints = root + size * (bones.joints_m - root) + offset_m
    return replace(bones, joints_m=joints, linear=size * bones.linear)


def shrunk(bones: PosedBones, finger: int, joint: int) -> PosedBones:
    """A finger that ends in a round stump at its knuckle (0), middle (1) or end joint (2)."""
    joints, linear = bones.joints_m.copy(), bones.linear.copy()
    kept = FINGER_BONES[finger][joint]
    root = bones.joints_m[kept]
    inward = STUMP_DEPTH * (bones.joints_m[0] - root) if joint == 0 else np.zeros(3)
    for bone in FINGER_BONES[finger][joint:]:
        joints[bone] = root + inward
        linear[bone] = bones.linear[kept] * STUMP_SIZES[joint]
    return replace(bones, joints_m=joints, linear=linear)


def swung(bones: PosedBones, finger: int, joint: int, angle_rad: float) -> PosedBones:
    """A finger turned sideways from a joint on, about the axis out of its back there."""
    joints, linear = bones.joints_m.copy(), bones.linear.copy()
    chain = FINGER_BONES[finger]
    axis = bones.rotations[chain[joint]] @ load_rig().finger_axes[finger, 1]
    turn, pivot = axis_angle_matrix(angle_rad * axis), bones.joints_m[chain[joint]]
    for bone in chain[joint:]:
        joints[bone] = pivot + turn @ (bones.joints_m[bone] - pivot)
        linear[bone] = turn @ bones.linear[bone]
    return replace(bones, joints_m=joints, linear=linear)


def stretched(bones: PosedBones, finger: int, factor: float) -> PosedBones:
    """A finger stretched along itself distal of its middle joint."""
    joints, linear = bones.joints_m.copy(), bones.linear.copy()
    _, middle, end = FINGER_BONES[finger]
    rest = load_rig().finger_axes[finger, 2]
    for bone in (middle, end):
        linear[bone] = bones.linear[bone] @ (np.eye(3) + (factor - 1) * np.outer(rest, rest))
    joints[end] = bones.joints_m[middle] + factor * (bones.joints_m[end] - bones.joints_m[middle])
    return replace(bones, joints_m=joints, linear=linear)
