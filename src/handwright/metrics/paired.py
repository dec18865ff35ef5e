"""Two treatments of the same inputs: is one better, or is it chance?"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from handwright.errors import InvalidValueError
from handwright.metrics.estimate import ROUNDS, Estimate, mean_estimate, one_per_row

_EXACT_UP_TO = 16


def paired_difference(
    name: str, a: Float[np.ndarray, " n"], b: Float[np.ndarray, " n"], *, rounds: int = ROUNDS, seed: int = 0
) -> Estimate:
    """Mean of a − b over the same inputs, with its paired bootstrap interval.

    Args:
        name: Of the measure; the estimate is called ``Δ name``.
        a: float [N], one value an input.
        b: float [N], of the same inputs in the same order.
        rounds: Bootstrap rounds.
        seed: Of the bootstrap.

    Raises:
        InvalidValueError: The two differ in length, or hold values that are not finite.
        NotEnoughDataError: They are empty.
    """
    return mean_estimate(f"Δ {name}", _differences(name, a, b), rounds=rounds, seed=seed)


def sign_flip_test(
    a: Float[np.ndarray, " n"], b: Float[np.ndarray, " n"], *, rounds: int = 10_000, seed: int = 0
) -> float:
    """Two-sided p-value of 'a and b are exchangeable on each input', by flipping signs of the differences.

    All 2^N flips up to N = 16 (exact), ``rounds`` random ones beyond, counted with the observed one
    (Phipson and Smyth 2010), so that p is never 0.

    Args:
        a: float [N], one value an input.
        b: float [N], of the same inputs in the same order.
        rounds: Random flips beyond N = 16.
        seed: Of the flips.

    Returns:
        p in (0, 1]; 1 when all differences are 0.

    Raises:
        InvalidValueError: The two differ in length, or hold values that are not finite.
        NotEnoughDataError: They are empty.
    """
    differences = _differences("sign-flip test", a, b)
    n = len(differences)
    observed = abs(differences.sum())
    as_large = observed * (1 - 1e-12) - 1e-300
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
