"""Fingers bent as none bends, too long or too short. Ranges are chosen by eye after generated hands."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from handwright.data.hands.defects.malformed import (
    Generator,
    PosedHand,
    any_finger,
    bones_of,
    first_angle,
    stretched,
    swung,
    with_angles,
)
from handwright.hand.anatomy import SHAPE_NAMES
from handwright.types import Hand

_FINGER_SHARES = np.array([0.1, 0.25, 0.25, 0.2, 0.2])
_SIDEWAYS_DEG = (35, 65)
_OUTWARDS = {1: 1.0, 4: -1.0}  # The way in which the outer fingers are bent sideways: away from the others


def bent_back(joint: int, low_deg: float, high_deg: float) -> Generator:
    """A finger bent backwards at its knuckle (0), middle (1) or end joint (2)."""

    def make(hand: Hand, dofs: np.ndarray, rng: np.random.Generator) -> PosedHand:
        finger = any_finger(rng)
        dofs[first_angle(finger) + 1 + joint] = -np.deg2rad(rng.uniform(low_deg, high_deg))
        bent = with_angles(hand, dofs)
        return PosedHand(bent, bones_of(bent), fingers=(finger,))

    return make


def bent_sideways(joint: int) -> Generator:
    """A finger bent to its side at its knuckle (0), middle (1) or end joint (2)."""

    def make(hand: Hand, dofs: np.ndarray, rng: np.random.Generator) -> PosedHand:
        finger = any_finger(rng)
        either = -1.0 if rng.random() < 0.5 else 1.0
        angle = np.deg2rad(_OUTWARDS.get(finger, either) * rng.uniform(*_SIDEWAYS_DEG))
        return PosedHand(hand, swung(bones_of(hand), finger, joint, angle), fingers=(finger,))

    return make


def wrong_length(low: float, high: float, fingers: int) -> Generator:
    """One finger, or all four but the thumb, whose length is off by a factor between two bounds."""

    def make(hand: Hand, dofs: np.ndarray, rng: np.random.Generator) -> PosedHand:
        one = fingers < 4
        chosen = rng.choice(5, fingers, replace=False, p=_FINGER_SHARES) if one else np.arange(1, 5)
        shape = hand.shape.copy()
        for finger in chosen:
            shape[SHAPE_NAMES.index("thumb_length") + int(finger)] += np.log(rng.uniform(low, high))
        odd = replace(hand, shape=shape)
        return PosedHand(odd, bones_of(odd), fingers=tuple(sorted(int(f) for f in chosen)))

    return make


def wrong_end(low: float, high: float) -> Generator:
    """A finger of which only the part distal of the middle joint has the wrong length."""

    def make(hand: Hand, dofs: np.ndarray, rng: np.random.Generator) -> PosedHand:
        finger = any_finger(rng)
        return PosedHand(hand, stretched(bones_of(hand), finger, rng.uniform(low, high)), fingers=(finger,))

    return make
