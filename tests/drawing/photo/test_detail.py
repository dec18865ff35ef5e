from __future__ import annotations

import numpy as np
import pytest

from handwright.drawing.photo.detail import fine_detail, match_detail

WHOLE = np.ones((64, 64), np.bool_)


def skin(sigma: float) -> np.ndarray:
    """A smooth slope of colours with noise in luminance."""
    noise = np.random.default_rng(3).normal(0, sigma, (64, 64, 1))
    return np.linspace(120, 180, 64)[None, :, None] + np.array([20.0, 0.0, -20.0]) + noise


def test_twice_the_noise_is_twice_the_detail():
    few, many = fine_detail(skin(1.0), WHOLE), fine_detail(skin(2.0), WHOLE)
    assert few is not None
    assert many == pytest.approx(2 * few, rel=0.02)
    assert few == pytest.approx(20**0.5, rel=0.1)  # A Laplacian's weights, squared and summed


def test_an_edge_across_the_region_hardly_counts():
    pixels = skin(1.0)
    edged = pixels + np.where(np.arange(64) > 31, 60.0, 0.0)[None, :, None]
    assert fine_detail(edged, WHOLE) == pytest.approx(fine_detail(pixels, WHOLE), rel=0.1)


@pytest.mark.parametrize("factor", [0.4, 1.0, 1.8])
def test_paint_gets_the_detail_that_is_wanted(factor: float):
    pixels = skin(1.0)
    wanted = factor * fine_detail(pixels, WHOLE)
    matched = match_detail(pixels, WHOLE, wanted)
    assert fine_detail(matched, WHOLE) == pytest.approx(wanted, rel=0.05)
    assert np.abs(matched.mean((0, 1)) - pixels.mean((0, 1))).max() < 0.1


def test_edges_get_no_rims():
    edge = np.repeat(np.where(np.arange(64) > 31, 200.0, 80.0)[None, :, None], 64, 0).repeat(3, 2)
    pixels = edge + np.random.default_rng(4).normal(0, 0.5, (64, 64, 1))
    matched = match_detail(pixels, WHOLE, 4 * fine_detail(pixels, WHOLE))
    assert matched.max() < 210
    assert matched.min() > 70


def test_what_is_too_small_to_measure_stays():
    small = np.zeros((64, 64), np.bool_)
    small[:8, :8] = True
    assert fine_detail(skin(1.0), small) is None
    assert np.array_equal(match_detail(skin(1.0), small, 9.0), skin(1.0))
