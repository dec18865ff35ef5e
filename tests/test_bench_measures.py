"""The measures that the benches stand on."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "bench"))

from measures import bootstrap, ciede2000, grain_ratio, mean, sharpness_ratio

SHARMA = [
    ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
    ((50, -1.3802, -84.2814), (50, 0, -82.7485), 1.0000),
    ((50, 0, 0), (50, -1, 2), 2.3669),
    ((50, 2.49, -0.001), (50, -2.49, 0.0009), 7.1792),
    ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
    ((50, -0.001, 2.49), (50, 0.0011, -2.49), 4.7461),
    ((50, 2.5, 0), (73, 25, -18), 27.1492),
    ((50, 2.5, 0), (58, 24, 15), 19.4535),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
    ((90.8027, -2.0831, 1.4410), (91.1528, -1.6435, 0.0447), 1.4441),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
]
"""Pairs and differences of Sharma, Wu and Dalal 2005, table 1."""


@pytest.mark.parametrize(("first", "second", "expected"), SHARMA)
def test_colour_difference_matches_the_published_pairs(first, second, expected: float):
    a, b = np.array(first, float), np.array(second, float)
    assert ciede2000(a, b) == pytest.approx(expected, abs=5e-5)
    assert ciede2000(b, a) == pytest.approx(expected, abs=5e-5)


def test_bootstrap_interval_holds_the_mean_and_narrows_with_more_pictures():
    rng = np.random.default_rng(0)
    few, many = rng.normal(3, 1, (20, 1)), rng.normal(3, 1, (800, 1))
    (_, low, high), (value, near, far) = bootstrap(few, mean), bootstrap(many, mean)
    assert near < value < far
    assert far - near < (high - low) / 3


def test_the_same_patch_is_as_sharp_as_itself_and_a_blurred_one_less():
    rng = np.random.default_rng(0)
    patch = np.clip(rng.normal(128, 10, (80, 80, 3)), 0, 255).astype(np.uint8)
    whole = np.ones((80, 80), bool)
    assert sharpness_ratio(patch, whole, patch, whole) == 1.0
    assert sharpness_ratio(cv2.GaussianBlur(patch, (0, 0), 1.0), whole, patch, whole) < 0.5


def test_an_edge_in_the_region_does_not_count_as_detail():
    rng = np.random.default_rng(0)
    patch = np.clip(rng.normal(100, 4, (80, 80, 3)), 0, 255).astype(np.uint8)
    whole = np.ones((80, 80), bool)
    striped = patch.copy()
    striped[:, 40:44] = 255
    assert sharpness_ratio(striped, whole, patch, whole) == pytest.approx(1.0, abs=0.25)


def test_a_region_too_small_to_measure_is_not_a_number():
    patch = np.zeros((20, 20, 3), np.uint8)
    assert np.isnan(sharpness_ratio(patch, np.zeros((20, 20), bool), patch, np.ones((20, 20), bool)))


def test_ratio_of_twice_the_grain_is_two():
    rng = np.random.default_rng(1)
    one, two = (np.clip(rng.normal(128, s, (120, 160, 3)), 0, 255).astype(np.uint8) for s in (3.0, 6.0))
    everywhere = np.ones((120, 160), bool)
    assert grain_ratio(two, everywhere, one, everywhere) == pytest.approx(2.0, rel=0.15)
