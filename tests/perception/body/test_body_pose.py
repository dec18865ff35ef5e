"""A pose follows its picture into a window and into the mirror."""

import numpy as np

from handwright.perception.body.body_pose import BodyPose, point_name


def _pose() -> BodyPose:
    points = np.random.default_rng(0).uniform(1, 99, (133, 2))
    points[[3, 120]] = 0
    return BodyPose(points, np.where((points != 0).any(1), 0.75, 0.0))


def test_the_mirror_swaps_sides_and_twice_is_the_pose_itself():
    pose = _pose()
    mirrored = pose.mirrored(100)
    for k in range(23):
        other = point_name(k).replace("left", "?").replace("right", "left").replace("?", "right")
        twin = next(j for j in range(23) if point_name(j) == other)
        if pose.known[k]:
            assert np.allclose(mirrored.points_px[twin], [100 - pose.points_px[k, 0], pose.points_px[k, 1]])
    assert np.array_equal(mirrored.points_px[112:133, 1], pose.points_px[91:112, 1])
    assert not mirrored.known[[4, 99]].any()
    assert np.allclose(mirrored.mirrored(100).points_px, pose.points_px)


def test_points_of_the_face_meet_their_twins():
    """A face that is symmetric about x = 50 is itself in the mirror: iBUG's 68 points, roughly placed."""
    points = np.zeros((133, 2))
    face = points[23:91]
    face[:17] = [(50 + 30 * np.cos(a), 50 + 40 * np.sin(a)) for a in np.linspace(np.pi, 0, 17)]
    for low, high, y in ((17, 26, 30), (31, 35, 60), (48, 54, 70), (60, 64, 71)):
        face[low : high + 1, 0], face[low : high + 1, 1] = np.linspace(30, 70, high - low + 1), y
    for low, high, y in ((55, 59, 76), (65, 67, 74)):
        face[low : high + 1, 0], face[low : high + 1, 1] = np.linspace(65, 35, high - low + 1), y
    face[27:31] = [(50, y) for y in (40, 45, 50, 55)]
    face[36:42] = [(30, 40), (35, 38), (40, 38), (45, 40), (40, 42), (35, 42)]
    face[42:48] = [(55, 40), (60, 38), (65, 38), (70, 40), (65, 42), (60, 42)]
    pose = BodyPose(points, np.where((points != 0).any(1), 1.0, 0.0))
    assert np.allclose(pose.mirrored(100).points_px, points)


def test_a_window_of_the_picture_has_the_points_where_its_pixels_are():
    pose = _pose()
    moved = pose.scaled(10, 20, 2.0)
    assert np.allclose(moved.points_px[0], 2 * (pose.points_px[0] - [10, 20]))
    assert np.array_equal(moved.known, pose.known)
