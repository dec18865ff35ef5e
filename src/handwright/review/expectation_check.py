"""What was asked for against what is seen: a prompt joins the checks of the hands that it speaks of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import permutations

from handwright.hand.grammar import PoseWords, parse_pose_words
from handwright.prompts.expectation import Expectation, HandExpectation
from handwright.review.checklist import Check, CheckName, HandReview, PictureReview

_OPPOSITE = {"camera": "away", "up": "down", "left": "right"}
_OPPOSITES = {**_OPPOSITE, **{b: a for a, b in _OPPOSITE.items()}}
_ALIKE = (
    {"open", "flat", "stop"},
    {"fist", "thumb up", "power grasp"},
    {"pinch", "power grasp", "relaxed"},
    {"hook", "relaxed", "power grasp"},
    {"point", "one finger"},
)
"""States that lie so close together that the one is no contradiction of the other."""

_MOST_MATCHED = 6


def check_expectation(review: PictureReview, expected: Expectation) -> PictureReview:
    """The review with each hand that the prompt speaks of held against it, and notes on their number.

    A pose that plainly is another one fails the grasp check; what cannot be seen well enough, and sides, that
    prompts mix up, make it 'cannot tell'.

    Args:
        review: Of the picture.
        expected: What its prompt says.
    """
    found = [hand for hand in review.hands if hand.observation is not None]
    asked = [hand for hand in expected.hands if not hand.hidden]
    matched = _matched(found, asked)
    hands = tuple(
        replace(hand, checks=_with_asked(hand.checks, matched[hand.id])) if hand.id in matched else hand
        for hand in review.hands
    )
    notes = (*review.notes, *_number(len(found), expected))
    return replace(review, hands=hands, notes=notes)


def contradictions(hand: HandReview, asked: HandExpectation) -> list[str]:
    """What of an expectation a hand plainly does not do, in words; empty where its pose is not plain."""
    words = _words(hand)
    if words is None:
        return []
    found: list[str] = []
    state = str(hand.checks["grasp"].value.get("state"))
    if asked.grasp is not None and not _compatible(asked.grasp, state):
        found.append(f"{_article(asked.grasp)} was asked for")
    said = replace(asked.pose, side=None, palm=None, points=None, gaps=(None, None, None))
    if said.states_extension and not said.fits(words) and not found:
        found.append("other fingers were to be stretched out")
    for what, wanted, seen in (
        ("palm", asked.pose.palm, words.palm),
        ("fingers", asked.pose.points, words.points),
    ):
        if wanted is not None and seen == _OPPOSITES[wanted]:
            found.append(
                f"the {what} were to point {wanted}"
                if what == "fingers"
                else f"the palm was to face {wanted}"
            )
    return found


def _matched(found: Sequence[HandReview], asked: Sequence[HandExpectation]) -> dict[int, HandExpectation]:
    """By id of a hand what was asked of it: the assignment with the fewest contradictions."""
    if not found or not asked:
        return {}
    hands = sorted(found, key=_size, reverse=True)[:_MOST_MATCHED]
    if len(asked) < len(hands):
        best = min(permutations(hands, len(asked)), key=lambda chosen: _cost(chosen, asked))
        return {hand.id: wish for hand, wish in zip(best, asked, strict=True)}
    wishes = asked[:_MOST_MATCHED]
    chosen = min(permutations(wishes, len(hands)), key=lambda order: _cost(hands, order))
    return {hand.id: wish for hand, wish in zip(hands, chosen, strict=True)}


def _cost(hands: Sequence[HandReview], asked: Sequence[HandExpectation]) -> float:
    pairs = list(zip(hands, asked, strict=True))
    wrong = sum(len(contradictions(hand, wish)) for hand, wish in pairs)
    return wrong + 0.5 * sum(wish.side not in (None, hand.side) for hand, wish in pairs)


def _with_asked(checks: Mapping[CheckName, Check], asked: HandExpectation) -> dict[CheckName, Check]:
    check, heard = checks["grasp"], dict(checks)
    hand = HandReview(0, (0.0, 0.0, 0.0, 0.0), "right", checks, None)
    wrong = contradictions(hand, asked)
    open_points = _not_told(checks, asked)
    value = {**check.value, "asked": {"agrees": False if wrong else None if open_points else True}}
    if check.verdict != "pass":
        heard["grasp"] = replace(check, value=value)
    elif wrong:
        reason = f"{check.reason.rstrip('.')}, but {' and '.join(wrong)}."
        heard["grasp"] = replace(check, verdict="fail", reason=reason, value=value)
    elif open_points:
        reason = f"{check.reason.rstrip('.')}; {' and '.join(open_points)}."
        heard["grasp"] = replace(check, verdict="cannot tell", confidence=0.0, reason=reason, value=value)
    else:
        heard["grasp"] = replace(check, reason=f"{check.reason.rstrip('.')}, as asked.", value=value)
    return heard


def _not_told(checks: Mapping[CheckName, Check], asked: HandExpectation) -> list[str]:
    """What was asked and cannot be told from what is seen."""
    value, open_points = checks["grasp"].value, list[str]()
    if asked.contact is not None and asked.contact.kind != "none" and not value.get("contact"):
        thing = asked.contact.thing or {"object": "a thing", "hand": "the other hand"}.get(
            asked.contact.kind, "the body"
        )
        open_points.append(f"whether it touches {thing} cannot be told")
    if asked.contact is not None and asked.contact.kind == "none" and value.get("contact"):
        open_points.append("it was to touch nothing")
    side = checks["left_right"].value.get("side")
    if asked.side is not None and side not in (None, asked.side):
        open_points.append(f"a {asked.side} hand was asked for")
    return open_points


def _words(hand: HandReview) -> PoseWords | None:
    check = hand.checks["grasp"]
    text = check.value.get("pose")
    return parse_pose_words(text) if check.verdict != "cannot tell" and isinstance(text, str) else None


def _compatible(asked: str, state: str) -> bool:
    return asked == state or any(asked in group and state in group for group in _ALIKE)


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
