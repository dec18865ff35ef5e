from __future__ import annotations

import numpy as np
import pytest

from handwright.errors import InvalidValueError, NotEnoughDataError
from handwright.metrics.estimate import (
    Estimate,
    bootstrap_counts,
    mean_estimate,
    paired_difference,
    sign_flip_test,
    statistic_estimate,
)


def test_counts_of_a_round_add_up_and_their_mean_is_one():
    counts = bootstrap_counts(50, 2000, 0)
    assert counts.shape == (50, 2000) and (counts.sum(0) == 50).all()
    assert counts.mean(1) == pytest.approx(1.0, abs=0.1)


def test_the_interval_of_a_mean_is_the_normal_one():
    values = np.random.default_rng(0).normal(3, 2, 400)
    e = mean_estimate("x", values, rounds=4000)
    half = 1.96 * values.std() / 20
    assert (e.value, e.n) == (pytest.approx(values.mean()), 400)
    assert (e.low, e.high) == (
        pytest.approx(e.value - half, abs=0.03),
        pytest.approx(e.value + half, abs=0.03),
    )


def test_any_statistic_has_an_interval():
    values = np.random.default_rng(0).normal(0, 1, 300)
    e = statistic_estimate("median", values, lambda rows: float(np.median(rows)), rounds=300)
    assert e.low < e.value < e.high and abs(e.value) < 0.2


def test_equal_seeds_give_equal_intervals():
    values = np.random.default_rng(0).normal(size=30)
    assert mean_estimate("x", values, seed=3) == mean_estimate("x", values, seed=3)
    assert mean_estimate("x", values, seed=3) != mean_estimate("x", values, seed=4)


def test_an_estimate_reads_as_a_line():
    assert str(Estimate("kid[a]", 0.5, 0.4, 0.6, 10, 12)) == "kid[a] 0.5 [0.4, 0.6] N 10 / 12"


def test_values_that_belong_together_are_redrawn_together():
    rng = np.random.default_rng(0)
    values = np.repeat(rng.normal(size=50), 8)
    groups = np.repeat(rng.permutation(50), 8)
    alone, together = mean_estimate("x", values), mean_estimate("x", values, groups)
    assert (alone.value, alone.n) == (together.value, together.n)
    assert (together.high - together.low) / (alone.high - alone.low) == pytest.approx(8**0.5, rel=0.1)
    of_one = mean_estimate("x", values[::8], rounds=4000)
    assert (together.low, together.high) == pytest.approx((of_one.low, of_one.high), abs=0.05)


def test_groups_of_any_size_keep_the_mean_of_values():
    e = mean_estimate("x", np.array([0.0, 0, 0, 1]), np.array([7, 7, 7, 3]), rounds=200)
    assert (e.value, e.low, e.high) == (0.25, 0, 1)
    with pytest.raises(InvalidValueError, match="4 values, but groups of 3"):
        mean_estimate("x", np.zeros(4), np.zeros(3, int))


def test_nothing_and_nan_are_refused():
    with pytest.raises(NotEnoughDataError, match="nothing to measure"):
        mean_estimate("x", np.array([]))
    with pytest.raises(InvalidValueError, match="1 values that are not finite"):
        mean_estimate("x", np.array([1.0, np.nan]))


def test_pairs_see_a_small_shift_under_large_scatter():
    rng = np.random.default_rng(0)
    inputs = rng.normal(0, 10, 60)
    a, b = inputs + 0.2 + 0.1 * rng.normal(size=60), inputs
    difference = paired_difference("x", a, b)
    assert difference.name == "Δ x" and difference.low > 0.1
    assert difference.p == sign_flip_test(a, b) < 0.001


def test_a_few_pairs_are_tested_exactly():
    assert sign_flip_test(np.ones(5), np.zeros(5)) == 2 / 32
    assert sign_flip_test(np.array([1.0, -1.0]), np.zeros(2)) == 1.0


def test_equal_treatments_are_not_told_apart():
    assert sign_flip_test(np.ones(40), np.ones(40)) == 1.0
    rng = np.random.default_rng(0)
    p = [sign_flip_test(rng.normal(size=25), rng.normal(size=25), rounds=500) for _ in range(200)]
    assert np.mean(np.array(p) < 0.1) == pytest.approx(0.1, abs=0.06)


def test_inputs_that_belong_together_are_flipped_together():
    a, b = np.ones(12), np.zeros(12)
    assert sign_flip_test(a, b) == 2 / 2**12
    assert sign_flip_test(a, b, np.repeat([0, 1, 2], 4)) == 2 / 2**3
    assert paired_difference("x", a, b, np.repeat([0, 1, 2], 4)).p == 2 / 2**3


@pytest.mark.parametrize("seed", range(8))
def test_sums_that_are_equal_but_for_rounding_are_equal(seed):
    whole = np.random.default_rng(seed).integers(-9, 10, 9)
    result = [sign_flip_test(whole / by, np.zeros(9)) for by in (1, 10, 1000)]
    assert result[0] == result[1] == result[2]


def test_no_p_is_zero():
    assert sign_flip_test(np.ones(60), np.zeros(60), rounds=999) == 1 / 1000


def test_pairs_of_different_length_are_refused():
    with pytest.raises(InvalidValueError, match="3 and 2"):
        sign_flip_test(np.zeros(3), np.zeros(2))
