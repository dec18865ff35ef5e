"""The plots of a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from handwright.image import write_atomically
from handwright.metrics.statistics.estimate import Estimate
from handwright.options import DIFFUSING
from handwright.reproduce.handrefiner.study import GRID

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Curves = Mapping[str, Mapping[str, Sequence[Estimate]]]
"""What is steered → field → estimates at every strength."""

_OWN = (*DIFFUSING, "bare")  # Last words of what the model's own ControlNet steers

_LABELS = {"error": "joint error, % of hand size", "texture": "fine detail on skin, RMS of 255"}


def draw_phases(curves: Curves, strengths: Sequence[float], fixed: float, path: Path) -> None:
    """Joint error and fine detail against strength, with 95 % intervals; writes a PNG.

    The model's own ControlNet above, others below.
    """
    from matplotlib.figure import Figure

    own = [label for label in curves if label.split(", ")[-1] in _OWN]
    rows = [labels for labels in (own, [label for label in curves if label not in own]) if labels]
    figure = Figure(figsize=(10, 3.6 * len(rows)), layout="constrained")
    panels: Any = figure.subplots(len(rows), len(_LABELS), squeeze=False)
    for (row, labels), (column, key) in product(enumerate(rows), enumerate(_LABELS)):
        axes = panels[row, column]
        for number, label in enumerate(labels):
            estimates = curves[label][key]
            if len(estimates) == len(strengths):
                _draw_curve(axes, strengths, estimates, f"C{number + 3 * row}", label)
        axes.axvline(fixed, color="grey", linewidth=0.7, linestyle="--")
        axes.set(
            xlabel="control strength (dashed: the fixed one)",
            ylabel=_LABELS[key],
            xlim=(0, 1),
            ylim=(0, None),
        )
        axes.legend(fontsize=8)
    _save(figure, path)


def _draw_curve(
    axes: Any,  # noqa: ANN401
    strengths: Sequence[float],
    estimates: Sequence[Estimate],
    colour: str,
    label: str,
) -> None:
    low, value, high = (np.array([getattr(e, end) for e in estimates]) for end in ("low", "value", "high"))
    axes.fill_between(strengths, low, high, alpha=0.15, color=colour, linewidth=0)
    axes.plot(strengths, value, color=colour, label=f"{label}, N {estimates[0].n}", marker="o", ms=3)


def draw_choices(chosen: Mapping[str, float], fixed: Estimate, path: Path) -> None:
    """How often which strength was best; writes a PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 3.2), layout="constrained")
    axes: Any = figure.subplots()
    edges = np.array([*GRID, GRID[-1] + 0.1]) - 0.05
    axes.hist(list(chosen.values()), edges, color="C0", rwidth=0.85)
    axes.axvspan(fixed.low, fixed.high, color="grey", alpha=0.2, linewidth=0)
    axes.axvline(fixed.value, color="black", linewidth=0.9)
    axes.set(
        xlabel="best strength (line: mean and its interval)",
        ylabel=f"pictures of {fixed.n}",
        xlim=(0.05, 1.05),
    )
    _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    write_atomically(path, lambda file: figure.savefig(file, format="png", dpi=90))
