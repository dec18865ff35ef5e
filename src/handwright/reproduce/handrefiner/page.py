"""The page that a study writes, with its figures beside it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from handwright.reproduce.handrefiner.before_after import STATES
from handwright.reproduce.handrefiner.named import model_line, weights_line
from handwright.reproduce.handrefiner.paint_all import BOXED, HARMONISE, TABLE, UNTOUCHED
from handwright.reproduce.handrefiner.results import PEOPLE, Compared, Results
from handwright.reproduce.handrefiner.study import REFEREE, Study, seeds_line
from handwright.reproduce.measure import ANATOMY, APPEARANCE, CROSSOVER, Figures
from handwright.reproduce.sheets import against_paper, cells, figure, paragraph, sign, table
from handwright.workflow.files import write_text

_KEYS = ("kid", "anatomy", "fid", "error", "found", "score", "texture")
_TITLES = (
    "KID-H", "KID-H of anatomy", "FID-H", "joint error, %", "found again, %", "det. conf.", "fine detail",
)  # fmt: skip

_PAPER = {
    "tuning": (-9.146, -4.614), "tuning as long": (-9.146, -4.614),
    "tuning as long, of coarse depth": (-9.146, -4.614), "the negative prompt": (-0.698, -0.380),
    "the masked loss": (-0.200, -0.012), "s = 1.0 instead of fixed": (-0.728, 0.982),
    "adaptive instead of fixed": (-1.548, -0.154),
}  # fmt: skip
"""Published differences of joint error in pixels and of FID (HandRefiner, Table 3)."""


_REGIMES = {
    ("lower", "lower"): "both",
    ("lower", "undecided"): "structure alone",
    ("lower", "higher"): "structure alone",
    ("undecided", "lower"): "texture alone",
    ("higher", "lower"): "texture alone",
}
"""Of what a joint error does below the crossover and fine detail above it."""


_IN_BOXES = """
    As the published code has it, all of the mask's box is free, and nothing is done about colours afterwards:
    above, the mask follows the fitted hand and skin colour is laid back where its mesh is, which gives the
    outline away whatever the control is.
"""


def write_page(results: Results, study: Study, command: str, page: Path, phases: Mapping[str, str]) -> None:
    """Write the page; its pictures are there already, beside it, named after it."""
    stem = page.stem
    parts = [
        "# HandRefiner's strength and tables, re-run",
        _about(study, command),
        "## Table 3: repainted from pure noise",
        _table_3(results),
        f"![before, then a column a row of the table]({stem}_rows.jpg)",
        _columns(results),
        "## What the paper compares",
        _differences(results.tables[TABLE].differences),
        "## With box masks, at strength 1",
        _compared(results, BOXED, _IN_BOXES),
        f"![before, then a column a row of the table]({stem}_boxed.jpg)",
        "## What a strategy costs",
        _times(results),
        "## Phase transition",
        f"![joint error and fine detail against strength]({stem}_phases.png)",
        _phases(results),
        *(f"![{label}: strengths from 0 to 1]({stem}_{group}.jpg)" for label, group in phases.items()),
        "## The fixed strength",
        _fixed(results),
        f"![how often which strength was best]({stem}_choices.png)",
        "## Through `harmonise`",
        _compared(results, HARMONISE, prefix="tuned, "),
        "## Hands with a defect, before and after",
        _before_after(results, study.data is not None),
        f"![before, repainted, refined]({stem}_before_after.jpg)",
        *_trained(study),
    ]
    write_text(page, "\n\n".join(parts) + "\n")


def _about(study: Study, command: str) -> str:
    pictures = f"pictures of `{study.data.name}`" if study.data else f"rendered, {study.scale.size_px} px"
    seeds = "" if study.data else f" Seeds: {seeds_line(study.scale)}."
    return paragraph(f"""
        `{command}`. {model_line(study)} {weights_line(study)} Hands: {pictures}.{seeds} Every hand is
        repainted as it was read, whatever the judge would say of it. Bootstrap 95 % intervals, pictures as
        units; differences are paired. KID-H, FID-H: features `{study.extractor}` of hand crops against sound
        hands of other pictures; KID-H of anatomy: features `{REFEREE}`, which see little else. Joint error:
        2-D MPJPE between the joints of the rendered mesh and of the one that is fitted to the result, in %
        of hand size; a hand that is not found again counts 100 %, and in detection confidence 0. Its floor
        is the row 'untouched'. Fine detail: RMS of what a Gaussian of 1.5 px takes from luminance, on smooth
        skin, as the network made it.
    """)


def _rows(compared: Compared, prefix: str = "") -> str:
    """A row of figures for every treatment; ``prefix`` is left out of their names."""
    rows = [["untouched (floor)", *cells(compared.figures[UNTOUCHED], _KEYS)]]
    for row in compared.rows:
        if row.missing:
            rows.append([row.label, f"not measured: {row.missing}", *[""] * (len(_KEYS) - 1)])
        else:
            rows.append([row.label.removeprefix(prefix), *cells(compared.figures[row.name], _KEYS)])
    return table(("", *_TITLES), rows)


def _table_3(results: Results) -> str:
    figures = results.tables[TABLE].figures[UNTOUCHED]
    fixed = f"N {figures['error'].n} hands a row; fixed is {results.stored:g}, as stored with the ControlNet."
    no_fid = " FID-H needs more hands than features have numbers, and is left out."
    return f"{_rows(results.tables[TABLE])}\n\n{fixed}{'' if 'fid' in figures else no_fid}"


def _columns(results: Results) -> str:
    rows = "; ".join(f"{row.name}: {row.label}" for row in results.tables[TABLE].rows if not row.missing)
    return paragraph(f"Columns: untouched; {rows}.")


def _differences(differences: Sequence[tuple[str, Figures]]) -> str:
    rows: list[list[str]] = []
    for comparison, found in differences:
        error, kid = found.get("error"), found.get(APPEARANCE)
        signs = ["", ""]
        if comparison in _PAPER:
            signs = list(map(against_paper, (error, kid), _PAPER[comparison]))
        detail = [figure(found.get(ANATOMY), 3), figure(found.get("texture"), 2)]
        rows.append([comparison, figure(error, 2), signs[0], figure(kid, 4), signs[1], *detail])
    titles = (
        "effect of", "Δ joint error, points", "sign", "Δ KID-H", "sign (paper: of FID)", "Δ KID-H of anatomy",
        "Δ fine detail",
    )  # fmt: skip
    return table(titles, rows)


def _times(results: Results) -> str:
    rows = [
        [painter, *(figure(found, 2) for found in ratios.values())]
        for painter, ratios in results.times.items()
    ]
    note = paragraph(f"""
        Painting and looking again, over the fixed strength's, of the same pictures in one run: all paintings
        of a strategy together, each timed alone; one that two strategies share is made once and counts in
        both. Paper: adaptive > 3.5. From pure noise, auto lies {_beside(results, "error")} adaptive's
        interval in joint error, {_beside(results, APPEARANCE)} it in KID-H and
        {_beside(results, ANATOMY)} it in KID-H of anatomy.
    """)
    return f"{table(('time over fixed', 's = 1.0', 'adaptive', 'auto'), rows)}\n\n{note}"


def _beside(results: Results, key: str) -> str:
    """Where auto's figure lies beside adaptive's interval; less is better."""
    ours, theirs = (results.tables[TABLE].figures[name].get(key) for name in ("auto", "adaptive"))
    if ours is None or theirs is None:
        return "(not measured) beside"
    if ours.value > theirs.high:
        return "above"
    return "within" if ours.value >= theirs.low else "below"


def _phases(results: Results) -> str:
    rows: list[list[str]] = []
    for what, found in results.halves.items():
        (error_below, error_above), (fine_below, fine_above) = found["error"], found["texture"]
        errors, details = figure(error_below, 1), figure(fine_below, 2)
        regime = _REGIMES.get((sign(error_below), sign(fine_above)), "neither")
        rows.append([what, errors, figure(error_above, 1), details, figure(fine_above, 2), regime])
    titles = (
        "change of", f"joint error, 0 → {CROSSOVER:g}, points", f"{CROSSOVER:g} → 1",
        f"fine detail, 0 → {CROSSOVER:g}", f"{CROSSOVER:g} → 1", "the paper's regimes",
    )  # fmt: skip
    before = ""
    if results.before is not None:
        own = figure(results.before, 2)
        before = f"The pictures themselves, through the model's codec, have {own} on the same skin."
    note = paragraph(f"""
        The paper's claim is that below about {CROSSOVER:g} control moves the structure, and above it takes
        texture: joint error falls in the first column, fine detail in the last but one. {before} 'bare': with
        box masks, as above.
    """)
    return f"{table(titles, rows)}\n\n{note}"


def _fixed(results: Results) -> str:
    judge = """
        No person chose: the judge of `refine` did, which asks the critic, the joints and the fit to the
        picture, and of equals takes the weakest. `--choices FILE` (columns `picture,strength`) takes choices
        of people instead; sheets to choose from are in the work folder.
    """
    who = "People chose." if results.chosen_by == PEOPLE else judge
    return paragraph(f"""
        The best of the strengths .1 … 1 on {len(results.chosen)} pictures: mean {figure(results.fixed, 2)}
        (paper: 0.55 on 200, by people). {who}
    """)


def _compared(results: Results, group: str, note: str = "", prefix: str = "") -> str:
    """A table on fewer pictures than Table 3, and its differences."""
    compared = results.tables[group]
    n = compared.figures[UNTOUCHED]["error"].n
    below = paragraph(f"N {n} hands a row, the first of those of Table 3. {note}")
    return f"{_rows(compared, prefix)}\n\n{below}\n\n{_differences(compared.differences)}"


def _before_after(results: Results, given: bool) -> str:
    keys = (APPEARANCE, ANATOMY, "fid", "found", "score", "sound")
    rows = [[state, *cells(results.states[state], keys)] for state in STATES]
    titles = (
        "", "KID-H", "KID-H of anatomy", "FID-H", "found, %", "det. conf.", "sound by a second critic, %",
    )  # fmt: skip
    n = results.states[STATES[0]]["found"].n
    note = paragraph(f"""
        N {n} hands{"" if given else ", rendered with one defect each"}. 'repainted': the best attempt,
        whatever the judge decides ({100 * results.attempted:.0f} % were found and attempted). 'refined': what
        `refine --painter diffuse --all` delivers, which keeps the original unless it is beaten
        ({100 * results.replaced:.0f} % replaced).
    """)
    return f"{table(titles, rows)}\n\n{note}"


def _trained(study: Study) -> list[str]:
    """How the other ControlNets were trained, from their folder's README.md."""
    readme = None if study.variants is None else study.variants / "README.md"
    if readme is None or not readme.is_file():
        return []
    return ["## The other ControlNets", readme.read_text("utf-8").strip()]
