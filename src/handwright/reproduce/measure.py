"""From the units of a study to its figures; pictures are what the bootstrap behind each interval redraws."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from jaxtyping import Float

from handwright.errors import NotEnoughDataError
from handwright.metrics.estimate import Estimate, mean_estimate, statistic_estimate
from handwright.metrics.extractors.features import FeatureExtractor, extract
from handwright.metrics.frechet import frechet_distance
from handwright.metrics.kernel import kernel_distance, kernel_distance_difference
from handwright.reproduce.store import Record, Store

Figures = dict[str, Estimate]
Features = Float[np.ndarray, "n d"]

APPEARANCE, ANATOMY = "kid", "anatomy"
"""What KID-H is taken of: features of pictures at large, and the referee's."""

_DISTANCES = (
    (APPEARANCE, APPEARANCE, kernel_distance),
    (ANATOMY, ANATOMY, kernel_distance),
    ("fid", APPEARANCE, frechet_distance),
)
"""Key, features, distance."""

CROSSOVER = 0.5  # Strength at which the paper sees structure give way to texture

_SCALED = {
    "error": 100.0, "found": 100.0, "score": 1.0, "texture": 1.0, "texture_before": 1.0, "sound": 100.0,
}  # fmt: skip
"""Fields of records that are averaged, and what for the tables they are multiplied by."""


@dataclass(frozen=True, eq=False)
class Gauge:
    """Measures groups of units."""

    store: Store  # Where they are
    # Of features: ``APPEARANCE``', behind KID-H and FID-H, and ``ANATOMY``'s
    extractors: Mapping[str, FeatureExtractor]
    reference: Mapping[str, Features]  # Features of sound hands, of each
    _features: dict[tuple[str, str, str], Features] = field(
        default_factory=dict[tuple[str, str, str], Features]
    )

    def records(self, group: str, names: Sequence[str], treatment: str) -> list[Record]:
        """Of every picture under one treatment."""
        return [self.store.record(group, f"{name}/{treatment}") for name in names]

    def figures(self, group: str, names: Sequence[str], treatment: str) -> Figures:
        """Everything about one treatment: means of what records hold, KID-H, and FID-H where N allows it."""
        records = self.records(group, names, treatment)
        figures: Figures = {}
        for key, scale in _SCALED.items():
            values = _values(records, key)
            if len(values):
                figures[key] = mean_estimate(key, scale * values)
        for key, which, distance in _DISTANCES:
            features, name = self.features(group, names, treatment, which), self.extractors[which].name
            with suppress(NotEnoughDataError):
                figures[key] = distance(self.reference[which], features, name=f"{key}-h[{name}]")
        return figures

    def difference(
        self, group: str, names: Sequence[str], of: str, less: str, *, distances: bool = True
    ) -> Figures:
        """One treatment less another of the same pictures, paired; KID-H only if ``distances``."""
        a, b = self.records(group, names, of), self.records(group, names, less)
        figures: Figures = {}
        for key in ("error", "texture"):
            both = [(x[key], y[key]) for x, y in zip(a, b, strict=True) if _there(x, key) and _there(y, key)]
            if both:
                apart = np.array([x - y for x, y in both], float)
                figures[key] = mean_estimate(f"Δ {key}", _SCALED[key] * apart)
        for key, reference in self.reference.items() if distances else ():
            ours, theirs = (self.features(group, names, treatment, key) for treatment in (of, less))
            with suppress(NotEnoughDataError):
                figures[key] = kernel_distance_difference(reference, ours, theirs)
        return figures

    def features(self, group: str, names: Sequence[str], treatment: str, which: str) -> Features:
        """Features of the crops of one treatment, taken once."""
        key = group, treatment, which
        if key not in self._features:
            crops = (self.store.crop(group, f"{name}/{treatment}") for name in names)
            self._features[key] = extract(crops, self.extractors[which])
        return self._features[key]

    def times(self, group: str, names: Sequence[str], of: str, over: str) -> Estimate:
        """Time of one treatment over that of another, both of the same pictures in the same run."""
        seconds = [[r["seconds"] for r in self.records(group, names, t)] for t in (of, over)]
        return statistic_estimate(f"{of} / {over}", np.array(seconds, float).T, _ratio_of_sums)

    def curve(self, group: str, names: Sequence[str], strengths: Sequence[float], key: str) -> list[Estimate]:
        """A field at every strength."""
        return [
            mean_estimate(key, _SCALED[key] * values)
            for s in strengths
            if len(values := _values(self.records(group, names, f"{s:g}"), key))
        ]

    def halves(self, group: str, names: Sequence[str], key: str) -> tuple[Estimate | None, Estimate | None]:
        """How a field changes from strength 0 to ``CROSSOVER``, and from there to 1; paired."""
        ends = (0.0, CROSSOVER, 1.0)
        below, above = (
            self.difference(group, names, f"{to:g}", f"{start:g}", distances=False).get(key)
            for start, to in pairwise(ends)
        )
        return below, above


def _values(records: Sequence[Record], key: str) -> Float[np.ndarray, " n"]:
    return np.array([float(record[key]) for record in records if _there(record, key)], float)


def _there(record: Record, key: str) -> bool:
    return record.get(key) is not None


def _ratio_of_sums(rows: np.ndarray) -> float:
    of, over = rows.sum(0)
    return float(of / over)
