"""A hand is analysed once, and an analysis is never taken for that of another picture."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event

import numpy as np
import pytest

from handwright.perception import analysis
from handwright.perception.analysis import analyse_hand
from handwright.types import Image
from tests.review.drawn import grainy, seen


@pytest.fixture
def shot():
    return grainy()


def test_an_analysis_is_taken_over_where_the_picture_around_the_hand_is_the_same(shot):
    first = analyse_hand(Image(shot.pixels), seen(shot.hand))
    assert first.in_picture(Image(shot.pixels.copy())) is first


def test_one_changed_pixel_of_its_crop_needs_another_analysis(shot):
    first = analyse_hand(Image(shot.pixels), seen(shot.hand))
    x0, y0, x1, y1 = first.window
    other = shot.pixels.copy()
    other[y0, x0] ^= 128
    again = first.in_picture(Image(other))
    assert again is not first
    assert again.observation is first.observation
    np.testing.assert_array_equal(again.crop, other[y0:y1, x0:x1])


def test_a_picture_of_another_size_needs_another_analysis(shot):
    first = analyse_hand(Image(shot.pixels), seen(shot.hand))
    larger = np.pad(shot.pixels, ((0, 9), (0, 9), (0, 0)), mode="edge")
    assert first.in_picture(Image(larger)) is not first


def test_the_hand_is_segmented_once_and_only_when_that_is_needed(shot, monkeypatch):
    calls = []
    segment = analysis.hand_region
    monkeypatch.setattr(
        analysis, "hand_region", lambda *args, **how: calls.append(how) or segment(*args, **how)
    )
    hand = analyse_hand(Image(shot.pixels), seen(shot.hand))
    assert not calls
    assert hand.overlap > 0.8
    assert hand.fit is hand.fit
    assert len(calls) == 1
    assert hand.silhouette.shape == hand.region.inside.shape == hand.crop.shape[:2]
    assert hand.region is hand.region
    assert len(calls) == 2


def test_the_coarse_outline_is_nearly_the_fine_one(shot):
    hand = analyse_hand(Image(shot.pixels), seen(shot.hand))
    fine, coarse = hand.region.inside, hand.coarse_region.inside
    assert not np.array_equal(fine, coarse)
    assert (fine & coarse).sum() > 0.95 * (fine | coarse).sum()
    assert coarse.shape == fine.shape


def test_threads_that_need_the_same_compute_it_once(shot, monkeypatch):
    begun, calls = Event(), []

    def slow(crop, landmarks_px):
        calls.append(1)
        begun.set()
        return segment(crop, landmarks_px)

    segment = analysis.hand_region
    monkeypatch.setattr(analysis, "hand_region", slow)
    hand = analyse_hand(Image(shot.pixels), seen(shot.hand))
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(lambda: hand.region)
        begun.wait()
        assert hand.region is first.result()
    assert len(calls) == 1


def test_misfit_is_the_distance_from_the_fit_in_hand_sizes(shot):
    hand = analyse_hand(Image(shot.pixels), seen(shot.hand))
    apart = np.linalg.norm(hand.fit.landmarks_px - hand.observation.landmarks_px, axis=1)
    np.testing.assert_allclose(hand.misfit * hand.size_px, apart)


@pytest.mark.parametrize("at", [(-400.0, -400.0), (4000.0, 4000.0)])
def test_the_window_of_a_hand_beyond_the_picture_is_not_empty(shot, at):
    hand = analyse_hand(Image(shot.pixels), seen(shot.hand))
    away = replace(hand.observation, landmarks_px=hand.observation.landmarks_px + np.array(at))
    fit = replace(hand.fit, landmarks_px=hand.fit.landmarks_px + np.array(at))
    x0, y0, x1, y1 = analysis.crop_window(away, fit, 320, 240)
    assert 0 <= x0 < x1 <= 320
    assert 0 <= y0 < y1 <= 240
