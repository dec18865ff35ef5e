"""Which strength is best for a picture: by people, or by the judge that ``refine`` ranks candidates with."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from handwright.errors import DataError, UsageError
from handwright.metrics.statistics.estimate import Estimate, mean_estimate
from handwright.refine.acceptance import order
from handwright.reproduce.handrefiner.paint_all import JUDGED
from handwright.reproduce.handrefiner.study import GRID
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
