"""Calibration: from the critic's logits to probabilities and thresholds, with its file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from handwright.errors import DataError, InvalidValueError
from handwright.image.atomic_write import write_atomically

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
            entry = json.loads(path.read_text("utf-8"))
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
