from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handwright.drawing.geometry.working_resolution import (
    WorkingResolutionParams,
    mask_box,
    to_working_resolution,
)
from handwright.drawing.painter import draw_hand
from tests.drawn import flat_hand, shoot


@pytest.fixture(scope="module")
def large():
    """A hand that is drawn at a smaller size."""
    hand = flat_hand(900, distance_m=0.22, at=(0, 0.06))
    return shoot(hand, size=900, grain=3.0)


def test_usual_hands_are_drawn_at_their_own_size():
    shot = shoot()
    work = to_working_resolution(shot.pixels, shot.landmarks_px, shot.region)
    assert work.crop is shot.pixels
    assert work.step == 1
    assert work.blur(0.7) == 0.7
    picture = shot.pixels.astype(np.float32)
    assert work.enlarge(picture) is picture


def test_large_hands_are_drawn_at_a_bounded_size_with_everything_in_place(large):
    work = to_working_resolution(large.pixels, large.landmarks_px, large.region)
    assert np.ptp(work.landmarks_px, axis=0).max() == pytest.approx(
        WorkingResolutionParams().longest_px, rel=0.01
    )
    assert work.step == pytest.approx(large.hand_px / WorkingResolutionParams().longest_px, rel=0.01)
    assert work.region.span_px * work.step == pytest.approx(large.region.span_px, rel=0.01)
    again = work.enlarge_mask(work.region.inside)
    assert (again ^ large.silhouette).mean() < 0.005
    restored = work.enlarge(work.crop.astype(np.float32))
    assert restored.shape == large.pixels.shape
    inner = cv2.erode(large.silhouette.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    smooth = cv2.GaussianBlur(large.pixels.astype(np.float32), (0, 0), 2.0)
    assert np.abs(restored - smooth)[inner].mean() < 3


def test_what_is_known_to_be_the_hand_comes_along(large):
    known = np.zeros(large.silhouette.shape, np.bool_)
    known[100:300, 200:400] = True
    region = replace(large.region, certain=known, probability=known.astype(np.float32))
    work = to_working_resolution(large.pixels, large.landmarks_px, region)
    assert work.region.certain.shape == work.region.probability.shape == work.region.inside.shape
    assert (work.enlarge_mask(work.region.certain) ^ known).mean() < 0.005
    assert np.array_equal(work.region.probability > 0.5, work.region.certain)
    unknown = to_working_resolution(large.pixels, large.landmarks_px, large.region).region
    assert unknown.certain is None
    assert unknown.probability is None


def test_blur_here_and_enlarging_add_up(large):
    work = to_working_resolution(large.pixels, large.landmarks_px, large.region)
    edge = np.zeros((80, 80), np.float32)
    edge[:, 40:] = 1
    sigma = 2.5
    soft = cv2.GaussianBlur(edge, (0, 0), work.blur(sigma))
    wide = replace(work, crop=np.zeros((80, 80, 3), np.uint8), full=(round(80 * work.step),) * 2).enlarge(
        soft
    )
    profile = np.diff(wide[40])
    at = np.arange(len(profile))
    middle = (profile * at).sum()
    assert np.sqrt((profile * (at - middle) ** 2).sum()) == pytest.approx(sigma, rel=0.15)


def test_a_large_hand_comes_out_sharp_grainy_and_in_its_place(large):
    drawn = draw_hand(large.pixels, large.window, large.hand, large.landmarks_px, large.region, seed=0)
    assert np.array_equal(drawn.pixels[~drawn.painted], large.pixels[~drawn.painted])
    palm = cv2.erode((drawn.layers.alpha > 0.95).astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    fine = drawn.pixels.astype(np.float32) - cv2.blur(drawn.pixels.astype(np.float32), (5, 5))
    assert fine[palm].std() == pytest.approx(3.0, rel=0.35)
    mean = [p[palm].astype(float).mean(0) for p in (drawn.pixels, large.pixels)]
    assert np.abs(mean[0] - mean[1]).max() < 5


def test_a_box_is_tight_or_bounded():
    mask = np.zeros((50, 90), bool)
    mask[10:20, 30:80] = True
    assert mask_box(mask, None) == (slice(10, 20), slice(30, 80))
    rows, columns = mask_box(mask, 16)
    assert rows == slice(10, 20)
    assert columns.stop - columns.start == 16
    assert columns.start <= 55 <= columns.stop
    assert mask_box(np.zeros((4, 6), bool), 3)[1] in (slice(0, 3), slice(0, 6), slice(3, 6))


@settings(deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 30))
def test_a_bounded_box_lies_in_the_picture_and_holds_some_of_the_mask(seed, most):
    mask = np.random.default_rng(seed).random((23, 31)) < 0.02
    rows, columns = mask_box(mask, most)
    assert 0 <= rows.start < rows.stop <= 23
    assert 0 <= columns.start < columns.stop <= 31
    assert rows.stop - rows.start <= max(most, 1)
    assert columns.stop - columns.start <= max(most, 1)
