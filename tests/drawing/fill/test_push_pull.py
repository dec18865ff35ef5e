from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handwright.drawing.fill.push_pull import push_pull


def disc(size: int, radius: float) -> np.ndarray:
    y, x = np.mgrid[:size, :size]
    return (x - size / 2) ** 2 + (y - size / 2) ** 2 < radius**2


@settings(deadline=None, max_examples=25)
@given(
    height=st.integers(1, 60),
    width=st.integers(1, 60),
    channels=st.integers(1, 3),
    density=st.floats(0.02, 1.0),
    seed=st.integers(0, 99),
)
def test_constant_in_constant_out_for_every_size(height, width, channels, density, seed):
    weights = (np.random.default_rng(seed).random((height, width)) < density).astype(np.float32)
    weights[0, 0] = 1
    filled = push_pull(np.full((height, width, channels), 77.0, np.float32), weights)
    assert filled.shape == (height, width, channels)
    assert np.abs(filled - 77.0).max() < 1e-2


def test_believed_samples_are_kept_exactly_and_gaps_stay_within_their_range():
    values = np.random.default_rng(0).uniform(0, 255, (80, 65, 3)).astype(np.float32)
    known = ~disc(80, 20)[:, :65]
    filled = push_pull(np.where(known[..., None], values, -1e6).astype(np.float32), known.astype(np.float32))
    assert np.array_equal(filled[known], values[known])
    assert filled.min() >= -1e-3
    assert filled.max() <= 255 + 1e-3


def test_a_gap_in_a_ramp_is_filled_with_the_ramp():
    y, x = np.mgrid[:128, :128]
    ramp = np.stack([x + 0.5 * y, 200 - y, 0 * x + 40], -1).astype(np.float32)
    hole = disc(128, 25)
    filled = push_pull(ramp, (~hole).astype(np.float32))
    assert np.abs(filled - ramp)[hole].mean() < 1.5
    step = np.abs(np.diff(filled, axis=1))[hole[:, 1:] != hole[:, :-1]]
    assert step.max() < 3.0


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 9, 2)])
def test_no_samples_give_zeros(shape):
    assert not push_pull(np.ones(shape, np.float32), np.zeros(shape[:2], np.float32)).any()


def test_what_stands_under_weight_zero_does_not_matter():
    weights = (~disc(64, 15)).astype(np.float32)
    one = np.random.default_rng(1).random((64, 64, 2)).astype(np.float32)
    two = np.where(weights[..., None] > 0, one, 9.0).astype(np.float32)
    assert np.array_equal(push_pull(one, weights), push_pull(two, weights))
