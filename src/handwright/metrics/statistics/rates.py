"""Shares of hands with intervals that hold for few hands and for shares near 0 and 1."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Bool

from handwright.errors import NotEnoughDataError
from handwright.metrics.statistics.estimate import Estimate

_Z = 1.959964


def wilson(hits: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a share by its score test (Wilson 1927)."""
    share, spread = hits / n, _Z * _Z / n
    middle = (share + spread / 2) / (1 + spread)
    half = _Z * math.sqrt(share * (1 - share) / n + spread / (4 * n)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def rate_estimate(name: str, happened: Bool[np.ndarray, " n"]) -> Estimate:
    """The share of samples of which something is true, with its Wilson interval.

    Raises:
        NotEnoughDataError: There is no sample.
    """
    n = len(happened)
    if not n:
        raise NotEnoughDataError(f"{name} has nothing to measure", "there are no values")
    hits = int(np.count_nonzero(happened))
    return Estimate(name, hits / n, *wilson(hits, n), n=n)


def difference_estimate(name: str, first: Bool[np.ndarray, " n"], second: Bool[np.ndarray, " m"]) -> Estimate:
    """How much larger a share is in one group than in another, with Newcombe's hybrid score interval (1998).

    Raises:
        NotEnoughDataError: A group is empty.
    """
    a, b = rate_estimate(name, first), rate_estimate(name, second)
    gap = a.value - b.value
    low = gap - math.hypot(a.value - a.low, b.high - b.value)
    high = gap + math.hypot(a.high - a.value, b.value - b.low)
    return Estimate(name, gap, low, high, n=a.n, n_reference=b.n)
