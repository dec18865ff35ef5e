"""Too many fingers, too few, fused, forked, bent as none bends, too long or too short.

Angles, sizes and ranges are chosen by eye after generated hands. A foreshortened or hidden finger looks
sound.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from handwright.data.hands.defects.malformed import (
    FingerCopy,
    PosedHand,
    any_finger,
    between_knuckles,
    bones_of,
    first_angle,
    moved,
    shrunk,
    stretched,
    swung,
    with_angles,
)
from handwright.hand.anatomy import FINGER_BONES, SHAPE_NAMES
from handwright.hand.kinematics import PosedBones, hand_landmarks_px
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
    web = shrunk(_filling(hand, dofs, bones, first, (dofs[a] + dofs[b]) / 2, 1.0), first, 1)
    return PosedHand(closed, bones, (FingerCopy(first, web),), (first, first + 1))


def forked(hand: Hand, dofs: np.ndarray, rng: np.random.Generator, joint: int) -> PosedHand:
    """A finger that forks at its knuckle (0), middle (1) or end joint (2)."""
    finger = any_finger(rng)
    angle = np.deg2rad(rng.uniform(13, 20))
    left, right = (swung(bones_of(hand), finger, joint, sign * angle) for sign in (1, -1))
    return PosedHand(hand, left, (FingerCopy(finger, right),), (finger,))


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
    offset = between_knuckles(bones, first) - filling.joints_m[FINGER_BONES[first][0]]
    return moved(filling, first, offset, size)


_ACROSS = 0.12
"""Least distance of the bent fingertip from the sound finger's line, in hand sizes; chosen by eye."""
_CLEAR = 0.08  # Least distance of the bent fingertip from every other finger, in hand sizes; chosen by eye
_CHAIN_POINTS = 9


def bend_shows(sound: Hand, bent: Hand, finger: int) -> tuple[bool, float]:
    """Whether a bent finger lies where, in the picture, no sound finger could.

    A finger that is bent towards or away from the camera is only foreshortened, and one behind its
    neighbours is hidden: such a picture shows nothing wrong.

    Returns that, and how far its tip is off in hand sizes: across the sound finger and clear of the others.
    """
    sound_px, bent_px = (hand_landmarks_px(hand) for hand in (sound, bent))
    size = float(np.ptp(sound_px, axis=0).max())
    tip, root = 4 + 4 * finger, 1 + 4 * finger
    along = sound_px[tip] - sound_px[root]
    along = along / max(float(np.hypot(*along)), 1e-6)
    off = bent_px[tip] - sound_px[tip]
    across = abs(float(off[0] * along[1] - off[1] * along[0])) / size
    others = [_chain(bent_px[1 + 4 * k : 5 + 4 * k]) for k in range(5) if k != finger]
    clear = float(np.hypot(*(np.concatenate(others) - bent_px[tip]).T).min()) / size
    return across >= _ACROSS and clear >= _CLEAR, across


def _chain(joints: Float[np.ndarray, "4 2"]) -> Float[np.ndarray, "n 2"]:
    """Points along a finger."""
    at = np.linspace(0, 3, _CHAIN_POINTS)
    return np.stack([np.interp(at, range(4), joints[:, k]) for k in range(2)], 1)


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


def second_thumb(hand: Hand, dofs: np.ndarray, rng: np.random.Generator, replaced: bool) -> PosedHand:
    """A mirrored thumb on the little finger's side, beside or instead of that finger."""
    bones, size = bones_of(hand), float(np.exp(hand.shape[0]))
    offset = size * np.array([-0.012, rng.uniform(0.0, 0.012), 0.0])
    thumb = replace(bones, linear=_MIRROR @ bones.linear, joints_m=bones.joints_m @ _MIRROR + offset)
    if replaced:
        return PosedHand(hand, shrunk(bones, 4, 0), (FingerCopy(0, thumb),), (0, 4))
    return PosedHand(hand, bones, (FingerCopy(0, thumb),), (0,))


def twin_thumb(hand: Hand, dofs: np.ndarray, rng: np.random.Generator) -> PosedHand:
    """A second thumb beside the first."""
    dofs[0] += np.deg2rad(rng.choice([-1, 1]) * rng.uniform(20, 30))
    dofs[1] += np.deg2rad(rng.normal(0, 8))
    return PosedHand(hand, bones_of(hand), (FingerCopy(0, bones_of(with_angles(hand, dofs))),), (0,))


_FINGER_SHARES = np.array([0.1, 0.25, 0.25, 0.2, 0.2])
_SIDEWAYS_DEG = (35, 65)
_OUTWARDS = {1: 1.0, 4: -1.0}  # The way in which the outer fingers are bent sideways: away from the others


def bent_back(
    hand: Hand, dofs: np.ndarray, rng: np.random.Generator, joint: int, low_deg: float, high_deg: float
) -> PosedHand:
    """A finger bent backwards at its knuckle (0), middle (1) or end joint (2)."""
    finger = any_finger(rng)
    dofs[first_angle(finger) + 1 + joint] = -np.deg2rad(rng.uniform(low_deg, high_deg))
    bent = with_angles(hand, dofs)
    return PosedHand(bent, bones_of(bent), fingers=(finger,))


def bent_sideways(hand: Hand, dofs: np.ndarray, rng: np.random.Generator, joint: int) -> PosedHand:
    """A finger bent to its side at its knuckle (0), middle (1) or end joint (2)."""
    finger = any_finger(rng)
    either = -1.0 if rng.random() < 0.5 else 1.0
    angle = np.deg2rad(_OUTWARDS.get(finger, either) * rng.uniform(*_SIDEWAYS_DEG))
    return PosedHand(hand, swung(bones_of(hand), finger, joint, angle), fingers=(finger,))


def wrong_length(
    hand: Hand, dofs: np.ndarray, rng: np.random.Generator, low: float, high: float, fingers: int
) -> PosedHand:
    """One finger, or all four but the thumb, whose length is off by a factor between two bounds."""
    one = fingers < 4
    chosen = rng.choice(5, fingers, replace=False, p=_FINGER_SHARES) if one else np.arange(1, 5)
    shape = hand.shape.copy()
    for finger in chosen:
        shape[SHAPE_NAMES.index("thumb_length") + int(finger)] += np.log(rng.uniform(low, high))
    odd = replace(hand, shape=shape)
    return PosedHand(odd, bones_of(odd), fingers=tuple(sorted(int(f) for f in chosen)))


def wrong_end(hand: Hand, dofs: np.ndarray, rng: np.random.Generator, low: float, high: float) -> PosedHand:
    """A finger of which only the part distal of the middle joint has the wrong length."""
    finger = any_finger(rng)
    return PosedHand(hand, stretched(bones_of(hand), finger, rng.uniform(low, high)), fingers=(finger,))
