from __future__ import annotations

import numpy as np
import pytest

from handwright.drawing.fill.patch_fill import fill_background
from handwright.errors import InvalidValueError


def disc(shape: tuple[int, int], center: tuple[float, float], radius: float) -> np.ndarray:
    y, x = np.mgrid[: shape[0], : shape[1]]
    return (x - center[0]) ** 2 + (y - center[1]) ** 2 < radius**2


def spoiled(crop: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """The crop with a colour in the hole that must not come through."""
    return np.where(hole[..., None], np.uint8([255, 0, 255]), crop)


def gradient(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.stack([90 + 0.2 * x, 120 + 0.15 * y, 200 - 0.1 * x - 0.1 * y], -1).round().astype(np.uint8)


def test_a_mask_edge_leaves_no_outline():
    crop = gradient(220, 260)
    hole = disc((220, 260), (130, 110), 45)
    filled = fill_background(spoiled(crop, hole), hole, ~hole, 0).astype(int)
    for axis in (0, 1):
        crosses = np.diff(hole.astype(int), axis=axis) != 0
        assert np.abs(np.diff(filled, axis=axis))[crosses].max() <= 2
    assert np.abs(filled - crop)[hole].mean() < 3


def test_a_fill_of_other_brightness_is_bent_until_it_meets_the_rim():
    """Where nothing like the rim is to be had, its own colour still runs on into the hole."""
    crop = np.full((160, 240, 3), 90, np.uint8)
    crop[:, 90:] = 140
    hole = disc((160, 240), (150, 80), 30)
    near = disc((160, 240), (150, 80), 33)
    filled = fill_background(spoiled(crop, hole), hole, (~hole & near) | (np.indices(hole.shape)[1] < 80), 0)
    rim = hole & ~disc((160, 240), (150, 80), 28)
    assert np.abs(filled.astype(int) - 140)[rim].mean() < 12


def test_pixels_outside_the_hole_are_returned_unchanged():
    crop = np.random.default_rng(0).integers(0, 256, (150, 131, 3), np.uint8)
    hole = disc((150, 131), (20, 60), 35)
    filled = fill_background(crop, hole, ~disc((150, 131), (20, 60), 45), 3)
    assert filled.dtype == np.uint8
    assert np.array_equal(filled[~hole], crop[~hole])


def test_stripes_that_cross_the_hole_are_continued():
    x = np.mgrid[:192, :192][1]
    crop = np.repeat(np.where((x // 12) % 2, 200, 60).astype(np.uint8)[..., None], 3, -1)
    hole = disc((192, 192), (96, 96), 30)
    filled = fill_background(spoiled(crop, hole), hole, ~hole, 0).astype(int)
    assert (np.abs(filled - crop).max(-1) > 60)[hole].mean() < 0.08


def test_a_straight_edge_between_two_walls_is_continued():
    y, x = np.mgrid[:200, :200]
    crop = np.where((x + 0.3 * y < 125)[..., None], np.uint8([180, 170, 150]), np.uint8([70, 80, 110]))
    hole = disc((200, 200), (98, 100), 32)
    filled = fill_background(spoiled(crop, hole), hole, ~hole, 0).astype(int)
    assert (np.abs(filled - crop).max(-1) > 50)[hole].mean() < 0.08


def test_the_fill_is_as_grainy_as_its_surroundings():
    noise = np.random.default_rng(4).normal(0, 8, (200, 200, 3))
    crop = np.clip(gradient(200, 200) + noise, 0, 255).astype(np.uint8)
    hole = disc((200, 200), (100, 100), 30)
    filled = fill_background(spoiled(crop, hole), hole, ~hole, 0)
    inner = disc((200, 200), (100, 100), 27)
    wiggle = np.abs(np.diff(filled.astype(float), axis=1)).mean(-1)
    assert wiggle[inner[:, 1:]].mean() / wiggle[~hole[:, 1:]].mean() == pytest.approx(1.0, abs=0.3)


def test_colours_come_from_the_sources_only():
    crop = gradient(180, 180)
    hole, skin = disc((180, 180), (90, 90), 25), disc((180, 180), (90, 90), 50)
    crop[skin] = (250, 20, 20)
    filled = fill_background(crop, hole, ~skin, 0).astype(int)
    assert filled[hole][:, 0].max() < 190
    assert filled[hole][:, 1].min() > 80


def test_same_seed_same_bytes():
    crop = np.random.default_rng(1).integers(0, 256, (96, 120, 3), np.uint8)
    hole = disc((96, 120), (60, 50), 22)
    one, two = (fill_background(crop, hole, ~hole, 11) for _ in range(2))
    assert np.array_equal(one, two)


def test_too_few_sources_are_bridged_smoothly_and_none_leave_the_crop():
    crop = gradient(60, 60)
    hole = np.ones((60, 60), bool)
    hole[:3] = False
    bridged = fill_background(spoiled(crop, hole), hole, ~hole, 0)
    assert np.abs(bridged[hole].astype(int) - crop[:3].reshape(-1, 3).mean(0)).max() < 30
    nothing = np.zeros((60, 60), bool)
    assert np.array_equal(fill_background(crop, hole, nothing, 0), crop)
    assert np.array_equal(fill_background(crop, nothing, hole, 0), crop)


@pytest.mark.parametrize("shape", [(1, 1), (2, 30), (17, 40)])
def test_tiny_crops_are_handled(shape):
    crop = np.full((*shape, 3), 99, np.uint8)
    hole = np.zeros(shape, bool)
    hole[-1, -1] = True
    assert (fill_background(spoiled(crop, hole), hole, ~hole, 0) == crop).all() or shape == (1, 1)


def test_sizes_that_differ_are_refused():
    with pytest.raises(InvalidValueError, match="one size"):
        fill_background(np.zeros((4, 4, 3), np.uint8), np.zeros((4, 5), bool), np.zeros((4, 4), bool), 0)
