"""Malformed hands with exact labels: at least three ways to make each defect that generated pictures show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from handwright.data.hands.defects.bones import moved, shrunk, stretched, swung
from handwright.data.hands.defects.malformed import Copy, Malformed, malform
from handwright.data.hands.defects.surface import DefectLabel, Flaw
from handwright.data.hands.defects.visibility import sticks_out
from handwright.data.hands.setup import Setup
from handwright.hand.anatomy import FINGER_BONES, FINGERS, SHAPE_NAMES
from handwright.hand.defects import Defect
from handwright.hand.kinematics import PosedBones, pose_bones, pose_of_dofs
from handwright.hand.rig import axis_angle_matrix, load_rig, matrix_axis_angle
from handwright.types import Hand

_MIRROR = np.diag([-1.0, 1.0, 1.0])
_HALF_TURN = np.diag([-1.0, 1.0, -1.0])
_WEIGHTS = np.array([0.1, 0.25, 0.25, 0.2, 0.2])
_TRIES = 24


@dataclass(frozen=True, eq=False)
class Made:
    """One hand made wrong.

    Attributes:
        malformed: Its bones, copied and lost fingers.
        fingers: Indices into ``anatomy.FINGERS`` of those concerned; empty where it is the whole hand.
        flaw: What is wrong with its surface, or None.
    """

    malformed: Malformed
    fingers: tuple[int, ...]
    flaw: Flaw | None = None


Maker = Callable[[Hand, Float[np.ndarray, "24"], np.random.Generator], Made]


def spoil(setup: Setup, name: str, generator: int, rng: np.random.Generator) -> Setup:
    """Build a defect into the first hand of a picture that is otherwise decided.

    Args:
        setup: The picture; its hands should be open, so that the defect shows.
        name: One of ``DEFECTS``.
        generator: Index into ``GENERATORS[name]``.
        rng: Which finger, how much.
    """
    dressed, posed = setup.hands[0], setup.poses[0]
    hand = dressed.made.hand
    if name == Defect.WRONG_HAND and generator == 1:
        made = _same_as(hand, setup.hands[1].made.hand)
    else:
        made = _made(name, generator, hand, posed.dofs_rad, rng)
    dress = replace(dressed.dress, rings=())
    spoilt = replace(dressed, made=made.malformed, flaw=made.flaw, dress=dress)
    label = DefectLabel(name, generator, 0, tuple(FINGERS[f] for f in made.fingers))
    return replace(setup, hands=(spoilt, *setup.hands[1:]), labels=(*setup.labels, label))


def _made(
    name: str, generator: int, hand: Hand, dofs: Float[np.ndarray, "24"], rng: np.random.Generator
) -> Made:
    """One hand made wrong; a bent finger is drawn again until it sticks out, else the farthest is taken."""
    make = GENERATORS[name][generator]
    if name not in SEEN_FROM_THE_EDGE:
        return make(hand, dofs.copy(), rng)
    tried: list[tuple[float, Made]] = []
    for _ in range(_TRIES):
        made = make(hand, dofs.copy(), rng)
        shows, across = sticks_out(hand, made.malformed.hand, made.fingers[0])
        if shows:
            return made
        tried.append((across, made))
    return max(tried, key=lambda one: one[0])[1]


def _from_scenes(name: str) -> Maker:
    """A generator of the benches' scenes, with the fingers that it concerned."""

    def make(hand: Hand, dofs: np.ndarray, rng: np.random.Generator) -> Made:
        made = malform(hand, dofs, name, rng)
        return Made(made, made.lost or tuple(copy.finger for copy in made.copies))

    return make


def _doubled(hand: Hand, dofs: np.ndarray, rng: np.random.Generator) -> Made:
    """A finger drawn twice from the same knuckle, a few degrees apart."""
    finger = int(rng.choice([1, 2, 3, 4]))
    twin = dofs.copy()
    twin[_first(finger)] += np.deg2rad(rng.choice([-1, 1]) * rng.uniform(9, 14))
    twin[_first(finger) + 1 : _first(finger) + 3] += np.deg2rad(rng.normal(0, 7, 2))
    return Made(Malformed(hand, _bones(hand), (Copy(finger, _bones(_with(hand, twin))),)), (finger,))


def _between_thumb(hand: Hand, dofs: np.ndarray, rng: np.random.Generator) -> Made:
    """A finger too many that grows out of the web between thumb and index finger."""
    twin = dofs.copy()
    twin[_first(1)] += np.deg2rad(rng.uniform(26, 38))
    twin[_first(1) + 1] += np.deg2rad(rng.uniform(-6, 12))
    bones = _bones(_with(hand, twin))
    size = rng.uniform(0.78, 0.92)
    offset = float(np.exp(hand.shape[0])) * np.array([0.004, rng.uniform(-0.022, -0.012), 0.004])
    return Made(Malformed(hand, _bones(hand), (Copy(1, moved(bones, 1, offset, size)),)), (1,))


def _stump(hand: Hand, dofs: np.ndarray, rng: np.random.Generator) -> Made:
    """A finger that ends at its middle joint."""
    finger = _any(rng, thumb=False)
    return Made(Malformed(hand, shrunk(_bones(hand), finger, 1), lost=(finger,)), (finger,))


def _two_missing(hand: Hand, dofs: np.ndarray, rng: np.random.Generator) -> Made:
    """Two fingers shrunk into the palm."""
    first = int(rng.choice([1, 2, 3]))
    lost = (first, first + 1)
    posed = _bones(hand)
    for finger in lost:
        posed = shrunk(posed, finger, 0)
    return Made(Malformed(hand, posed, lost=lost), lost)


def _pressed(hand: Hand, dofs: np.ndarray, rng: np.random.Generator) -> Made:
    """Two neighbours run through each other along their whole length."""
    first = int(rng.choice([1, 2, 3]))
    a, b = _first(first), _first(first + 1)
    dofs[a + 1 : a + 4] = dofs[b + 1 : b + 4] = (dofs[a + 1 : a + 4] + dofs[b + 1 : b + 4]) / 2
    dofs[a] -= np.deg2rad(rng.uniform(8, 11))
    dofs[b] += np.deg2rad(rng.uniform(4, 7))
    closed = _with(hand, dofs)
    return Made(Malformed(closed, _bones(closed)), (first, first + 1))


def _webbed(hand: Hand, dofs: np.ndarray, rng: np.random.Generator) -> Made:
    """Two neighbours grown together up to their middle joints."""
    first = int(rng.choice([1, 2, 3]))
    a, b = _first(first), _first(first + 1)
    dofs[a + 1 : a + 4] = dofs[b + 1 : b + 4] = (dofs[a + 1 : a + 4] + dofs[b + 1 : b + 4]) / 2
    dofs[a] -= np.deg2rad(3)
    dofs[b] += np.deg2rad(3)
    closed = _with(hand, dofs)
    posed, middle = _bones(closed), dofs.copy()
    middle[a] = (dofs[a] + dofs[b]) / 2
    filling = _bones(_with(hand, middle))
    roots = [posed.joints_m[FINGER_BONES[f][0]] for f in (first, first + 1)]
    offset = sum(roots, np.zeros(3)) / 2 - filling.joints_m[FINGER_BONES[first][0]]
    filling = shrunk(moved(filling, first, offset, 1.0), first, 1)
    return Made(Malformed(closed, posed, (Copy(first, filling),)), (first, first + 1))


def _forked(joint: int) -> Maker:
    """A finger that forks at its knuckle (0), middle (1) or end joint (2)."""

    def make(hand: Hand, dofs: np.ndarray, rng: np.random.Generator) -> Made:
        finger = _any(rng, thumb=False)
        angle = np.deg2rad(rng.uniform(13, 20))
        posed = _bones(hand)
        left, right = (swung(posed, finger, joint, sign * angle) for sign in (1, -1))
        return Made(Malformed(hand, left, (Copy(finger, right),)), (finger,))

    return make


def _bent_back(joint: int, low: float, high: float) -> Maker:
    """A finger bent backwards at its knuckle (0), middle (1) or end joint (2)."""

    def make(hand: Hand, dofs: np.ndarray, rng: np.random.Generator) -> Made:
        finger = _any(rng, thumb=False)
        dofs[_first(finger) + 1 + joint] = -np.deg2rad(rng.uniform(low, high))
        bent = _with(hand, dofs)
        return Made(Malformed(bent, _bones(bent)), (finger,))

    return make


def _sideways(joint: int) -> Maker:
    """A finger bent to its side at its knuckle (0), middle (1) or end joint (2)."""

    def make(hand: Hand, dofs: np.ndarray, rng: np.random.Generator) -> Made:
        finger = _any(rng, thumb=False)
        either = -1.0 if rng.random() < 0.5 else 1.0
        outer = {1: 1.0, 4: -1.0}.get(finger, either)
        angle = np.deg2rad(outer * rng.uniform(35, 65))
        return Made(Malformed(hand, swung(_bones(hand), finger, joint, angle)), (finger,))

    return make


def _length(low: float, high: float, fingers: int) -> Maker:
    """Fingers whose length is off by a factor."""

    def make(hand: Hand, dofs: np.ndarray, rng: np.random.Generator) -> Made:
        chosen = rng.choice(5, fingers, replace=False, p=_WEIGHTS) if fingers < 4 else np.arange(1, 5)
        shape = hand.shape.copy()
        for finger in chosen:
            shape[SHAPE_NAMES.index("thumb_length") + int(finger)] += np.log(rng.uniform(low, high))
        odd = replace(hand, shape=shape)
        return Made(Malformed(odd, _bones(odd)), tuple(sorted(int(f) for f in chosen)))

    return make


def _long_end(low: float, high: float) -> Maker:
    """A finger of which only what lies beyond the middle joint has the wrong length."""

    def make(hand: Hand, dofs: np.ndarray, rng: np.random.Generator) -> Made:
        finger = _any(rng, thumb=False)
        return Made(Malformed(hand, stretched(_bones(hand), finger, rng.uniform(low, high))), (finger,))

    return make


def _second_thumb(replaced: bool) -> Maker:
    """A mirrored thumb on the little finger's side, beside or instead of that finger."""

    def make(hand: Hand, dofs: np.ndarray, rng: np.random.Generator) -> Made:
        posed, size = _bones(hand), float(np.exp(hand.shape[0]))
        mirrored = replace(posed, linear=_MIRROR @ posed.linear, joints_m=posed.joints_m @ _MIRROR)
        offset = size * np.array([-0.012, rng.uniform(0.0, 0.012), 0.0])
        copy = Copy(0, replace(mirrored, joints_m=mirrored.joints_m + offset))
        if replaced:
            return Made(Malformed(hand, shrunk(posed, 4, 0), (copy,), (4,)), (0, 4))
        return Made(Malformed(hand, posed, (copy,)), (0,))

    return make


def _twin_thumb(hand: Hand, dofs: np.ndarray, rng: np.random.Generator) -> Made:
    """A second thumb beside the first."""
    twin = dofs.copy()
    twin[0] += np.deg2rad(rng.choice([-1, 1]) * rng.uniform(20, 30))
    twin[1] += np.deg2rad(rng.normal(0, 8))
    return Made(Malformed(hand, _bones(hand), (Copy(0, _bones(_with(hand, twin))),)), (0,))


def _other_side(hand: Hand, dofs: np.ndarray, rng: np.random.Generator) -> Made:
    """The mirror image of the hand on the same arm."""
    mirrored = replace(hand, side="left" if hand.side == "right" else "right")
    return Made(Malformed(mirrored, _bones(mirrored)), ())


def _turned_over(hand: Hand, dofs: np.ndarray, rng: np.random.Generator) -> Made:
    """The other side's hand with its thumb where it should be: its back is seen in place of its palm."""
    side = "left" if hand.side == "right" else "right"
    over = replace(hand, side=side, wrist=matrix_axis_angle(axis_angle_matrix(hand.wrist) @ _HALF_TURN))
    return Made(Malformed(over, _bones(over)), ())


def _same_as(hand: Hand, other: Hand) -> Made:
    """The other hand of the picture once more, on the wrong arm."""
    twin = replace(hand, pose=other.pose, palm_arch=other.palm_arch, shape=other.shape, side=other.side)
    return Made(Malformed(twin, _bones(twin)), ())


def _flawed(kind: str, variant: int) -> Maker:
    """A hand whose surface or wrist is wrong."""

    def make(hand: Hand, dofs: np.ndarray, rng: np.random.Generator) -> Made:
        flaw = Flaw(kind, variant, float(rng.uniform(0.6, 1.0)), int(rng.integers(1 << 30)))
        return Made(Malformed(hand, _bones(hand)), (), flaw)

    return make


GENERATORS: dict[str, tuple[Maker, ...]] = {
    Defect.EXTRA: (_from_scenes("extra_finger"), _doubled, _between_thumb),
    Defect.MISSING: (_from_scenes("missing_finger"), _stump, _two_missing),
    Defect.FUSED: (_from_scenes("fused"), _pressed, _webbed),
    Defect.SPLIT: (_forked(0), _forked(1), _forked(2)),
    Defect.OVERBENT: (_bent_back(0, 55, 85), _bent_back(1, 40, 75), _bent_back(2, 45, 75)),
    Defect.SIDEWAYS: (_sideways(0), _sideways(1), _sideways(2)),
    Defect.TOO_LONG: (_length(1.4, 1.8, 1), _long_end(1.6, 2.1), _length(1.3, 1.5, 4)),
    Defect.TOO_SHORT: (_length(0.42, 0.6, 1), _long_end(0.35, 0.5), _length(0.5, 0.65, 4)),
    Defect.TWO_THUMBS: (_second_thumb(False), _second_thumb(True), _twin_thumb),
    Defect.WRONG_HAND: (_other_side, _other_side, _turned_over),
    Defect.DETACHED: (_flawed(Defect.DETACHED, 0), _flawed(Defect.DETACHED, 1), _flawed(Defect.DETACHED, 2)),
    Defect.MELTED: (_flawed(Defect.MELTED, 0), _flawed(Defect.MELTED, 1), _flawed(Defect.MELTED, 2)),
}
"""Per defect its generators; in place of the second of 'wrong_hand' ``spoil`` copies the other hand."""

DEFECTS = tuple(Defect)
ONE_HAND_DEFECTS = tuple(name for name in DEFECTS if name != Defect.WRONG_HAND)
"""Defects that a hand shows by itself; a wrong hand is wrong only beside the right one."""

SEEN_FROM_THE_EDGE = (Defect.OVERBENT,)
"""Defects that a hand hides which shows its palm or back: a finger bent away looks shorter."""

WRONG_HAND_PAIRS = ("side by side", "counting", "side by side")
"""A wrong hand shows only beside the right one: how the two hands meet, per generator of 'wrong_hand'."""


def _first(finger: int) -> int:
    """Index of a finger's abduction; MCP, PIP and DIP flexion follow."""
    return 6 + 4 * (finger - 1)


def _any(rng: np.random.Generator, *, thumb: bool) -> int:
    return (
        int(rng.choice(5, p=_WEIGHTS)) if thumb else int(rng.choice([1, 2, 3, 4], p=[0.28, 0.27, 0.25, 0.2]))
    )


def _with(hand: Hand, dofs: np.ndarray) -> Hand:
    pose, arch = pose_of_dofs(dofs)
    return replace(hand, pose=pose, palm_arch=arch)


def _bones(hand: Hand) -> PosedBones:
    return pose_bones(load_rig(), hand)
