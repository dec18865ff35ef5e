"""What is refused as no hand, and above all what is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from handwright.perception.detect.landmarker import Person
from handwright.perception.detect.not_a_hand import (
    DOUBTFUL,
    PARAMS,
    Candidate,
    NotAHand,
    part_taken_for_hand,
    refuse_finds,
)
from tests.perception.hands import hand

FACE = (262, 60)  # Top left corners of finds on someone's parts
NECK = (280, 130)
CHEST = (280, 230)
ELBOW = (80, 275)


def someone():
    """Who stands upright with the left arm up and the right arm down, 600 px tall, and everything in view."""
    points = np.zeros((33, 2))
    points[:11] = [
        (300, 100), (308, 85), (314, 85), (320, 85), (292, 85), (286, 85), (280, 85), (335, 95), (265, 95),
        (312, 120), (288, 120),
    ]  # fmt: skip
    points[11:23] = [
        (380, 180), (220, 180), (480, 300), (100, 300), (480, 150), (60, 430),
        (490, 110), (50, 470), (475, 105), (60, 475), (470, 120), (65, 465),
    ]  # fmt: skip
    points[23:33] = [(350, 420), (250, 420), *[(300, 590)] * 8]
    return Person(points, np.ones(33))


LEFT_HAND = hand(430, 50, side="left")
RIGHT_HAND = hand(10, 430, turn=np.pi)


def doubtful(corner, size=70.0):
    return hand(*corner, size, found_by=DOUBTFUL)


@pytest.mark.parametrize(("corner", "size", "part"), [(FACE, 70.0, "face"), (NECK, 40.0, "neck")])
def test_a_doubtful_find_on_a_face_or_a_neck_is_refused_with_a_reason(corner, size, part):
    kept, (refused,) = refuse_finds([LEFT_HAND, doubtful(corner, size)], [someone()])
    assert kept == [LEFT_HAND]
    assert part in refused.reason
    assert refused.bbox_xyxy_px == doubtful(corner, size).bbox_xyxy_px


@pytest.mark.parametrize("corner", [FACE, NECK, CHEST, ELBOW])
def test_a_sure_hand_stays_wherever_it_is(corner):
    sure = replace(doubtful(corner), found_by="tile")
    assert refuse_finds([LEFT_HAND, RIGHT_HAND, sure], [someone()]) == ([LEFT_HAND, RIGHT_HAND, sure], [])


@pytest.mark.parametrize(("corner", "part"), [(CHEST, "a trunk"), (ELBOW, "an upper arm")])
def test_a_trunk_and_an_arm_that_has_its_hand_have_no_other(corner, part):
    sure = [LEFT_HAND, RIGHT_HAND]
    find = Candidate.of_hand(doubtful(corner, 50.0))
    assert part_taken_for_hand(find, sure, [someone()]) == part
    assert part_taken_for_hand(find, [LEFT_HAND], [someone()]) is None


@pytest.mark.parametrize("corner", [FACE, NECK])
def test_a_find_at_the_end_of_an_arm_stays_even_if_the_wrist_is_hidden(corner):
    person = someone()
    person.points_px[15] = np.add(corner, (35, 80))
    person.visibility[15] = 0.05
    assert part_taken_for_hand(Candidate.of_hand(doubtful(corner)), [], [person]) is None


def test_an_unsure_body_refuses_nothing():
    person = someone()
    person.visibility[:] = 0.7
    for corner in (FACE, NECK, CHEST, ELBOW):
        find = Candidate.of_hand(doubtful(corner))
        assert part_taken_for_hand(find, [LEFT_HAND, RIGHT_HAND], [person]) is None
        assert part_taken_for_hand(find, [LEFT_HAND, RIGHT_HAND], []) is None


@pytest.mark.parametrize(("more", "part"), [(-0.01, None), (0.01, "a face or an ear")])
def test_a_face_counts_from_a_visibility_on(more, part):
    person = someone()
    person.visibility[:] = PARAMS.min_visibility + more
    assert part_taken_for_hand(Candidate.of_hand(doubtful(FACE)), [LEFT_HAND], [person]) == part


def test_a_body_that_is_found_in_a_hand_refuses_nothing():
    filling = hand(0, 0, 600.0)
    assert part_taken_for_hand(Candidate.of_hand(doubtful(FACE)), [filling], [someone()]) is None
    assert part_taken_for_hand(Candidate.of_square((300.0, 100.0), 400.0), [], [someone()]) is None


def test_a_square_without_landmarks_lies_where_its_middle_is():
    assert (
        part_taken_for_hand(Candidate.of_square((300.0, 100.0), 110.0), [], [someone()]) == "a face or an ear"
    )
    assert part_taken_for_hand(Candidate.of_square((560.0, 500.0), 110.0), [], [someone()]) is None


def test_a_refusal_scales_with_the_picture():
    assert NotAHand((1, 2, 3, 4), "no").scaled(2, 3) == NotAHand((2, 6, 6, 12), "no")
