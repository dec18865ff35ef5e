"""Hands of a pose: depth that is known goes with the pose, and tells the fit how they are turned."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from handwright.hand.kinematics import hand_landmarks_m
from handwright.perception.body.body_pose import HANDS, BodyPose
from handwright.perception.body.pose_hands import fit_hand_of_pose, observed_hand
from handwright.two_stage.pose_completion import complete_pose
from tests.perception.fit.test_hand_fit import HEIGHT, WIDTH, some_hand


def pose_with_hand(seed: int, *, deep: bool) -> BodyPose:
    """A left arm and its hand; with ``deep``, how far away its points are."""
    true = some_hand(seed, "left")
    points, depth = np.zeros((133, 2)), np.zeros(133)
    landmarks = hand_landmarks_m(true)
    points[HANDS["left"]] = true.camera.project(landmarks)
    points[9] = points[HANDS["left"]][0]
    points[[5, 6]] = (300, 60), (200, 60)
    depth[HANDS["left"]] = landmarks[:, 2] * true.camera.focal_px / landmarks[:, 2].mean()
    return BodyPose(points, (points != 0).any(1).astype(float), depth if deep else None)


@pytest.mark.parametrize("deep", [True, False])
def test_depth_that_is_known_is_used_and_none_is_made_up(deep: bool) -> None:
    pose = pose_with_hand(4, deep=deep)
    fit = fit_hand_of_pose(pose, "left", WIDTH, HEIGHT)
    flat = fit_hand_of_pose(replace(pose, depth_px=np.zeros(133)), "left", WIDTH, HEIGHT)
    assert fit.residual < 0.01
    assert (flat.hand.pose == fit.hand.pose).all() != deep  # depth that is 0 everywhere is not known


def test_the_other_way_round_in_depth_is_another_hand() -> None:
    pose = pose_with_hand(4, deep=True)
    assert pose.depth_px is not None
    turned = replace(pose, depth_px=-pose.depth_px)
    fit, other = (fit_hand_of_pose(one, "left", WIDTH, HEIGHT) for one in (pose, turned))
    assert other.residual > fit.residual


def test_depth_follows_its_picture() -> None:
    """Into a window, the mirror and a completed pose."""
    pose = pose_with_hand(2, deep=True)
    own = observed_hand(pose, "left").depth_px
    assert (observed_hand(pose.mirrored(WIDTH), "right").depth_px == own).all()
    assert (observed_hand(pose.scaled(5, 5, 2.0), "left").depth_px == 2 * own).all()
    completed = complete_pose(pose, WIDTH, HEIGHT)
    assert (observed_hand(completed.pose, "left").depth_px == own).all()
