"""The 133 points: the value, the face laid onto nine points, hands at their arms, one person as a whole."""

from __future__ import annotations

import numpy as np
import pytest

from handwright.errors import InvalidValueError, MissingModelError
from handwright.perception.body import estimate
from handwright.perception.body.body_pose import BODY, FACE, FEET, HANDS, BodyPose
from handwright.perception.body.estimate import BodyEstimator, hands_of_bodies
from handwright.perception.body.face import MEAN_FACE, face_points
from handwright.perception.body.network import FoundBody
from handwright.perception.detect.landmarker import HandLandmarker, Person
from handwright.perception.models.download import ModelPaths, ensure_models
from tests.perception.hands import hand, person

ANCHORS = {0: 30, 1: 42, 3: 45, 4: 39, 6: 36, 7: 68, 8: 69, 9: 54, 10: 48}


def turned_face(yaw=0.0, size=0.5, at=(200.0, 150.0)):
    """The 33 joints of someone whose face is the mean face, and where all of its points then are."""
    cos, sin = np.cos(yaw), np.sin(yaw)
    solid = size * MEAN_FACE @ np.array([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]]) + (*at, 0.0)
    joints, depth = np.zeros((33, 2)), np.zeros(33)
    for joint, point in ANCHORS.items():
        joints[joint], depth[joint] = solid[point, :2], solid[point, 2]
    return joints, depth, solid[:68, :2]


def test_parts_cover_the_133_points_once():
    numbers = np.concatenate([np.arange(133)[part] for part in (BODY, FEET, FACE, *HANDS.values())])
    assert (numbers == np.arange(133)).all()


@pytest.mark.parametrize(
    ("points", "visibility", "said"),
    [
        (np.zeros((17, 2)), np.zeros(133), r"\[133, 2\], got \[17, 2\]"),
        (np.zeros((133, 2)), np.zeros(17), r"\[133\], got \[17\]"),
        (np.zeros((133, 2)), np.full(133, 2.0), r"visibility must lie in \[0, 1\]"),
        (np.full((133, 2), np.nan), np.zeros(133), "not finite"),
    ],
)
def test_a_pose_of_another_shape_or_range_is_refused(points, visibility, said):
    with pytest.raises(InvalidValueError, match=said):
        BodyPose(points, visibility)


def test_boxes_and_hands_count_known_points_alone():
    points = np.zeros((133, 2))
    points[FACE] = np.linspace((10, 20), (30, 60), 68)
    pose = BodyPose(points, np.zeros(133))
    assert pose.bbox_xyxy_px() == pose.bbox_xyxy_px(FACE) == (10, 20, 30, 60)
    assert pose.bbox_xyxy_px(BODY) is None
    assert not pose.has_hand("left")
    assert pose.wholebody.shape == (133, 3)


@pytest.mark.parametrize("yaw", [0.0, 0.5, -0.9])
def test_the_mean_face_is_found_again_exactly_from_nine_of_its_points(yaw):
    joints, depth, truth = turned_face(yaw)
    points, visibility = face_points(joints, depth, np.ones(33))
    assert np.abs(points - truth).max() < 1e-6
    assert visibility[30] == 1.0


def test_a_face_seen_from_behind_is_hidden():
    joints, depth, _ = turned_face(np.pi)
    _, visibility = face_points(joints, depth, np.ones(33))
    assert visibility.max() <= 0.5


def test_hands_go_to_the_nearest_arms_and_no_arm_gets_two():
    someone = person(left=(200, 100), right=(400, 100))
    mine = [hand(400, 100), hand(200, 100), hand(215, 105), hand(50, 300)]
    (own,) = hands_of_bodies([someone], mine, 600, 450)
    assert own == {"left": mine[1], "right": mine[0]}


@pytest.mark.parametrize(("factor", "sides"), [(0.98, ["left"]), (1.02, [])])
def test_a_hand_is_an_arms_up_to_a_distance_in_its_own_sizes(factor, sides):
    there = hand(200, 100)
    away = factor * estimate.PARAMS.max_gap * there.size_px
    (own,) = hands_of_bodies([person(left=(200, 100))], [hand(200 + away, 100)], 600, 450)
    assert [*own] == sides


def test_a_person_is_assembled_with_what_is_known_and_nothing_else(monkeypatch):
    joints, depth, _ = turned_face()
    reach = person(left=(200, 200))
    known = (reach.visibility > 0)[:, None]
    points = np.where(known, reach.points_px, joints)
    seen = np.where(np.arange(33) < 11, 1.0, reach.visibility)
    found = FoundBody(Person(points, seen), depth, np.ones((450, 600), np.float32))
    monkeypatch.setattr(estimate, "BodyNetwork", lambda _: lambda _pixels: [found])
    with_hands = BodyEstimator(landmarker=object(), model="model")
    seen = hand(200, 200)  # by the landmarker a right hand, by the arm that it ends a left one
    (body,) = with_hands(np.zeros((450, 600, 3), np.uint8), [seen])
    assert body.pose.depth_px is not None
    assert (body.pose.depth_px[HANDS["left"]] == -seen.depth_px).all()
    assert body.mask.all()
    assert body.pose.has_hand("left")
    assert not body.pose.has_hand("right")
    assert (body.pose.visibility[HANDS["left"]] == 1).all()
    assert (body.pose.points_px[9] == body.pose.points_px[91]).all()
    assert body.face_xyxy_px is not None
    assert body.face_xyxy_px[0] < 200 < body.face_xyxy_px[2]


def test_pictures_of_another_kind_and_a_missing_model_are_told_plainly(monkeypatch, tmp_path):
    monkeypatch.setattr(estimate, "BodyNetwork", lambda _: None)
    with pytest.raises(InvalidValueError, match="uint8"):
        BodyEstimator(landmarker=object(), model="model")(np.zeros((8, 8, 3)))
    missing = ModelPaths(tmp_path, "", "user", None)
    monkeypatch.setattr(estimate, "ensure_models", lambda: missing)
    with pytest.raises(MissingModelError, match="handwright setup"):
        BodyEstimator(landmarker=object())


@pytest.mark.models
def test_a_rendered_person_is_found_with_face_hand_and_mask():
    pytest.importorskip("anny")
    if ensure_models().pose_landmarker is None:
        pytest.skip("the pose model could not be fetched")
    from handwright.data.people import render_person

    picture = render_person(77, 1, 256)
    truth = picture.person.wholebody
    with HandLandmarker() as landmarker, BodyEstimator(landmarker) as people:
        (body,) = people(picture.pixels)
        assert people(np.zeros((64, 64, 3), np.uint8)) == []
    shared = (body.mask & picture.mask).sum() / (body.mask | picture.mask).sum()
    assert shared > 0.9
    inside = truth[FACE, 2] > 0
    apart = np.linalg.norm(body.pose.points_px[FACE] - truth[FACE, :2], axis=1)[inside]
    assert apart.mean() < 8
