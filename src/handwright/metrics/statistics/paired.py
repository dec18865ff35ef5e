"""Two treatments of the same inputs: is one better, or is it chance?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float, Int

from handwright.errors import InvalidValueError
from handwright.metrics.statistics.estimate import ROUNDS, Estimate, in_groups, mean_estimate, one_per_row

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

    Args:
        name: Of the measure; the estimate is called ``Δ name``.
        a: float [N], one value an input.
        b: float [N], of the same inputs in the same order.
        groups: int [N], which inputs belong together (hands of one picture) and are redrawn and flipped
            together.
        rounds: Bootstrap rounds.
        seed: Of bootstrap and test.

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
