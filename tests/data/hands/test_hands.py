"""Rendered hands: the truth lies on the picture, poses keep their words, held things are touched."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from handwright.data.hands import render_hands
from handwright.data.hands.arrange import PAIRS, frame_hands, two_hands
from handwright.data.hands.body import LABELS_PER_HAND, THING_LABEL
from handwright.data.hands.hold import DEEPEST_M, THINGS, draw_hold, draw_pose, named_pose
from handwright.data.hands.objects import thing_mesh
from handwright.data.hands.record import record_of
from handwright.data.photographs import list_photos
from handwright.data.shards import check_record
from handwright.data.world.picture import exposure
from handwright.data.world.places import KINDS, draw_place
from handwright.errors import UnreadableImageError
from handwright.hand.anatomy import DOF_LIMITS_RAD, FINGER_BONES
from handwright.hand.grammar import NAMED, parse_pose_words, words_of
from handwright.hand.grammar.motion import landmarks_of, penetration_m, spheres_of
from handwright.hand.kinematics import hand_landmarks_m, pose_bones, pose_of_dofs, pose_points
from handwright.hand.rig import load_rig
from handwright.types import Camera, Hand

SIZE = 96


@cache
def pictures():
    """Made by the first test that needs them."""
    return [render_hands(7, index, SIZE) for index in range(14)]


@pytest.fixture(params=range(14))
def picture(request):
    return pictures()[request.param]


def test_same_number_same_picture_and_another_is_another():
    again = render_hands(7, 3, SIZE)
    assert (again.pixels == pictures()[3].pixels).all()
    assert (again.parts == pictures()[3].parts).all()
    assert (pictures()[3].pixels != pictures()[4].pixels).any()
    assert (render_hands(8, 3, SIZE).pixels != pictures()[3].pixels).any()


def test_keypoints_are_the_projection_of_the_landmarks(picture):
    for truth in picture.hands:
        assert truth.keypoints_px == pytest.approx(truth.hand.camera.project(truth.landmarks_cam_m))
        assert truth.landmarks_cam_m == pytest.approx(hand_landmarks_m(truth.hand))


def test_visible_keypoints_lie_on_their_own_hand(picture):
    for index, truth in enumerate(picture.hands):
        for x, y in truth.keypoints_px[truth.visible]:
            label = picture.parts[int(y), int(x)]
            near = picture.parts[max(int(y) - 2, 0) : int(y) + 3, max(int(x) - 2, 0) : int(x) + 3]
            assert label // LABELS_PER_HAND == index or (near // LABELS_PER_HAND == index).any()


def test_mask_parts_and_depth_agree(picture):
    hand = (picture.parts > 0) & (picture.parts < 64) & (picture.parts % 32 <= 20)
    assert (picture.mask == hand).all()
    assert picture.mask.any()
    bare = picture.mask & (picture.depth > 0)
    assert bare.sum() > 0.85 * picture.mask.sum()
    drawn = picture.depth[picture.depth > 0]
    assert drawn.min() >= 51
    assert drawn.max() == 255


def test_the_scene_s_depth_covers_all_that_was_rendered_and_hands_by_far_less_than_their_own(picture):
    rendered = picture.parts > 0
    assert ((picture.scene > 0) == rendered).all()
    assert picture.scene.max() >= 250
    bare = picture.mask & (picture.depth > 0)
    assert np.ptp(np.percentile(picture.scene[bare], (5, 95))) < 102
    near, far = (picture.depth[bare] > 200), (picture.depth[bare] < 100)
    if near.sum() > 20 and far.sum() > 20 and len(picture.hands) == 1:
        assert picture.scene[bare][near].mean() > picture.scene[bare][far].mean()


def test_a_record_is_complete_json_that_says_the_pose(picture):
    record = record_of(picture, 7, 0)
    check_record(record, "here")
    back = json.loads(json.dumps(record, allow_nan=False))
    assert len(back["hands"]) == len(picture.hands)
    for said, truth in zip(back["hands"], picture.hands, strict=True):
        assert parse_pose_words(said["words"]) == truth.words
        assert said["side"] == truth.hand.side
        assert np.array(said["pose"]) == pytest.approx(truth.hand.pose, abs=1e-5)
    assert back["domain"] in back["caption"]


def test_a_hidden_fingertip_is_not_visible():
    seen = np.concatenate([truth.visible for picture in pictures() for truth in picture.hands])
    assert 0.3 < seen.mean() < 0.97


@pytest.mark.parametrize("seed", range(25))
def test_drawn_poses_keep_to_anatomy_and_out_of_themselves(seed: int):
    posed = draw_pose(np.random.default_rng(seed))
    assert (posed.dofs_rad >= DOF_LIMITS_RAD[:, 0] - 1e-9).all()
    assert (posed.dofs_rad <= DOF_LIMITS_RAD[:, 1] + 1e-9).all()
    assert penetration_m(posed.dofs_rad) < 2 * DEEPEST_M
    assert posed.words == words_of(posed.dofs_rad)


@pytest.mark.parametrize("name", ["peace", "fist", "ok", "letter R", "vulcan", "writing tripod grasp"])
def test_a_jittered_named_pose_keeps_its_words(name: str):
    for seed in range(4):
        posed = named_pose(name, np.random.default_rng(seed))
        assert posed.words == replace(NAMED[name], palm=None, points=None)


def test_the_fast_kinematics_equal_the_readable_ones():
    rng, rig = np.random.default_rng(0), load_rig()
    for _ in range(8):
        dofs = rng.uniform(*DOF_LIMITS_RAD.T)
        pose, arch = pose_of_dofs(dofs)
        hand = Hand(
            pose=pose,
            palm_arch=arch,
            wrist=np.zeros(3),
            translation_m=np.zeros(3),
            shape=np.zeros(9),
            side="right",
            camera=Camera(1.0, (0.0, 0.0)),
        )
        assert landmarks_of(dofs) == pytest.approx(hand_landmarks_m(hand), abs=1e-9)
        bones = rig.sphere_bones[:, None]
        slow = pose_points(rig.spheres_m, bones, np.ones(bones.shape), pose_bones(rig, hand))
        assert spheres_of(dofs) == pytest.approx(slow, abs=1e-9)


@pytest.mark.parametrize("name", THINGS)
@pytest.mark.parametrize("seed", range(3))
def test_a_held_thing_is_touched_and_not_pierced(name: str, seed: int):
    posed, thing = draw_hold(np.random.default_rng(seed), name)
    rig = load_rig()
    gap = thing.distance(spheres_of(posed.dofs_rad)) - rig.sphere_radii_m
    tips = [gap[np.isin(rig.sphere_bones, chain)].min() for chain in FINGER_BONES]
    assert sum(tip < 0.004 for tip in tips) >= 2
    firm = rig.sphere_bones != FINGER_BONES[0][0]
    assert gap[firm].min() > -0.006


def test_a_things_mesh_lies_on_its_distance_field():
    for seed, name in enumerate(THINGS):
        _, thing = draw_hold(np.random.default_rng(seed), name)
        points, faces, own, uv = thing_mesh(thing)
        assert len(points) == len(own) == len(uv)
        assert faces.max() < len(points)
        outside = np.abs(thing.distance(points))
        assert np.percentile(outside, 60) < 0.006


@pytest.mark.parametrize("kind", PAIRS)
def test_two_hands_meet_without_running_into_each_other(kind: str):
    rng = np.random.default_rng(3)
    first, second = two_hands(rng, kind, 1.0)
    left, right = frame_hands(rng, (first, second), np.zeros(9), 256)
    assert {left.side, right.side} == {"left", "right"} or kind == "crossing"
    points = [left.camera.project(hand_landmarks_m(hand)) for hand in (left, right)]
    assert np.linalg.norm(points[0].mean(0) - points[1].mean(0)) < 256


def test_places_are_dark_to_bright_but_never_black_or_broken():
    for seed in range(30):
        place = draw_place(np.random.default_rng(seed), 64)
        assert place.name in KINDS
        assert place.linear.shape == (64, 64, 3)
        assert np.isfinite(place.linear).all()
        assert place.linear.min() >= 0


def test_photographs_become_backgrounds(tmp_path):
    import cv2

    with pytest.raises(UnreadableImageError, match="no photographs"):
        list_photos(tmp_path)
    cv2.imwrite(str(tmp_path / "a.png"), np.full((80, 120, 3), (10, 90, 200), np.uint8))
    photos = list_photos(tmp_path)
    places = [draw_place(np.random.default_rng(seed), 64, photos) for seed in range(12)]
    shown = [place for place in places if place.name == "photograph"]
    assert shown
    assert shown[0].linear.mean((0, 1)) == pytest.approx(
        1.1 * (np.array([200, 90, 10]) / 255) ** 2.2, rel=0.02
    )
    known = {"name": "a.png", "sha256": hashlib.sha256(photos[0].read_bytes()).hexdigest()}
    assert [place.photograph for place in shown] == [known] * len(shown)
    made = [render_hands(7, index, 48, photos) for index in range(4)]
    assert {picture.setup.place.name == "photograph" for picture in made} == {True, False}
    for picture in made:
        from_photo = picture.setup.place.name == "photograph"
        assert record_of(picture, 7, 0)["background"] == (known if from_photo else None)
    (tmp_path / "a.png").write_text("no picture")
    with pytest.raises(UnreadableImageError, match="not a picture"):
        for seed in range(12):
            draw_place(np.random.default_rng(seed), 64, photos)


def test_a_held_thing_is_labelled():
    holding = [picture for picture in pictures() if picture.setup.thing is not None]
    assert holding
    assert any((picture.parts == THING_LABEL).any() for picture in holding)


def test_a_few_pixels_below_black_leave_a_picture_its_exposure():
    linear = np.full((8, 8, 3), 0.2, np.float32)
    hand = np.zeros((8, 8), np.bool_)
    plain = exposure(np.random.default_rng(0), linear, hand)
    linear[0, 0] = -0.01
    assert exposure(np.random.default_rng(0), linear, hand) == pytest.approx(plain, rel=0.1)
