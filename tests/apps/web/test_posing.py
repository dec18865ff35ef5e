"""Edits of a hand: the regular hand follows, and stays one."""

from __future__ import annotations

import numpy as np
import pytest

from handwright.apps.web import posing
from handwright.errors import UsageError
from handwright.hand.anatomy import DOF_LIMITS_RAD
from handwright.hand.kinematics import dofs_of_pose, hand_landmarks_m
from tests.apps.web.conftest import SIZE, points_of


def shown(hand):
    return hand.hand.camera.project(hand_landmarks_m(hand.hand))


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_plain_hand_fills_its_box_with_the_fingers_up(side):
    hand = posing.plain_hand((100.0, 50.0, 300.0, 350.0), side, SIZE)
    points = points_of(hand)
    assert np.abs(points - shown(hand)).max() < 1e-6
    assert (points.min(0) >= (100, 50)).all() and (points.max(0) <= (300, 350)).all()
    assert np.ptp(points, axis=0).max() > 0.5 * 200
    assert points[12, 1] < points[0, 1]
    thumb_to_the_left = points[4, 0] < points[20, 0]
    assert thumb_to_the_left == (side == "left")


def test_a_box_of_a_few_pixels_holds_no_hand():
    with pytest.raises(UsageError, match="too small"):
        posing.plain_hand((1.0, 1.0, 5.0, 90.0), "left", SIZE)


def test_the_regular_hand_follows_a_dragged_joint_within_its_limits(hands):
    before = hands[0]
    target = points_of(before)[8] + (25, 40)
    after = posing.with_joint_at(before, 8, *target, SIZE)
    assert points_of(after)[8].tolist() == target.tolist()
    others = np.delete(np.arange(21), 8)
    assert (points_of(after)[others] == points_of(before)[others]).all()
    assert np.linalg.norm(shown(after)[8] - target) < 0.5 * np.linalg.norm(shown(before)[8] - target)
    angles = dofs_of_pose(after.hand.pose, after.hand.palm_arch)
    assert (angles >= DOF_LIMITS_RAD[:, 0] - 1e-6).all() and (angles <= DOF_LIMITS_RAD[:, 1] + 1e-6).all()
    assert (after.moved, after.edited, after.wanted) == ({8}, True, True)


def test_a_joint_stays_in_the_picture_and_the_hand_before_is_not_touched(hands):
    before = points_of(hands[0]).copy()
    after = posing.with_joint_at(hands[0], 8, -500.0, 9999.0, SIZE)
    assert points_of(after)[8].tolist() == [0.0, 480.0]
    assert (points_of(hands[0]) == before).all()


@pytest.mark.parametrize(("joint", "x"), [(21, 5.0), (-1, 5.0), (3, float("nan"))])
def test_a_joint_that_there_is_not_is_refused(hands, joint, x):
    with pytest.raises(UsageError, match="cannot be put"):
        posing.with_joint_at(hands[0], joint, x, 5.0, SIZE)


def test_a_moved_hand_keeps_its_pose_and_lands_where_it_was_dragged(hands):
    after = posing.moved_by(hands[0], 30.0, -12.0, SIZE)
    assert np.allclose(points_of(after) - points_of(hands[0]), (30, -12))
    shift = shown(after) - shown(hands[0])
    assert np.allclose(shift.mean(0), (30, -12), atol=0.1)
    assert np.allclose(shift, (30, -12), atol=3.5)  # what is nearer moves farther
    assert (after.hand.pose == hands[0].hand.pose).all()


def test_a_hand_cannot_be_moved_out_of_the_picture(hands):
    after = posing.moved_by(hands[0], 1e6, 1e6, SIZE)
    assert np.allclose(points_of(after).mean(0), SIZE)


def test_flipping_twice_gives_the_side_back_and_keeps_the_landmarks(hands):
    once = posing.flipped(hands[0], SIZE)
    twice = posing.flipped(once, SIZE)
    assert [hand.observation.side for hand in (once, twice)] == ["left", "right"]
    assert once.hand.side == "left"
    assert (points_of(twice) == points_of(hands[0])).all()
    assert (twice.observation.depth_px == hands[0].observation.depth_px).all()


def test_a_pose_is_taken_over_and_wrist_and_place_stay(hands):
    fist = np.zeros((15, 3))
    fist[0, 0] = 0.4
    after = posing.with_pose(hands[0], fist, np.array([0.1, 0.0]))
    assert (after.hand.pose == fist).all()
    assert (after.hand.wrist == hands[0].hand.wrist).all()
    assert np.allclose(points_of(after), shown(after))


def test_the_surface_on_the_page_is_that_of_the_hand(hands):
    mesh = posing.mesh_px(hands[0].hand)
    assert mesh.shape == (1609, 3)
    low, high = mesh[:, :2].min(0), mesh[:, :2].max(0)
    assert (low <= points_of(hands[0]).min(0) + 5).all() and (high >= points_of(hands[0]).max(0) - 5).all()
