"""Figures with intervals (`estimate`): by bootstrap, shares of hands, paired differences."""

from handwright.metrics.statistics.estimate import (
    Estimate,
    difference_estimate,
    mean_estimate,
    paired_difference,
    rate_estimate,
    sign_flip_test,
    statistic_estimate,
)

__all__ = [
    "Estimate", "difference_estimate", "mean_estimate", "paired_difference", "rate_estimate",
    "sign_flip_test", "statistic_estimate",
]  # fmt: skip
