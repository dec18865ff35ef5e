"""``bench/finger_edits.py``: one finger of a file of parameters changes, and its ways are measured."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "bench"))

from edited_finger import share_of_reseeded
from finger_edits import (
    LEAST_MOTION,
    Edit,
    box_around,
    chosen_edit,
    edited_json,
    finger_landmarks,
    hand_length,
    landmarks_of,
    mean_squared_error,
    motions,
    near_hands,
)
from handwright.body import parameters_of_json
from handwright.hand.anatomy import FINGER_BONES, FINGERS
from handwright.handiffuser.hand_words import hands_in_words
from tests.handiffuser.poses import records


@pytest.mark.parametrize("to", ["curled", "extended"])
@pytest.mark.parametrize("finger", [1, 4])
def test_only_the_rows_of_one_finger_change_and_it_is_as_wished(finger, to):
    data = records()[0]["body"]
    after = edited_json(data, Edit("right", finger, to))
    assert {name for name in data if data[name] != after[name]} == {"right_hand_pose"}
    rows = [k for k in range(15) if data["right_hand_pose"][k] != after["right_hand_pose"][k]]
    assert set(rows) <= {bone - 1 for bone in FINGER_BONES[finger]}
    words = hands_in_words(parameters_of_json(after))["right"]
    assert words.fingers[finger - 1] == to


def test_a_finger_is_chosen_whose_edit_is_seen():
    for record in records()[:3]:
        body = parameters_of_json(record["body"])
        edit = chosen_edit(body, np.random.default_rng(0))
        bend = hands_in_words(body)[edit.side].fingers[edit.finger - 1]
        assert edit.to == ("curled" if bend == "extended" else "extended")
        after = parameters_of_json(edited_json(record["body"], edit))
        before_px, after_px = landmarks_of(body, edit.side), landmarks_of(after, edit.side)
        moved = np.linalg.norm(after_px - before_px, axis=1) / hand_length(before_px, after_px)
        knuckle, *_, tip = range(4 * edit.finger + 1, 4 * edit.finger + 5)
        assert moved[tip] >= LEAST_MOTION
        assert moved[knuckle] < 0.06  # its landmark lies on the skin
        assert np.delete(moved, range(knuckle, tip + 1)).max() == 0


def hand(finger=None, by=(0.0, 0.0)) -> np.ndarray:
    points = np.random.default_rng(0).uniform(0, 100, (21, 2))
    points[:2] = (0, 0), (100, 100)
    if finger is not None:
        points[finger_landmarks(finger)] += by
    return points


def test_a_finger_that_goes_where_it_should_goes_all_of_the_way():
    before, after = hand(), hand(2, (0, -20))
    there = motions(before, after, before, after, 2)
    length = hand_length(before, after)
    assert there == pytest.approx({"found": 20 / length, "others": 0, "way": 1})
    half = motions(before, after, before + 7, hand(2, (0, -10)) + 7, 2)
    assert half == pytest.approx({"found": 10 / length, "others": 0, "way": 0.5})


def test_another_finger_or_another_way_is_no_way():
    before, after = hand(), hand(2, (0, -20))
    assert motions(before, after, before, hand(3, (0, -20)), 2)["way"] == 0
    assert motions(before, after, before, hand(3, (0, -20)), 2)["others"] > 0
    assert motions(before, after, before, hand(2, (20, 0)), 2)["way"] == pytest.approx(0)
    assert motions(before, after, before, hand(2, (0, 20)), 2)["way"] == pytest.approx(-1)


def test_fingers_have_three_landmarks_each_and_share_none():
    landmarks = [k for finger in range(len(FINGERS)) for k in finger_landmarks(finger)]
    assert len(set(landmarks)) == 15
    assert finger_landmarks(1) == [6, 7, 8]


def test_background_is_what_is_far_from_both_versions():
    record = records()[0]
    body = parameters_of_json(record["body"])
    edit = chosen_edit(body, np.random.default_rng(0))
    after = parameters_of_json(edited_json(record["body"], edit))
    near = near_hands([body, after], edit.side, 8.0)
    height, width = near.shape
    assert (width, height) == body.size_px
    for points in (landmarks_of(body, edit.side), landmarks_of(after, edit.side)):
        x, y = np.clip(points.round().astype(int), 0, [width - 1, height - 1]).T
        assert near[y, x].all()
    assert near.mean() < 0.6
    assert near_hands([body], edit.side, 0.0).sum() < near.sum()


def test_errors_count_only_where_they_are_to():
    first, where = np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), bool)
    second = first.copy()
    second[0, 0] = 200
    where[1:] = True
    assert mean_squared_error(first, second, where) == 0
    assert mean_squared_error(first, second, ~where) == 200**2 / 4
    assert np.isnan(mean_squared_error(first, second, np.zeros_like(where)))
    assert share_of_reseeded(np.array([[1.0, 10.0], [3.0, 30.0]])) == pytest.approx(0.1)
    assert np.isnan(share_of_reseeded(np.zeros((2, 2))))
    assert box_around(np.array([[1.0, 2.0], [5.0, 3.0]]), 1.0) == (0, 1, 6, 4)
