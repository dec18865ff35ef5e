from __future__ import annotations

import cv2
import numpy as np
import pytest

from handwright.drawing.photo.sharpness import (
    SHARPEST_PX,
    SOFTEST_PX,
    UNKNOWN_PX,
    edge_blur_sigma,
)

FINE = 6


def fist(size: int) -> np.ndarray:
    """A palm with four fingers, drawn large so that it can be box-sampled down."""
    shape = np.zeros((size, size), np.float32)
    cv2.ellipse(shape, (size // 2, 2 * size // 3), (size // 5, size // 4), 10, 0, 360, 1, -1)
    for k in range(4):
        foot = (size // 3 + k * size // 9, size // 2)
        tip = (size // 4 + k * size // 6, size // 7 + abs(k - 1) * size // 30)
        cv2.line(shape, foot, tip, 1, size // 16)
    return shape


def photographed(sigma: float, noise: float, seed: int = 0, size: int = 220) -> tuple[np.ndarray, np.ndarray]:
    """A shaded fist before a shaded wall, blurred by ``sigma`` px, sampled by box pixels, with noise."""
    coverage = cv2.GaussianBlur(fist(size * FINE), (0, 0), sigma * FINE)
    coverage = cv2.resize(coverage, (size, size), interpolation=cv2.INTER_AREA)
    y, x = np.mgrid[:size, :size]
    skin = np.array([200.0, 150, 120]) * (1 + 0.1 * np.sin(x / 40))[..., None]
    wall = np.array([90.0, 100, 80]) + 0.1 * y[..., None]
    picture = coverage[..., None] * skin + (1 - coverage[..., None]) * wall
    picture += np.random.default_rng(seed).normal(0, noise, picture.shape)
    return np.clip(picture + 0.5, 0, 255).astype(np.uint8), coverage > 0.5


@pytest.mark.parametrize("noise", [0.0, 3.0])
@pytest.mark.parametrize("sigma", [0.5, 0.8, 1.2, 2.0])
def test_a_known_blur_is_recovered(sigma, noise):
    assert edge_blur_sigma(*photographed(sigma, noise)) == pytest.approx(sigma, rel=0.15)


def test_a_mask_two_pixels_off_measures_the_same_edges():
    crop, mask = photographed(1.2, 2.0)
    assert edge_blur_sigma(crop, np.roll(mask, (2, -1), (0, 1))) == pytest.approx(1.2, rel=0.15)


def test_without_a_boundary_the_strongest_edges_of_the_crop_are_measured():
    crop, mask = photographed(1.2, 2.0)
    assert edge_blur_sigma(crop, np.zeros_like(mask)) == pytest.approx(1.2, rel=0.2)


def test_extremes_stay_in_range_and_a_blank_wall_is_unknown():
    assert edge_blur_sigma(*photographed(6.0, 0.0)) <= SOFTEST_PX
    assert edge_blur_sigma(*photographed(0.05, 0.0)) >= SHARPEST_PX
    blank = np.full((40, 50, 3), 128, np.uint8)
    assert edge_blur_sigma(blank, np.zeros((40, 50), bool)) == UNKNOWN_PX
    assert edge_blur_sigma(blank[:1, :1], np.ones((1, 1), bool)) == UNKNOWN_PX
