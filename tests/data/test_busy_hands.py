"""People of the synthetic world whose hands meet or hold a thing, and the texts that tell it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import pytest

from handwright.body import BodyParameters, parameters_of_json, pose_body, wholebody_of
from handwright.body.limits import excess_of
from handwright.data.hands.hold import THINGS, holds
from handwright.data.people.in_pose.busy_hands import (
    MEETING_SHARES,
    TWO_HANDED_SHARES,
    hand_with_thing,
    hands_on_thing,
    meeting_hands,
)
from handwright.data.people.posture.meeting import MEETINGS
from handwright.data.people.posture.two_handed import TWO_HANDED
from handwright.data.people.text_poses import pose_person, pose_record
from handwright.hand.grammar import parse_pose_words
from handwright.hand.grammar.motion import TOUCH_M, clearance_m
from handwright.hand.kinematics import dofs_of_pose, to_camera
from handwright.handiffuser.hand_words import hands_in_words
from handwright.perception.body.body_pose import HANDS
from handwright.prompts.captions import WORDINGS
from handwright.prompts.parse import parse_prompt
from handwright.training.streams.text_poses import TextPose, scene_of_record
from handwright.types import Side

PEOPLE, SIZE = 100, 256


@cache
def records() -> tuple[dict[str, Any], ...]:
    return tuple(pose_record(77, k, SIZE) for k in range(PEOPLE))


def somebody(index: int) -> BodyParameters:
    return parameters_of_json(pose_record(5, index, SIZE)["body"])


def busy() -> list[dict[str, Any]]:
    return [one for one in records() if one["scene"]["meeting"] or one["scene"]["holds"]]


@pytest.mark.parametrize(
    ("shares", "drawn"),
    [(MEETING_SHARES, MEETINGS), (TWO_HANDED_SHARES, TWO_HANDED)],
    ids=["meetings", "things"],
)
def test_shares_name_all_that_can_be_drawn(shares: Mapping[str, float], drawn: Mapping[str, object]):
    assert set(shares) == set(drawn)
    assert sum(shares.values()) == pytest.approx(1)


def test_the_same_numbers_give_the_same_person():
    for record in busy()[:2]:
        assert pose_record(77, record["index"], SIZE) == record


def test_a_third_of_people_do_something_with_their_hands():
    """Meetings, things in one hand, and things in both are all among them."""
    assert 20 <= len(busy()) <= 50
    assert {one["scene"]["holder"] for one in busy()} == {None, "left", "right", "both"}


def test_words_of_hands_are_what_the_body_does():
    for record in busy():
        read = hands_in_words(parameters_of_json(record["body"]))
        for hand in record["hands"]:
            if hand["doing"] in ("meeting", "holding"):
                assert parse_pose_words(hand["words"]) == read[hand["side"]]


def test_who_meets_or_holds_is_within_limits_and_in_the_picture():
    for record in busy():
        body = parameters_of_json(record["body"])
        assert not excess_of(body).beyond()
        points = wholebody_of(body)
        doing = [
            points[HANDS[one["side"]]] for one in record["hands"] if one["doing"] in ("meeting", "holding")
        ]
        assert len(doing) == (1 if record["scene"]["holder"] in ("left", "right") else 2)
        moved = record["scene"]["holder"] in (None, "both") or "cup" in record["scene"]["holds"]
        shown = np.concatenate([points[:5], *doing]) if moved else points[:5]
        assert (shown > 0).all()
        assert (shown < SIZE).all()


def test_hands_that_meet_touch():
    """In the record, rounded as it is: no farther apart than hands that touch, no deeper than 6 mm."""
    met = [one for one in busy() if one["scene"]["meeting"]]
    assert len(met) >= 5
    for record in met:
        hands = pose_body(parameters_of_json(record["body"])).hands
        assert -0.006 < clearance_m(hands["left"], hands["right"]) < TOUCH_M


def test_hands_that_hold_close_on_the_thing():
    held = [one for one in busy() if one["scene"]["holds"]][:10]
    for record in held:
        person = pose_person(77, record["index"], SIZE)
        assert person.busy is not None
        assert person.busy.thing is not None
        for side in person.busy.sides:
            hand = pose_body(person.body).hands[side]
            if side == "right" or len(person.busy.sides) == 1:
                assert holds(dofs_of_pose(hand.pose, hand.palm_arch), person.busy.thing)


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_cup_stands_upright(side: Side):
    """Within 25° of the vertical, or the arm does not get there."""
    there = 0
    for index in range(1, 5):
        found = hand_with_thing(np.random.default_rng(index), somebody(index), side, "cup")
        if found is None:
            continue
        there += 1
        assert found.thing is not None
        hand = pose_body(found.body).hands[found.sides[0]]
        foot, top = to_camera(np.stack([np.zeros(3), found.thing.axes[2]]), hand)
        assert (foot - top)[1] > np.cos(np.deg2rad(25))
    assert there >= 3


@pytest.mark.parametrize("kind", THINGS)
def test_anything_that_can_be_held_is_in_one_hand_alone(kind: str):
    before = somebody(1)
    found = hand_with_thing(np.random.default_rng(2), before, "left", kind)
    assert found is not None
    assert found.holder == "left"
    assert found.meeting == ""
    np.testing.assert_allclose(found.body.right_hand_pose, before.right_hand_pose, atol=1e-6)


def test_nobody_turned_away_needs_both_hands():
    """This chest is turned by 37°: one hand would be behind the other."""
    assert meeting_hands(somebody(5), "clasped", 1) is None
    assert hands_on_thing(np.random.default_rng(1), somebody(5), "box", 1) is None


@pytest.mark.parametrize("wording", [*WORDINGS, "alone"])
def test_texts_are_read_as_what_hands_do(wording: str):
    """The same meeting, the same thing in the same hand, and nothing where hands do neither."""
    for record in records():
        hands = tuple(parse_pose_words(hand["words"]) for hand in record["hands"] if hand["seen"])
        person = TextPose(np.zeros((21, 19)), hands, scene_of_record(record["scene"]))
        rng, scene = np.random.default_rng(record["index"]), person.scene
        if wording == "alone" and not person.busy:
            continue
        for _ in range(4):
            text = person.doing_text(rng) if wording == "alone" else person.text(wording, rng)
            read = parse_prompt(text)
            held = [
                (hand.side, hand.contact.thing) for hand in read.hands if hand.contact and hand.contact.thing
            ]
            thing = scene.holds.removeprefix("an ").removeprefix("a ")
            assert read.meeting == scene.meeting, text
            assert (read.people or 1) == 1, text
            if scene.holder == "both":
                assert [one for _, one in held] == [thing, thing], text
            else:
                assert held == ([(scene.holder, thing)] if scene.holder else []), text
            if wording != "alone":
                assert {hand.side for hand in read.hands} >= {hand.side for hand in hands}, text
