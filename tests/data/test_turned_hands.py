"""Hands are turned where a text states it: directions hold, arms stay within limits, nothing else moves."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from handwright.body import BodyParameters, parameters_of_json, pose_body
from handwright.body.limits import excess_of
from handwright.body.skeleton import JOINT
from handwright.data.people.in_pose.turned_hands import misdirected, with_directions
from handwright.data.people.text_poses import pose_record
from handwright.hand.grammar import StatedPose
from handwright.hand.grammar.words import Direction
from handwright.hand.rig import axis_angle_matrix
from handwright.handiffuser.hand_words import agreement_of
from handwright.handiffuser.proposals import stated_hands
from handwright.prompts.parse import parse_prompt
from handwright.types import Side
from handwright.workflow.generate.pose_source import pose_from_text


@cache
def somebody(index: int) -> BodyParameters:
    return parameters_of_json(pose_record(5, index, 256)["body"])


@pytest.mark.parametrize(
    ("palm", "points"),
    [("up", None), ("down", None), (None, "camera"), (None, "down"), (None, "up"), ("camera", "up"),
     ("away", "left")],
)  # fmt: skip
@pytest.mark.parametrize("side", ["left", "right"])
def test_a_hand_is_turned_as_it_is_stated(palm: Direction | None, points: Direction | None, side: Side):
    """Of four people most get there, within limits."""
    wanted: dict[Side, StatedPose] = {side: StatedPose(palm=palm, points=points)}
    turned = [body for k in range(1, 5) if (body := with_directions(somebody(k), wanted, k)) is not None]
    assert len(turned) >= 2
    for body in turned:
        assert not misdirected(body, wanted)
        assert not excess_of(body).beyond()


def test_fingers_at_the_camera_are_raised_a_little_and_not_aside():
    wanted: dict[Side, StatedPose] = {"right": StatedPose(points="camera")}
    (body, *_) = (b for k in range(1, 5) if (b := with_directions(somebody(k), wanted, k)) is not None)
    hand = pose_body(body).hands["right"]
    fingers = axis_angle_matrix(hand.wrist)[:, 1]
    assert abs(fingers[0]) < 0.1
    assert -0.4 < fingers[1] < -0.1  # y is down
    assert fingers[2] < -0.9


def test_only_arms_of_the_hands_that_are_turned_move_and_fingers_do_as_before():
    before = somebody(1)
    wanted: dict[Side, StatedPose] = {"left": StatedPose(palm="up")}
    body = with_directions(before, wanted, 1)
    assert body is not None
    arm = [JOINT[f"left_{name}"] - 1 for name in ("shoulder", "elbow", "wrist")]
    others = np.setdiff1d(np.arange(21), arm)
    np.testing.assert_allclose(body.body_pose[others], before.body_pose[others], atol=1e-6)
    np.testing.assert_allclose(body.left_hand_pose, before.left_hand_pose, atol=1e-9)
    np.testing.assert_allclose(body.right_hand_pose, before.right_hand_pose, atol=1e-9)
    again = with_directions(before, wanted, 1)
    assert again is not None
    np.testing.assert_array_equal(again.body_pose, body.body_pose)


def test_nobody_turns_a_hand_where_no_arm_gets():
    """The palm up and the fingers away, far behind the elbow, is no way for an arm before the chest."""
    backwards: dict[Side, StatedPose] = {"right": StatedPose(palm="right", points="away")}
    assert any(with_directions(somebody(k), backwards, k) is None for k in range(1, 5))
    impossible: dict[Side, StatedPose] = {"right": StatedPose(palm="up", points="down")}
    assert with_directions(somebody(1), impossible, 1) is None


@pytest.mark.parametrize(
    "text",
    [
        "a man pointing at the viewer",
        "a woman holding her palms up",
        "a girl pointing down with her left hand",
    ],
)
def test_people_of_a_text_have_their_hands_turned_where_t2h_has_not(text: str):
    source = pose_from_text(text, 192, 2)
    assert any("turned as the text has it" in note for note in source.notes)
    assert not any("no person that was drawn" in note for note in source.notes)
    assert source.body is not None
    assert agreement_of(source.body, stated_hands(parse_prompt(text))).all_right


def test_a_text_that_states_no_direction_turns_nothing():
    source = pose_from_text("a man waving", 192, 1)
    assert not any("turned" in note for note in source.notes)
