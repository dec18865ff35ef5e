"""Malformed hands by construction: the faults that generated pictures show, made on a sound hand."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from handwright.hand.anatomy import FINGER_BONES
from handwright.hand.kinematics import PosedBones, pose_bones, pose_of_dofs
from handwright.hand.rig import load_rig
from handwright.types import Hand


@dataclass(frozen=True, eq=False)
class Copy:
    """A finger that is drawn once more elsewhere.

    Attributes:
        finger: Which one, index into ``anatomy.FINGERS``.
        posed: The bones of the copy, right-hand space.
    """

    finger: int
    posed: PosedBones


@dataclass(frozen=True, eq=False)
class Malformed:
    """A hand with a fault.

    Attributes:
        hand: What is posed; its angles may be impossible.
        posed: Its bones, some of them perhaps shrunk to nothing, right-hand space.
        copies: Fingers drawn once more.
        lost: Fingers that are not there.
    """

    hand: Hand
    posed: PosedBones
    copies: tuple[Copy, ...] = ()
    lost: tuple[int, ...] = ()


def malform(
    hand: Hand, dofs_rad: Float[np.ndarray, "24"], defect: str, rng: np.random.Generator
) -> Malformed:
    """Make a fault.

    Args:
        hand: A sound hand.
        dofs_rad: Its 24 angles.
        defect: 'extra_finger', 'missing_finger' or 'fused'.
        rng: Which finger, how much.
    """
    return _MAKERS[defect](hand, dofs_rad.copy(), rng)


def _extra_finger(hand: Hand, dofs: np.ndarray, rng: np.random.Generator) -> Malformed:
    """A copy between two fingers that make room, or beside the pinky."""
    gap = int(rng.choice([1, 2, 3, 4], p=[0.2, 0.32, 0.3, 0.18]))
    room = np.deg2rad(rng.uniform(6, 9))
    for finger in range(1, 5):
        dofs[_abduction(finger)] += room if finger <= gap else -0.8 * room
    spread = _with_angles(hand, dofs)
    posed = _bones(spread)
    own = rng.normal(0, np.deg2rad(5), 2)
    if gap == 4:
        copied = dofs.copy()
        copied[_abduction(4)] -= np.deg2rad(24) + abs(own[0])
        copied[_abduction(4) + 1] += own[1]
        bones = _bones(_with_angles(hand, copied))
        return Malformed(spread, posed, (Copy(4, _moved(bones, 4, np.array([0.0, -0.006, 0.0]), 0.94)),))
    source = gap if rng.random() < 0.5 else gap + 1
    copied = dofs.copy()
    first, second = _abduction(gap), _abduction(gap + 1)
    copied[_abduction(source) : _abduction(source) + 4] = (
        dofs[first : first + 4] + dofs[second : second + 4]
    ) / 2
    copied[_abduction(source) + 1] += own[1]
    copied[_abduction(source) + 2] += abs(own[0])
    bones = _bones(_with_angles(hand, copied))
    middle = (posed.joints_m[FINGER_BONES[gap][0]] + posed.joints_m[FINGER_BONES[gap + 1][0]]) / 2
    offset = middle - bones.joints_m[FINGER_BONES[source][0]]
    return Malformed(spread, posed, (Copy(source, _moved(bones, source, offset, 0.93)),))


def _missing_finger(hand: Hand, dofs: np.ndarray, rng: np.random.Generator) -> Malformed:
    """A finger shrunk into its knuckle; its neighbours lean into the gap."""
    lost = int(rng.choice([1, 2, 3, 4], p=[0.2, 0.3, 0.3, 0.2]))
    lean = np.deg2rad(rng.uniform(3, 6))
    for finger in range(1, 5):
        dofs[_abduction(finger)] += -lean if finger < lost else lean * (finger > lost)
    leaning = _with_angles(hand, dofs)
    posed = _bones(leaning)
    joints, linear = posed.joints_m.copy(), posed.linear.copy()
    root = FINGER_BONES[lost][0]
    inward = (joints[0] - joints[root]) * 0.06
    for bone in FINGER_BONES[lost]:
        joints[bone] = posed.joints_m[root] + inward
        linear[bone] = posed.linear[root] * 0.12
    return Malformed(leaning, replace(posed, joints_m=joints, linear=linear), lost=(lost,))


def _fused(hand: Hand, dofs: np.ndarray, rng: np.random.Generator) -> Malformed:
    """Two neighbours side by side in one pose, the groove between them filled."""
    first = int(rng.choice([1, 2, 3]))
    a, b = _abduction(first), _abduction(first + 1)
    shared = (dofs[a : a + 4] + dofs[b : b + 4]) / 2
    dofs[a + 1 : a + 4] = dofs[b + 1 : b + 4] = shared[1:]
    dofs[a], dofs[b] = shared[0] - np.deg2rad(6), shared[0] + np.deg2rad(6)
    closed = _with_angles(hand, dofs)
    posed = _bones(closed)
    between = dofs.copy()
    between[a] = shared[0]
    bones = _bones(_with_angles(hand, between))
    middle = (posed.joints_m[FINGER_BONES[first][0]] + posed.joints_m[FINGER_BONES[first + 1][0]]) / 2
    filling = _moved(bones, first, middle - bones.joints_m[FINGER_BONES[first][0]], rng.uniform(0.8, 0.95))
    return Malformed(closed, posed, (Copy(first, filling),))


_MAKERS = {
    "extra_finger": _extra_finger,
    "missing_finger": _missing_finger,
    "fused": _fused,
}


def _abduction(finger: int) -> int:
    """Index of a finger's first angle; MCP, PIP and DIP flexion follow."""
    return 6 + 4 * (finger - 1)


def _with_angles(hand: Hand, dofs: np.ndarray) -> Hand:
    pose, arch = pose_of_dofs(dofs)
    return replace(hand, pose=pose, palm_arch=arch)


def _bones(hand: Hand) -> PosedBones:
    return pose_bones(load_rig(), hand)


def _moved(posed: PosedBones, finger: int, offset: np.ndarray, size: float) -> PosedBones:
    """A finger's chain moved, scaled about its root."""
    joints, linear = posed.joints_m.copy(), posed.linear.copy()
    root = FINGER_BONES[finger][0]
    at = posed.joints_m[root].copy()
    for bone in range(20):
        joints[bone] = at + size * (joints[bone] - at) + offset
        linear[bone] = size * linear[bone]
    return replace(posed, joints_m=joints, linear=linear)
