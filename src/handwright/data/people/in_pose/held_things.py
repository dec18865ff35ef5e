"""What a text puts into a hand: the thing that is drawn, and the fingers that close on it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from handwright.data.hands.hold import draw_hold
from handwright.data.hands.objects import Thing, thing_mesh
from handwright.hand.anatomy import FINGER_BONES
from handwright.hand.grammar.motion import spheres_of
from handwright.hand.kinematics import dofs_of_pose
from handwright.hand.rig import load_rig
from handwright.prompts.parse import parse_prompt
from handwright.prompts.words import drawn_thing
from handwright.types import Hand, Side

_STREAM = 31  # Of random numbers: beside those of the picture

_TOUCHES_M, _DEEPEST_M, _FINGERS = 0.004, 0.010, 2
"""A hand holds a thing that so many of its fingers come as near as the first, no part of the hand deeper in
it than the second: fitting a hand to its points moves fingers up to 7 mm into what they hold (12 holds)."""


@dataclass(frozen=True, eq=False)
class HeldThing:
    """A thing, and how a hand holds it."""

    thing: Thing  # In the hand's own frame
    dofs_rad: Float[np.ndarray, "24"]  # Of the hand, ``anatomy.DOF_NAMES``

    @property
    def points_m(self) -> Float[np.ndarray, "n 3"]:
        """Points all over it, in the mean hand's own frame."""
        return thing_mesh(self.thing)[0]

    @property
    def up(self) -> Float[np.ndarray, "3"] | None:
        """What of it is above where it stands as such things do; None where either way will do."""
        return self.thing.axes[2] if self.thing.name == "cup" else None


def held_things(text: str, seed: int) -> dict[Side, HeldThing]:
    """What a text puts into each hand, as far as such things can be drawn.

    A hand whose side the text leaves open is the right one. A thing in both hands is left out.

    Args:
        text: What the picture shows.
        seed: Same seed, same thing.
    """
    expected = parse_prompt(text).hands
    things: list[tuple[Side | None, str]] = [
        (hand.side, hand.contact.thing) for hand in expected if hand.contact is not None
    ]
    shared = {thing for thing, count in Counter(thing for _, thing in things).items() if count > 1}
    found: dict[Side, HeldThing] = {}
    for side, thing in things:
        kind = drawn_thing(thing)
        holder: Side = "right" if side is None else side
        if kind and thing not in shared and holder not in found:
            rng = np.random.default_rng([seed, _STREAM, holder == "left"])
            posed, drawn = draw_hold(rng, kind)
            found[holder] = HeldThing(drawn, np.asarray(posed.dofs_rad))
    return found


def is_held(thing: Thing, hand: Hand) -> bool:
    """Whether a hand's fingers close on a thing in its frame, and do not run through it."""
    rig = load_rig()
    gap_m = thing.distance(spheres_of(dofs_of_pose(hand.pose, hand.palm_arch))) - rig.sphere_radii_m
    near = [gap_m[np.isin(rig.sphere_bones, chain)].min() < _TOUCHES_M for chain in FINGER_BONES]
    return bool(gap_m.min() > -_DEEPEST_M and sum(near) >= _FINGERS)
