"""People for texts: two hands in view where two are spoken of, held things in the frame."""

from __future__ import annotations

from itertools import count

import numpy as np
import pytest

from handwright.body import BodyParameters, pose_body, wholebody_of
from handwright.body.skeleton import JOINT
from handwright.data.people.in_pose.hands_together import with_meeting
from handwright.data.people.in_pose.held_things import held_things
from handwright.hand.grammar.motion import TOUCH_M, clearance_m
from handwright.hand.kinematics import dofs_of_pose, hand_landmarks_m, to_camera
from handwright.handiffuser.hand_words import hands_in_words
from handwright.handiffuser.person_for_text import (
    HeldPose,
    embedded_text_to_hand,
    hanging_arms,
    people_for_text,
    with_mirrored_arm,
)
from handwright.perception.body.body_pose import HANDS
from handwright.types import Side
from handwright.workflow.generate.pose_source import pose_from_text

SIDE = 256


def test_a_mirrored_arm_is_the_other_one_in_a_mirror() -> None:
    """Joints and finger angles; the other arm stays."""
    body = people_for_text("a man waving with his right hand", embedded_text_to_hand(), SIDE, 1)[0].parameters
    both = with_mirrored_arm(body, "left")
    posed = pose_body(both)
    spine, neck = (posed.joints_cam_m[JOINT[name]] for name in ("spine3", "neck"))
    up = (neck - spine) / np.linalg.norm(neck - spine)
    above = {
        side: float((posed.joints_cam_m[JOINT[f"{side}_wrist"]] - spine) @ up) for side in ("left", "right")
    }
    assert abs(above["left"] - above["right"]) < 0.08
    fingers = [dofs_of_pose(hand.pose, hand.palm_arch) for hand in posed.hands.values()]
    np.testing.assert_allclose(fingers[0], fingers[1], atol=0.02)
    np.testing.assert_array_equal(both.right_hand_pose, body.right_hand_pose)


def test_two_hands_are_raised_where_a_text_speaks_of_two() -> None:
    """Both in the picture, above the elbows or beside them, with the fingers that are stated."""
    text = "a man with glasses giving two thumbs up"
    for seed in range(3):
        made = people_for_text(text, embedded_text_to_hand(), SIDE, seed)[0].parameters
        points = wholebody_of(made)
        for side in ("left", "right"):
            hand = points[HANDS[side]]
            assert ((hand >= 0) & (hand <= SIDE)).all()
            assert hands_in_words(made)[side].thumb == "out"
            assert hands_in_words(made)[side].fingers == ("curled",) * 4


@pytest.mark.parametrize(
    ("text", "sides", "up"),
    [
        ("a man giving a thumbs up with his left hand", ("left",), 1),
        ("a man with glasses giving two thumbs up", ("left", "right"), 1),
        ("a mechanic giving a thumbs up", (), 1),
        ("a photographer showing a thumbs down with her right hand", ("right",), -1),
    ],
)
def test_thumbs_point_up_or_down_as_the_text_has_them(text: str, sides: tuple[Side, ...], up: int) -> None:
    """Without that choice a third of left thumbs and half of two thumbs pointed the wrong way."""
    for seed in range(3):
        made = people_for_text(text, embedded_text_to_hand(), SIDE, seed)[0].parameters
        upwards: dict[Side, float] = {}
        for side, hand in pose_body(made).hands.items():
            base, tip = hand_landmarks_m(hand)[[2, 4]]
            upwards[side] = float((base - tip)[1] / np.linalg.norm(tip - base))
        assert min((up * upwards[side] for side in sides), default=max(upwards.values())) > 0.3


def test_a_hand_that_waves_is_open() -> None:
    """What is said is a state, not fingers."""
    for seed in range(3):
        made = people_for_text("a woman waving with her left hand", embedded_text_to_hand(), SIDE, seed)[0]
        assert hands_in_words(made.parameters)["left"].fingers == ("extended",) * 4


def test_fingers_close_on_what_is_held_and_the_frame_has_room_for_it() -> None:
    """All of a cup is in the picture."""
    text = "a waiter holding a cup in his left hand"
    held = {side: HeldPose(one.dofs_rad, one.points_m, one.up) for side, one in held_things(text, 4).items()}
    made = people_for_text(text, embedded_text_to_hand(), SIDE, 4, held)[0].parameters
    hand = pose_body(made).hands["left"]
    np.testing.assert_allclose(dofs_of_pose(hand.pose, hand.palm_arch), held["left"].dofs_rad, atol=0.02)
    thing = to_camera(float(np.exp(hand.shape[0])) * held["left"].thing_m, hand)
    shown = made.camera.project(thing)
    assert ((shown >= 0) & (shown <= SIDE)).all()


def test_hands_that_meet_are_in_the_picture_and_people_who_bring_them_together_come_first() -> None:
    """One of three people gets there; where none does, that is a note."""
    text, turns = "a woman praying", count()

    def meet(body: BodyParameters) -> BodyParameters | None:
        return with_meeting(body, "palms together", 1) if next(turns) % 3 == 0 else None

    made, *others = people_for_text(text, embedded_text_to_hand(), SIDE, 1, meet=meet)
    hands, points = pose_body(made.parameters).hands, wholebody_of(made.parameters)
    assert abs(clearance_m(hands["left"], hands["right"])) < TOUCH_M
    assert all(((points[part] >= 0) & (points[part] <= SIDE)).all() for part in HANDS.values())
    assert not any("brings the hands together" in note for note in made.notes)
    assert "no person that was drawn brings the hands together" in others[-1].notes


def test_the_arm_that_a_text_leaves_out_hangs() -> None:
    """Hands do no more than the text states."""
    body = pose_from_text("a chef making the OK sign with his right hand in a kitchen", 512, 15).body
    assert body is not None
    assert hanging_arms(body) == {"left"}
