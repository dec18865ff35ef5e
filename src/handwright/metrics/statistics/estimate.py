"""A figure with what makes it worth reading: its name, how many it was taken from, and an interval."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from handwright.errors import InvalidValueError, NotEnoughDataError

ROUNDS = 1000  # Bootstrap rounds behind every interval by default

_PERCENTILES = (2.5, 97.5)


@dataclass(frozen=True)
class Estimate:
    """One measured figure."""

    name: str  # The measure and, in brackets, what it was measured with: ``kid[hw-v2]``, ``mpjpe[% hand]``
    value: float  # The figure; NaN where it does not exist (no hand was found at all)
    low: float  # Lower end of the 95 % bootstrap interval
    high: float  # Upper end
    n: int  # How many pictures, hands or people it was taken from; of two sets, the measured one
    n_reference: int | None = None  # Size of the set it was compared with; None where there is none
    p: float | None = None  # Of a paired test that the figure is 0; None where none was made

    def __str__(self) -> str:
        """``kid[hw-v2] 0.0123 [0.0101, 0.0144] N 500 / 480``."""
        beside = "" if self.n_reference is None else f" / {self.n_reference}"
        tested = "" if self.p is None else f" p {self.p:.2g}"
        return f"{self.name} {self.value:.4g} [{self.low:.4g}, {self.high:.4g}] N {self.n}{beside}{tested}"


def interval(drawn: Float[np.ndarray, " rounds"]) -> tuple[float, float]:
    """The 95 % percentile interval of what the bootstrap rounds gave; NaN rounds are left out."""
    finite = drawn[np.isfinite(drawn)]
    if not finite.size:
        return float("nan"), float("nan")
    low, high = np.percentile(finite, _PERCENTILES)
    return float(low), float(high)


def bootstrap_counts(n: int, rounds: int, seed: int) -> Int[np.ndarray, "n rounds"]:
    """How often each of ``n`` is drawn in each round of ``n`` draws with replacement; columns add up to n."""
    if n < 1:
        raise InvalidValueError(f"nothing to draw from: n is {n}")
    rng = np.random.default_rng(seed)
    return np.stack([np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(rounds)], axis=1)


def mean_estimate(
    name: str,
    values: Float[np.ndarray, " n"],
    groups: Int[np.ndarray, " n"] | None = None,
    *,
    rounds: int = ROUNDS,
    seed: int = 0,
) -> Estimate:
    """The mean of one figure per picture (or hand), with its bootstrap interval.

    Args:
        name: What it is.
        values: float [N], finite.
        groups: int [N], which values belong together (hands of one picture): the rounds redraw groups. By
            default every value is its own.
        rounds: Bootstrap rounds.
        seed: Of the bootstrap.

    Raises:
        NotEnoughDataError: There is no value.
        InvalidValueError: A value is not finite: decide first what a miss counts as.
    """
    values = one_per_row(name, values)
    sums, sizes = in_groups(values, groups)
    drawn = bootstrap_counts(len(sums), rounds, seed).T
    return Estimate(name, float(values.mean()), *interval(drawn @ sums / (drawn @ sizes)), n=len(values))


def in_groups(
    values: Float[np.ndarray, " n"], groups: Int[np.ndarray, " n"] | None
) -> tuple[Float[np.ndarray, " g"], Int[np.ndarray, " g"]]:
    """Sum and number of the values of each group; each value alone without groups.

    Raises:
        InvalidValueError: There are not as many groups as values.
    """
    if groups is None:
        return values, np.ones(len(values), int)
    if len(groups) != len(values):
        raise InvalidValueError(f"{len(values)} values, but groups of {len(groups)}")
    index = np.unique(groups, return_inverse=True)[1]
    return np.bincount(index, values), np.bincount(index)


def statistic_estimate(
    name: str,
    rows: Float[np.ndarray, "n *c"],
    statistic: Callable[[np.ndarray], float],
    *,
    rounds: int = ROUNDS,
    seed: int = 0,
) -> Estimate:
    """Any figure of the rows with its bootstrap interval, rows drawn with replacement.

    Args:
        name: What it is.
        rows: [N, …], one row per picture.
        statistic: Rows → figure; may return NaN for a draw in which it does not exist.
        rounds: Bootstrap rounds.
        seed: Of the bootstrap.

    Raises:
        NotEnoughDataError: There is no row.
    """
    if not len(rows):
        raise NotEnoughDataError(f"{name} has nothing to measure", "there are no values")
    rng = np.random.default_rng(seed)
    drawn = [statistic(rows[rng.integers(0, len(rows), len(rows))]) for _ in range(rounds)]
    return Estimate(name, float(statistic(rows)), *interval(np.array(drawn, float)), n=len(rows))


def one_per_row(name: str, values: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """The values as a float64 vector, or an error that names what is wrong with them."""
    values = np.asarray(values, np.float64)
    if values.ndim != 1:
        raise InvalidValueError(f"{name} takes one value a picture, got an array of shape {values.shape}")
    if not values.size:
        raise NotEnoughDataError(f"{name} has nothing to measure", "there are no values")
    if not np.isfinite(values).all():
        raise InvalidValueError(f"{name} got {int((~np.isfinite(values)).sum())} values that are not finite")
    return values
