"""What an evaluation found, as a value and as JSON."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handwright.errors import HandwrightError
from handwright.metrics.estimate import Estimate

SCHEMA = "handwright/evaluation-1"


@dataclass(frozen=True)
class Skipped:
    """Something that was left out."""

    path: Path  # The file
    reason: str  # Why, in a sentence

    @classmethod
    def because(cls, path: Path, error: HandwrightError) -> Skipped:
        """The skipped file with the error's message, without the file's name a second time."""
        return cls(path, str(error).removeprefix("cannot read ").removeprefix(f"{path}: "))


@dataclass(frozen=True)
class Failed:
    """A requested measure that could not be taken."""

    metric: str  # Its name as requested
    reason: str  # Why, in a sentence


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Measures of FAKE against REAL.

    Attributes:
        estimates: What was measured, in the order requested.
        n_real: Real pictures (or poses) that could be read.
        n_fake: Fake pictures (or poses) that could be read.
        failed: Requested measures that could not be taken.
        skipped: Files that could not be used, real ones first.
        notes: What to know when reading the figures, one sentence each.
        counted: What ``n_real`` and ``n_fake`` count: 'pictures' or 'poses'.
    """

    estimates: tuple[Estimate, ...]
    n_real: int
    n_fake: int
    failed: tuple[Failed, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()
    counted: str = "pictures"

    @property
    def exit_code(self) -> int:
        """0 when every requested measure was taken on every file, else 2."""
        return 2 if self.failed or self.skipped else 0

    def __getitem__(self, name: str) -> Estimate:
        """The estimate of that full name, or of the only one that starts with it before its bracket."""
        found = [e for e in self.estimates if name in (e.name, e.name.split("[")[0])]
        if len(found) != 1:
            known = ", ".join(e.name for e in self.estimates)
            raise KeyError(f"{len(found)} estimates are called {name}; there are: {known}")
        return found[0]

    def to_json(self) -> dict[str, Any]:
        """Plain values for ``json.dumps``; figures that do not exist are null."""
        return {
            "schema": SCHEMA,
            "real": self.n_real,
            "fake": self.n_fake,
            "counted": self.counted,
            "estimates": [_estimate(e) for e in self.estimates],
            "failed": [{"metric": f.metric, "reason": f.reason} for f in self.failed],
            "skipped": [{"path": s.path.as_posix(), "reason": s.reason} for s in self.skipped],
            "notes": list(self.notes),
        }


def _estimate(e: Estimate) -> dict[str, Any]:
    figures = {"value": e.value, "low": e.low, "high": e.high}
    known = {key: figure if math.isfinite(figure) else None for key, figure in figures.items()}
    return {"name": e.name, **known, "n": e.n, "n_reference": e.n_reference, "p": e.p}
