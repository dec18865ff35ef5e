"""One hand detected twice becomes one; two hands that touch stay two."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handwright.perception.detect.views import (
    PARAMS,
    box_iou,
    landmark_distance,
    merge_hands,
    near_known_hand,
    same_hand,
)
from tests.perception.hands import FLAT, hand


def test_identical_hands_are_at_distance_zero():
    assert landmark_distance(hand(), hand()) == 0.0


@given(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3), st.floats(20, 2000))
def test_a_shift_by_a_share_of_the_size_is_that_distance_wherever_and_however_large_the_hand(x, y, size):
    first, second = hand(x, y, size), hand(x + 0.3 * size, y, size)
    assert landmark_distance(first, second) == pytest.approx(0.3 * size / first.size_px)


@given(st.floats(20, 500), st.floats(20, 500), st.floats(-300, 300))
def test_distance_is_symmetric(a, b, shift):
    assert landmark_distance(hand(0, 0, a), hand(shift, 0, b)) == landmark_distance(
        hand(shift, 0, b), hand(0, 0, a)
    )


@pytest.mark.parametrize(
    ("is_one", "limit"),
    [(same_hand, PARAMS.same_distance), (lambda a, b: near_known_hand(a, [b]), PARAMS.near_distance)],
)
def test_two_detections_are_one_hand_up_to_the_stated_distance(is_one, limit):
    first = hand(side="left")
    for factor, expected in ((0.99, True), (1.01, False)):
        second = hand(factor * limit * first.size_px, side="right")
        assert is_one(first, second) == expected


def test_the_better_of_two_detections_is_kept():
    good, poor = hand(0, 0, score=0.9), hand(4, 3, score=0.6)
    assert merge_hands([poor, good]) == [good]


def test_on_equal_scores_the_first_detection_is_kept():
    first, second = hand(0, 0), hand(1, 1)
    assert merge_hands([first, second]) == [first]


def test_a_hand_seen_at_another_size_is_the_same_hand():
    assert len(merge_hands([hand(0, 0, 100), hand(10, 20, 75, score=0.5)])) == 1


def test_a_small_hand_seen_in_the_fingers_of_a_large_one_is_the_same_hand():
    large = hand(0, 0, 100, score=0.9)
    middle = large.landmarks_px[[5, 9, 13, 17, 6, 10, 14, 18]].mean(0)
    small = hand(0, 0, 35, score=0.7)
    inside = [middle - (small.landmarks_px.min(0) + small.landmarks_px.max(0)) / 2]
    within = hand(*inside[0], 35, score=0.7)
    assert merge_hands([within, large]) == [large]
    beside = hand(inside[0][0] + 60, inside[0][1], 35, score=0.7)
    assert len(merge_hands([beside, large])) == 2, "another's hand that the large one only covers in part"
    turned = hand(*inside[0], 35, score=0.7, turn=np.pi)
    assert len(merge_hands([turned, large])) == 2, "a child's hand in the large one"


@pytest.mark.parametrize("gap", [1.0, 0.9, 0.75])
def test_hands_side_by_side_both_survive_even_when_their_boxes_overlap(gap):
    assert len(merge_hands([hand(0, 0, 100), hand(100 * gap, 0, 100)])) == 2


def test_a_handshake_is_two_hands():
    there, back = hand(0, 0, 100, turn=np.pi / 2), hand(20, 0, 100, turn=-np.pi / 2)
    assert box_iou(there.bbox_xyxy_px, back.bbox_xyxy_px) > 0.5
    assert len(merge_hands([there, back])) == 2


def test_a_left_hand_across_a_right_one_is_two_hands():
    mirrored = FLAT * (-1, 1) + (1, 0)
    over, under = hand(0, 0, side="right", turn=-0.6), hand(0, 0, side="left", turn=0.6, points=mirrored)
    assert box_iou(over.bbox_xyxy_px, under.bbox_xyxy_px) > 0.5
    assert len(merge_hands([over, under])) == 2


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0.1, 1.0)), max_size=12))
def test_as_many_hands_survive_as_there_are_places(sightings):
    hands = [hand(300 * place, 0, score=score) for place, score in sightings]
    assert len(merge_hands(hands)) == len({place for place, _ in sightings})


@pytest.mark.parametrize(
    ("a", "b", "iou"),
    [
        ((0, 0, 2, 2), (0, 0, 2, 2), 1.0),
        ((0, 0, 2, 2), (2, 0, 4, 2), 0.0),
        ((0, 0, 2, 2), (1, 0, 3, 2), 1 / 3),
        ((0, 0, 4, 4), (1, 1, 3, 3), 0.25),
        ((0, 0, 0, 0), (0, 0, 0, 0), 0.0),
    ],
)
def test_overlap_of_boxes(a, b, iou):
    assert box_iou(a, b) == pytest.approx(iou)
