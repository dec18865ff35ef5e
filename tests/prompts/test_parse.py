"""A prompt expects what it says, and nothing that it does not say."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handwright.hand.grammar import NAMED, ORIENTATIONS, PoseWords, StatedPose, describe
from handwright.hand.grammar.words import BENDS, THUMBS, stated_gaps
from handwright.prompts.captions import WORDINGS, Scene, captions
from handwright.prompts.expectation import Contact, Expectation, HandExpectation
from handwright.prompts.parse import parse_prompt
from tests.prompts.examples import PROMPTS, Said

READ_LOOSELY = {"three": "holding up three fingers leaves open which three"}


@pytest.mark.parametrize("prompt", PROMPTS)
def test_a_prompt_expects_what_it_says(prompt: str):
    expected, found = PROMPTS[prompt], parse_prompt(prompt)
    assert (found.least, found.most) == expected.number
    assert found.meeting == expected.meeting
    assert [said_of(hand) for hand in found.hands] == list(expected.hands)


def said_of(hand: HandExpectation) -> Said:
    """What is said of a hand, in the short form of the list."""
    pose = hand.pose
    return Said(
        side=pose.side or "",
        pose=pose.names[0] if pose.names else "",
        extended="".join("?" if known is None else "01"[known] for known in pose.extended),
        raised=pose.raised,
        palm=pose.palm or "",
        points=pose.points or "",
        grasp=hand.grasp or "",
        contact=f"{hand.contact.kind} {hand.contact.thing}".strip() if hand.contact else "",
        gloved=hand.gloved,
        hidden=hand.hidden,
    )


@pytest.mark.parametrize(
    "prompt",
    [
        "",
        "a mountain lake at dawn",
        "palm trees on a beach, palms swaying in the wind",
        "handmade pottery with a vintage clock, clock hands at noon",
        "a stop sign on a road, an arrow pointing up",
        "a second-hand bookshop, hand-painted sign",
        "flags waving over a castle, a praying mantis",
        "fish fingers and finger food on a table",
        "masterpiece, best quality, <lora:hands:1>, 8k --ar 3:4",
    ],
)
def test_nothing_said_expects_nothing(prompt: str):
    assert parse_prompt(prompt) == Expectation(prompt=prompt)


def test_what_is_not_said_is_listed_as_open():
    assert parse_prompt("portrait of a woman").open == (
        "number",
        "side",
        "direction",
        "contact",
        "extension",
    )
    assert parse_prompt("a woman waving with her left hand").open == ("number", "direction", "contact")
    assert parse_prompt("a right fist, palm down").hands[0].open == ("contact",)
    assert parse_prompt("no hands visible").open == ()


def test_words_that_only_ask_for_good_hands_are_named():
    found = parse_prompt("perfect hands, five fingers, a woman with natural hands")
    assert found.vague == ("perfect hands", "five fingers", "natural hands")


@pytest.mark.parametrize("name", NAMED)
def test_a_named_pose_is_given_back(name: str):
    for wording, side in product(WORDINGS, ("left", "right")):
        words = replace(NAMED[name], side=side)
        (hand,) = parse_prompt(describe(words, wording)).hands
        gives_back(hand.pose, words, wording, loosely=name in READ_LOOSELY)


def gives_back(said: StatedPose, words: PoseWords, wording: str, *, loosely: bool = False):
    """All that is said is true, the side is said, and whole wordings say every finger and direction."""
    assert said.fits(words)
    assert said.side == words.side
    assert said.states_extension
    if wording != "terse":
        assert (said.palm, said.points) == (words.palm, words.points)
    if wording != "terse" and not loosely:
        assert (said.fingers, said.thumb, said.thumb_bent) == (words.fingers, words.thumb, words.thumb_bent)


bends = st.tuples(*[st.sampled_from(BENDS)] * 4)
any_words = st.builds(
    lambda bent, thumb, fingers, gaps, touch, side, at: PoseWords(
        thumb_bent=bent,
        thumb=thumb,
        fingers=fingers,
        gaps=stated_gaps(fingers, gaps),
        contacts=touch,
        palm=at and at[0],
        points=at and at[1],
        side=side,
    ),
    st.booleans(),
    st.sampled_from(THUMBS),
    bends,
    st.tuples(*[st.sampled_from(("together", "apart", "spread"))] * 3),
    st.sampled_from([(), (1,), (2, 3), (1, 2, 3)]),
    st.sampled_from(["left", "right"]),
    st.sampled_from([None, *ORIENTATIONS]),
)


@settings(max_examples=100, deadline=None)
@given(any_words, st.sampled_from(WORDINGS))
def test_any_pose_in_words_is_given_back(words: PoseWords, wording: str):
    (hand,) = parse_prompt(describe(words, wording)).hands
    gives_back(hand.pose, words, wording, loosely="holding up three fingers" in describe(words))


@settings(max_examples=50, deadline=None)
@given(any_words, any_words, st.integers(0, 99))
def test_captions_of_two_hands_give_both_back(left: PoseWords, right: PoseWords, seed: int):
    hands = (replace(left, side="left"), replace(right, side="right"))
    said = captions(Scene(hands, meeting="crossing"), np.random.default_rng(seed))
    for text in said.values():
        found = {hand.side: hand.pose for hand in parse_prompt(text).hands}
        assert set(found) == {"left", "right"}
        assert all(found[words.side].fits(words) for words in hands)


def test_captions_say_what_is_held_and_worn():
    scene = Scene((replace(NAMED["letter C"], side="right"),), holds="a white cup", wears=("blue gloves",))
    said = captions(scene, np.random.default_rng(0))["technical"]
    (hand,) = parse_prompt(said).hands
    assert hand.contact == Contact("object", "white cup")
    assert hand.gloved is True


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=120))
def test_any_text_is_read_without_an_error(text: str):
    found = parse_prompt(text)
    assert found.least is None or found.most is None or found.least <= found.most


@pytest.mark.parametrize("name", ["palms together", "handshake"])
def test_hands_that_meet_touch_each_other(name: str):
    text = {"palms together": "praying hands", "handshake": "two men shaking hands"}[name]
    found = parse_prompt(text)
    assert found.meeting == name
    assert {hand.contact for hand in found.hands} == {Contact("hand")}


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("a hooked hand", "hook"),
        ("a hand with all fingers hooked", "hook"),
        ("a man with his fingers hooked over a bar", "hook"),
        ("a hand with index finger hooked, middle finger extended", None),
        ("a hand with ring and little fingers hooked", None),
        ("a hand with a hooked index finger", None),
    ],
)
def test_one_hooked_finger_is_no_hooked_hand(text: str, state: str | None):
    assert parse_prompt(text).hands[0].grasp == state


def test_a_thumb_that_touches_the_pinky_holds_nothing():
    assert [hand.contact for hand in parse_prompt("right hand, thumb touches pinky, palm away").hands] == [
        None
    ]
