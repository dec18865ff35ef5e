"""Where arms end: the crops, whose arm a hand is, and hands that only the body pass finds."""

from __future__ import annotations

import tarfile

import numpy as np
import PIL.Image
import pytest

from handwright.perception.detect.arms import (
    Arm,
    arms_of,
    encloses_person,
    find_people,
    find_people_beside,
    hands_at_arm_ends,
    unmatched_arms,
    views_of,
)
from handwright.perception.detect.landmarker import HandLandmarker, Person
from handwright.perception.detect.search import find_hands
from handwright.perception.models.download import ensure_models
from tests.perception.hands import ChartLandmarker, chart, hand, person

WIDTH, HEIGHT = 600, 450
PICTURE = chart(WIDTH, HEIGHT)


def test_crops_lie_along_the_palm_with_fingers_up_at_two_sizes_plain_and_mirrored():
    to_the_right = Arm(np.array([100.0, 200.0]), np.array([140.0, 200.0]), 50.0, "left")
    views = views_of(to_the_right)
    assert [view.mirrored for view in views] == [False, True, False, True]
    assert sorted({view.side_px for view in views}) == [130.0, 180.0]
    for view in views:
        assert view.center_px == pytest.approx((150.0, 200.0))
        top_middle = view.to_picture(np.array([[view.size_px / 2, 0.0]]))[0]
        assert top_middle == pytest.approx((150.0 + view.side_px / 2, 200.0))


def test_a_palm_seen_end_on_is_as_long_as_the_forearm_says():
    someone = person(left=(100, 100))
    someone.points_px[[17, 19]] = someone.points_px[15] + (0.0, -1.0)
    (arm,) = arms_of(someone, WIDTH, HEIGHT)
    assert arm.palm_px == pytest.approx(0.33 * 120)


def test_hidden_wrists_and_hands_outside_the_picture_say_nothing():
    assert len(arms_of(person(left=(100, 100), right=(300, 100)), WIDTH, HEIGHT)) == 2
    assert arms_of(person(left=(100, 100), seen=0.2), WIDTH, HEIGHT) == []
    assert arms_of(person(left=(WIDTH, 100)), WIDTH, HEIGHT) == []


def test_a_hand_belongs_to_one_arm_the_nearest():
    arms = arms_of(person(left=(200, 100), right=(240, 100)), WIDTH, HEIGHT)
    (bare,) = unmatched_arms(arms, [hand(240, 100, 100)])
    assert bare.wrist_px[0] == 250.0
    assert unmatched_arms(arms, [hand(240, 100, 100), hand(200, 100, 100)]) == []
    assert len(unmatched_arms(arms, [hand(450, 300, 100)])) == 2


def test_a_hand_that_the_palm_detector_misses_is_found_at_the_end_of_its_arm():
    there, someone = hand(250, 150, 100), person(left=(250, 150))
    blind = ChartLandmarker([there], (WIDTH, HEIGHT), palm_blind=True, presence=0.8, persons=[someone])
    (found,) = find_hands(PICTURE, landmarker=blind, threads=1)
    assert found.found_by == "body"
    assert np.abs(found.landmarks_px - there.landmarks_px).max() < 5


@pytest.mark.parametrize("trouble", [{"presence": 0.3}, {"only_straight": True}, {"wobble": 0.6}])
def test_what_the_landmark_network_doubts_is_no_hand_at_the_end_of_an_arm(trouble):
    options = {"palm_blind": True, "presence": 0.8, "persons": [person(left=(250, 150))]} | trouble
    assert (
        find_hands(PICTURE, landmarker=ChartLandmarker([hand(250, 150, 100)], (WIDTH, HEIGHT), **options))
        == []
    )


def test_a_hand_that_is_not_of_the_arms_size_is_not_the_arms():
    far_too_large = ChartLandmarker(
        [hand(100, 0, 400)], (WIDTH, HEIGHT), palm_blind=True, presence=0.9, persons=[person(left=(250, 150))]
    )
    assert find_hands(PICTURE, landmarker=far_too_large, threads=1) == []


def test_no_people_are_looked_for_beside_one_hand_that_fills_the_picture():
    def search():
        raise AssertionError("looked for people")

    assert find_people_beside(PICTURE, [hand(40, 10, 430)], search) == []
    with pytest.raises(AssertionError, match="looked"):
        find_people_beside(PICTURE, [hand(40, 10, 100)], search)


def test_a_person_in_several_tiles_is_one_person():
    large = np.ascontiguousarray(chart(2000, 1500))
    someone = person(left=(900, 700), right=(1100, 700))
    assert len(find_people(large, ChartLandmarker([], (2000, 1500), persons=[someone]))) == 1


def test_known_hands_are_not_found_again():
    there, someone = hand(250, 150, 100), person(left=(250, 150))
    scripted = ChartLandmarker([there], (WIDTH, HEIGHT), palm_blind=True, presence=0.8, persons=[someone])
    assert hands_at_arm_ends(PICTURE, [there], [someone], scripted) == []


def test_what_holds_a_trunk_and_legs_is_no_hand_and_a_hand_before_the_chest_is_one():
    points = np.zeros((33, 2))
    points[[11, 12, 23, 24, 25, 26, 27, 28]] = [
        (180, 100), (120, 100), (170, 220), (130, 220), (170, 300), (130, 300), (170, 380), (130, 380),
    ]  # fmt: skip
    someone = Person(points, np.ones(33))
    assert encloses_person(hand(80, 60, 340), [someone])
    assert not encloses_person(hand(100, 60, 100), [someone])
    assert not encloses_person(hand(80, 60, 340), [])


@pytest.mark.models
@pytest.mark.photos
def test_both_arms_of_a_man_who_shows_his_hands_end_in_the_labelled_boxes(photos):
    if ensure_models().pose_landmarker is None:
        pytest.skip("the pose model could not be fetched")
    with tarfile.open(next((photos / "subhih_handsdataset").glob("*.tar"))) as tar:
        file = tar.extractfile("train_26_pic00040.jpg")
        assert file is not None
        picture = np.asarray(PIL.Image.open(file).convert("RGB"))
    boxes = [(106, 253, 256, 475), (526, 251, 697, 480)]
    with HandLandmarker() as scripted:
        (someone,) = find_people(picture, scripted)
        arms = sorted(arms_of(someone, 800, 600), key=lambda arm: arm.wrist_px[0])
        for arm, (x0, y0, x1, y1) in zip(arms, boxes, strict=True):
            assert x0 < arm.knuckles_px[0] < x1
            assert y0 < arm.knuckles_px[1] < y1
        found = hands_at_arm_ends(picture, [], [someone], scripted)
        assert [hand.found_by for hand in found] == ["body", "body"]
        assert hands_at_arm_ends(picture, found, [someone], scripted) == []
