"""Figures with intervals: `estimate` (bootstrap), `rates` (shares of hands), `paired` (two treatments)."""

from __future__ import annotations

from handwright.metrics.statistics.estimate import Estimate, mean_estimate, statistic_estimate
from handwright.metrics.statistics.paired import paired_difference, sign_flip_test
from handwright.metrics.statistics.rates import difference_estimate, rate_estimate

__all__ = [
    "Estimate",
    "difference_estimate",
    "mean_estimate",
    "paired_difference",
    "rate_estimate",
    "sign_flip_test",
    "statistic_estimate",
]
