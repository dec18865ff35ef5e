"""Estimates of a calibration: scales and biases, temperatures, thresholds, and the remaining error."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Float, Int

from handwright.errors import InvalidValueError, NotEnoughDataError
from handwright.review.calibration.calibration import BUDGET, sigmoid

_PRIOR = np.array([1.0, 0.0])
_PRECISION = np.array([1.0, 1 / 9])
_LEAST_SCALE = 0.05
_STEPS, _SETTLED = 60, 1e-10


def fit_platt(logits: Float[np.ndarray, " n"], truths: Bool[np.ndarray, " n"]) -> tuple[float, float]:
    """Scale and bias that make sigmoid(scale · logit + bias) the probability of the truth; Platt 1999.

    Most probable values under scale ~ N(1, 1) and bias ~ N(0, 3²), by damped Newton steps: few or separable
    samples stay near scale 1 and bias 0. The scale never falls below 0.05: order is kept.

    Raises:
        NotEnoughDataError: There is no sample.
        InvalidValueError: Lengths differ, or a logit is not finite.
    """
    logits, truths = _samples(logits, truths)
    inputs = np.column_stack([logits, np.ones_like(logits)])
    fitted = _newton(inputs, truths, _PRIOR, _PRECISION, np.zeros_like(logits))
    if fitted[0] >= _LEAST_SCALE:
        return float(fitted[0]), float(fitted[1])
    bias = _newton(inputs[:, 1:], truths, _PRIOR[1:], _PRECISION[1:], _LEAST_SCALE * logits)
    return _LEAST_SCALE, float(bias[0])


def fit_temperature(logits: Float[np.ndarray, "n c"], truths: Int[np.ndarray, " n"]) -> float:
    """The T that makes softmax(logits / T) the probability of the true class; Guo et al. 2017.

    Maximum likelihood in 1 / T under 1 / T ~ N(1, 1), by Newton steps; T lies in (0, 20].

    Raises:
        NotEnoughDataError: There is no sample.
    """
    logits = np.asarray(logits, np.float64)
    if not len(logits):
        raise NotEnoughDataError("no temperature can be fitted", "there are no samples")
    chosen = logits[np.arange(len(logits)), truths]
    cold = 1.0
    for _ in range(_STEPS):
        shares = np.exp(cold * (logits - logits.max(1, keepdims=True)))
        shares /= shares.sum(1, keepdims=True)
        mean = (shares * logits).sum(1)
        slope = (mean - chosen).sum() + (cold - 1)
        bend = (shares * (logits - mean[:, None]) ** 2).sum() + 1
        step = float(np.clip(slope / bend, -cold, cold / 2))
        cold = max(cold - step, _LEAST_SCALE)
        if abs(step) < _SETTLED:
            break
    return 1 / cold


def threshold_at(good: Float[np.ndarray, " n"], budget: float = BUDGET, sure: float | None = None) -> float:
    """The smallest threshold that at most ``budget`` of the good hands reach.

    Raises:
        NotEnoughDataError: There is no hand; or too few for that confidence whatever the threshold.
    """
    return float(np.nextafter(np.sort(good)[::-1][allowed_alarms(len(good), budget, sure)], np.inf))


def thresholds_at(
    good: Mapping[str, Float[np.ndarray, " n"]],
    budget: float = BUDGET,
    sure: float | None = None,
    least: float = 0.0,
) -> dict[str, float]:
    """Thresholds of several heads that at most ``budget`` of the good hands reach in any of them.

    Each head may report the same number of its own hands, as many as the budget allows.

    Args:
        good: By head, float [N] probabilities of the same N good hands.
        budget: Share of hands that may be reported by any head.
        sure: As in ``threshold_at``.
        least: No threshold is lower: a head that never comes near one does not report by a hair.

    Raises:
        NotEnoughDataError: As ``threshold_at``.
    """
    scores = np.stack([np.asarray(values, np.float64) for values in good.values()])
    allowed = allowed_alarms(scores.shape[1], budget, sure)
    ordered = -np.sort(-scores, axis=1)

    def thresholds(each: int) -> Float[np.ndarray, " heads"]:
        return np.maximum(np.nextafter(ordered[:, each], np.inf), least)

    each = 0
    while each < allowed and (scores >= thresholds(each + 1)[:, None]).any(0).sum() <= allowed:
        each += 1
    return dict(zip(good, thresholds(each).tolist(), strict=True))


def expected_calibration_error(
    probabilities: Float[np.ndarray, " n"], truths: Bool[np.ndarray, " n"], bins: int = 15
) -> float:
    """Expected calibration error: mean gap of probability and truth over equally wide bins, by their samples.

    Raises:
        NotEnoughDataError: There is no sample.
        InvalidValueError: Lengths differ, or a probability is not finite.
    """
    probabilities, truths = _samples(probabilities, truths)
    index = np.clip((probabilities * bins).astype(int), 0, bins - 1)
    gaps = np.bincount(index, probabilities - truths, bins)
    return float(np.abs(gaps).sum() / len(probabilities))


def allowed_alarms(count: int, budget: float, sure: float | None) -> int:
    """How many of ``count`` good hands may be reported, by a budget as in ``threshold_at``.

    Raises:
        NotEnoughDataError: As ``threshold_at``.
    """
    if not count:
        raise NotEnoughDataError("no threshold can be set", "there are no good hands")
    if sure is None:
        return min(math.floor(budget * count + 1e-9), count - 1)
    chance, many = 0.0, -1
    for k in range(count):
        ways = math.lgamma(count + 1) - math.lgamma(k + 1) - math.lgamma(count - k + 1)
        chance += math.exp(ways + k * math.log(budget) + (count - k) * math.log1p(-budget))
        if chance > 1 - sure:
            break
        many = k
    if many < 0:
        least = math.ceil(math.log(1 - sure) / math.log1p(-budget))
        raise NotEnoughDataError(
            f"{count} good hands cannot promise {100 * budget:g} % false alarms",
            f"with {100 * sure:g} % confidence that takes {least}",
            "add good hands",
        )
    return many


def _newton(
    inputs: Float[np.ndarray, "n k"],
    truths: Float[np.ndarray, " n"],
    prior: Float[np.ndarray, " k"],
    precision: Float[np.ndarray, " k"],
    offset: Float[np.ndarray, " n"],
) -> Float[np.ndarray, " k"]:
    """Most probable weights of a logistic regression with a normal prior."""

    def cost(weights: Float[np.ndarray, " k"]) -> float:
        z = inputs @ weights + offset
        return float(
            (np.logaddexp(0, z) - truths * z).sum() + 0.5 * (precision * (weights - prior) ** 2).sum()
        )

    weights = prior
    for _ in range(_STEPS):
        p = sigmoid(inputs @ weights + offset)
        slope = inputs.T @ (p - truths) + precision * (weights - prior)
        bend = (inputs * (p * (1 - p))[:, None]).T @ inputs + np.diag(precision)
        step = np.linalg.solve(bend, slope)
        share, now = 1.0, cost(weights)
        while share > _SETTLED and cost(weights - share * step) > now:
            share /= 2
        weights = weights - share * step
        if np.abs(share * step).max() < _SETTLED:
            break
    return weights


def _samples(
    values: Float[np.ndarray, " n"], truths: Bool[np.ndarray, " n"]
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    values, wanted = np.asarray(values, np.float64), np.asarray(truths, np.float64)
    if values.ndim != 1 or values.shape != wanted.shape:
        raise InvalidValueError(f"{values.shape} values, but truths of {wanted.shape}")
    if not len(values):
        raise NotEnoughDataError("nothing can be calibrated", "there are no samples")
    if not np.isfinite(values).all():
        raise InvalidValueError("a value is not finite")
    return values, wanted
