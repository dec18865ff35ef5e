"""What texts state of hands, and which of it is true of a person: the reader of ``text_to_hand.py``."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import cast

import numpy as np
from jaxtyping import Float

from handwright.body import BodyParameters, pose_body
from handwright.body.skeleton import SIDES
from handwright.hand.anatomy import FINGERS
from handwright.hand.grammar import PoseWords, StatedPose
from handwright.hand.grammar.words import DIRECTIONS, Direction, Known, thumb_direction
from handwright.hand.kinematics import hand_landmarks_m
from handwright.handiffuser.hand_words import hands_in_words
from handwright.handiffuser.person_for_text import hanging_arms
from handwright.prompts.plan import Plan
from handwright.types import Hand, Side

OTHER: Mapping[Side, Side] = {"left": "right", "right": "left"}

_THUMB_BASE, _THUMB_TIP = 2, 4  # Landmarks

_ALONG: tuple[tuple[Direction, Direction], ...] = (("left", "right"), ("up", "down"), ("camera", "away"))
"""Against and along x, y and z of the camera."""


@dataclass(frozen=True)
class StatedHand:
    """What a text states of one hand; an empty tuple where it states nothing."""

    pose: StatedPose  # Fingers alone: without side and directions
    side: Side | None = None  # Which hand of the person
    palms: tuple[Direction, ...] = ()  # Where the palm may face
    points: tuple[Direction, ...] = ()  # Where straight fingers may point
    thumbs: tuple[Direction, ...] = ()  # Where the thumb may point


@dataclass(frozen=True)
class Seen:
    """What hands do; a hand of which nothing is known is missing."""

    words: Mapping[Side, PoseWords]
    thumbs: Mapping[Side, Direction]  # Where thumbs point
    hanging: frozenset[Side]  # Whose arm hangs, or which nothing is known of
    higher: Side | None  # The hand that is held higher


@dataclass(frozen=True)
class Verdict:
    """Which of all that a text states of hands is true; None where it states nothing of the kind."""

    whole: bool  # Fingers, palms and pointing of every hand
    fingers: bool  # Which fingers are extended, curled, touching
    handed: bool | None  # The hand that the text names does it, and not the other one
    palm: bool | None  # Palms face where they should
    points: bool | None  # Fingers, or thumbs where these are spoken of, point where they should


def stated_of(pose: StatedPose) -> StatedHand:
    """The statement of the grammar's parser."""
    return StatedHand(
        replace(pose, side=None, palm=None, points=None),
        pose.side,
        (pose.palm,) if pose.palm else (),
        (pose.points,) if pose.points else (),
    )


def read_prompts(path: Path) -> dict[str, tuple[StatedHand, ...]]:
    """Texts and what is right for each, from a table as ``data/prompts_oov_200.csv``.

    Raises:
        ValueError: A cell holds a word that is not known there, or a text has more than two hands.
    """
    found: dict[str, tuple[StatedHand, ...]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found[row["text"]] = (*found.get(row["text"], ()), _stated_in(row))
    for text, hands in found.items():
        if len(hands) > 2 or len({hand.side for hand in hands if hand.side}) < sum(
            hand.side is not None for hand in hands
        ):
            raise ValueError(f"{text!r} speaks of more hands than a person has")
    return found


def _stated_in(row: Mapping[str, str]) -> StatedHand:
    known = {"extended": True, "curled": False, "any": None}
    sides: dict[str, Side | None] = {"left": "left", "right": "right", "none": None}
    try:
        fingers = cast("Known", tuple(known[row[finger]] for finger in FINGERS))
        shown = None if row["shown"] == "any" else int(row["shown"])
        side = sides[row["side"]]
    except KeyError as error:
        raise ValueError(f"{row['text']!r}: {error} is not known") from error
    palms, points, thumbs = (_directions(row[name]) for name in ("palm", "points", "thumb_points"))
    return StatedHand(StatedPose(extended=fingers, raised=shown), side, palms, points, thumbs)


def _directions(cell: str) -> tuple[Direction, ...]:
    if cell == "any":
        return ()
    names = cell.split("/")
    if unknown := [name for name in names if name not in DIRECTIONS]:
        raise ValueError(f"{unknown[0]!r} is no direction")
    return cast("tuple[Direction, ...]", tuple(names))


def seen_in(person: BodyParameters) -> Seen:
    """What both hands of a person do."""
    posed = pose_body(person)
    higher = min(SIDES, key=lambda side: posed.hands[side].translation_m[1])  # y is down
    thumbs: dict[Side, Direction] = {side: nearest_direction(_thumb(posed.hands[side])) for side in SIDES}
    return Seen(hands_in_words(person), thumbs, hanging_arms(person), higher)


def seen_in_plan(plan: Plan) -> Seen:
    """What the rules alone propose for a text: the hands of its plan, on nobody."""
    words: dict[Side, PoseWords] = {}
    for planned in plan.hands:
        if planned.pose is None or planned.pose.side is None or len(words) == 2:
            continue
        side = planned.pose.side if planned.pose.side not in words else OTHER[planned.pose.side]
        words[side] = planned.pose
    thumbs: dict[Side, Direction] = {
        side: thumb_direction(pose.palm, pose.points, side)
        for side, pose in words.items()
        if pose.palm and pose.points
    }
    return Seen(
        words, thumbs, frozenset(side for side in SIDES if side not in words), next(iter(words), None)
    )


def nearest_direction(vector: Float[np.ndarray, "3"]) -> Direction:
    """The direction in the picture that is nearest to a vector in camera space."""
    axis = int(np.abs(vector).argmax())
    return _ALONG[axis][int(vector[axis] > 0)]


def _thumb(hand: Hand) -> Float[np.ndarray, "3"]:
    landmarks_m = hand_landmarks_m(hand)
    return landmarks_m[_THUMB_TIP] - landmarks_m[_THUMB_BASE]


def verdict(seen: Seen, stated: Sequence[StatedHand]) -> Verdict:
    """Compare hands with what a text states of at least one; a statement without a side holds for either."""
    pairs = list(zip(stated, assigned(seen, stated), strict=True))
    fingers = all(_shaped(seen, side, hand) for hand, side in pairs)
    palms = [_faces(seen, side, hand) for hand, side in pairs if hand.palms]
    points = [_goes(seen, side, hand) for hand, side in pairs if hand.points or hand.thumbs]
    return Verdict(
        fingers and all(palms) and all(points),
        fingers,
        _handed(seen, stated),
        all(palms) if palms else None,
        all(points) if points else None,
    )


def without_idle(seen: Seen, stated: Sequence[StatedHand]) -> Seen:
    """The person without hands that hang and that no statement names: a relaxed one is 'curled' by chance."""
    named = {hand.side for hand in stated if hand.side}
    return replace(seen, words={s: w for s, w in seen.words.items() if s in named or s not in seen.hanging})


def assigned(seen: Seen, stated: Sequence[StatedHand]) -> tuple[Side, ...]:
    """Of each of one or two statements the hand that it is held against: where all of them fit best."""
    ways = [
        sides
        for sides in product(SIDES, repeat=len(stated))
        if len(set(sides)) == len(sides)
        and all(hand.side in (None, side) for hand, side in zip(stated, sides, strict=True))
    ]

    def fits(sides: tuple[Side, ...]) -> int:
        pairs = list(zip(stated, sides, strict=True))
        shapes = sum(_shaped(seen, side, hand) for hand, side in pairs)
        turns = sum(_faces(seen, side, hand) + _goes(seen, side, hand) for hand, side in pairs)
        return 2 * len(SIDES) * shapes + turns

    return max(ways, key=fits)


def _handed(seen: Seen, stated: Sequence[StatedHand]) -> bool | None:
    """Whether the hands that are named do it; where no hand does, or both, the one that is held up counts."""
    named = [(hand, hand.side) for hand in stated if hand.side]
    if not named:
        return None
    mine = sum(_does(seen, side, hand) for hand, side in named)
    other = sum(_does(seen, OTHER[side], hand) for hand, side in named)
    if len(named) > 1:
        return mine == len(named) or mine > other
    if mine != other:
        return mine > other
    side = named[0][1]
    return side == seen.higher if not mine else side not in seen.hanging or OTHER[side] in seen.hanging


def _does(seen: Seen, side: Side, hand: StatedHand) -> bool:
    return _shaped(seen, side, hand) and (not hand.thumbs or seen.thumbs.get(side) in hand.thumbs)


def _shaped(seen: Seen, side: Side, hand: StatedHand) -> bool:
    return side in seen.words and hand.pose.fits(seen.words[side])


def _faces(seen: Seen, side: Side, hand: StatedHand) -> bool:
    return not hand.palms or (side in seen.words and seen.words[side].palm in hand.palms)


def _goes(seen: Seen, side: Side, hand: StatedHand) -> bool:
    fingers = not hand.points or (side in seen.words and seen.words[side].points in hand.points)
    return fingers and (not hand.thumbs or seen.thumbs.get(side) in hand.thumbs)
