"""All figures of a study; which strength is best for a picture, by people or by the judge of ``refine``."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from handwright.errors import DataError, UsageError
from handwright.metrics.estimate import Estimate, mean_estimate
from handwright.refine.acceptance import order
from handwright.reproduce.handrefiner.before_after import GROUP as BEFORE_AFTER
from handwright.reproduce.handrefiner.before_after import STATES
from handwright.reproduce.handrefiner.paint_all import BOXED, HARMONISE, JUDGED, TABLE, UNTOUCHED, Phase
from handwright.reproduce.handrefiner.rows import Row, boxed_rows, pairs, strategy_rows
from handwright.reproduce.handrefiner.study import GRID
from handwright.reproduce.measure import Figures, Gauge
from handwright.reproduce.store import Record, Store
from handwright.workflow.files import write_text

STRENGTHS = GRID[1:]
PEOPLE, JUDGE = "people", "the judge of refine"


def judged_best(store: Store, names: Sequence[str]) -> dict[str, float]:
    """Per picture the strength whose painting ``refine`` would take; of equal ones the weakest.

    It takes the painting with the fewest objections, then the least likely malformed, the most exact, the one
    that fits its picture best (``refine.acceptance``): the hand's anatomy, then its look. It is no human.
    """
    return {
        name: min(STRENGTHS, key=lambda s, name=name: _key(store.record(JUDGED, f"{name}/{s:g}"), s))
        for name in names
    }


def _key(record: Record, strength: float) -> tuple[float, ...]:
    return (record["objections"], *order([record["scores"]]), strength)


def read_choices(file: Path, names: Sequence[str]) -> dict[str, float]:
    """Choices of people by picture, of a CSV with ``picture`` and ``strength``; several are averaged.

    Raises:
        UsageError: It is not there, or names none of the pictures.
        DataError: A line makes no sense.
    """
    if not file.is_file():
        raise UsageError(f"--choices {file} is not there", "", "check the name")
    answers: dict[str, list[float]] = {}
    with file.open(newline="", encoding="utf-8") as lines:
        for number, line in enumerate(csv.DictReader(lines), start=2):
            try:
                strength = float(line["strength"])
                name = line["picture"]
            except (KeyError, TypeError, ValueError) as error:
                raise DataError(
                    f"{file}, line {number} is no choice", str(error), "write picture,strength"
                ) from error
            if not 0 <= strength <= 2:
                raise DataError(f"{file}, line {number}: the strength is {strength:g}", "", "give 0 to 2")
            answers.setdefault(name, []).append(strength)
    chosen = {name: float(np.mean(answers[name])) for name in names if name in answers}
    if not chosen:
        raise UsageError(
            f"--choices {file} names none of the pictures", "", "take names from the sheets, such as 830000"
        )
    return chosen


def fixed_of(chosen: Mapping[str, float]) -> Estimate:
    """The mean of the choices (HandRefiner §3.2, 'fixed control strength')."""
    return mean_estimate("fixed strength", np.array(list(chosen.values()), float))


def write_strength(folder: Path, fixed: Estimate, chosen_by: str, notes: Mapping[str, Any]) -> Path:
    """Write ``handwright.json`` beside a ControlNet's config.json, so that ``--strength fixed`` takes it."""
    notes = {
        **notes,
        "strength": round(fixed.value, 2),
        "interval": [round(fixed.low, 3), round(fixed.high, 3)],
        "pictures": fixed.n,
        "chosen_by": chosen_by,
    }
    write_text(folder / "handwright.json", json.dumps(notes, indent=1) + "\n")
    return folder / "handwright.json"


OVER = ("full", "adaptive", "auto")  # Strategies whose time is given as a multiple of the fixed one's


@dataclass(frozen=True, kw_only=True)
class Names:
    """The pictures with a hand, by what they are for."""

    table: tuple[str, ...]
    boxed: tuple[str, ...]
    harmonise: tuple[str, ...]
    phases: Mapping[str, Phase]
    judged: tuple[str, ...]
    reference: tuple[str, ...]
    spoiled: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Results:
    """Everything that the page shows."""

    rows: tuple[Row, ...]  # Of Table 3
    figures: Mapping[str, Figures]  # By row, 'untouched' among them
    differences: Sequence[tuple[str, Figures]]  # (question, figures) of the paper's comparisons, paired
    # boxed, boxed_differences: As these two, of ``rows.boxed_rows``
    boxed: Mapping[str, Figures]
    boxed_differences: Sequence[tuple[str, Figures]]
    times: Mapping[str, Mapping[str, Estimate]]  # Strategy → its time over the fixed one's, by painter
    harmonise: Mapping[str, Figures]  # As ``figures``, of the strategies with painter 'harmonise'
    harmonise_differences: Sequence[tuple[str, Figures]]  # As ``differences``
    # What is steered → field → estimates at every strength
    curves: Mapping[str, Mapping[str, list[Estimate]]]
    strengths: tuple[float, ...]  # Of these
    # What is steered → field → change up to half strength, and from there on
    halves: Mapping[str, Mapping[str, tuple[Estimate | None, Estimate | None]]]
    # Fine detail of the pictures themselves on the skin that is painted, through the codec
    before: Estimate | None
    states: Mapping[str, Figures]  # Figures of hands with a defect, before and after
    # attempted, replaced: Shares of these hands
    attempted: float
    replaced: float
    chosen: Mapping[str, float]  # Per picture the best strength
    chosen_by: str  # Whose choice that is
    fixed: Estimate  # Its mean
    stored: float  # The fixed strength that was painted with


def take(
    gauge: Gauge,
    names: Names,
    rows: tuple[Row, ...],
    choice: tuple[Mapping[str, float], str, Estimate],
    stored: float,
    strengths: tuple[float, ...],
) -> Results:
    """Take every figure."""
    strategies, in_boxes = strategy_rows(rows[-1].settings), boxed_rows(rows)

    def of(group: str, which: Sequence[str], treatments: Sequence[Row]) -> dict[str, Figures]:
        there = [UNTOUCHED, *(row.name for row in treatments if not row.missing)]
        return {treatment: gauge.figures(group, which, treatment) for treatment in there}

    def differences(group: str, which: Sequence[str], of: Sequence[Row]) -> list[tuple[str, Figures]]:
        return [(question, gauge.difference(group, which, a, b)) for question, a, b in pairs(of)]

    def times(group: str, which: Sequence[str]) -> dict[str, Estimate]:
        return {name: gauge.times(group, which, name, "fixed") for name in OVER}

    spoiled = gauge.records(BEFORE_AFTER, names.spoiled, STATES[0])
    fields = ("error", "texture")
    chosen, chosen_by, fixed = choice
    phases = names.phases.items()
    return Results(
        rows=rows,
        figures=of(TABLE, names.table, rows),
        differences=differences(TABLE, names.table, rows),
        boxed=of(BOXED, names.boxed, in_boxes),
        boxed_differences=differences(BOXED, names.boxed, in_boxes),
        times={"diffuse": times(TABLE, names.table), "harmonise": times(HARMONISE, names.harmonise)},
        harmonise=of(HARMONISE, names.harmonise, strategies),
        harmonise_differences=differences(HARMONISE, names.harmonise, strategies),
        curves={k: {f: gauge.curve(p.group, p.names, strengths, f) for f in fields} for k, p in phases},
        strengths=strengths,
        halves={k: {f: gauge.halves(p.group, p.names, f) for f in fields} for k, p in phases},
        before=gauge.figures(TABLE, names.table, "fixed").get("texture_before"),
        states={state: gauge.figures(BEFORE_AFTER, names.spoiled, state) for state in STATES},
        attempted=sum(record["attempted"] for record in spoiled) / len(spoiled),
        replaced=sum(record["replaced"] for record in spoiled) / len(spoiled),
        chosen=chosen,
        chosen_by=chosen_by,
        fixed=fixed,
        stored=stored,
    )
