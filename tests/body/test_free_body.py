"""The free body: kinematics in closed form, hands on its arms, limits."""

from dataclasses import replace

import numpy as np
import pytest

from handwright.body import (
    JOINTS,
    BodyParameters,
    excess_of,
    mean_parameters,
    pose_body,
    skin_of,
    wholebody_of,
    within_limits,
)
from handwright.body.free_body import global_rotations, local_rotations, parameters_with, rest_body
from handwright.body.limits import BODY_LIMITS_RAD, angles_of, rotation_of
from handwright.body.skeleton import JOINT, PARENTS
from handwright.hand.rig import axis_angle_matrix, matrix_axis_angle
from handwright.types import Hand, Side


def test_the_template_stands_in_a_t() -> None:
    """Arms along x, left hand to the left of the body, which is to the right of a picture it faces."""
    posed = pose_body(mean_parameters())
    joints = posed.joints_cam_m
    for side, out in (("left", 1), ("right", -1)):
        arm = joints[JOINT[f"{side}_wrist"]] - joints[JOINT[f"{side}_shoulder"]]
        assert out * arm[0] > 0.4
        assert abs(arm[1]) < 0.02
        assert abs(arm[2]) < 0.02
    assert joints[JOINT["head"]][1] < joints[JOINT["pelvis"]][1] < joints[JOINT["left_foot"]][1]


def test_fingers_of_the_template_go_on_along_the_arms() -> None:
    """Palms down, as SMPL-H's."""
    points = wholebody_of(mean_parameters())
    left, right = points[91:112], points[112:133]
    assert left[12, 0] > left[0, 0] + 5
    assert right[12, 0] < right[0, 0] - 5
    assert abs(left[12, 1] - left[0, 1]) < 6


def test_a_turn_of_the_whole_body_turns_every_joint_about_the_pelvis() -> None:
    """Closed form: p → R (p − pelvis) + pelvis."""
    start = mean_parameters()
    turn = axis_angle_matrix(np.array([0.0, 0.7, 0.0]))
    turned = parameters_with(start, turn @ global_rotations(start), _turned_hands(start, turn))
    before, after = pose_body(start).joints_cam_m, pose_body(turned).joints_cam_m
    np.testing.assert_allclose(after, (before - before[0]) @ turn.T + before[0], atol=1e-9)


def _turned_hands(start: BodyParameters, turn: np.ndarray) -> dict[Side, Hand]:
    return {
        side: replace(hand, wrist=matrix_axis_angle(turn @ axis_angle_matrix(hand.wrist)))
        for side, hand in pose_body(start).hands.items()
    }


def test_rotations_against_parents_and_against_the_camera_are_inverse() -> None:
    """There and back."""
    rng = np.random.default_rng(1)
    person = replace(mean_parameters(), body_pose=rng.normal(0, 0.5, (21, 3)))
    local = local_rotations(global_rotations(person))
    np.testing.assert_allclose(local[1:], person.body_pose, atol=1e-9)


def test_bones_keep_their_lengths_below_the_shoulders() -> None:
    """Forward kinematics stretches nothing."""
    rng = np.random.default_rng(2)
    person = replace(mean_parameters(), body_pose=rng.normal(0, 0.4, (21, 3)), betas=rng.normal(size=10))
    rest, posed = rest_body(person.betas).joints_m, pose_body(person).joints_cam_m
    for joint in range(1, len(JOINTS)):
        if JOINTS[joint].endswith("shoulder"):
            continue  # it follows the girdle
        parent = PARENTS[joint]
        length = np.linalg.norm(rest[joint] - rest[parent])
        assert np.linalg.norm(posed[joint] - posed[parent]) == pytest.approx(length, abs=1e-9)


def test_skin_lies_around_the_joints() -> None:
    """Every joint is inside the box of the skin, and the feet are lowest."""
    person = mean_parameters()
    skin = skin_of(person)
    joints = pose_body(person).joints_cam_m
    assert (joints > skin.min(0)).all()
    assert (joints < skin.max(0)).all()


def test_angles_and_rotations_are_inverse_within_limits() -> None:
    """R = Ry · Rz · Rx, everywhere but at the pole."""
    rng = np.random.default_rng(3)
    angles = rng.uniform(-1.2, 1.2, (50, 3))
    np.testing.assert_allclose(angles_of(rotation_of(angles)), angles, atol=1e-9)


def test_an_elbow_bent_backwards_is_beyond_limits_and_comes_back() -> None:
    """The nearest body within the limits is within the limits; what was within them stays."""
    straight = mean_parameters()
    assert not excess_of(straight).beyond()
    np.testing.assert_array_equal(within_limits(straight).body_pose, straight.body_pose)
    pose = straight.body_pose.copy()
    pose[JOINT["left_elbow"] - 1] = [0.0, 1.0, 0.0]
    broken = replace(straight, body_pose=pose)
    assert excess_of(broken).beyond()
    mended = within_limits(broken)
    assert not excess_of(mended).beyond(1e-6)
    high = BODY_LIMITS_RAD[JOINT["left_elbow"] - 1, 0, 1]
    assert mended.body_pose[JOINT["left_elbow"] - 1, 1] == pytest.approx(high, abs=1e-9)


def test_a_finger_bent_backwards_is_beyond_limits_and_comes_back() -> None:
    """By the 24 angles of the hand, and by turns that no finger makes."""
    straight = mean_parameters()
    pose = straight.right_hand_pose.copy()
    pose[1] = [0.0, 1.0, 1.0]
    broken = replace(straight, right_hand_pose=pose)
    assert excess_of(broken).fingers_rad > 0.3
    mended = within_limits(broken)
    assert excess_of(mended).fingers_rad < 1e-6
    np.testing.assert_allclose(mended.left_hand_pose, straight.left_hand_pose, atol=1e-6)
