"""A review checked against what a prompt expects of the hands that it mentions."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations, permutations
from typing import Literal

import numpy as np

from handwright.hand.grammar import THUMB_POINTS, StatedPose, parse_pose_words
from handwright.hand.grammar.words import extended_of
from handwright.hand.skeleton import palm_span_px, skeleton_masks
from handwright.perception.fit.hand_fit import fit_hand
from handwright.prompts.expectation import Expectation, HandExpectation
from handwright.review.checklist import Check, CheckName, HandReview, PictureReview
from handwright.review.checks.grasp import FingerStates, finger_states

_OPPOSITE = {"camera": "away", "up": "down", "left": "right"}
_OPPOSITES = {**_OPPOSITE, **{b: a for a, b in _OPPOSITE.items()}}
_ALIKE = (
    {"open", "flat", "stop"}, {"fist", "thumb up", "power grasp"}, {"pinch", "power grasp", "relaxed"},
    {"hook", "relaxed", "power grasp"}, {"point", "one finger"},
)  # fmt: skip
"""States that lie so close together that the one is no contradiction of the other."""

_MOST_MATCHED = 6

_NARROW_DEG = 15.0
"""A finger that is bent by up to this much more, or less, than asked is contradicted narrowly.

Chosen of 8, 10, 12, 15 and 20 on 274 hands of rendered people (seed 2061): at 20 fewer wrong texts fail and
hardly more right ones pass (docs/review.md)."""

_THUMB_BASE, _THUMB_TIP = 2, 4  # Landmarks

_WRONG_WAY = 0.5  # Sine from which a thumb points down that was to point up: 30° below the horizontal; by eye

_ALIKE_SPANS = 1.4  # Palms that differ by more are not equally far away: the hands do not touch; by eye


def check_expectation(review: PictureReview, expected: Expectation) -> PictureReview:
    """The review with each mentioned hand checked against its expectation, and notes on their number.

    A pose that clearly is another one fails the grasp check, by the landmarks that the hand was found by and
    by the critic's. Where these disagree, what is not in plain view, and sides, which prompts mix up, make it
    'cannot tell'.
    """
    found = [hand for hand in review.hands if hand.observation is not None]
    matched = _matched(found, [hand for hand in expected.hands if not hand.hidden])
    meet = any(wish.contact is not None and wish.contact.kind == "hand" for wish in expected.hands)
    touching = _touching(found, review.width, review.height) if meet else set[int]()
    hands = tuple(
        replace(
            hand,
            checks=_checked(hand, matched[hand.id], hand.id in touching, review.width, review.height),
        )
        if hand.id in matched
        else hand
        for hand in review.hands
    )
    notes = (*review.notes, *_number(len(found), expected))
    return replace(review, hands=hands, notes=notes)


def contradictions(hand: HandReview, expected: HandExpectation) -> list[str]:
    """What of an expectation a hand seems to contradict, in words; empty where its pose is unclear."""
    states = _states_found(hand)
    if states is None:
        return []
    return [*_of_fingers(states, expected), *_of_directions(hand, states, expected)]


def _states_found(hand: HandReview) -> FingerStates | None:
    """By the landmarks that the hand was found by; None where its fingers are not clear enough."""
    check = hand.checks["grasp"]
    text = check.value.get("pose")
    if check.verdict == "cannot tell" or not isinstance(text, str):
        return None
    bent: Sequence[float] = check.value["bent_by_deg"]
    return FingerStates(parse_pose_words(text), str(check.value.get("state")), bent)


def _states_by_critic(hand: HandReview, width: int, height: int) -> FingerStates | None:
    """By the critic's landmarks, fitted anew; None where it predicts none."""
    landmarks_px = None if hand.prediction is None else hand.prediction.landmarks_px
    if hand.observation is None or landmarks_px is None:
        return None
    fit = fit_hand(replace(hand.observation, landmarks_px=landmarks_px), width, height)
    return finger_states(fit.hand, bool(hand.checks["grasp"].value.get("contact")))


def _of_fingers(states: FingerStates, expected: HandExpectation) -> list[str]:
    if expected.grasp is not None and not _compatible(expected.grasp, states.state):
        return [f"{_article(expected.grasp)} was asked for"]
    fits = _extension(expected.pose).fits(states.words)
    return [] if fits else ["other fingers were to be stretched out"]


def _of_directions(hand: HandReview, states: FingerStates, expected: HandExpectation) -> list[str]:
    found: list[str] = []
    for what, wanted, actual in (
        ("palm", expected.pose.palm, states.words.palm),
        ("fingers", expected.pose.points, states.words.points),
    ):
        if wanted is not None and actual == _OPPOSITES[wanted]:
            found.append(
                f"the {what} were to point {wanted}"
                if what == "fingers"
                else f"the palm was to face {wanted}"
            )
    thumb = THUMB_POINTS.get(next(iter(expected.pose.names), ""))
    if thumb is not None and hand.observation is not None:
        along = np.subtract(*hand.observation.landmarks_px[[_THUMB_TIP, _THUMB_BASE]])
        down = float(along[1] / max(float(np.hypot(*along)), 1e-6))
        if (down if thumb == "up" else -down) > _WRONG_WAY:
            found.append(f"the thumb was to point {thumb}")
    return found


def _narrowly(states: FingerStates, expected: HandExpectation) -> bool:
    """Whether finger states contradict an expectation only by fingers that are bent a little more or less."""
    if expected.grasp is not None and not _compatible(expected.grasp, states.state):
        return False
    stated = _extension(expected.pose).extended[1:]
    past = [
        bent if straight else -bent
        for straight, bent in zip(stated, states.bent_by_deg, strict=True)
        if straight is not None
    ]
    return 0 <= max(past, default=-1.0) <= _NARROW_DEG


def _confirmed(
    first: FingerStates, second: FingerStates | None, expected: HandExpectation
) -> Literal["yes", "no", "unclear"]:
    """Whether a contradiction by fingers stands once the critic's landmarks are read, too."""
    narrow = _narrowly(first, expected)
    if second is None:
        return "unclear" if narrow else "yes"
    if not _of_fingers(second, expected):
        return "no" if narrow else "unclear"
    return "unclear" if narrow and _narrowly(second, expected) else "yes"


def _extension(pose: StatedPose) -> StatedPose:
    """What a text states of which fingers are stretched out; how far the others are bent is left open."""
    implied = extended_of(pose.fingers, pose.thumb, pose.thumb_bent)
    first, second, third, fourth, fifth = (
        known if stated is None else stated for stated, known in zip(pose.extended, implied, strict=True)
    )
    return StatedPose(extended=(first, second, third, fourth, fifth), raised=pose.raised)


def _matched(found: Sequence[HandReview], expected: Sequence[HandExpectation]) -> dict[int, HandExpectation]:
    """By id of a hand its expectation: the assignment with the fewest contradictions."""
    if not found or not expected:
        return {}
    hands = sorted(found, key=_size, reverse=True)[:_MOST_MATCHED]
    if len(expected) < len(hands):
        best = min(permutations(hands, len(expected)), key=lambda chosen: _cost(chosen, expected))
        return {hand.id: wish for hand, wish in zip(best, expected, strict=True)}
    wishes = expected[:_MOST_MATCHED]
    chosen = min(permutations(wishes, len(hands)), key=lambda order: _cost(hands, order))
    return {hand.id: wish for hand, wish in zip(hands, chosen, strict=True)}


def _cost(hands: Sequence[HandReview], expected: Sequence[HandExpectation]) -> float:
    pairs = list(zip(hands, expected, strict=True))
    wrong = sum(len(contradictions(hand, wish)) for hand, wish in pairs)
    return wrong + 0.5 * sum(wish.side not in (None, hand.side) for hand, wish in pairs)


def _touching(found: Sequence[HandReview], width: int, height: int) -> set[int]:
    """Ids of hands whose skin meets another's of about the same size in the picture."""
    seen = [(hand.id, hand.observation.landmarks_px) for hand in found if hand.observation is not None]
    outlines = {k: skeleton_masks(points, height, width)[1] for k, points in seen}
    spans = {k: palm_span_px(points) for k, points in seen}
    met: set[int] = set()
    for a, b in combinations(outlines, 2):
        alike = max(spans[a], spans[b]) < _ALIKE_SPANS * min(spans[a], spans[b])
        if alike and (outlines[a] & outlines[b]).any():
            met |= {a, b}
    return met


def _checked(
    hand: HandReview, expected: HandExpectation, touching: bool, width: int, height: int
) -> dict[CheckName, Check]:
    checks, check, first = hand.checks, hand.checks["grasp"], _states_found(hand)
    fingers = [] if first is None else _of_fingers(first, expected)
    wrong = [] if first is None else _of_directions(hand, first, expected)
    unclear = _unclear_points(checks, expected, touching)
    if first is not None and fingers:
        confirmed = _confirmed(first, _states_by_critic(hand, width, height), expected)
        if confirmed == "yes":
            wrong = [*fingers, *wrong]
        elif confirmed == "unclear":
            unclear = ["whether its fingers are as asked is not clear", *unclear]
    value = {**check.value, "asked": {"agrees": False if wrong else None if unclear else True}}
    if check.verdict != "pass":
        grasp = replace(check, value=value)
    elif wrong:
        reason = f"{check.reason.rstrip('.')}, but {' and '.join(wrong)}."
        grasp = replace(check, verdict="fail", reason=reason, value=value)
    elif unclear:
        reason = f"{check.reason.rstrip('.')}; {' and '.join(unclear)}."
        grasp = replace(check, verdict="cannot tell", confidence=0.0, reason=reason, value=value)
    else:
        grasp = replace(check, reason=f"{check.reason.rstrip('.')}, as asked.", value=value)
    return {**checks, "grasp": grasp}


def _unclear_points(
    checks: Mapping[CheckName, Check], expected: HandExpectation, touching: bool
) -> list[str]:
    """The parts of an expectation that the picture leaves open, in words."""
    value, unclear = checks["grasp"].value, list[str]()
    kind = None if expected.contact is None else expected.contact.kind
    seen = (
        value.get("contact") or (kind == "object" and value.get("may_hold")) or (kind == "hand" and touching)
    )
    if expected.contact is not None and kind != "none" and not seen:
        thing = expected.contact.thing or {"object": "a thing", "hand": "the other hand"}.get(
            expected.contact.kind, "the body"
        )
        unclear.append(f"whether it touches {thing} is not clear")
    if kind == "none" and value.get("contact"):
        unclear.append("it was to touch nothing")
    side = checks["left_right"].value.get("side")
    if expected.side is not None and side not in (None, expected.side):
        unclear.append(f"a {expected.side} hand was asked for")
    return unclear


def _compatible(expected: str, state: str) -> bool:
    return expected == state or any(expected in group and state in group for group in _ALIKE)


def _number(found: int, expected: Expectation) -> list[str]:
    if expected.least is not None and found < expected.least:
        return [f"{_hands(expected.least)} asked for, {_hands(found)} found."]
    if expected.most is not None and found > expected.most:
        return [f"At most {_hands(expected.most)} asked for, {_hands(found)} found."]
    return []


def _hands(count: int) -> str:
    return "1 hand was" if count == 1 else f"{count or 'no'} hands were"


def _article(state: str) -> str:
    return (
        f"an {state} hand"
        if state == "open"
        else f"a {state}{'' if state in ('fist', 'pinch', 'power grasp', 'hook') else ' hand'}"
    )


def _size(hand: HandReview) -> float:
    return max(hand.bbox_xyxy_px[2] - hand.bbox_xyxy_px[0], hand.bbox_xyxy_px[3] - hand.bbox_xyxy_px[1])
