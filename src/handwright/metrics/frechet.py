"""Fréchet distance (FID): squared Wasserstein distance of two Gaussians (Heusel et al. 2017, eq. 6).

Its estimate is too high by about 1/N, and redrawing pictures adds as much again. So the interval comes from
the linearised bootstrap: the influence of each picture on the distance has a closed form, and the rounds
redraw influences. The interval covers how far chance moves the figure at this N, but not the bias at small N.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from handwright.errors import InvalidValueError, NotEnoughDataError
from handwright.metrics.estimate import ROUNDS, Estimate, Inputs, bootstrap_counts, interval, paired_counts
from handwright.metrics.kernel import feature_sets

_NOTHING = 1e-10  # Directions with less than this share of the largest variance count as constant


@dataclass(frozen=True, eq=False)
class Gaussian:
    """Mean and covariance of features."""

    mean: Float[np.ndarray, " d"]  # float64 [D]
    covariance: Float[np.ndarray, "d d"]  # float64 [D, D], unbiased (divided by N − 1)

    @classmethod
    def of(cls, features: Float[np.ndarray, "n d"]) -> Gaussian:
        """The Gaussian with the features' mean and covariance; N ≥ 2."""
        rows = np.asarray(features, np.float64)
        if rows.ndim != 2 or len(rows) < 2:
            raise NotEnoughDataError(
                "a covariance needs at least 2 rows of features", f"got {np.shape(features)}"
            )
        mean = rows.mean(0)
        centred = rows - mean
        return cls(mean, centred.T @ centred / (len(rows) - 1))


def frechet_between(a: Gaussian, b: Gaussian) -> float:
    """|μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2 (Σ₁^½ Σ₂ Σ₁^½)^½), from symmetric eigenvalues alone; never below 0."""
    root = _matrix_power(a.covariance, 0.5)
    cross = np.linalg.eigvalsh(root @ b.covariance @ root)
    spread = np.trace(a.covariance) + np.trace(b.covariance) - 2 * np.sqrt(np.clip(cross, 0, None)).sum()
    return float(max(((a.mean - b.mean) ** 2).sum() + spread, 0.0))


def frechet_distance(
    reference: Float[np.ndarray, "n d"],
    measured: Float[np.ndarray, "m d"],
    *,
    name: str = "fid",
    rounds: int = ROUNDS,
    seed: int = 0,
) -> Estimate:
    """FID between two sets of features, with its interval.

    Raises:
        NotEnoughDataError: A set has no more rows than features: its covariance would be singular.
        InvalidValueError: The sets have different or invalid shapes, or numbers that are not finite.
    """
    width = np.shape(measured)[1] if np.ndim(measured) == 2 else 1
    x, y = feature_sets(reference, measured, least=width + 1, name=name)
    a, b = Gaussian.of(x), Gaussian.of(y)
    value = frechet_between(a, b)
    drawn = np.full(rounds, value)
    for draw, (rows, here, there) in enumerate(((x, a, b), (y, b, a))):
        pull = influence(rows, here, there)
        drawn += bootstrap_counts(len(rows), rounds, seed + draw).T @ pull / len(rows)
    low, high = interval(np.clip(drawn, 0, None))
    return Estimate(name, value, low, high, n=len(y), n_reference=len(x))


def frechet_distance_difference(
    reference: Float[np.ndarray, "n d"],
    a: Float[np.ndarray, "m d"],
    b: Float[np.ndarray, "k d"],
    *,
    name: str = "fid",
    inputs: Inputs | None = None,
    rounds: int = ROUNDS,
    seed: int = 0,
) -> Estimate:
    """FID of a − FID of b, two treatments of the same inputs, whose influences are drawn together.

    The bias of small N is about the same in both and falls out of the difference.

    ``inputs``, ``rounds`` and ``seed`` are those of ``estimate.paired_counts``.

    Raises:
        NotEnoughDataError: A set has no more rows than features.
        InvalidValueError: The sets do not match, or hold numbers that are not finite.
    """
    width = np.shape(a)[1] if np.ndim(a) == 2 else 1
    x, y = feature_sets(reference, a, least=width + 1, name=name)
    _, z = feature_sets(reference, b, least=width + 1, name=name)
    counts = paired_counts((len(x), len(y), len(z)), inputs, rounds, seed, name)
    known, first, second = Gaussian.of(x), Gaussian.of(y), Gaussian.of(z)
    value = frechet_between(known, first) - frechet_between(known, second)
    of_reference = influence(x, known, first) - influence(x, known, second)
    of_first, of_second = influence(y, first, known), -influence(z, second, known)
    drawn = np.full(rounds, value)
    for times, pull in zip(counts, (of_reference, of_first, of_second), strict=True):
        drawn += times.T @ pull / len(pull)
    return Estimate(f"Δ {name}", value, *interval(drawn), n=len(y), n_reference=len(x))


def influence(rows: Float[np.ndarray, "n d"], here: Gaussian, there: Gaussian) -> Float[np.ndarray, " n"]:
    """First-order effect of each row on the distance, mean 0.

    With T = Σ₁^−½ (Σ₁^½ Σ₂ Σ₁^½)^½ Σ₁^−½, the optimal map from one Gaussian to the other:
    φ(x) = 2 (μ₁ − μ₂)·(x − μ₁) + (x − μ₁)ᵀ (I − T) (x − μ₁) − its mean.
    """
    root, inverse = _matrix_power(here.covariance, 0.5), _matrix_power(here.covariance, -0.5)
    transport = inverse @ _matrix_power(root @ there.covariance @ root, 0.5) @ inverse
    centred = rows - here.mean
    quadratic = ((centred @ (np.eye(len(transport)) - transport)) * centred).sum(1)
    effect = 2 * centred @ (here.mean - there.mean) + quadratic
    return effect - effect.mean()


def _matrix_power(matrix: Float[np.ndarray, "d d"], power: float) -> Float[np.ndarray, "d d"]:
    """Power of a symmetric positive matrix on the directions in which it is not zero."""
    if not np.isfinite(matrix).all():
        raise InvalidValueError("a covariance holds numbers that are not finite")
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    there = values > _NOTHING * max(float(values[-1]), 1e-300)
    powered = np.where(there, np.where(there, values, 1.0) ** power, 0.0)
    return (vectors * powered) @ vectors.T
