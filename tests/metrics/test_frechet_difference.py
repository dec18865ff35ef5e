"""FID of two treatments of the same inputs, paired."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from handwright.errors import InvalidValueError
from handwright.metrics.estimate import Estimate
from handwright.metrics.frechet import frechet_distance, frechet_distance_difference
from handwright.metrics.kernel import kernel_distance_difference


def test_a_difference_is_that_of_the_distances_and_none_of_equal_sets() -> None:
    rng = np.random.default_rng(3)
    known, near = rng.normal(0, 1, (300, 4)), rng.normal(0.2, 1, (250, 4))
    far = rng.normal(0.9, 1.3, (250, 4))
    apart = frechet_distance_difference(known, far, near)
    alone = [frechet_distance(known, rows).value for rows in (far, near)]
    assert abs(apart.value - (alone[0] - alone[1])) < 1e-9
    assert 0 < apart.low < apart.value < apart.high and apart.n == 250
    same = frechet_distance_difference(known, far, far)
    assert (same.value, same.low, same.high) == (0, 0, 0)


def test_a_paired_difference_is_surer_than_two_unpaired_ones() -> None:
    rng = np.random.default_rng(4)
    known, before = rng.normal(0, 1, (300, 4)), rng.normal(0.6, 1.2, (250, 4))
    after = before - 0.1
    apart = frechet_distance_difference(known, after, before)
    other = frechet_distance_difference(known, rng.permutation(after), before)
    assert apart.high < 0 and apart.high - apart.low < other.high - other.low
    with pytest.raises(InvalidValueError, match="compares pairs"):
        frechet_distance_difference(known, after[:200], before)


@pytest.mark.parametrize("difference", [frechet_distance_difference, kernel_distance_difference])
def test_rows_of_one_input_are_redrawn_together(difference: Callable[..., Estimate]) -> None:
    """As pairs where every input has one row of each; else with as many rows as either has."""
    rng = np.random.default_rng(5)
    known, before = rng.normal(0, 1, (300, 4)), rng.normal(0.6, 1.2, (300, 4))
    after = before - 0.1
    one_each = np.arange(300)
    paired = difference(known, after, before)
    grouped = difference(known, after, before, inputs=(one_each, one_each, one_each))
    assert grouped.value == paired.value
    assert grouped.high < 0
    assert 0.5 < (grouped.high - grouped.low) / (paired.high - paired.low) < 2
    kept = np.sort(rng.permutation(300)[:200])  # of the first treatment a third is missing
    fewer = difference(known, after[kept], before, inputs=(one_each, kept, one_each))
    assert fewer.n == 200 and fewer.low < fewer.value < fewer.high
    twice = np.repeat(one_each, 2)  # doubled rows tell nothing new: the interval does not shrink
    doubled = difference(known, np.repeat(after, 2, 0), before, inputs=(one_each, twice, one_each))
    assert 0.6 < (doubled.high - doubled.low) / (grouped.high - grouped.low) < 1.7
