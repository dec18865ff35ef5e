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
from handwright.reproduce.handrefiner.paint_all import HARMONISE, JUDGED, TABLE, UNTOUCHED, Phase, Table
from handwright.reproduce.handrefiner.rows import Row, pairs
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
class Compared:
    """The figures of a table."""

    rows: tuple[Row, ...]  # Its rows
    figures: Mapping[str, Figures]  # By row, 'untouched' among them
    differences: Sequence[tuple[str, Figures]]  # (question, figures) of the paper's comparisons, paired


@dataclass(frozen=True, kw_only=True)
class Results:
    """Everything that the page shows."""

    tables: Mapping[str, Compared]  # By the group of their units
    times: Mapping[str, Mapping[str, Estimate]]  # Strategy → its time over the fixed one's, by painter
    # What is steered → field → estimates at every strength
    curves: Mapping[str, Mapping[str, list[Estimate]]]
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
    names: Mapping[str, tuple[str, ...]],
    tables: Mapping[str, Table],
    phases: Mapping[str, Phase],
    choice: tuple[Mapping[str, float], str, Estimate],
    stored: float,
    strengths: tuple[float, ...],
) -> Results:
    """Take every figure; ``names`` are those of the pictures with a hand, by group."""

    def compared(group: str, rows: tuple[Row, ...]) -> Compared:
        there = [UNTOUCHED, *(row.name for row in rows if not row.missing)]
        return Compared(
            rows=rows,
            figures={treatment: gauge.figures(group, names[group], treatment) for treatment in there},
            differences=[
                (question, gauge.difference(group, names[group], a, b)) for question, a, b in pairs(rows)
            ],
        )

    defects, fields = names[BEFORE_AFTER], ("error", "texture")
    records = gauge.records(BEFORE_AFTER, defects, STATES[0])
    chosen, chosen_by, fixed = choice
    return Results(
        tables={group: compared(group, table.rows) for group, table in tables.items()},
        times={
            tables[group].painter: {name: gauge.times(group, names[group], name, "fixed") for name in OVER}
            for group in (TABLE, HARMONISE)
        },
        curves={
            label: {field: gauge.curve(phase.group, phase.names, strengths, field) for field in fields}
            for label, phase in phases.items()
        },
        halves={
            label: {field: gauge.halves(phase.group, phase.names, field) for field in fields}
            for label, phase in phases.items()
        },
        before=gauge.figures(TABLE, names[TABLE], "fixed").get("texture_before"),
        states={state: gauge.figures(BEFORE_AFTER, defects, state) for state in STATES},
        attempted=sum(record["attempted"] for record in records) / len(records),
        replaced=sum(record["replaced"] for record in records) / len(records),
        chosen=chosen,
        chosen_by=chosen_by,
        fixed=fixed,
        stored=stored,
    )
