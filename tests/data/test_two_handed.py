"""One thing in both hands: hands hold it, arms get there, and the texts that ask for it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from handwright.body import BodyParameters, parameters_of_json, pose_body
from handwright.body.limits import excess_of
from handwright.data.hands.arrange import apart_m
from handwright.data.hands.hold import holds
from handwright.data.people.in_pose.hands_together import with_both_hands_on
from handwright.data.people.in_pose.held_things import are_held, held_things, two_handed_hold
from handwright.data.people.posture.two_handed import TWO_HANDED, TwoHandedHold, draw_two_handed
from handwright.data.people.text_poses import pose_record
from handwright.hand.kinematics import to_camera
from handwright.types import Side


@cache
def somebody(index: int) -> BodyParameters:
    return parameters_of_json(pose_record(5, index, 256)["body"])


@cache
def hold_of(kind: str, seed: int) -> TwoHandedHold:
    return draw_two_handed(np.random.default_rng(seed), kind)


@pytest.mark.parametrize("kind", TWO_HANDED)
def test_both_hands_hold_the_thing_and_not_each_other(kind: str):
    for seed in range(3):
        hold = hold_of(kind, seed)
        assert apart_m(hold.right, hold.left) > 0
        for side in ("right", "left"):
            hand: Side = side
            assert holds(getattr(hold, hand).posed.dofs_rad, hold.things[hand])
            assert hold.things[hand].in_both_hands


@pytest.mark.parametrize("kind", TWO_HANDED)
def test_arms_bring_both_hands_to_it_within_limits(kind: str):
    """Of four people most get there; each hand then has the thing where the other has it."""
    there = 0
    for index in range(1, 5):
        hold = hold_of(kind, index)
        body = with_both_hands_on(somebody(index), hold, index)
        if body is None:
            continue
        there += 1
        hands = pose_body(body).hands
        assert not excess_of(body).beyond()
        assert set(are_held(hold.things, hands)) == {"right"}
        middles = [
            to_camera(float(np.exp(hands[side].shape[0])) * thing.centre, hands[side])
            for side, thing in hold.things.items()
        ]
        assert np.linalg.norm(middles[0] - middles[1]) < 0.006
    assert there >= 3


def test_a_thing_that_one_hand_leaves_is_held_by_neither():
    hold = hold_of("large ball", 1)
    body = with_both_hands_on(somebody(1), hold, 1)
    assert body is not None
    hands = dict(pose_body(body).hands)
    assert are_held(hold.things, {"right": hands["right"]}) == {}
    hands["left"] = replace(hands["left"], translation_m=1.1 * hands["left"].translation_m)
    assert are_held(hold.things, hands) == {}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a goalkeeper holding a football with both hands", "ball"),
        ("a woman holding a mug of tea in both hands", "cup"),
        ("a boy holding up a book with two hands", "board"),
        ("an old man gripping a pole with both hands", "handle"),
        ("two hands holding a box", "box"),
        ("a child holding an apple with both hands", "ball"),
        ("a child holding a pencil with both hands", None),
        ("a man holding a ball in his left hand", None),
        ("a woman holding a cup in her left hand and a phone in her right hand", None),
        ("two men holding a box", None),
    ],
)
def test_texts_of_one_thing_in_both_hands(text: str, kind: str | None):
    """A pencil is too small for two hands; two men have four."""
    hold = two_handed_hold(text, 3)
    assert (None if hold is None else hold.things["right"].name) == kind
    if hold is not None:
        names = {side: held.thing.name for side, held in held_things(text, 3).items()}
        assert names == {"right": kind, "left": kind}
        again = two_handed_hold(text, 3)
        assert again is not None
        np.testing.assert_array_equal(again.right.at_m, hold.right.at_m)
