from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handwright.handrefiner.square import Square, control_at, mask_at, picture_at, resized, square_around

RAMP = np.add.outer(2 * np.arange(96), np.arange(96))[..., None].repeat(3, 2).astype(np.float32) / 3


def test_the_square_is_1_6_times_the_longer_side_of_the_hand_and_centred_on_it():
    points = np.array([[100.0, 80.0], [150.0, 180.0]])
    mask = np.zeros((200, 300), bool)
    mask[80:180, 100:150] = True
    assert square_around(points, mask, (0, 0, 300, 200)) == Square(45, 50, 160)


def test_the_square_may_leave_the_picture():
    points = np.array([[0.0, 0.0], [50.0, 50.0]])
    mask = np.ones((10, 10), bool)
    assert square_around(points, mask, (20, 20, 30, 30)) == Square(-15, -15, 80)


@given(
    st.tuples(*[st.floats(-50, 400)] * 4),
    st.tuples(*[st.integers(0, 119)] * 4),
    st.tuples(*[st.integers(-40, 300)] * 2),
)
def test_the_square_holds_the_whole_mask(points, corners, origin):
    mask = np.zeros((120, 120), bool)
    x0, x1, y0, y1 = *sorted(corners[:2]), *sorted(corners[2:])
    mask[y0, x0] = mask[y1, x1] = True
    window = (*origin, origin[0] + 120, origin[1] + 120)
    square = square_around(np.array(points).reshape(2, 2), mask, window)
    assert square.left <= origin[0] + x0 and origin[0] + x1 < square.left + square.side
    assert square.top <= origin[1] + y0 and origin[1] + y1 < square.top + square.side
    assert square.side >= 1.6 * np.ptp(np.array(points).reshape(2, 2), axis=0).max()


def test_a_cut_is_the_picture_inside_and_its_nearest_pixel_beyond():
    picture = np.random.default_rng(0).integers(0, 255, (20, 30, 3), np.uint8)
    assert np.array_equal(Square(4, 5, 10).cut(picture), picture[5:15, 4:14])
    beyond = Square(-3, 15, 10).cut(picture)
    assert np.array_equal(beyond[:5, 3:], picture[15:, :7])
    assert (beyond[:5, :3] == picture[15:, :1]).all()
    assert (beyond[5:] == beyond[4]).all()


def test_what_was_cut_lies_where_it_was_when_it_is_laid_back():
    picture = np.random.default_rng(0).random((40, 50, 3), np.float32)
    window = (5, 10, 45, 38)
    back = Square(-4, 2, 60).in_window(Square(-4, 2, 60).cut(picture), window)
    assert np.array_equal(back, picture[10:38, 5:45])
    partly = Square(0, 0, 20).in_window(Square(0, 0, 20).cut(picture), window)
    assert np.array_equal(partly[:10, :15], picture[10:20, 5:20])
    assert not partly[10:].any() and not partly[:, 15:].any()


def test_the_same_size_is_the_same_samples():
    picture = np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8)
    assert np.array_equal(picture_at(picture, 64), picture)
    assert np.array_equal(mask_at(picture[..., 0] > 99, 64), picture[..., 0] > 99)
    assert np.array_equal(control_at(picture[..., 0], 64), picture[..., 0])


@pytest.mark.parametrize("side", [24, 48, 50, 96, 128, 200])
def test_there_and_back_moves_nothing(side):
    back = resized(resized(RAMP, side), 96)
    away = 96 // min(side, 96) + 4
    inner = np.s_[away:-away, away:-away]
    assert np.abs(back[inner] - RAMP[inner]).max() < 0.2


def test_shrinking_averages_areas():
    picture = np.random.default_rng(2).random((12, 12, 3), np.float32)
    means = picture.reshape(4, 3, 4, 3, 3).mean((1, 3))
    assert resized(picture, 4) == pytest.approx(means, abs=1e-6)


@given(st.integers(0, 63), st.integers(0, 63), st.sampled_from([8, 20, 64, 90]))
def test_no_pixel_of_a_mask_is_lost(row, column, side):
    mask = np.zeros((64, 64), bool)
    mask[row, column] = True
    moved = mask_at(mask, side)
    rows, columns = np.nonzero(moved)
    assert len(rows)
    scale = side / 64
    assert abs(rows.mean() + 0.5 - (row + 0.5) * scale) <= 0.5 + scale
    assert abs(columns.mean() + 0.5 - (column + 0.5) * scale) <= 0.5 + scale


@pytest.mark.parametrize("side", [16, 100])
def test_a_depth_image_stays_between_its_neighbours_and_empty_stays_empty(side):
    depth = np.zeros((40, 40), np.uint8)
    depth[10:30, 10:30] = 200
    moved = control_at(depth, side)
    assert moved.max() == 200
    assert not moved[: side // 6].any()
