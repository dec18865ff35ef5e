"""How figures are written: Markdown tables, and what follows from an interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill

from handwright.metrics.statistics.estimate import Estimate

DIGITS = {"error": 1, "found": 0, "score": 3, "texture": 2, "kid": 4, "anatomy": 3, "fid": 2, "sound": 0}
"""Decimals of each measure."""

_WIDTH = 118


def figure(estimate: Estimate | None, digits: int) -> str:
    """``12.3 [10.1, 14.0]``, or a dash."""
    if estimate is None:
        return "–"
    value, low, high = (f"{number:.{digits}f}" for number in (estimate.value, estimate.low, estimate.high))
    return f"{value} [{low}, {high}]"


def cells(figures: Mapping[str, Estimate], keys: Sequence[str]) -> list[str]:
    """The figures of a row in the order of columns."""
    return [figure(figures.get(key), DIGITS[key]) for key in keys]


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(titles) + " |", "|" + "---|" * len(titles)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def sign(estimate: Estimate | None) -> str:
    """'lower', 'higher', or 'undecided' where the interval holds 0."""
    if estimate is None:
        return "not measured"
    if estimate.low <= 0 <= estimate.high:
        return "undecided"
    return "higher" if estimate.value > 0 else "lower"


def against_paper(estimate: Estimate | None, paper: float) -> str:
    """Whether a difference has the sign of the paper's."""
    ours = sign(estimate)
    if ours in ("undecided", "not measured"):
        return ours
    return "as the paper" if (ours == "higher") == (paper > 0) else "**unlike the paper**"


def paragraph(text: str) -> str:
    """Running text in lines of the page's width."""
    return fill(" ".join(text.split()), _WIDTH, break_long_words=False, break_on_hyphens=False)
