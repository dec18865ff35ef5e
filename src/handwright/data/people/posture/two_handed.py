"""How somebody's own two hands hold one thing: the right hand's grip, and a mirror image for the left one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from handwright.data.hands.arrange import Turned, about_z, apart_m
from handwright.data.hands.hold import Posed, holds, lay_on_fingers, lay_on_palm, open_hand, wrapped
from handwright.data.hands.objects import Thing, frame, thing_material
from handwright.data.people.posture.meeting import Places, mirrored
from handwright.data.shapes import Angles, Matrix, Vector
from handwright.hand.anatomy import DOF_NAMES, FINGERS
from handwright.hand.rig import axis_angle_matrix
from handwright.types import Side


@dataclass(frozen=True, eq=False)
class TwoHandedHold:
    """A thing in two hands, in their owner's view: x to the right, y down, z ahead; mean hands, metres."""

    right: Turned
    left: Turned  # As a mirror has a right one
    things: Mapping[Side, Thing]  # The thing in each hand's own frame, in the left one's as a mirror has it
    places: Places  # Where before the chest


def draw_two_handed(rng: np.random.Generator, kind: str) -> TwoHandedHold:
    """A hold of one of ``TWO_HANDED``: the first of some draws in which hands do not run into each other."""
    hold = _draw(rng, TWO_HANDED[kind], kind)
    for _ in range(_TRIES):
        dofs = hold.right.posed.dofs_rad
        if apart_m(hold.right, hold.left) > 0 and all(holds(dofs, thing) for thing in hold.things.values()):
            break
        hold = _draw(rng, TWO_HANDED[kind], kind)
    return hold


_TRIES = 12


def _draw(rng: np.random.Generator, grip: Grip, kind: str) -> TwoHandedHold:
    posed, thing, turn = grip.hand(rng, kind)
    thing = replace(thing, in_both_hands=True)
    rise = grip.above_m / 2 * thing.axes[2]
    of_right, of_left = replace(thing, centre=thing.centre - rise), replace(thing, centre=thing.centre + rise)

    def turned(angle: float) -> tuple[Turned, Turned]:
        aside = axis_angle_matrix(np.array([0.0, -np.deg2rad(angle), 0.0])) @ turn
        one, other = (Turned(posed, "right", aside, -aside @ of.centre) for of in (of_right, of_left))
        return one, mirrored(other)

    right, left = max((turned(angle) for angle in grip.turns_deg), key=lambda pair: apart_m(*pair))
    return TwoHandedHold(right, left, {"right": of_right, "left": of_left}, grip.places)


_LEFT, _UP, _AHEAD = np.array([-1.0, 0.0, 0.0]), np.array([0.0, -1.0, 0.0]), np.array([0.0, 0.0, 1.0])
_THUMBWARDS, _FINGERWARDS, _PALMWARDS = np.eye(3)  # In the hand's own frame

_SIZES_M: Mapping[str, tuple[tuple[float, float], ...]] = {
    "large ball": ((0.085, 0.11),),
    "small ball": ((0.043, 0.05),),
    "box": ((0.06, 0.09), (0.05, 0.08), (0.1, 0.14)),
    "bowl": ((0.07, 0.085), (0.03, 0.04)),
    "cup": ((0.052, 0.058), (0.05, 0.06)),
    "board": ((0.09, 0.13), (0.1, 0.15), (0.004, 0.008)),
    "phone": ((0.036, 0.036), (0.073, 0.073), (0.0035, 0.0045)),
    "card": ((0.03, 0.035), (0.05, 0.055), (0.0006, 0.0006)),
    "bar": ((0.009, 0.016), (0.28, 0.42)),
}
"""Least and most half sizes: radius and half length of round things; along the fingers, upwards and from hand
to hand of boxes; upwards, from hand to hand and thickness of plates."""

_THICKEST_PALM_M = 0.03  # From bones to skin, at most

_APART_M = (0.1, 0.16)  # From the middle of a bar to each hand


def _between_palms(rng: np.random.Generator, kind: str) -> tuple[Posed, Thing, Matrix]:
    """Palms face each other at the thing's sides, thumbs up, fingers ahead."""
    name = "ball" if kind.endswith("ball") else kind
    material, words = thing_material(name, rng)
    size = _drawn_size(rng, kind)
    if name == "box":
        axes, half = frame(_PALMWARDS, _THUMBWARDS), size
    else:
        axes = frame(_THUMBWARDS, -_PALMWARDS)
        half = size[[0, 0, -1]]
    flat = kind in ("large ball", "box")
    dofs = _flat_hand(rng) if flat else open_hand(rng)
    begun = Thing(name, words, np.zeros(3), axes, half, material)
    thing = lay_on_palm(begun, dofs, 0.0, _THICKEST_PALM_M + float(half.max()), flat=flat)
    posed = wrapped(thing, dofs)
    return posed, thing, _mapped((_THUMBWARDS, _PALMWARDS), (_UP, _LEFT))


def _at_edges(rng: np.random.Generator, kind: str) -> tuple[Posed, Thing, Matrix]:
    """Stretched fingers behind a plate, thumbs before it, for its owner; hands come from below."""
    material, words = thing_material(kind, rng)
    half = _drawn_size(rng, kind)
    dofs = _flat_hand(rng)
    slope = about_z(np.deg2rad(rng.uniform(*_FROM_BELOW_DEG)))
    up, left = slope @ _THUMBWARDS, slope @ _FINGERWARDS
    edge = np.array([0.0, max(rng.uniform(*_EDGE_M), _TIPS_M - half[1]), 0.0])
    centre = edge + half[1] * left + half[0] * rng.uniform(*_LOW) * up
    axes = np.stack([up, left, _PALMWARDS])
    if kind == "phone":
        axes = axes * [[1], [-1], [-1]]  # Its screen is for its owner
    above = Thing(kind, words, centre, axes, half, material)
    thing = lay_on_fingers(above, dofs, _THICKEST_PALM_M + float(half[2]))
    return wrapped(thing, dofs), thing, _mapped((left, _PALMWARDS), (_LEFT, -_AHEAD))


_FROM_BELOW_DEG, _LOW, _EDGE_M, _TIPS_M = (25.0, 50.0), (0.2, 0.6), (0.075, 0.09), 0.19
"""How far hands at a plate's edges come from below instead of from aside; how far below its middle they are,
in half its height; and where its edge is between wrist and fingertips, metres from the wrist."""


def _on_bar(rng: np.random.Generator, kind: str) -> tuple[Posed, Thing, Matrix]:
    """Both hands over a level bar, thumbs inwards."""
    material, words = thing_material("handle", rng)
    radius, half = (rng.uniform(*of) for of in _SIZES_M[kind])
    axes = frame(_THUMBWARDS, -_PALMWARDS)
    dofs = open_hand(rng)
    thing = lay_on_palm(
        Thing("handle", words, np.zeros(3), axes, np.array([radius, radius, half]), material), dofs, 0.0
    )
    posed = wrapped(thing, dofs)
    thing = replace(thing, centre=thing.centre + rng.uniform(*_APART_M) * axes[2])
    return posed, thing, _mapped((_THUMBWARDS, _PALMWARDS), (_LEFT, _AHEAD))


def _drawn_size(rng: np.random.Generator, kind: str) -> Vector:
    return np.array([rng.uniform(*of) for of in _SIZES_M[kind]])


def _flat_hand(rng: np.random.Generator) -> Angles:
    """An open hand with its fingers stretched."""
    dofs = open_hand(rng)
    dofs[
        [k for k, name in enumerate(DOF_NAMES) if name.split("_")[0] in FINGERS[1:] and "flexion" in name]
    ] = 0.0
    return dofs


def _mapped(own: tuple[Vector, Vector], scene: tuple[Vector, Vector]) -> Matrix:
    """The rotation that takes two directions at right angles to two others."""
    (a, b), (c, d) = own, scene
    return np.stack([c, d, np.cross(c, d)], 1) @ np.stack([a, b, np.cross(a, b)], 1).T


@dataclass(frozen=True)
class Grip:
    """How two hands hold a kind of thing."""

    hand: Callable[[np.random.Generator, str], tuple[Posed, Thing, Matrix]]  # The right one
    places: Places
    # By so much palms come nearer to their owner, about the upright axis: where hands are farthest apart
    turns_deg: tuple[float, ...] = (0.0,)
    above_m: float = 0.0  # The right hand is so much above the left one, and fingers between fingers


_AROUND = Grip(
    _between_palms, Places((0.45, 0.55, 0.65), (0.35, 0.45), (0.0, 20.0)), (0.0, 5.0, 10.0), 0.018
)  # What both hands close on

TWO_HANDED: Mapping[str, Grip] = {
    "large ball": Grip(_between_palms, Places((0.5, 0.6, 0.7), (0.2, 0.35), (0.0, 20.0))),
    "small ball": _AROUND,
    "box": Grip(_between_palms, Places((0.5, 0.6, 0.7), (0.35, 0.5), (0.0, 15.0))),
    "bowl": Grip(_between_palms, Places((0.45, 0.55, 0.65), (0.35, 0.5), (0.0, 15.0)), (0.0, 10.0, 20.0)),
    "cup": _AROUND,
    "board": Grip(_at_edges, Places((0.55, 0.65, 0.75), (0.1, 0.2, 0.3), (0.0, 15.0, 30.0))),
    "phone": Grip(_at_edges, Places((0.45, 0.55, 0.65), (0.1, 0.2, 0.3), (0.0, 20.0, 40.0))),
    "card": Grip(_at_edges, Places((0.45, 0.55, 0.65), (0.1, 0.2, 0.3), (0.0, 20.0, 40.0))),
    "bar": Grip(_on_bar, Places((0.6, 0.7, 0.75), (0.0, 0.15, 0.3, 0.45), (60.0, 80.0))),
}
"""By the names of ``[drawn_in_both_hands]`` in ``prompts/words.toml``. Sizes and places by eye."""
