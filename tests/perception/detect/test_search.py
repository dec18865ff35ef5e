"""Finding: every hand in its place, each once, nothing that only one look sees; a user's box wins."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handwright.perception.detect.arms import find_people
from handwright.perception.detect.confirm import confirm_candidates
from handwright.perception.detect.landmarker import HandLandmarker, Person
from handwright.perception.detect.not_a_hand import NotAHand
from handwright.perception.detect.search import (
    SearchParams,
    detect_in_whole,
    detect_large_hands,
    find_hands,
    find_in_boxes,
    pyramid,
)
from tests.perception.hands import ChartLandmarker, chart, hand, person

WIDTH, HEIGHT = 600, 450
PICTURE = chart(WIDTH, HEIGHT)


def scripted(*hands, **options):
    return ChartLandmarker(list(hands), (WIDTH, HEIGHT), **options)


@given(st.integers(48, 440), st.floats(0, 1), st.floats(0, 1))
@settings(deadline=None, max_examples=20)
def test_a_hand_of_any_size_from_48_px_is_found_anywhere_once_and_in_its_place(size, across, down):
    there = hand(across * (WIDTH - size), down * (HEIGHT - size), size)
    (found,) = find_hands(PICTURE, landmarker=scripted(there), threads=1)
    assert np.abs(found.landmarks_px - there.landmarks_px).max() < 0.05 * size
    assert found.side == there.side


def test_hands_come_from_left_to_right():
    places = [(420, 100), (30, 250), (250, 20)]
    found = find_hands(PICTURE, landmarker=scripted(*(hand(x, y, 150) for x, y in places)), threads=1)
    assert [round(h.bbox_xyxy_px[0], -1) for h in found] == sorted(round(x + 4.5, -1) for x, _ in places)


def test_each_hand_says_which_pass_found_it():
    found = find_hands(PICTURE, landmarker=scripted(hand(10, 10, 300), hand(500, 350, 60)), threads=1)
    assert [h.found_by for h in found] == ["picture", "tile"]


def test_touching_hands_both_survive():
    pair = hand(200, 200, 200, side="left"), hand(360, 200, 200, side="right")
    assert len(find_hands(PICTURE, landmarker=scripted(*pair), threads=1)) == 2


def test_what_is_seen_only_unmirrored_is_no_hand():
    twice_straight = scripted(hand(400, 300, 100), only_straight=True, wobble=0.3)
    assert find_hands(PICTURE, landmarker=twice_straight, threads=1) == []


def test_what_the_landmark_network_is_sure_of_is_a_hand_found_by_low_threshold():
    sure = scripted(hand(300, 200, 150), only_straight=True, presence=0.9)
    assert find_hands(PICTURE, landmarker=scripted(hand(300, 200, 150), only_straight=True), threads=1) == []
    # Mirrored crops answer nothing: half the presence is missing.
    assert find_hands(PICTURE, landmarker=sure, threads=1) == []
    shaky = scripted(hand(300, 200, 150), wobble=0.2, presence=0.9)
    (found,) = find_hands(PICTURE, landmarker=shaky, threads=1)
    assert found.found_by == "low_threshold"


def test_a_doubtful_find_on_a_face_is_refused_and_told():
    joints = np.full((33, 2), 2000.0)
    joints[:11] = np.array((375.0, 275.0)) + np.linspace((-60, -30), (60, 30), 11)
    joints[[11, 12]] = (100, 440), (500, 440)
    someone = Person(joints, np.where(np.arange(33) < 13, 1.0, 0.0))
    shaky = scripted(hand(300, 200, 150), wobble=0.2, presence=0.9, persons=[someone])
    refused: list[NotAHand] = []
    assert find_hands(PICTURE, landmarker=shaky, threads=1, refused=refused) == []
    assert ["face" in one.reason for one in refused] == [True]


def test_what_every_look_sees_elsewhere_is_no_hand():
    assert find_hands(PICTURE, landmarker=scripted(hand(300, 200, 200), wobble=0.5), threads=1) == []


def test_the_mean_of_two_looks_lies_nearer_to_the_truth_than_one_look():
    truth = [hand(90 * k, 60 * k, 100 + 10 * k) for k in range(5)]
    sure = confirm_candidates(PICTURE, truth, scripted(*truth, wobble=0.04))
    assert len(sure) == len(truth)
    errors = [
        np.abs(s.landmarks_px - t.landmarks_px).mean() / t.size_px for s, t in zip(sure, truth, strict=True)
    ]
    assert np.mean(errors) < 0.02 * 0.85  # .02 is the mean of |uniform(-.04, .04)|


def test_no_hands_is_an_empty_list():
    assert find_hands(PICTURE, landmarker=scripted(), threads=1) == []


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (400, 1), (47, 47)])
def test_pictures_too_small_for_a_hand_are_looked_at_without_harm(size):
    assert find_hands(np.zeros((*size, 3), np.uint8), landmarker=scripted(), threads=1) == []


def test_threads_never_change_the_result():
    hands = [hand(10, 10, 250), hand(500, 350, 70), hand(450, 50, 120, side="left")]
    one = find_hands(PICTURE, landmarker=scripted(*hands, wobble=0.02), threads=1)
    four = find_hands(PICTURE, landmarker=scripted(*hands, wobble=0.02), threads=4)
    assert len(one) == len(four) == 3
    assert all(np.array_equal(a.landmarks_px, b.landmarks_px) for a, b in zip(one, four, strict=True))


def test_tiles_grow_until_they_are_as_large_as_the_picture():
    sides = sorted({view.side_px for view in pyramid(4000, 3000, SearchParams())})
    assert sides == [220, 550, 1375, 3437.5]
    assert pyramid(200, 150, SearchParams()) == []


def test_a_users_box_picks_the_hand_that_fits_it_best():
    hands = [hand(10, 20, 150), hand(130, 20, 150, side="left"), hand(400, 250, 150)]
    (found,) = find_hands(PICTURE, boxes=[(125, 15, 285, 175)], landmarker=scripted(*hands), threads=1)
    assert (found.side, found.found_by) == ("left", "box")


def test_a_box_without_a_hand_is_marked_and_the_others_are_still_found():
    there = hand(100, 100, 200)
    boxes = [(100.0, 100.0, 300.0, 300.0), (400.0, 250.0, 550.0, 400.0)]
    first, second = find_in_boxes(PICTURE, boxes, landmarker=scripted(there), threads=1)
    assert first is not None
    assert second is None
    assert len(find_hands(PICTURE, boxes=boxes, landmarker=scripted(there), threads=1)) == 1


def test_a_box_finds_a_hand_that_no_second_look_confirms():
    there = hand(100, 100, 200)
    straight_only = scripted(there, only_straight=True)
    (found,) = find_hands(PICTURE, boxes=[(100, 100, 300, 300)], landmarker=straight_only, threads=1)
    assert np.abs(found.landmarks_px - there.landmarks_px).max() < 10


def test_importing_the_room_loads_no_mediapipe():
    code = "import sys, handwright.perception.detect.search as f; sys.exit('mediapipe' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=dict(os.environ), check=False).returncode == 0


def large_hands(landmarker, search=None):
    search = search or SearchParams()
    return detect_large_hands(
        PICTURE,
        landmarker,
        search,
        lambda: detect_in_whole(PICTURE, landmarker, search),
        lambda: find_people(PICTURE, landmarker),
    )


@pytest.mark.parametrize(("contrast", "skipped"), [(0, True), (15, True), (16, False), (200, False)])
def test_tiles_that_show_a_plain_wall_are_not_searched(contrast, skipped):
    class Counting(ChartLandmarker):
        def detect(self, pixels, **options):
            self.calls += 1
            return []

    def calls(pixels):
        landmarker = Counting([], (WIDTH, HEIGHT))
        find_hands(pixels, landmarker=landmarker, threads=1)
        return landmarker.calls

    wall = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    wall[::7, ::5] += contrast
    busy = np.random.default_rng(0).integers(0, 256, wall.shape, np.uint8)
    whole_pictures = 4  # As it stands and turned, in colour and in grey: each once
    assert calls(busy) > whole_pictures + 10
    assert calls(wall) == (whole_pictures if skipped else calls(busy))


def test_people_whom_the_caller_finds_are_not_searched_for():
    class NoPeople(ChartLandmarker):
        def people(self, pixels):
            raise AssertionError("searched for people")

    landmarker = NoPeople([hand(100, 100, 120)], (WIDTH, HEIGHT))
    asked = []
    (found,) = find_hands(PICTURE, landmarker=landmarker, threads=1, people=lambda: asked.append(1) or [])
    assert found.size_px == pytest.approx(120, rel=0.1)
    assert asked
    with pytest.raises(AssertionError, match="searched"):
        find_hands(PICTURE, landmarker=landmarker, threads=1)


def test_one_look_tells_all_of_a_small_picture_with_large_hands_beyond_doubt():
    there = hand(50, 50, 250), hand(330, 60, 240, side="left")
    sure = scripted(*there, presence=0.95)
    found = find_hands(PICTURE, landmarker=sure, threads=1)
    assert sure.calls == 1
    assert [np.abs(f.landmarks_px - t.landmarks_px).max() < 5 for f, t in zip(found, there, strict=True)]


@pytest.mark.parametrize(
    ("size", "presence", "limit"), [(100, 0.95, 1100.0), (250, 0.85, 1100.0), (250, 0.95, 500.0)]
)
def test_a_small_or_doubtful_hand_or_a_large_picture_calls_for_a_search(size, presence, limit):
    doubtful = scripted(hand(100, 100, size), presence=presence)
    assert large_hands(doubtful, SearchParams(single_detection_px=limit)) == []


def test_an_arm_without_its_hand_calls_for_a_search():
    there = hand(100, 100, 200)
    assert len(large_hands(scripted(there, presence=0.95))) == 1
    another = scripted(there, presence=0.95, persons=[person(left=(450, 200))])
    assert large_hands(another) == []


@pytest.mark.models
@pytest.mark.photos
def test_two_open_hands_of_a_photograph_are_found_where_they_are_labelled(photos):
    import json

    from PIL import Image

    folder = photos / "tfjs_models_testdata"
    labels = json.loads((folder / "hand_keypoints_coco.json").read_text("utf-8"))
    picture = next(i for i in labels["images"] if i["id"] == labels["annotations"][0]["image_id"])
    pixels = np.asarray(Image.open(folder / "images" / picture["file_name"]).convert("RGB"))
    truth = [
        np.array(a["keypoints"], float).reshape(21, 3)[:, :2]
        for a in labels["annotations"]
        if a["image_id"] == picture["id"]
    ]
    with HandLandmarker() as landmarker:
        found = find_hands(pixels, landmarker=landmarker)
    assert len(found) == len(truth) == 2
    for h, t in zip(found, sorted(truth, key=lambda t: t[:, 0].min()), strict=True):
        assert np.linalg.norm(h.landmarks_px - t, axis=1).mean() < 0.05 * h.size_px


def test_the_smallest_hand_searched_for_grows_with_very_large_pictures_only():
    search = SearchParams()
    assert search.within(2800) == search
    large = search.within(6000)
    assert large.smallest_px == pytest.approx(100)
    assert large.tile_px / large.smallest_px == pytest.approx(search.tile_px / search.smallest_px)
