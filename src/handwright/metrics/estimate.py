"""A figure with its name, number and interval: means, shares, and paired differences of two treatments."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int

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


Inputs = tuple[Int[np.ndarray, " n"], Int[np.ndarray, " m"], Int[np.ndarray, " k"]]
"""Which input each row of three sets is of (reference, first, second), numbered from 0 on."""


def paired_counts(
    sizes: tuple[int, int, int], inputs: Inputs | None, rounds: int, seed: int, name: str
) -> list[Int[np.ndarray, "_ rounds"]]:
    """How often each row of three sets (reference, first, second) is drawn in each round.

    Args:
        sizes: Rows of each set.
        inputs: Where inputs have none, one or several rows of a set: inputs are drawn, with all their rows.
            None: rows of the first and the second set are pairs, those of the reference are their own.
        rounds: Of the bootstrap.
        seed: Of the bootstrap.
        name: Of the figure.

    Raises:
        InvalidValueError: Rows are no pairs.
    """
    if inputs is not None:
        of_inputs = bootstrap_counts(1 + max(int(rows.max()) for rows in inputs), rounds, seed)
        return [of_inputs[rows] for rows in inputs]
    reference, first, second = sizes
    if first != second:
        raise InvalidValueError(f"{name} compares pairs, but got {first} and {second} pictures")
    pairs = bootstrap_counts(first, rounds, seed + 1)
    return [bootstrap_counts(reference, rounds, seed), pairs, pairs]


def mean_estimate(
    name: str,
    values: Float[np.ndarray, " n"],
    groups: Int[np.ndarray, " n"] | None = None,
    *,
    rounds: int = ROUNDS,
    seed: int = 0,
) -> Estimate:
    """The mean of one figure per picture (or hand), with its bootstrap interval.

    Values of one group (hands of one picture) are redrawn together; by default every value is its own.

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

    ``statistic`` may return NaN for a draw in which it does not exist.

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


_EXACT_UP_TO = 16


def paired_difference(
    name: str,
    a: Float[np.ndarray, " n"],
    b: Float[np.ndarray, " n"],
    groups: Int[np.ndarray, " n"] | None = None,
    *,
    rounds: int = ROUNDS,
    seed: int = 0,
) -> Estimate:
    """Mean of a − b over the same inputs, with its paired bootstrap interval and p of the sign-flip test.

    Inputs of one group (hands of one picture) are redrawn and flipped together.

    Raises:
        InvalidValueError: The two differ in length, or hold values that are not finite.
        NotEnoughDataError: They are empty.
    """
    apart = _differences(name, a, b)
    estimate = mean_estimate(f"Δ {name}", apart, groups, rounds=rounds, seed=seed)
    return replace(estimate, p=sign_flip_test(a, b, groups, seed=seed))


def sign_flip_test(
    a: Float[np.ndarray, " n"],
    b: Float[np.ndarray, " n"],
    groups: Int[np.ndarray, " n"] | None = None,
    *,
    rounds: int = 10_000,
    seed: int = 0,
) -> float:
    """Two-sided p, in (0, 1], of 'a and b are exchangeable on each input', by flipping their differences.

    All 2^N flips up to N = 16 (exact), ``rounds`` random ones beyond, counted with the observed one
    (Phipson and Smyth 2010), so that p is never 0.

    Raises:
        InvalidValueError: The two differ in length, or hold values that are not finite.
        NotEnoughDataError: They are empty.
    """
    differences, _ = in_groups(_differences("sign-flip test", a, b), groups)
    n = len(differences)
    as_large = abs(differences.sum()) - 1e-12 * np.abs(differences).sum()
    if n <= _EXACT_UP_TO:
        bits = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
        return float((np.abs((1 - 2 * bits) @ differences) >= as_large).mean())
    rng = np.random.default_rng(seed)
    hits = 0
    for start in range(0, rounds, 1000):
        signs = 1 - 2 * rng.integers(0, 2, (min(1000, rounds - start), n))
        hits += int((np.abs(signs @ differences) >= as_large).sum())
    return (hits + 1) / (rounds + 1)


def _differences(
    name: str, a: Float[np.ndarray, " n"], b: Float[np.ndarray, " n"]
) -> Float[np.ndarray, " n"]:
    a, b = one_per_row(name, a), one_per_row(name, b)
    if len(a) != len(b):
        raise InvalidValueError(f"{name} compares pairs, but got {len(a)} and {len(b)} values")
    return a - b
