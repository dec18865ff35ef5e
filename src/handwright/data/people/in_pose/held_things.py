"""What a text puts into a hand: the thing that is drawn, and the fingers that close on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from handwright.data.hands.hold import draw_hold, holds
from handwright.data.hands.objects import Thing, thing_mesh
from handwright.data.people.posture.two_handed import TwoHandedHold, draw_two_handed
from handwright.hand.kinematics import dofs_of_pose, to_camera
from handwright.prompts.captions import Scene, technical_caption
from handwright.prompts.expectation import Expectation
from handwright.prompts.parse import parse_prompt
from handwright.prompts.subject import subject_of
from handwright.prompts.words import drawn_thing
from handwright.types import Hand, Side

_STREAM = 31  # Of random numbers: beside those of the picture

_OFF_M = 0.01  # So far the places may lie apart where each of two hands has the middle of what both hold


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
        return self.thing.axes[2] if self.thing.name in ("cup", "bowl") else None


def busy_text(text: str, meeting: str | None, held: Mapping[Side, HeldThing]) -> str | None:
    """A caption of what a text has hands do together or with a thing, and of no more.

    A hand of which fingers are planned is lifted by T2H, one that holds something by its caption alone.

    Args:
        text: What the picture shows.
        meeting: How both hands meet by the text, one of ``posture.meeting.MEETINGS``, or None.
        held: What it puts into hands.

    Returns:
        None where hands do neither, each holds something else, or one is free.
    """
    scene = Scene((), "photo", subject=subject_of(text))
    seen = [hand for hand in parse_prompt(text).hands if not hand.hidden]
    if meeting is not None:
        scene = replace(scene, meeting=meeting)
    elif len({one.thing.words for one in held.values()}) == 1 and len(seen) == len(held):
        side, one = next(iter(held.items()))
        scene = replace(scene, holds=one.thing.words, holder="both" if len(held) == 2 else side)
    else:
        return None
    return technical_caption(scene)


def held_things(text: str, seed: int) -> dict[Side, HeldThing]:
    """What a text puts into each hand, as far as such things can be drawn.

    A hand whose side the text leaves open is the right one. A thing in both hands is the same for each.

    Args:
        text: What the picture shows.
        seed: Same seed, same thing.
    """
    if (both := two_handed_hold(text, seed)) is not None:
        return {side: HeldThing(thing, both.right.posed.dofs_rad) for side, thing in both.things.items()}
    expected = parse_prompt(text)
    things: list[tuple[Side | None, str]] = [
        (hand.side, hand.contact.thing) for hand in expected.hands if hand.contact is not None
    ]
    shared = _shared(expected)
    found: dict[Side, HeldThing] = {}
    for side, thing in things:
        kind = drawn_thing(thing)
        holder: Side = "right" if side is None else side
        if kind and thing not in shared and holder not in found:
            rng = np.random.default_rng([seed, _STREAM, holder == "left"])
            posed, drawn = draw_hold(rng, kind)
            found[holder] = HeldThing(drawn, np.asarray(posed.dofs_rad))
    return found


@lru_cache(maxsize=4)  # Pose and picture of a text both read it
def two_handed_hold(text: str, seed: int) -> TwoHandedHold | None:
    """How somebody's two hands hold one thing, as far as it can be drawn; None where they do not.

    Args:
        text: What the picture shows.
        seed: Same seed, same thing.
    """
    expected = parse_prompt(text)
    shared = _shared(expected)
    if len(expected.hands) != 2 or (expected.people or 1) != 1 or len(shared) != 1:
        return None
    kind = drawn_thing(*shared, in_both_hands=True)
    return draw_two_handed(np.random.default_rng([seed, _STREAM]), kind) if kind else None


def _shared(expected: Expectation) -> set[str]:
    """Things that more than one hand of a text holds."""
    held = Counter(hand.contact.thing for hand in expected.hands if hand.contact is not None)
    return {thing for thing, count in held.items() if count > 1}


def are_held(things: Mapping[Side, Thing], hands: Mapping[Side, Hand]) -> dict[Side, Thing]:
    """Those of the things that their hands hold; one in both hands once, by the right one, if both do."""
    held: dict[Side, Thing] = {
        side: thing for side, thing in things.items() if side in hands and is_held(thing, hands[side])
    }
    if not any(thing.in_both_hands for thing in things.values()):
        return held
    if len(held) < 2:
        return {}
    middles = [
        to_camera(float(np.exp(hands[side].shape[0])) * thing.centre, hands[side])
        for side, thing in held.items()
    ]
    return {"right": things["right"]} if np.linalg.norm(middles[0] - middles[1]) < _OFF_M else {}


def is_held(thing: Thing, hand: Hand) -> bool:
    """Whether a hand's fingers close on a thing in its frame, and do not run through it."""
    return holds(dofs_of_pose(hand.pose, hand.palm_arch), thing)
