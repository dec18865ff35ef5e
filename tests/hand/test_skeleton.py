from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handwright.hand.skeleton import distal_of_wrist, palm_span_px, skeleton_masks
from tests.drawn import shoot

SHOT = shoot()


def test_the_thin_skeleton_lies_inside_the_hand_and_the_thick_one_covers_most_of_it():
    thin, thick = skeleton_masks(SHOT.landmarks_px, *SHOT.silhouette.shape)
    assert SHOT.silhouette[thin].mean() > 0.97
    beyond = SHOT.silhouette.copy()
    beyond[round(SHOT.landmarks_px[0, 1]) :] = False
    assert thick[beyond].mean() > 0.85
    assert thick[thin].all()


@given(st.floats(0.2, 20), st.floats(0, 6.3), st.floats(-500, 500))
def test_the_palms_span_grows_with_the_hand_and_does_not_turn_with_it(scale, turn, shift):
    cos, sin = np.cos(turn), np.sin(turn)
    marks = SHOT.landmarks_px
    moved = scale * marks @ np.array([[cos, sin], [-sin, cos]]) + shift
    assert palm_span_px(moved) == pytest.approx(scale * palm_span_px(marks), rel=1e-9)


def test_the_span_is_about_9_cm():
    per_m = SHOT.hand.camera.focal_px / SHOT.hand.translation_m[2]
    assert palm_span_px(SHOT.landmarks_px) / per_m == pytest.approx(0.09, abs=0.015)


def test_a_hand_shrunk_to_a_point_still_has_a_span():
    assert palm_span_px(np.zeros((21, 2))) == 4.0


@settings(max_examples=25)
@given(st.integers(1, 40), st.integers(1, 40), st.floats(-1e6, 1e6))
def test_skeletons_far_outside_of_a_picture_are_drawn_without_overflow(height, width, shift):
    thin, thick = skeleton_masks(SHOT.landmarks_px + shift, height, width)
    assert thin.shape == thick.shape == (height, width)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_the_line_across_the_palm_divides_the_hand_at_its_share(share):
    height, width = SHOT.silhouette.shape
    distal = distal_of_wrist(SHOT.landmarks_px, height, width, share)
    wrist, knuckles = SHOT.landmarks_px[0], SHOT.landmarks_px[[5, 9, 13, 17]].mean(0)
    for beside, side in ((-0.1, False), (0.1, True)):
        x, y = (wrist + (share + beside) * (knuckles - wrist)).astype(int)
        assert distal[y, x] == side
