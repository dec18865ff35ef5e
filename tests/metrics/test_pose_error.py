"""The pose error against closed forms: none, a shift, a missing hand, nobody."""

from __future__ import annotations

import numpy as np
import pytest

from handwright.metrics.pose_error import mpjpe_of, nearest_person, pose_error, wanted_points
from handwright.perception.body.body_pose import HANDS, BodyPose


def _pose(shift: float = 0.0, scale: float = 100.0) -> BodyPose:
    points = np.random.default_rng(2).uniform(0.1, 0.9, (133, 2)) * scale
    points[0], points[1] = (0.05 * scale, 0.05 * scale), (0.95 * scale, 0.05 * scale)
    return BodyPose(points + shift, np.ones(133))


def _without(pose: BodyPose, part: slice) -> BodyPose:
    points, visibility = pose.points_px.copy(), pose.visibility.copy()
    points[part], visibility[part] = 0, 0
    return BodyPose(points, visibility)


def test_the_same_points_have_no_error() -> None:
    error = pose_error(_pose(), [_pose()], 100, 100)
    assert (error.found, error.hands_found, error.hands_wanted) == (True, 2, 2)
    assert error.mpjpe == error.mpjpe_hands == error.mpjpe_found_hands == 0.0


def test_a_shift_is_its_share_of_the_persons_size() -> None:
    error = pose_error(_pose(), [_pose(shift=3.0)], 200, 200)
    size = np.ptp(_pose().points_px, axis=0).max()
    assert error.mpjpe == pytest.approx(np.sqrt(18) / size)
    assert error.mpjpe_hands == pytest.approx(np.sqrt(18) / size)


def test_a_hand_that_is_not_found_counts_one_and_nobody_one_everywhere() -> None:
    error = pose_error(_pose(), [_without(_pose(), HANDS["left"])], 100, 100)
    assert error.hands_found == 1
    assert error.mpjpe_hands == pytest.approx(0.5)
    assert error.mpjpe == pytest.approx(21 / 133)
    assert error.mpjpe_found_hands == 0.0
    nobody = pose_error(_pose(), [], 100, 100)
    assert (nobody.found, nobody.mpjpe, nobody.mpjpe_hands) == (False, 1.0, 1.0)
    assert np.isnan(nobody.mpjpe_found_hands)


def test_hidden_unknown_and_outer_points_do_not_count() -> None:
    visibility = np.ones(133)
    visibility[5] = 0.25
    pose = BodyPose(_pose().points_px.copy(), visibility)
    pose.points_px[6] = 0
    pose.points_px[7] = (101, 5)
    assert np.flatnonzero((wanted_points(pose, 100, 100) == 0).all(1)).tolist() == [5, 6, 7]


def test_the_nearest_person_counts() -> None:
    wanted = wanted_points(_pose(), 100, 100)
    far, near = _pose(shift=30.0), _pose(shift=1.0)
    assert nearest_person(wanted, [far, near]) is near
    assert nearest_person(wanted, []) is None


def test_over_pictures_it_is_the_mean_of_those_with_hands() -> None:
    bodies = [_pose(), _without(_without(_pose(), HANDS["left"]), HANDS["right"])]
    whole, hands = mpjpe_of(bodies, [[_pose()], []], [(100, 100)] * 2)
    assert (whole.value, whole.n) == (0.5, 2)
    assert (hands.value, hands.n) == (0.0, 1)
