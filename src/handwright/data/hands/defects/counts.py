"""Too many fingers, too few, a second thumb. Angles and sizes are chosen by eye after generated hands."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from handwright.data.hands.defects.malformed import (
    FingerCopy,
    Generator,
    PosedHand,
    any_finger,
    between_knuckles,
    bones_of,
    first_angle,
    moved,
    shrunk,
    with_angles,
)
from handwright.hand.anatomy import FINGER_BONES
from handwright.types import Hand

_MIRROR = np.diag([-1.0, 1.0, 1.0])


def extra_between(hand: Hand, dofs: np.ndarray, rng: np.random.Generator) -> PosedHand:
    """A copy between two fingers, which make room, or beside the little finger."""
    gap = int(rng.choice([1, 2, 3, 4], p=[0.2, 0.32, 0.3, 0.18]))
    room = np.deg2rad(rng.uniform(6, 9))
    for finger in range(1, 5):
        dofs[first_angle(finger)] += room if finger <= gap else -0.8 * room
    spread = with_angles(hand, dofs)
    bones = bones_of(spread)
    own = rng.normal(0, np.deg2rad(5), 2)
    copied = dofs.copy()
    if gap == 4:
        copied[first_angle(4)] -= np.deg2rad(24) + abs(own[0])
        copied[first_angle(4) + 1] += own[1]
        beside = moved(bones_of(with_angles(hand, copied)), 4, np.array([0.0, -0.006, 0.0]), 0.94)
        return PosedHand(spread, bones, (FingerCopy(4, beside),), (4,))
    source = gap if rng.random() < 0.5 else gap + 1
    first, second, at = first_angle(gap), first_angle(gap + 1), first_angle(source)
    copied[at : at + 4] = (dofs[first : first + 4] + dofs[second : second + 4]) / 2
    copied[at + 1] += own[1]
    copied[at + 2] += abs(own[0])
    copy = bones_of(with_angles(hand, copied))
    offset = between_knuckles(bones, gap) - copy.joints_m[FINGER_BONES[source][0]]
    return PosedHand(spread, bones, (FingerCopy(source, moved(copy, source, offset, 0.93)),), (source,))


def extra_doubled(hand: Hand, dofs: np.ndarray, rng: np.random.Generator) -> PosedHand:
    """A finger rendered twice from the same knuckle, a few degrees apart."""
    finger = int(rng.choice([1, 2, 3, 4]))
    dofs[first_angle(finger)] += np.deg2rad(rng.choice([-1, 1]) * rng.uniform(9, 14))
    dofs[first_angle(finger) + 1 : first_angle(finger) + 3] += np.deg2rad(rng.normal(0, 7, 2))
    twin = FingerCopy(finger, bones_of(with_angles(hand, dofs)))
    return PosedHand(hand, bones_of(hand), (twin,), (finger,))


def extra_at_thumb(hand: Hand, dofs: np.ndarray, rng: np.random.Generator) -> PosedHand:
    """A finger too many that grows out of the web between thumb and index finger."""
    dofs[first_angle(1)] += np.deg2rad(rng.uniform(26, 38))
    dofs[first_angle(1) + 1] += np.deg2rad(rng.uniform(-6, 12))
    bones = bones_of(with_angles(hand, dofs))
    size = rng.uniform(0.78, 0.92)
    offset = float(np.exp(hand.shape[0])) * np.array([0.004, rng.uniform(-0.022, -0.012), 0.004])
    return PosedHand(hand, bones_of(hand), (FingerCopy(1, moved(bones, 1, offset, size)),), (1,))


def missing_closed(hand: Hand, dofs: np.ndarray, rng: np.random.Generator) -> PosedHand:
    """A finger shrunk into its knuckle; its neighbours lean into the gap."""
    lost = int(rng.choice([1, 2, 3, 4], p=[0.2, 0.3, 0.3, 0.2]))
    lean = np.deg2rad(rng.uniform(3, 6))
    for finger in range(1, 5):
        dofs[first_angle(finger)] += -lean if finger < lost else lean * (finger > lost)
    leaning = with_angles(hand, dofs)
    return PosedHand(leaning, shrunk(bones_of(leaning), lost, 0), fingers=(lost,))


def missing_stump(hand: Hand, dofs: np.ndarray, rng: np.random.Generator) -> PosedHand:
    """A finger that ends at its middle joint."""
    finger = any_finger(rng)
    return PosedHand(hand, shrunk(bones_of(hand), finger, 1), fingers=(finger,))


def missing_two(hand: Hand, dofs: np.ndarray, rng: np.random.Generator) -> PosedHand:
    """Two neighbours shrunk into the palm."""
    first = int(rng.choice([1, 2, 3]))
    bones = shrunk(shrunk(bones_of(hand), first, 0), first + 1, 0)
    return PosedHand(hand, bones, fingers=(first, first + 1))


def second_thumb(replaced: bool) -> Generator:
    """A mirrored thumb on the little finger's side, beside or instead of that finger."""

    def make(hand: Hand, dofs: np.ndarray, rng: np.random.Generator) -> PosedHand:
        bones, size = bones_of(hand), float(np.exp(hand.shape[0]))
        offset = size * np.array([-0.012, rng.uniform(0.0, 0.012), 0.0])
        thumb = replace(bones, linear=_MIRROR @ bones.linear, joints_m=bones.joints_m @ _MIRROR + offset)
        if replaced:
            return PosedHand(hand, shrunk(bones, 4, 0), (FingerCopy(0, thumb),), (0, 4))
        return PosedHand(hand, bones, (FingerCopy(0, thumb),), (0,))

    return make


def twin_thumb(hand: Hand, dofs: np.ndarray, rng: np.random.Generator) -> PosedHand:
    """A second thumb beside the first."""
    dofs[0] += np.deg2rad(rng.choice([-1, 1]) * rng.uniform(20, 30))
    dofs[1] += np.deg2rad(rng.normal(0, 8))
    return PosedHand(hand, bones_of(hand), (FingerCopy(0, bones_of(with_angles(hand, dofs))),), (0,))
