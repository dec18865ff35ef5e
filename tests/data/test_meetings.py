"""One person's own hands meet: they touch, arms stay within limits, and a picture keeps them together."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from handwright.body import BodyParameters, parameters_of_json, pose_body
from handwright.body.limits import excess_of
from handwright.body.skeleton import JOINT
from handwright.data.people.in_pose.hands_together import meeting_of, with_meeting
from handwright.data.people.posture.meeting import MEETINGS
from handwright.data.people.text_poses import pose_record
from handwright.hand.grammar.motion import TOUCH_M, clearance_m
from handwright.hand.rig import axis_angle_matrix

DEEPEST_M = -0.006


@cache
def somebody(index: int) -> BodyParameters:
    return parameters_of_json(pose_record(5, index, 256)["body"])


def palms(body: BodyParameters) -> dict[str, np.ndarray]:
    return {side: axis_angle_matrix(hand.wrist)[:, 2] for side, hand in pose_body(body).hands.items()}


@pytest.mark.parametrize("meeting", MEETINGS)
def test_hands_meet_before_the_chest_within_limits(meeting: str):
    """Of four people most get there; their hands touch and do not run into each other."""
    met = [body for k in range(1, 5) if (body := with_meeting(somebody(k), meeting, k)) is not None]
    assert len(met) >= 3
    for body in met:
        posed = pose_body(body)
        assert DEEPEST_M < clearance_m(posed.hands["left"], posed.hands["right"]) < TOUCH_M
        assert not excess_of(body).beyond()
        chest = posed.joints_cam_m[JOINT["spine3"]]
        ahead = posed.rotations[JOINT["spine3"]] @ np.array([0.0, 0.0, 1.0])
        assert all((hand.translation_m - chest) @ ahead > 0.1 for hand in posed.hands.values())


@pytest.mark.parametrize("meeting", ["palms together", "clapping"])
def test_palms_that_meet_face_each_other(meeting: str):
    body = with_meeting(somebody(1), meeting, 1)
    assert body is not None
    facing = palms(body)
    assert facing["left"] @ facing["right"] < -0.8


def test_nobody_turned_away_brings_hands_together():
    """One hand would be behind the other: this chest is turned by 37°."""
    assert with_meeting(somebody(5), "palms together", 1) is None


def test_only_the_arms_and_fingers_of_a_person_change():
    before, body = somebody(1), with_meeting(somebody(1), "heart", 1)
    assert body is not None
    arms = [
        JOINT[f"{side}_{name}"] - 1 for side in ("left", "right") for name in ("shoulder", "elbow", "wrist")
    ]
    others = np.setdiff1d(np.arange(21), arms)
    np.testing.assert_allclose(body.body_pose[others], before.body_pose[others], atol=1e-6)
    np.testing.assert_array_equal(body.transl, before.transl)


def test_hands_still_touch_as_they_are_saved():
    body = with_meeting(somebody(2), "clasped", 3)
    assert body is not None
    again = pose_body(parameters_of_json(body.to_json())).hands
    assert DEEPEST_M < clearance_m(again["left"], again["right"]) < TOUCH_M


@pytest.mark.parametrize(
    ("text", "meeting"),
    [
        ("a nun praying", "palms together"),
        ("a man holding his own hands", "clasped"),
        ("a man punching his fist into his palm", "fist in palm"),
        ("two men shaking hands", None),
        ("a couple, hands clasped", None),
        ("a girl making a finger heart with her right hand", None),
        ("a woman waving", None),
    ],
)
def test_texts_of_one_persons_hands_that_meet(text: str, meeting: str | None):
    """Hands of two people are nobody's own."""
    assert meeting_of(text) == meeting
