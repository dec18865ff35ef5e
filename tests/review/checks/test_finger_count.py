"""Finger count: five on a whole hand, six where skin grows out of it, four where none is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from handwright.review.checks.finger_count import count_fingers
from tests.drawn import WALL, flat_hand, shoot
from tests.review.drawn import evidence_of, grainy, with_finger


@pytest.mark.parametrize("side", ["right", "left"])
def test_a_whole_hand_has_five_fingers(side):
    check = count_fingers(evidence_of(grainy(side=side)))
    assert check.verdict == "pass"
    assert check.value == {"counted": 5, "seen": 5, "extra": 0, "missing": 0}


def test_a_sixth_finger_fails_and_is_where_it_was_drawn():
    shot = grainy()
    points = shot.landmarks_px
    outward = (points[17] - points[5]) / np.linalg.norm(points[17] - points[5])
    start = (points[17] + points[0]) / 2
    end = start + 0.75 * np.linalg.norm(points[9] - points[0]) * outward
    check = count_fingers(evidence_of(shot, with_finger(shot, start, end)))
    assert check.verdict == "fail"
    assert check.value["counted"] == 6
    x0, y0, x1, y1 = check.where.region_xyxy_px
    middle = start + 0.6 * (end - start)
    assert x0 - 8 < middle[0] < x1 + 8
    assert y0 - 8 < middle[1] < y1 + 8


def test_a_finger_that_is_not_there_fails():
    shot = grainy()
    points = shot.landmarks_px
    pixels, bunch = shot.pixels.copy(), points.copy()
    span = float(np.linalg.norm(points[9] - points[0]))
    gone = cv2.polylines(
        np.zeros(pixels.shape[:2], np.uint8), [np.int32(points[10:13])], False, 1, int(0.3 * span)
    )
    pixels[gone > 0] = WALL
    bunch[10:13] = points[9] + 0.04 * (points[10:13] - points[9])
    check = count_fingers(evidence_of(shot, pixels, landmarks_px=bunch))
    assert check.verdict == "fail"
    assert check.value["missing"] == 1
    assert "middle" in check.reason


def test_fingers_of_a_fist_are_not_counted():
    fist = shoot(flat_hand(curl=1.6), grain=2.5)
    check = count_fingers(evidence_of(fist))
    assert check.verdict in ("pass", "cannot tell")
    assert check.value["extra"] in (0, None)


def test_an_outline_that_is_not_the_hands_is_no_ground_to_count_on():
    shot = shoot(wall=(190, 150, 130), grain=2.5)
    check = count_fingers(evidence_of(shot))
    assert check.verdict != "fail"
