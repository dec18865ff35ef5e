"""People who hold things: texts name what can be drawn, hands that hold are told, twins lack the thing."""

from __future__ import annotations

import numpy as np
import pytest

import people_with_things
from handwright.hand.defects import Hold
from handwright.perception.body.body_pose import HANDS
from handwright.prompts.parse import parse_prompt
from handwright.prompts.words import drawn_thing
from handwright.two_stage.engine import CANVAS_GREY, GeneratedPicture, HeldThings
from handwright.two_stage.settings import TwoStageSettings
from handwright.workflow.generate.pose_source import PoseSource
from tests.two_stage.poses import CANVAS, arrays, pose_of_array

SIDES = ("left", "right")
SETTINGS = TwoStageSettings(engine="diffuse")


class StandIn:
    """Paints grey; things where the text has something to hold, unless they do not fit."""

    def __init__(self, fits: bool = True) -> None:
        self.fits, self.texts = fits, list[str]()

    def make(self, request):
        self.texts.append(request.settings.prompt)
        pixels = np.full((request.height, request.width, 3), CANVAS_GREY, np.uint8)
        mask = np.zeros(pixels.shape[:2], np.bool_)
        there = "holding" in request.settings.prompt and self.fits
        held = HeldThings(pixels, ~mask, "both" in request.settings.prompt) if there else None
        return GeneratedPicture(pixels, pixels, mask, (), held=held)


@pytest.fixture
def text(monkeypatch):
    """Sets the text; its pose is always the same one."""
    source = PoseSource(pose_of_array(arrays(SIDES)), CANVAS, CANVAS, "text")
    monkeypatch.setattr(people_with_things, "pose_from_text", lambda *_: source)

    def set_to(words, bare="a woman"):
        monkeypatch.setattr(people_with_things, "drawn_text", lambda _: (words, bare))

    return set_to


def made(number, engine):
    return list(people_with_things.people_with_things(3, number, engine, SETTINGS, CANVAS))


def test_what_texts_put_into_hands_can_be_drawn():
    for k in range(60):
        words, bare = people_with_things.drawn_text(np.random.default_rng(k))
        hands = parse_prompt(words).hands
        things = {hand.contact.thing for hand in hands if hand.contact is not None}
        assert len(things) == 1, words
        assert drawn_thing(*things, in_both_hands=len(hands) == 2), words
        assert not any(hand.contact for hand in parse_prompt(bare).hands), bare


def test_a_thing_in_one_hand_is_held_by_it_alone_and_the_twin_holds_nothing(text):
    text("a woman holding a cup in the left hand")
    held, twin = made(2, StandIn())
    assert held.states == {"left": Hold.SOUND, "right": Hold.NONE}
    assert twin.states == {"left": Hold.NONE, "right": Hold.NONE}
    assert twin.text == "a woman"
    assert held.boxes == twin.boxes
    points = arrays(SIDES)[HANDS["left"], :2]
    assert held.boxes["left"] == pytest.approx((*points.min(0), *points.max(0)))
    assert len(made(3, StandIn())) == 1, "every other text has a twin"


def test_a_thing_in_both_hands_is_held_by_both(text):
    text("a woman holding a ball with both hands")
    assert made(1, StandIn())[0].states == {"left": Hold.SOUND, "right": Hold.SOUND}


def test_a_thing_that_does_not_fit_leaves_empty_hands(text):
    text("a woman holding a ball with both hands")
    engine = StandIn(fits=False)
    (only,) = made(1, engine)
    assert set(only.states.values()) == {Hold.NONE}
    assert engine.texts == ["a woman holding a ball with both hands", "a woman"]
