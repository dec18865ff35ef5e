"""The figures of a study: those of all painted people, and of their hands against the parameters."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from handwright.errors import NotEnoughDataError
from handwright.metrics.crops import hand_crop
from handwright.metrics.estimate import Estimate, mean_estimate
from handwright.metrics.extractors.features import extract
from handwright.metrics.frechet import frechet_distance
from handwright.metrics.kernel import kernel_distance
from handwright.reproduce.handiffuser.cases import Group, groups_of, landmarks_of
from handwright.reproduce.handiffuser.rows import DRAWN, OURS, Row
from handwright.reproduce.handiffuser.study import HanDiffuserStudy
from handwright.reproduce.people_bench import ORIGINAL, REVIEW
from handwright.reproduce.people_cases import Case
from handwright.reproduce.people_measure import Figures, PeopleGauge
from handwright.reproduce.store import Store
from handwright.types import Box

MISSED = 1.0
"""Error of a hand that is not found, in lengths of its box; one that is farther off counts as not found."""

_OF_THE_PERSON = ("mpjpe", "mpjpe_hands", "found", "dap", "dap_hands")
"""Figures against the person of a case, which mean nothing where T2H draws another."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Everything that the page shows."""

    n: int  # People
    figures: Mapping[str, Figures]  # By row; ``ORIGINAL``: the pictures that the people come from
    differences: Mapping[str, Figures]  # T-H2I less another row, paired, by that row
    groups: Mapping[str, Mapping[str, Estimate]]  # T-H2I's hand error by group of people, beside the base's


def measure(study: HanDiffuserStudy, store: Store, cases: Sequence[Case], rows: Sequence[Row]) -> Measured:
    """Take every figure of what is in the store."""
    painted = [row.name for row in rows if not row.missing]
    gauge = HandGauge(store, cases, study.extractor, study.clip, compare=study.data is None)
    compared = [name for name in painted if name not in (OURS, DRAWN)] if OURS in painted else []
    return Measured(
        n=len(cases),
        figures={name: gauge.all_figures(name) for name in (ORIGINAL, *painted)},
        differences={name: gauge.hand_difference(OURS, name) for name in compared},
        groups={group.label: gauge.of_group(painted, group) for group in groups_of(cases)},
    )


class HandGauge(PeopleGauge):
    """Takes figures of painted people and of their hands.

    Args:
        store: What was painted, and who was found in it.
        cases: The people.
        extractor: Name of the features behind KID and FID.
        clip: Name of the text and picture features behind CLIPSIM.
        compare: Whether the pictures that the people come from are of the kind that is to be painted.
    """

    def __init__(
        self, store: Store, cases: Sequence[Case], extractor: str, clip: str, *, compare: bool
    ) -> None:
        super().__init__(store, cases, extractor, clip)
        self.compare = compare
        self.crops = self._crops(ORIGINAL) if compare else None
        self.pictures = self._pictures(ORIGINAL) if compare else None

    def all_figures(self, group: str) -> Figures:
        """Of one row: means with intervals; what cannot be taken is left out."""
        figures = self.figures(group)
        for key in (*(() if self.compare else ("kid", "fid")), *(_OF_THE_PERSON if group == DRAWN else ())):
            figures.pop(key, None)
        if not self.store.has(f"{group}{REVIEW}", self.cases[0].name):
            return figures
        scores = [one["score"] for record in self._reviews(group) for one in record["found"]]
        if scores:
            figures["confidence"] = mean_estimate("confidence", np.array(scores))
        errors = self.hand_errors(group)
        if len(errors) and group != DRAWN:
            figures["hand_error"] = mean_estimate("hand error", errors)
        if group == ORIGINAL or self.pictures is None:
            return figures
        sets = {"": (self.pictures, self._pictures(group)), "-h": (self.crops, self._crops(group))}
        for suffix, (real, painted) in sets.items():
            if real is None or painted is None:
                continue
            for key, distance in (("kid", kernel_distance), ("fid", frechet_distance)):
                with suppress(NotEnoughDataError):
                    name = f"{key}{suffix}"
                    whole = {"kid": "kid-whole", "fid": "fid-whole"}.get(name, name)
                    figures[whole] = distance(real, painted, name=f"{name}[{self.look.name}]")
        return figures

    def hand_errors(self, group: str, names: Collection[str] | None = None) -> Float[np.ndarray, "n"]:
        """Of every hand of the parameters, how far off it is found; see ``hand_error``."""
        errors: list[float] = []
        for case, record in zip(self.cases, self._reviews(group), strict=True):
            if names is None or case.name in names:
                found = [np.array(one["landmarks_px"], float) for one in record["found"]]
                errors += [hand_error(points, found) for points in landmarks_of(case.parameters)]
        return np.array(errors)

    def hand_difference(self, of: str, less: str) -> Figures:
        """One row less another of the same people: hand errors, and what ``difference`` has."""
        figures = self.difference(of, less)
        errors = self.hand_errors(of), self.hand_errors(less)
        if len(errors[0]):
            figures["hand_error"] = mean_estimate("Δ hand error", errors[0] - errors[1])
        return figures

    def of_group(self, rows: Sequence[str], group: Group) -> dict[str, Estimate]:
        """Hand errors of some people, by row."""
        found: dict[str, Estimate] = {}
        for name in (ORIGINAL, *rows):
            errors = self.hand_errors(name, group.names)
            if len(errors):
                found[name] = mean_estimate("hand error", errors)
        return found

    def _reviews(self, group: str) -> list[dict[str, Any]]:
        names = [case.name for case in self.cases]
        if not all(self.store.has(f"{group}{REVIEW}", name) for name in names):
            return [{"found": []}] * len(names)
        return [self.store.record(f"{group}{REVIEW}", name) for name in names]

    def _pictures(self, group: str) -> Float[np.ndarray, "n d"]:
        return extract((self.store.crop(group, case.name) for case in self.cases), self.look)

    def _crops(self, group: str) -> Float[np.ndarray, "n d"] | None:
        """Features of the hands that are found; None where there is none."""
        crops = [
            hand_crop(self.store.crop(group, case.name), _box(one["landmarks_px"]))
            for case, record in zip(self.cases, self._reviews(group), strict=True)
            for one in record["found"]
        ]
        return extract(iter(crops), self.look) if crops else None


def hand_error(wanted: Float[np.ndarray, "21 2"], found: Sequence[Float[np.ndarray, "21 2"]]) -> float:
    """Mean distance of the nearest found hand's landmarks, in lengths of the wanted hand's box, at most 1."""
    length = float(np.ptp(wanted, axis=0).max())
    away = [float(np.linalg.norm(points - wanted, axis=1).mean()) / length for points in found]
    return min([MISSED, *away])


def _box(landmarks_px: Sequence[Sequence[float]]) -> Box:
    points = np.array(landmarks_px, float)
    (x0, y0), (x1, y1) = points.min(0), points.max(0)
    return float(x0), float(y0), float(x1), float(y1)
