"""The figures of a study: pose error, text, look, masks, time; differences of two rows are paired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from handwright.metrics.estimate import mean_estimate
from handwright.reproduce.people_bench import ORIGINAL
from handwright.reproduce.people_cases import Case
from handwright.reproduce.people_measure import Figures, PeopleGauge
from handwright.reproduce.store import Store
from handwright.reproduce.two_stage.rows import APART, HARMONISED, ONCE, OURS, POSE, RENDER, Row
from handwright.reproduce.two_stage.study import TwoStageStudy
from handwright.two_stage.hand_stage import SMALL_HAND_PX

CLOSENESS = "closeness"  # Group of units beside those of rows: how near hands stay to stage I's

_COMPARED = (
    *((OURS, other) for other in (
        POSE, RENDER, HARMONISED, ONCE, "literal", "shared", "second", "drawn", "repainted", "anew",
        "judged", APART,
    )),
    (ONCE, "box"), (ONCE, "sequential"),
    (HARMONISED, RENDER),
)  # fmt: skip
"""Rows that are held against each other, pose by pose: one, and what it is less."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Everything that the page shows."""

    n: int  # Poses
    figures: Mapping[str, Figures]  # By row; ``ORIGINAL`` is the estimator's floor
    differences: Mapping[tuple[str, str], Figures]  # One row less another, paired, by both
    fid_needs: int  # Pictures that FID needs of each set at least
    closeness: Figures  # Decibels to stage I's own decode: shared, encoded, and their difference


def measure(study: TwoStageStudy, store: Store, cases: Sequence[Case], rows: Sequence[Row]) -> Measured:
    """Take every figure of what is in the store."""
    painted = [row.name for row in rows if not row.missing]
    gauge = PeopleGauge(store, cases, study.extractor, study.clip)
    figures = {
        name: gauge.figures(name) | gauge.hands_below(name, SMALL_HAND_PX) for name in (ORIGINAL, *painted)
    }
    pairs = [pair for pair in _COMPARED if set(pair) <= set(painted)]
    return Measured(
        n=len(cases),
        figures=figures,
        differences={pair: gauge.difference(*pair) for pair in pairs},
        fid_needs=gauge.fid_needs,
        closeness=_closeness(store, cases),
    )


def _closeness(store: Store, cases: Sequence[Case]) -> Figures:
    """Decibels to stage I's own decode, and by how much sharing latents comes nearer, paired."""
    records = [store.record(CLOSENESS, case.name) for case in cases if store.has(CLOSENESS, case.name)]
    both = [(r["shared"], r["encoded"]) for r in records if r["shared"] is not None]
    if not both:
        return {}
    shared, encoded = np.array(both, float).T
    return {
        "shared": mean_estimate("shared, dB", shared),
        "encoded": mean_estimate("encoded, dB", encoded),
        "nearer": mean_estimate("nearer, dB", shared - encoded),
    }
