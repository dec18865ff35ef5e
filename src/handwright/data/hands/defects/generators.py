"""Every defect with three generators that make it in different ways, and how one gets into a picture."""

from dataclasses import replace
from functools import partial

import numpy as np

from handwright.data.hands.defects import fingers
from handwright.data.hands.defects.fingers import bend_shows
from handwright.data.hands.defects.malformed import DefectLabel, Generator, PosedHand, SurfaceFlaw, bones_of
from handwright.data.hands.setup import Setup
from handwright.data.shapes import Angles
from handwright.hand.anatomy import FINGERS
from handwright.hand.defects import Defect
from handwright.hand.rig import axis_angle_matrix, matrix_axis_angle
from handwright.types import Hand

_HALF_TURN = np.diag([-1.0, 1.0, -1.0])
_TRIES = 24  # How often a bent finger is drawn anew until it shows; chosen by eye


def mirrored(hand: Hand, dofs: np.ndarray, rng: np.random.Generator) -> PosedHand:
    """The mirror image of the hand on the same arm."""
    other = replace(hand, side="left" if hand.side == "right" else "right")
    return PosedHand(other, bones_of(other))


def turned_over(hand: Hand, dofs: np.ndarray, rng: np.random.Generator) -> PosedHand:
    """The other side's hand with its thumb where it should be: its back shows in place of its palm."""
    side = "left" if hand.side == "right" else "right"
    over = replace(hand, side=side, wrist=matrix_axis_angle(axis_angle_matrix(hand.wrist) @ _HALF_TURN))
    return PosedHand(over, bones_of(over))


def flawed(hand: Hand, dofs: np.ndarray, rng: np.random.Generator, kind: Defect, variant: int) -> PosedHand:
    """A hand whose surface or wrist is wrong."""
    flaw = SurfaceFlaw(kind, variant, float(rng.uniform(0.6, 1.0)), int(rng.integers(1 << 30)))
    return PosedHand(hand, bones_of(hand), flaw=flaw)


GENERATORS: dict[str, tuple[Generator, ...]] = {
    Defect.EXTRA: (fingers.extra_between, fingers.extra_doubled, fingers.extra_at_thumb),
    Defect.MISSING: (fingers.missing_closed, fingers.missing_stump, fingers.missing_two),
    Defect.FUSED: (fingers.fused_side_by_side, fingers.fused_pressed, fingers.fused_webbed),
    Defect.SPLIT: tuple(partial(fingers.forked, joint=joint) for joint in range(3)),
    Defect.OVERBENT: (
        partial(fingers.bent_back, joint=0, low_deg=55, high_deg=85),
        partial(fingers.bent_back, joint=1, low_deg=40, high_deg=75),
        partial(fingers.bent_back, joint=2, low_deg=45, high_deg=75),
    ),
    Defect.SIDEWAYS: tuple(partial(fingers.bent_sideways, joint=joint) for joint in range(3)),
    Defect.TOO_LONG: (
        partial(fingers.wrong_length, low=1.4, high=1.8, fingers=1),
        partial(fingers.wrong_end, low=1.6, high=2.1),
        partial(fingers.wrong_length, low=1.3, high=1.5, fingers=4),
    ),
    Defect.TOO_SHORT: (
        partial(fingers.wrong_length, low=0.42, high=0.6, fingers=1),
        partial(fingers.wrong_end, low=0.35, high=0.5),
        partial(fingers.wrong_length, low=0.5, high=0.65, fingers=4),
    ),
    Defect.TWO_THUMBS: (
        partial(fingers.second_thumb, replaced=False),
        partial(fingers.second_thumb, replaced=True),
        fingers.twin_thumb,
    ),
    Defect.WRONG_HAND: (mirrored, mirrored, turned_over),
    Defect.DETACHED: tuple(partial(flawed, kind=Defect.DETACHED, variant=k) for k in range(3)),
    Defect.MELTED: tuple(partial(flawed, kind=Defect.MELTED, variant=k) for k in range(3)),
}
"""Per defect its generators; for the second of 'wrong_hand' ``add_defect`` copies the other hand instead."""

DEFECTS = tuple(Defect)
ONE_HAND_DEFECTS = tuple(name for name in DEFECTS if name != Defect.WRONG_HAND)
"""Defects that a hand shows by itself; a wrong hand is wrong only beside the right one."""

SHOWN_EDGEWAYS = (Defect.OVERBENT,)
"""Defects that show only from a hand's edge: seen from its palm a finger bent back just looks shorter."""

WRONG_HAND_PAIRS = ("side by side", "counting", "side by side")
"""How the two hands meet, per generator of 'wrong_hand': it shows only beside the right one."""


def add_defect(setup: Setup, name: str, generator: int, rng: np.random.Generator) -> Setup:
    """Build a defect into the first hand of a picture that is otherwise decided; its rings come off."""
    dressed = setup.hands[0]
    hand = dressed.posed.hand
    if name == Defect.WRONG_HAND and generator == 1:
        other = setup.hands[1].posed.hand  # once more, on the wrong arm
        twin = replace(hand, pose=other.pose, palm_arch=other.palm_arch, shape=other.shape, side=other.side)
        posed = PosedHand(twin, bones_of(twin))
    else:
        posed = _generated(name, generator, hand, setup.poses[0].dofs_rad, rng)
    malformed = replace(dressed, posed=posed, dress=replace(dressed.dress, rings=()))
    label = DefectLabel(name, generator, 0, tuple(FINGERS[f] for f in posed.fingers))
    return replace(setup, hands=(malformed, *setup.hands[1:]), labels=(*setup.labels, label))


def _generated(name: str, generator: int, hand: Hand, dofs: Angles, rng: np.random.Generator) -> PosedHand:
    """A malformed hand; a bend is drawn again until it shows, else the farthest one is taken."""
    make = GENERATORS[name][generator]
    if name not in SHOWN_EDGEWAYS:
        return make(hand, dofs.copy(), rng)
    tried: list[tuple[float, PosedHand]] = []
    for _ in range(_TRIES):
        posed = make(hand, dofs.copy(), rng)
        shows, across = bend_shows(hand, posed.hand, posed.fingers[0])
        if shows:
            return posed
        tried.append((across, posed))
    return max(tried, key=lambda one: one[0])[1]
