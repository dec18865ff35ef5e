"""All figures of a study, taken from its store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from handwright.metrics.statistics.estimate import Estimate
from handwright.reproduce.handrefiner.before_after import GROUP as BEFORE_AFTER
from handwright.reproduce.handrefiner.before_after import STATES
from handwright.reproduce.handrefiner.paint_all import BOXED, HARMONISE, TABLE, UNTOUCHED, Phase
from handwright.reproduce.handrefiner.rows import Row, boxed_rows, pairs, strategy_rows
from handwright.reproduce.measure import Figures, Gauge

OVER = ("full", "adaptive", "auto")  # Strategies whose time is given as a multiple of the fixed one's


@dataclass(frozen=True)
class Names:
    """The pictures with a hand, by what they are for."""

    table: tuple[str, ...]
    boxed: tuple[str, ...]
    harmonise: tuple[str, ...]
    phases: Mapping[str, Phase]
    judged: tuple[str, ...]
    reference: tuple[str, ...]
    spoiled: tuple[str, ...]


@dataclass(frozen=True)
class Results:
    """Everything that the page tells.

    Attributes:
        rows: Of Table 3.
        figures: By row, 'untouched' among them.
        differences: (question, figures) of the paper's comparisons, paired.
        boxed, boxed_differences: As these two, of ``rows.boxed_rows``.
        times: Strategy → its time over the fixed one's, by painter.
        harmonise: As ``figures``, of the strategies with painter 'harmonise'.
        harmonise_differences: As ``differences``.
        curves: What is steered → field → estimates at every strength.
        strengths: Of these.
        halves: What is steered → field → change up to half strength, and from there on.
        before: Fine detail of the pictures themselves on the skin that is painted, through the codec.
        states: Figures of hands with a defect, before and after.
        attempted, replaced: Shares of these hands.
        chosen: Per picture the best strength.
        chosen_by: Whose choice that is.
        fixed: Its mean.
        stored: The fixed strength that was painted with.
    """

    rows: tuple[Row, ...]
    figures: Mapping[str, Figures]
    differences: Sequence[tuple[str, Figures]]
    boxed: Mapping[str, Figures]
    boxed_differences: Sequence[tuple[str, Figures]]
    times: Mapping[str, Mapping[str, Estimate]]
    harmonise: Mapping[str, Figures]
    harmonise_differences: Sequence[tuple[str, Figures]]
    curves: Mapping[str, Mapping[str, list[Estimate]]]
    strengths: tuple[float, ...]
    halves: Mapping[str, Mapping[str, tuple[Estimate | None, Estimate | None]]]
    before: Estimate | None
    states: Mapping[str, Figures]
    attempted: float
    replaced: float
    chosen: Mapping[str, float]
    chosen_by: str
    fixed: Estimate
    stored: float


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
    return Results(
        rows,
        of(TABLE, names.table, rows),
        differences(TABLE, names.table, rows),
        of(BOXED, names.boxed, in_boxes),
        differences(BOXED, names.boxed, in_boxes),
        {"diffuse": times(TABLE, names.table), "harmonise": times(HARMONISE, names.harmonise)},
        of(HARMONISE, names.harmonise, strategies),
        differences(HARMONISE, names.harmonise, strategies),
        {
            k: {f: gauge.curve(p.group, p.names, strengths, f) for f in fields}
            for k, p in names.phases.items()
        },
        strengths,
        {k: {f: gauge.halves(p.group, p.names, f) for f in fields} for k, p in names.phases.items()},
        gauge.figures(TABLE, names.table, "fixed").get("texture_before"),
        {state: gauge.figures(BEFORE_AFTER, names.spoiled, state) for state in STATES},
        sum(record["attempted"] for record in spoiled) / len(spoiled),
        sum(record["replaced"] for record in spoiled) / len(spoiled),
        *choice,
        stored,
    )
