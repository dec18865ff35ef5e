from __future__ import annotations

import numpy as np
import pytest

from handwright.errors import NotEnoughDataError
from handwright.metrics.estimate import difference_estimate, rate_estimate, wilson


def test_wilson_intervals_are_the_published_ones():
    assert wilson(81, 263) == (pytest.approx(0.2553, abs=1e-4), pytest.approx(0.3662, abs=1e-4))
    assert wilson(0, 20) == (0.0, pytest.approx(0.1611, abs=1e-4))
    assert wilson(20, 20) == (pytest.approx(0.8389, abs=1e-4), 1.0)


def test_the_difference_of_two_shares_is_newcombes_example():
    first = np.arange(70) < 56
    second = np.arange(80) < 48
    result = difference_estimate("gap", first, second)
    assert result.value == pytest.approx(0.2)
    assert (result.low, result.high) == (pytest.approx(0.0524, abs=1e-4), pytest.approx(0.3339, abs=1e-4))
    assert (result.n, result.n_reference) == (70, 80)


def test_no_sample_is_no_share():
    with pytest.raises(NotEnoughDataError, match="recall"):
        rate_estimate("recall", np.zeros(0, bool))
