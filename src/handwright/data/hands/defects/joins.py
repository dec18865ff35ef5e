"""Fused neighbours and forked fingers. Angles and sizes are chosen by eye, to look like generated hands."""

from __future__ import annotations

import numpy as np

from handwright.data.hands.defects import malformed as edit
from handwright.data.hands.defects.malformed import (
    FingerCopy,
    Generator,
    PosedHand,
    any_finger,
    bones_of,
    first_angle,
    with_angles,
)
from handwright.hand.anatomy import FINGER_BONES
from handwright.hand.kinematics import PosedBones
from handwright.types import Hand


def fused_side_by_side(hand: Hand, dofs: np.ndarray, rng: np.random.Generator) -> PosedHand:
    """Two neighbours side by side in one pose, the groove between them filled."""
    first = int(rng.choice([1, 2, 3]))
    a, b = first_angle(first), first_angle(first + 1)
    shared = (dofs[a : a + 4] + dofs[b : b + 4]) / 2
    dofs[a + 1 : a + 4] = dofs[b + 1 : b + 4] = shared[1:]
    dofs[a], dofs[b] = shared[0] - np.deg2rad(6), shared[0] + np.deg2rad(6)
    closed = with_angles(hand, dofs)
    bones = bones_of(closed)
    filling = _filling(hand, dofs, bones, first, shared[0], rng.uniform(0.8, 0.95))
    return PosedHand(closed, bones, (FingerCopy(first, filling),), (first,))


def fused_pressed(hand: Hand, dofs: np.ndarray, rng: np.random.Generator) -> PosedHand:
    """Two neighbours run through each other along their whole length."""
    first = int(rng.choice([1, 2, 3]))
    a, b = _bent_alike(dofs, first)
    dofs[a] -= np.deg2rad(rng.uniform(8, 11))
    dofs[b] += np.deg2rad(rng.uniform(4, 7))
    closed = with_angles(hand, dofs)
    return PosedHand(closed, bones_of(closed), fingers=(first, first + 1))


def fused_webbed(hand: Hand, dofs: np.ndarray, rng: np.random.Generator) -> PosedHand:
    """Two neighbours grown together up to their middle joints."""
    first = int(rng.choice([1, 2, 3]))
    a, b = _bent_alike(dofs, first)
    dofs[a] -= np.deg2rad(3)
    dofs[b] += np.deg2rad(3)
    closed = with_angles(hand, dofs)
    bones = bones_of(closed)
    web = edit.shrunk(_filling(hand, dofs, bones, first, (dofs[a] + dofs[b]) / 2, 1.0), first, 1)
    return PosedHand(closed, bones, (FingerCopy(first, web),), (first, first + 1))


def forked(joint: int) -> Generator:
    """A finger that forks at its knuckle (0), middle (1) or end joint (2)."""

    def make(hand: Hand, dofs: np.ndarray, rng: np.random.Generator) -> PosedHand:
        finger = any_finger(rng)
        angle = np.deg2rad(rng.uniform(13, 20))
        left, right = (edit.swung(bones_of(hand), finger, joint, sign * angle) for sign in (1, -1))
        return PosedHand(hand, left, (FingerCopy(finger, right),), (finger,))

    return make


def _bent_alike(dofs: np.ndarray, first: int) -> tuple[int, int]:
    """Give two neighbours their mean flexion, in place; the indices of their abductions."""
    a, b = first_angle(first), first_angle(first + 1)
    dofs[a + 1 : a + 4] = dofs[b + 1 : b + 4] = (dofs[a + 1 : a + 4] + dofs[b + 1 : b + 4]) / 2
    return a, b


def _filling(
    hand: Hand, dofs: np.ndarray, bones: PosedBones, first: int, abduction_rad: float, size: float
) -> PosedBones:
    """A copy of a finger half-way between it and its next neighbour."""
    middle = dofs.copy()
    middle[first_angle(first)] = abduction_rad
    filling = bones_of(with_angles(hand, middle))
    offset = edit.between_knuckles(bones, first) - filling.joints_m[FINGER_BONES[first][0]]
    return edit.moved(filling, first, offset, size)
