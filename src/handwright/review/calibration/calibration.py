"""Calibration: from the critic's logits to probabilities and thresholds, with its file."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from handwright.errors import DataError, InvalidValueError, NotEnoughDataError
from handwright.image.atomic_write import write_atomically
from handwright.json_text import parse_json

SCHEMA = "handwright/calibration-1"
BUDGET = 0.02  # Share of good hands that may be reported as malformed

_EPSILON = 1e-12


@dataclass(frozen=True)
class Head:
    """The calibration of one binary output: p = sigmoid(scale · logit + bias); Platt 1999."""

    scale: float = 1.0  # Positive
    bias: float = 0.0  # In logits
    threshold: float = 0.5  # Probability from which on it is reported; above 1: never

    def __post_init__(self) -> None:
        if (
            not np.isfinite([self.scale, self.bias, self.threshold]).all()
            or self.scale <= 0
            or self.threshold <= 0
        ):
            raise InvalidValueError(
                f"a head needs a positive scale and threshold and a finite bias, got {self.scale:g}, "
                f"{self.threshold:g} and {self.bias:g}"
            )


@dataclass(frozen=True)
class Calibration:
    """The calibration of all outputs of a critic."""

    heads: Mapping[str, Head]  # By name: 'malformed', each defect, 'right', 'gloved', 'assessable', 'hand'
    # By name of a softmax output ('fingers', 'poses'): p = softmax(z / T)
    temperatures: Mapping[str, float] = field(default_factory=dict[str, float])
    about: Mapping[str, Any] = field(default_factory=dict[str, Any])  # What it was fitted on, JSON-ready

    def __post_init__(self) -> None:
        for name, value in self.temperatures.items():
            if not (np.isfinite(value) and value > 0):
                raise InvalidValueError(f"the temperature of {name!r} must be positive, got {value:g}")

    @classmethod
    def load(cls, path: Path) -> Calibration:
        """A calibration from the file that ``save`` writes.

        Raises:
            DataError: It cannot be read, or is none.
        """
        try:
            entry = parse_json(path.read_text("utf-8"))
            if not isinstance(entry, dict) or entry.get("schema") != SCHEMA:
                raise ValueError(f'it has no "schema": "{SCHEMA}"')
            heads = {str(name): _head(name, values) for name, values in entry["heads"].items()}
            temperatures = {str(name): float(value) for name, value in entry["temperatures"].items()}
            return cls(heads, temperatures, dict(entry.get("about", {})))
        except KeyError as error:
            raise _unreadable(path, f"{error} is missing") from error
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise _unreadable(path, str(error)) from error

    def save(self, path: Path) -> None:
        """Write it as JSON.

        Raises:
            OutputError: It cannot be written.
        """
        heads = {
            name: {"scale": head.scale, "bias": head.bias, "limit": head.threshold}
            for name, head in self.heads.items()
        }
        entry = {"schema": SCHEMA, "heads": heads, "temperatures": dict(self.temperatures)}
        text = json.dumps({**entry, "about": dict(self.about)}, indent=1, allow_nan=False) + "\n"
        write_atomically(path, lambda file: file.write(text.encode("utf-8")))

    @property
    def digest(self) -> str:
        """A short hash of its numbers, whatever they were fitted on."""
        heads = json.dumps([sorted((n, h.scale, h.bias, h.threshold) for n, h in self.heads.items())])
        return hashlib.sha256((heads + json.dumps(sorted(self.temperatures.items()))).encode()).hexdigest()[
            :16
        ]

    @property
    def thresholds(self) -> dict[str, float]:
        """Probability by name of head from which on it is reported."""
        return {name: head.threshold for name, head in self.heads.items()}

    def probability(self, head: str, value: float) -> float:
        """The probability that a logit of a head stands for."""
        fitted = self._head(head)
        return float(sigmoid(np.asarray(fitted.scale * value + fitted.bias)))

    def raw_logit(self, head: str, probability: float) -> float:
        """The logit behind a probability of a head; probabilities are clipped to 1e-12 from 0 and 1."""
        fitted = self._head(head)
        return float((logit(np.asarray(probability)) - fitted.bias) / fitted.scale)

    def temperature(self, head: str) -> float:
        """The temperature of a softmax output."""
        if head not in self.temperatures:
            raise InvalidValueError(f"the calibration has no temperature for {head!r}")
        return self.temperatures[head]

    def _head(self, name: str) -> Head:
        if name not in self.heads:
            raise InvalidValueError(f"the calibration has no head {name!r}")
        return self.heads[name]


def sigmoid(logits: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """Probabilities of logits; exact in both tails."""
    return np.exp(-np.logaddexp(0.0, -np.asarray(logits, np.float64)))


def logit(probabilities: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """Log odds of probabilities, clipped to 1e-12 from 0 and 1."""
    p = np.clip(np.asarray(probabilities, np.float64), _EPSILON, 1 - _EPSILON)
    return np.log(p) - np.log1p(-p)


def _head(name: str, values: Mapping[str, Any]) -> Head:
    unknown = set(values) - {"scale", "bias", "limit"}
    if unknown:
        raise ValueError(f"head {name!r} holds {', '.join(sorted(unknown))}")
    return Head(float(values["scale"]), float(values["bias"]), float(values["limit"]))


def _unreadable(path: Path, why: str) -> DataError:
    return DataError(
        f"{path} is no calibration that can be read", why, "make one with handwright review --calibrate"
    )


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


def thresholds_at(
    good: Mapping[str, Float[np.ndarray, " n"]],
    budget: float = BUDGET,
    sure: float | None = None,
    least: float = 0.0,
) -> dict[str, float]:
    """The smallest thresholds of heads that at most ``budget`` of the good hands reach in any of them.

    Each head may report the same number of its own hands, as many as the budget allows. No threshold is below
    ``least``, so that a head which never comes near one does not report by a hair.

    Raises:
        NotEnoughDataError: There is no hand; or too few for that confidence whatever the threshold.
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
    """How many of ``count`` good hands may be reported, by a budget as in ``thresholds_at``.

    Raises:
        NotEnoughDataError: As ``thresholds_at``.
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
