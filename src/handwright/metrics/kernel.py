"""Kernel distance (KID): unbiased squared MMD with a cubic kernel (Bińkowski et al. 2018).

Every pair of the two sets enters, instead of the customary 100 subsets of 1,000: the same expectation with
less noise. The bootstrap redraws pictures and leaves out pairs of a picture with its own copy, so that the
rounds stay unbiased too. Work is done in blocks of rows: memory grows with N, not with N².
"""

import numpy as np
from jaxtyping import Float

from handwright.errors import InvalidValueError, NotEnoughDataError
from handwright.metrics.estimate import ROUNDS, Estimate, Inputs, bootstrap_counts, interval, paired_counts

LEAST = 10  # Fewer features than this in a set make no kernel distance worth a name

_BLOCK = 512


def polynomial_kernel(x: Float[np.ndarray, "n d"], y: Float[np.ndarray, "m d"]) -> Float[np.ndarray, "n m"]:
    """k(x, y) = (x·y / D + 1)³, for all pairs of rows."""
    return (x @ y.T / x.shape[1] + 1.0) ** 3


def kernel_distance(
    reference: Float[np.ndarray, "n d"],
    measured: Float[np.ndarray, "m d"],
    *,
    name: str = "kid",
    rounds: int = ROUNDS,
    seed: int = 0,
) -> Estimate:
    """KID between two sets of features, with its bootstrap interval.

    The squared MMD is unbiased: it scatters around 0 for equal distributions, and the very same pictures on
    both sides give a little less than 0.

    Raises:
        NotEnoughDataError: A set has fewer than :data:`LEAST` rows.
        InvalidValueError: The sets have different or invalid shapes, or numbers that are not finite.
    """
    x, y = feature_sets(reference, measured, least=LEAST, name=name)
    u = _with_all(bootstrap_counts(len(x), rounds, seed))
    v = _with_all(bootstrap_counts(len(y), rounds, seed + 1))
    drawn = _mmd2(x, y, u, v)
    return Estimate(name, float(drawn[-1]), *interval(drawn[:-1]), n=len(y), n_reference=len(x))


def kernel_distance_difference(
    reference: Float[np.ndarray, "n d"],
    a: Float[np.ndarray, "m d"],
    b: Float[np.ndarray, "k d"],
    *,
    name: str = "kid",
    inputs: Inputs | None = None,
    rounds: int = ROUNDS,
    seed: int = 0,
) -> Estimate:
    """KID of a − KID of b, two treatments of the same inputs, drawn together (paired bootstrap).

    ``inputs``, ``rounds`` and ``seed`` are those of ``estimate.paired_counts``.

    Raises:
        NotEnoughDataError: A set has fewer than :data:`LEAST` rows.
        InvalidValueError: The sets do not match, or hold numbers that are not finite.
    """
    x, y = feature_sets(reference, a, least=LEAST, name=name)
    _, z = feature_sets(reference, b, least=LEAST, name=name)
    u, v, w = map(_with_all, paired_counts((len(x), len(y), len(z)), inputs, rounds, seed, name))
    drawn = _mmd2(x, y, u, v) - _mmd2(x, z, u, w)
    return Estimate(f"Δ {name}", float(drawn[-1]), *interval(drawn[:-1]), n=len(y), n_reference=len(x))


def feature_sets(
    reference: Float[np.ndarray, "n d"], measured: Float[np.ndarray, "m d"], *, least: int, name: str
) -> tuple[Float[np.ndarray, "n d"], Float[np.ndarray, "m d"]]:
    """Both sets as float64, or an error that names the one which is too small or does not fit.

    Raises:
        NotEnoughDataError: A set has fewer than ``least`` rows.
        InvalidValueError: They are not two matrices of the same width, or not finite.
    """
    x, y = np.asarray(reference, np.float64), np.asarray(measured, np.float64)
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1]:
        raise InvalidValueError(f"{name} compares [N, D] with [M, D], got {x.shape} and {y.shape}")
    for rows, called in ((x, "reference"), (y, "measured")):
        if len(rows) < least:
            raise NotEnoughDataError(
                f"{name} needs at least {least} in each set",
                f"the {called} set has {len(rows)}",
                "give more pictures or choose another measure",
            )
        if not np.isfinite(rows).all():
            raise InvalidValueError(f"{name}: features of the {called} set are not finite")
    return x, y


def _with_all(counts: np.ndarray) -> Float[np.ndarray, "n rounds+1"]:
    """The rounds' counts, and a last column that takes each row once."""
    return np.column_stack([counts, np.ones(len(counts))])


def _mmd2(
    x: Float[np.ndarray, "n d"],
    y: Float[np.ndarray, "m d"],
    u: Float[np.ndarray, "n rounds"],
    v: Float[np.ndarray, "m rounds"],
) -> Float[np.ndarray, " rounds"]:
    """Squared MMD of each round, rows of x and y taken as often as u and v say."""
    across = _pairs(x, y, u, v, same=False) / (u.sum(0) * v.sum(0))
    return _within(x, u) + _within(y, v) - 2 * across


def _within(x: Float[np.ndarray, "n d"], u: Float[np.ndarray, "n rounds"]) -> Float[np.ndarray, " rounds"]:
    pairs = u.sum(0) ** 2 - (u**2).sum(0)
    return _pairs(x, x, u, u, same=True) / pairs


def _pairs(
    x: Float[np.ndarray, "n d"],
    y: Float[np.ndarray, "m d"],
    u: Float[np.ndarray, "n rounds"],
    v: Float[np.ndarray, "m rounds"],
    *,
    same: bool,
) -> Float[np.ndarray, " rounds"]:
    """Σᵢⱼ uᵢ k(xᵢ, yⱼ) vⱼ of each round, without i = j when the two sets are the same."""
    total = np.zeros(u.shape[1])
    for start in range(0, len(x), _BLOCK):
        rows = slice(start, start + _BLOCK)
        kernel = polynomial_kernel(x[rows], y)
        if same:
            kernel[np.arange(len(kernel)), np.arange(start, start + len(kernel))] = 0.0
        total += (u[rows] * (kernel @ v)).sum(0)
    return total
