"""From a prompt to what it expects of hands: rules on the pose grammar; what is not stated stays None."""

from dataclasses import replace

from handwright.hand.grammar import parse_pose_text
from handwright.prompts.contact import (
    contact_in,
    gloved_in,
    grasp_in,
    hidden_in,
    meeting_in,
    without_negations,
)
from handwright.prompts.expectation import Contact, Expectation, HandExpectation
from handwright.prompts.mentions import Mention, mentions_in
from handwright.prompts.prompt_text import people_in, plain_text, vague_words, without_lookalikes
from handwright.types import Side

_MOST_LISTED = 10


def parse_prompt(prompt: str) -> Expectation:
    """What a prompt expects of the hands of its picture.

    It may be written as for any image model: sentences, tags, weights, LoRA tags, ``BREAK``, Midjourney
    parameters. What is negated is not expected, nor is a hand where hands are out of sight.
    """
    text = without_lookalikes(plain_text(prompt))
    mentions = mentions_in(text)
    people = people_in(text)
    gloved = gloved_in(text)
    meeting = next((found for m in mentions if (found := meeting_in(without_negations(m.text)))), "")
    hands = _hands(mentions, gloved, meeting, people)
    shown = [hand for hand in hands if not hand.hidden]
    least = None if not mentions else max(len(shown), _least(mentions))
    if not hands and gloved is not None:
        hands = (HandExpectation(gloved=gloved),)
    return Expectation(
        prompt=prompt,
        least=least,
        most=_most(mentions, hands, people, least),
        hands=hands,
        meeting=meeting,
        people=people,
        vague=vague_words(text),
    )


def _hands(
    mentions: tuple[Mention, ...], gloved: bool | None, meeting: str, people: int | None
) -> tuple[HandExpectation, ...]:
    """One expectation a hand: those named alone, completed by what is stated about all of them."""
    several = [mention for mention in mentions if mention.number > 1]
    singles = [_hand(mention.text, mention.side) for mention in mentions if mention.number == 1]
    if several:
        common = _hand(several[0].text, None)
        if meeting == "fist in palm":  # One of them is a fist
            singles, common = singles or [common], HandExpectation()
        number = min(max(several[0].number, len(singles)), _MOST_LISTED)
        singles = [_completed(hand, common) for hand in singles]
        singles += [common] * (number - len(singles))
        singles = _both_sides(singles, sure=several[0].both and people in (None, 1))
    touching = Contact("hand") if meeting not in ("", "crossing", "side by side") else None
    return tuple(replace(hand, gloved=gloved, contact=touching or hand.contact) for hand in singles)


def _hand(text: str, side: Side | None) -> HandExpectation:
    affirmed = without_negations(text)
    pose = replace(parse_pose_text(affirmed), side=side)
    named = "point" if pose.names[:1] == ("pointing",) else None
    hidden = hidden_in(text)
    if hidden:
        return HandExpectation(pose=replace(parse_pose_text(""), side=side), hidden=True)
    return HandExpectation(pose=pose, grasp=grasp_in(affirmed) or named, contact=contact_in(text))


def _completed(hand: HandExpectation, common: HandExpectation) -> HandExpectation:
    """What is stated about one hand, and where nothing is, about all."""
    pose = hand.pose
    if not pose.states_extension and hand.grasp is None:
        pose = replace(common.pose, side=pose.side, palm=pose.palm, points=pose.points)
    pose = replace(pose, palm=pose.palm or common.pose.palm, points=pose.points or common.pose.points)
    grasp = hand.grasp or (common.grasp if not hand.pose.states_extension else None)
    return replace(
        hand,
        pose=pose,
        grasp=grasp,
        contact=hand.contact or common.contact,
        hidden=hand.hidden or common.hidden,
    )


def _both_sides(hands: list[HandExpectation], *, sure: bool) -> list[HandExpectation]:
    """Two hands of one person are a left and a right one."""
    if not sure or len(hands) != 2:
        return hands
    known = [hand.side for hand in hands if hand.side is not None]
    left_first = known != ["right"] if hands[0].side is not None else known != ["left"]
    sides: tuple[Side, Side] = ("left", "right") if left_first else ("right", "left")
    return [
        replace(hand, pose=replace(hand.pose, side=side)) for hand, side in zip(hands, sides, strict=True)
    ]


def _least(mentions: tuple[Mention, ...]) -> int:
    """At least so many hands are in view by what is stated about several alike."""
    return max((m.number for m in mentions if m.number > 1 and not hidden_in(m.text)), default=0)


def _most(
    mentions: tuple[Mention, ...], hands: tuple[HandExpectation, ...], people: int | None, least: int | None
) -> int | None:
    """At most so many hands, where a number is stated or the people can be counted."""
    if least is None:
        return None
    hidden = sum(hand.hidden for hand in hands)
    if hands and hidden == len(hands) and any(m.number > 1 for m in mentions):
        return 0
    bound = None if people is None else max(2 * people - hidden, least)
    if people is None and all(mention.exact for mention in mentions):
        bound = least
    return bound
