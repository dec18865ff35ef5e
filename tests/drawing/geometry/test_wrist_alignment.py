"""The drawn wrist meets the picture's arm."""

from __future__ import annotations

import numpy as np
import pytest

from handwright.drawing.geometry.surface import render_surface
from handwright.drawing.geometry.wrist_alignment import align_wrist
from tests.drawn import flat_hand, shoot

LENGTH_M, PX_PER_M = 0.19, 1000.0
REACH = np.repeat(np.linspace(-0.04, LENGTH_M - 0.04, 96), 21)
ASIDE = np.tile(np.linspace(-0.03, 0.03, 21), 96)


def points(turn_rad=0.0, at=(150.0, 220.0)):
    """A hand that is a bar, 60 pixels wide, upwards or turned."""
    along = np.array([np.sin(turn_rad), -np.cos(turn_rad)])
    across = np.array([-along[1], along[0]])
    return np.array(at) + PX_PER_M * (REACH[:, None] * along + ASIDE[:, None] * across)


def arm(left, right, height=300, width=300):
    mask = np.zeros((height, width), np.bool_)
    mask[:, left:right] = True
    return mask


@pytest.mark.parametrize(("left", "right"), [(120, 180), (114, 190), (126, 176), (125, 185)])
def test_the_wrist_comes_to_where_the_arm_is_and_the_fingers_stay(left, right):
    before = points()
    after = align_wrist(before, REACH, arm(left, right))
    wrist, fingers = np.abs(REACH) < 0.005, REACH > 0.08
    assert after[wrist, 0].min() == pytest.approx(left, abs=0.6)
    assert after[wrist, 0].max() == pytest.approx(right, abs=0.6)
    np.testing.assert_array_equal(after[fingers], before[fingers])
    np.testing.assert_allclose(after[:, 1], before[:, 1], atol=1e-9)


def test_it_moves_across_the_hand_whichever_way_that_lies():
    strip = np.zeros((300, 300), np.bool_)
    strip[110:186] = True
    before = points(np.pi / 2, (90.0, 150.0))
    after = align_wrist(before, REACH, strip)
    wrist = np.abs(REACH) < 0.005
    assert after[wrist, 1].min() == pytest.approx(110, abs=0.6)
    assert after[wrist, 1].max() == pytest.approx(186, abs=0.6)
    np.testing.assert_allclose(after[:, 0], before[:, 0], atol=1e-9)


def test_between_wrist_and_fingers_it_changes_gradually():
    before = points()
    moved = align_wrist(before, REACH, arm(112, 192))[:, 0] - before[:, 0]
    edge = moved[ASIDE.max() == ASIDE]
    assert (np.diff(np.abs(edge)) <= 1e-9).all()
    assert np.abs(np.diff(edge)).max() < 0.7


@pytest.mark.parametrize(
    "seen",
    [
        arm(0, 0),
        arm(60, 240),
        arm(140, 160),
        arm(150, 210),
        arm(0, 300),
        arm(0, 180),
    ],
    ids=["no arm", "too broad", "too narrow", "aside", "all skin", "runs out of the picture"],
)
def test_what_is_no_arm_of_that_hand_moves_nothing(seen):
    assert align_wrist(points(), REACH, seen) is None


def test_a_hand_seen_along_its_arm_stays():
    before = points()
    before[:, 1] = 220 + 0.3 * (before[:, 1] - 220)
    assert align_wrist(before, REACH, arm(114, 190)) is None


def test_a_surface_tells_whether_it_meets_the_arm():
    shot = shoot(flat_hand())
    height, width = shot.pixels.shape[:2]
    hand_px = float(np.ptp(shot.landmarks_px, axis=0).max())
    window = (0, 0, width, height)
    alone = render_surface(shot.hand, window, hand_px)
    assert not alone.wrist_aligned
    wrist = alone.coverage > 0.5
    met = render_surface(shot.hand, window, hand_px, arm=wrist)
    assert met.wrist_aligned
    assert np.mean(np.abs(met.coverage - alone.coverage) > 0.5) < 0.002
    assert not render_surface(shot.hand, window, hand_px, arm=np.zeros_like(wrist)).wrist_aligned
