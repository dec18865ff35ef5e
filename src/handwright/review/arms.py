"""Whose arm a hand belongs to, and arms that end without one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from handwright.perception.body import Arm, arms_of, bare_arms
from handwright.perception.pose import Person
from handwright.types import Box, HandObservation, Side

_WRISTS: dict[Side, int] = {"left": 15, "right": 16}
_ELBOWS: dict[Side, int] = {"left": 13, "right": 14}
_FACE, _SHOULDERS = slice(0, 9), (11, 12)
_LEAST_SEEN = 0.6
_REACH = 1.0
_HAND_IN_PALMS = 1.9


@dataclass(frozen=True, eq=False)
class OwnArm:
    """A person's arm, with the side that the body gives it.

    Attributes:
        side: Of the person.
        arm: Its end.
        person: Whose it is, as an index.
        sure: Elbow, both shoulders and the face are plain to see, so that the side is.
    """

    side: Side
    arm: Arm
    person: int
    sure: bool


def own_arms(people: Sequence[Person], width: int, height: int) -> list[OwnArm]:
    """The arms whose hand lies in the picture, each with its side."""
    found: list[OwnArm] = []
    for index, person in enumerate(people):
        for arm in arms_of(person, width, height):
            side: Side = "left" if (person.points_px[_WRISTS["left"]] == arm.wrist_px).all() else "right"
            needed = [*_SHOULDERS, _ELBOWS[side], _WRISTS[side]]
            sure = person.seen[needed].min() > _LEAST_SEEN and person.seen[_FACE].mean() > _LEAST_SEEN
            found.append(OwnArm(side, arm, index, bool(sure)))
    return found


def arms_of_hands(arms: Sequence[OwnArm], hands: Sequence[HandObservation]) -> list[OwnArm | None]:
    """Per hand the arm that it ends, the nearest pairs first; None where there is none."""
    pairs = sorted(
        (gap, i, j)
        for i, own in enumerate(arms)
        for j, hand in enumerate(hands)
        if (gap := _gap(own.arm, hand)) < _REACH
    )
    of_hand: list[OwnArm | None] = [None] * len(hands)
    taken: set[int] = set()
    for _, i, j in pairs:
        if of_hand[j] is None and i not in taken:
            of_hand[j] = arms[i]
            taken.add(i)
    return of_hand


def arms_without(arms: Sequence[OwnArm], hands: Sequence[HandObservation]) -> list[OwnArm]:
    """The arms that none of the hands belongs to."""
    bare = {id(arm) for arm in bare_arms([own.arm for own in arms], hands)}
    return [own for own in arms if id(own.arm) in bare]


def hand_box(arm: Arm) -> Box:
    """Where an arm's hand should be: a square around its palm, as wide as a hand is long."""
    along = arm.knuckles_px - arm.wrist_px
    along = along / max(float(np.linalg.norm(along)), 1e-9)
    x, y = arm.wrist_px + 0.5 * _HAND_IN_PALMS * arm.palm_px * along
    half = 0.5 * _HAND_IN_PALMS * arm.palm_px
    return float(x - half), float(y - half), float(x + half), float(y + half)


def _gap(arm: Arm, hand: HandObservation) -> float:
    """Distance of a hand from an arm's end, in sizes of the larger of the two."""
    scale = max(hand.size_px, arm.palm_px)
    return float(np.linalg.norm(hand.landmarks_px[0] - arm.wrist_px)) / scale
