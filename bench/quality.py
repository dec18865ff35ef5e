"""One table of how good painter and judge are, against the last committed one: python bench/quality.py.

Every hand is found, judged, redrawn once (as with ``--all``) and measured: rendered sound
hands, rendered malformed ones and, where $HANDWRIGHT_PHOTOS is set, real sound hands and photographs with a
defect edited in. The values of every item lie in bench/data/quality.json, so that differences are paired:
bootstrap 95 % intervals over pictures. Exit status 1 if a measure is worse beyond its interval. ``--accept``
then writes the values as the new committed ones.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command line does

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from draw import Outcome, redraw
from handwright.errors import NotEnoughDataError
from handwright.metrics.estimate import Estimate, mean_estimate, paired_difference
from handwright.refine.pipeline import open_engine
from subjects import subjects

COMMITTED = Path(__file__).parent / "data" / "quality.json"
SETS = {"rendered": 60, "malformed": 60, "real": 80, "surgery": 30}
"""Hands of each set: some 14 minutes on two idle cores."""

DECIMALS = 4
"""Of every value, measured and committed alike: what is the same is then no difference."""

REAL = ("real", "surgery")
SOUND = ("rendered", "real")

Values = dict[str, float | None]
"""Measures of one hand; None where there is nothing to measure."""


@dataclass(frozen=True)
class Measure:
    """A row of the table.

    Attributes:
        name: As it is printed.
        better: 1 where more is better, −1 where less is.
        scale: Factor for printing.
    """

    name: str
    better: int
    scale: float = 1.0


MEASURES = {
    "found_again": Measure("found again, %", 1, 100),
    "error": Measure("joint error, % of hand size", -1, 100),
    "delta_e": Measure("ΔE00 of mean skin colour", -1),
    "sharpness": Measure("sharpness off, octaves", -1),
    "grain": Measure("grain off, octaves", -1),
    "seam": Measure("seam, Lab", -1),
    "malformed": Measure("critic after painting, P(malformed) %", -1, 100),
}
"""Of the painter; sharpness, grain and seam as ``refine.compositing.picture_fit`` measures them."""

RECALL = Measure("judge: malformed hands that fail, %", 1, 100)
FALSE_ALARMS = Measure("judge: sound hands that fail, %", -1, 100)


def measured(outcome: Outcome) -> Values:
    """The measures of one redrawn hand; one that is not found is no alarm, and costs 100 % of joint error."""
    hand = outcome.hand
    values: Values = {name: outcome.values.get(name) for name in ("found_again", "error", "delta_e")}
    if hand is None:
        values["failed"] = 0.0
    else:
        scores = hand.candidates[0].scores
        values |= {name: scores.get(f"fit_{name}") for name in ("sharpness", "grain", "seam")}
        values["malformed"] = scores.get("malformed")
        values["failed"] = float((hand.review_before or {}).get("verdict") == "fail")
    return {
        name: None if value is None or not np.isfinite(value) else round(float(value), DECIMALS)
        for name, value in values.items()
    }


def rows_of(kind: str) -> dict[str, Measure]:
    """The measures of a set, the judge's last."""
    return MEASURES | {"failed": FALSE_ALARMS if kind in SOUND else RECALL}


def estimates(now: dict[str, Values], then: dict[str, Values], key: str) -> tuple[Estimate, Estimate | None]:
    """A measure's mean now, and its paired difference to the committed values where both exist."""
    here = {name: values[key] for name, values in now.items() if values.get(key) is not None}
    both = [name for name in here if then.get(name, {}).get(key) is not None]
    mean = mean_estimate(key, np.array([*here.values()], float))
    if not both:
        return mean, None
    pairs = (np.array([side[name][key] for name in both], float) for side in (now, then))
    return mean, paired_difference(key, *pairs)


def is_worse(measure: Measure, change: Estimate | None) -> bool:
    """Whether a difference excludes zero on the bad side."""
    return change is not None and (change.high < 0 if measure.better > 0 else change.low > 0)


def compare(now: dict[str, dict[str, Values]], then: dict[str, dict[str, Values]]) -> tuple[Table, list[str]]:
    """The table, and the measures that are worse beyond their interval."""
    table, worse = Table("set", "measure", "now [95 %]", "change, paired [95 %]", "N", ""), []
    for kind, items in now.items():
        for key, measure in rows_of(kind).items():
            try:
                mean, change = estimates(items, then.get(kind, {}), key)
            except NotEnoughDataError:
                continue
            mark = ""
            if is_worse(measure, change):
                mark = "WORSE"
                worse.append(f"{kind}: {measure.name}")
            elif change is not None and is_worse(Measure("", -measure.better), change):
                mark = "better"
            change_text = "new" if change is None else figure(change, measure.scale, signed=True)
            table.add_row(kind, measure.name, figure(mean, measure.scale), change_text, str(mean.n), mark)
    return table, worse


def figure(estimate: Estimate, scale: float, *, signed: bool = False) -> str:
    """Value and interval."""
    sign = "+" if signed else ""
    value, low, high = (scale * v for v in (estimate.value, estimate.low, estimate.high))
    return f"{value:{sign}.2f} [{low:{sign}.2f}, {high:{sign}.2f}]"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--set", choices=[*SETS], action="append", help="default: all that can be had")
    parser.add_argument("--n", type=int, help="hands of each set, instead of the usual numbers")
    parser.add_argument("--accept", action="store_true", help="write the values as the committed ones")
    options = parser.parse_args()
    possible = [kind for kind in SETS if kind not in REAL or "HANDWRIGHT_PHOTOS" in os.environ]
    now: dict[str, dict[str, Values]] = {}
    with open_engine() as engine:
        for kind in options.set or possible:
            count = options.n or SETS[kind]
            chosen = track(subjects(kind, count, None), kind, count, console=Console(stderr=True))
            now[kind] = {subject.name: measured(redraw(subject, engine)) for subject in chosen}
    then = json.loads(COMMITTED.read_text("utf-8")) if COMMITTED.exists() else {}
    table, worse = compare(now, then)
    Console(width=120).print(table)
    if options.accept:
        kept = {kind: {**then.get(kind, {}), **items} for kind, items in now.items()}
        write({**then, **kept})
    if worse:
        sys.exit("worse beyond the interval: " + "; ".join(worse))


def write(values: dict[str, dict[str, Values]]) -> None:
    """One line an item, so that a change reads well as a diff."""
    sets = []
    for kind, items in values.items():
        lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(item)}" for name, item in items.items())
        sets.append(f" {json.dumps(kind)}: {{\n{lines}\n }}")
    COMMITTED.write_text("{\n" + ",\n".join(sets) + "\n}\n", "utf-8")


if __name__ == "__main__":
    main()
