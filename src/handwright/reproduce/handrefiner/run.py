"""``handwright reproduce handrefiner``: paint, measure, write the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from handwright.image import write_atomically
from handwright.metrics.estimate import Estimate
from handwright.metrics.extractors import open_extractor
from handwright.metrics.extractors.features import extract
from handwright.options import DIFFUSING
from handwright.refine.pipeline import open_engine
from handwright.reproduce.handrefiner.before_after import GROUP, STATES, paint_before_after
from handwright.reproduce.handrefiner.page import write_page
from handwright.reproduce.handrefiner.paint_all import (
    BOXED,
    JUDGED,
    REFERENCE,
    TABLE,
    UNTOUCHED,
    Bench,
    Phase,
    Table,
)
from handwright.reproduce.handrefiner.results import (
    JUDGE,
    PEOPLE,
    STRENGTHS,
    fixed_of,
    judged_best,
    read_choices,
    take,
    write_strength,
)
from handwright.reproduce.handrefiner.study import GRID, REFEREE, Study
from handwright.reproduce.measure import ANATOMY, APPEARANCE, Gauge
from handwright.reproduce.sheets import save_sheet
from handwright.reproduce.store import Store
from handwright.workflow.files import cache_folder, fingerprint
from handwright.workflow.weights import controlnet_notes

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
            estimates, colour = curves[label][key], f"C{number + 3 * row}"
            if len(estimates) != len(strengths):
                continue
            low, value, high = ([getattr(e, end) for e in estimates] for end in ("low", "value", "high"))
            axes.fill_between(strengths, low, high, alpha=0.15, color=colour, linewidth=0)
            axes.plot(strengths, value, color=colour, label=f"{label}, N {estimates[0].n}", marker="o", ms=3)
        axes.axvline(fixed, color="grey", linewidth=0.7, linestyle="--")
        axes.set(
            xlabel="control strength (dashed: the fixed one)",
            ylabel=_LABELS[key],
            xlim=(0, 1),
            ylim=(0, None),
        )
        axes.legend(fontsize=8)
    _save(figure, path)


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


SHOWN, SHOWN_ON_PAGE = 8, 4  # Pictures on a sheet to choose from, and on one beside the page


def reproduce_handrefiner(study: Study, page: Path, command: str, work: Path | None = None) -> Path:
    """Re-run HandRefiner's study of control strength and its tables.

    What is in the work folder already is used again, so a run that was stopped goes on, and one with more
    pictures adds to what is there; by default it lies in the cache, by everything that decides the units. It
    is returned, and also holds the ``handwright.json`` that the study suggests. Plots and sheets are written
    beside ``page`` (Markdown), named after it.

    Raises:
        DiffusionError: The model is missing or damaged, or does not fit its ControlNets.
        NotEnoughDataError: Too few pictures show a hand.
        OutputError: The page cannot be written, or the work folder holds another study.
    """
    identity = study.identity()
    store = Store(work or cache_folder() / "reproduce" / fingerprint(identity)[:16], identity)
    for name, digests in study.variant_identities().items():
        store.claim(name, digests)
    with open_engine(study.landmarker) as engine:
        bench = Bench(study, store, engine)
        names, phases = _paint(bench)
        tables, stored = bench.tables(), bench.network(study.diffusion).fixed_strength
    study.progress("measuring", 0, 1)
    extractors = {APPEARANCE: open_extractor(study.extractor), ANATOMY: open_extractor(REFEREE)}
    sound = [store.crop(REFERENCE, name) for name in names[REFERENCE]]
    reference = {key: extract(sound, extractor) for key, extractor in extractors.items()}
    choice = _choose(study, store, names[JUDGED])
    gauge = Gauge(store, extractors, reference)
    results = take(gauge, names, tables, phases, choice, stored, study.scale.strengths)
    page.parent.mkdir(parents=True, exist_ok=True)
    draw_phases(results.curves, study.scale.strengths, stored, page.with_name(f"{page.stem}_phases.png"))
    draw_choices(results.chosen, results.fixed, page.with_name(f"{page.stem}_choices.png"))
    _sheets(study, store, names, tables, phases, page)
    write_page(results, study, command, page, {label: f"phase-{p.group}" for label, p in phases.items()})
    return store.folder


def _paint(bench: Bench) -> tuple[dict[str, tuple[str, ...]], dict[str, Phase]]:
    """Names of the pictures with a hand by group of units, and the paintings of the phase figure."""
    names = {JUDGED: bench.judged(), REFERENCE: bench.reference(), GROUP: paint_before_after(bench)}
    names |= {group: bench.table(group) for group in bench.tables()}
    return names, bench.phases()


def _choose(study: Study, store: Store, judged: Sequence[str]) -> tuple[Mapping[str, float], str, Estimate]:
    """Best strengths, who chose them, and their mean; the sheets to choose from are written every time."""
    titles = [UNTOUCHED, *(f"{s:g}" for s in STRENGTHS)]
    for start in range(0, len(judged), SHOWN):
        sheet = store.folder / f"choose_{start // SHOWN:03d}.jpg"
        _sheet(sheet, store, JUDGED, judged[start : start + SHOWN], titles)
    if study.choices is None:
        chosen, chosen_by = judged_best(store, judged), JUDGE
    else:
        chosen, chosen_by = read_choices(study.choices, judged), PEOPLE
    fixed = fixed_of(chosen)
    notes = controlnet_notes(study.diffusion.model, study.diffusion.controlnet)
    write_strength(store.folder, fixed, chosen_by, notes)
    return chosen, chosen_by, fixed


def _sheets(
    study: Study,
    store: Store,
    names: Mapping[str, Sequence[str]],
    tables: Mapping[str, Table],
    phases: Mapping[str, Phase],
    page: Path,
) -> None:
    """Sample sheets beside the page: the first pictures of every group, none picked out."""
    grid = [f"{s:g}" for s in study.scale.strengths]
    rows, in_boxes = (
        [UNTOUCHED, *(row.name for row in tables[group].rows if not row.missing)] for group in (TABLE, BOXED)
    )
    for group, which, titles, suffix in (
        (TABLE, names[TABLE], rows, "rows"),
        (BOXED, names[BOXED], in_boxes, "boxed"),
        *((phase.group, phase.names, grid, f"phase-{phase.group}") for phase in phases.values()),
        (GROUP, names[GROUP], STATES, "before_after"),
    ):
        _sheet(page.with_name(f"{page.stem}_{suffix}.jpg"), store, group, which[:SHOWN_ON_PAGE], titles)


def _sheet(path: Path, store: Store, group: str, names: Sequence[str], titles: Sequence[str]) -> None:
    shown = [(name, [store.crop(group, f"{name}/{title}") for title in titles]) for name in names]
    save_sheet(path, titles, shown)
