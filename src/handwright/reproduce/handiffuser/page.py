"""The page of a study: every row's figures with their intervals, paired differences, figures by group."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from handwright.reproduce.handiffuser.measure import MISSED, Measured
from handwright.reproduce.handiffuser.rows import BASE, OURS, TEXT, Row
from handwright.reproduce.handiffuser.study import PEOPLE_FROM, HanDiffuserStudy
from handwright.reproduce.people_bench import ORIGINAL
from handwright.reproduce.people_measure import missing_fid
from handwright.reproduce.sheets import figure, paragraph, table
from handwright.workflow.files import write_text

_COLUMNS = (
    ("fid", "FID", 2), ("kid", "KID", 4), ("kid-imagenet", "KID, ImageNet", 3),
    ("fid-h", "FID-H", 2), ("kid-h", "KID-H", 4), ("kid-h-imagenet", "KID-H, ImageNet", 3),
    ("hand_error", "hand error", 3), ("mpjpe_hands", "MPJPE hands", 3), ("confidence", "confidence", 2),
    ("passes", "hands that pass", 2),
    ("passes_without_text", "seen hands that pass without the text", 2), ("clipsim", "CLIPSIM", 1),
    ("seconds", "s a picture", 1),
)  # fmt: skip


def write_page(
    study: HanDiffuserStudy, rows: Sequence[Row], measured: Measured, command: str, page: Path, sheet: str
) -> None:
    """Write the Markdown.

    Raises:
        OutputError: It cannot be written.
    """
    painted = [row for row in rows if not row.missing]
    parts = [
        "# HanDiffuser, measured",
        f"    {command}",
        _about(study, measured),
        f"![the first people, a row each: {', '.join(row.name for row in painted)}]({sheet})",
        _rows(rows, measured),
        missing_fid(measured.figures.values(), {"fid": "FID", "fid-h": "FID-H"}, measured.fid_needs),
        _differences(painted, measured),
        _groups(painted, measured),
    ]
    write_text(page, "\n\n".join(part for part in parts if part) + "\n")


def _about(study: HanDiffuserStudy, measured: Measured) -> str:
    people = (
        f"rendered people (seed {PEOPLE_FROM}, {study.size_px}²), whom nothing is trained on, with their "
        f"captions as prompts; `{ORIGINAL}` are their renders untouched: what measures make of sound hands"
        if study.data is None
        else f"prompts of {study.data.name}, each with the person whom T2H draws for it; `{ORIGINAL}` are "
        "plain previews of these people, so that no distance to real pictures is taken"
    )
    return paragraph(
        f"N {measured.n}: {people}. Base: {Path(study.model).name}; seed {study.seed}; intervals are "
        "bootstrap 95 %. Hand error: mean distance of the landmarks found from those of the parameters, in "
        f"lengths of the hand's box, {MISSED:g} where it is not found. MPJPE hands: as in the two-stage "
        "study, of people whom MediaPipe finds. Confidence: the landmarker's, of hands that it finds. A hand "
        "passes if our review, which knows the text, has nothing against it: a share of hands wanted "
        "or seen, whichever are more; without the text, of hands seen. FID and KID with "
        f"{study.extractor}, KID with ImageNet features beside it; FID-H and KID-H of crops of the hands "
        "found."
    )


def _rows(rows: Sequence[Row], measured: Measured) -> str:
    shown = [(f"`{ORIGINAL}`", measured.figures[ORIGINAL])]
    shown += [(row.label, measured.figures[row.name]) for row in rows if not row.missing]
    columns = [column for column in _COLUMNS if any(column[0] in figures for _, figures in shown)]
    lines = [
        [label, *(figure(found.get(key), digits) for key, _, digits in columns)] for label, found in shown
    ]
    missing = [f"* {row.label}: not painted, {row.missing}." for row in rows if row.missing]
    text = table(["", *(words for _, words, _ in columns)], lines)
    return "\n\n".join(["## Rows", text, *(["\n".join(missing)] if missing else [])])


def _differences(rows: Sequence[Row], measured: Measured) -> str:
    if not measured.differences:
        return ""
    labels = {row.name: row.label for row in rows}
    columns = [one for one in _COLUMNS if any(one[0] in found for found in measured.differences.values())]
    lines = [
        [f"T-H2I − {labels[name]}", *(figure(found.get(key), digits) for key, _, digits in columns)]
        for name, found in measured.differences.items()
    ]
    about = "Of distances people are redrawn, with their renders and all that is found of both rows."
    shown = table(["", *(f"Δ {words}" for _, words, _ in columns)], lines)
    return "\n\n".join(["## T-H2I less another row, paired", about, shown])


def _groups(rows: Sequence[Row], measured: Measured) -> str:
    shown = [row for row in rows if row.name in (BASE, TEXT, OURS)]
    if not measured.groups:
        return ""
    lines = [
        [
            label,
            str(0 if (untouched := found[ORIGINAL]) is None else untouched.n),
            f"{measured.shares[label]:.3f}",
            *(figure(found.get(name), 3) for name in (ORIGINAL, *(row.name for row in shown))),
        ]
        for label, found in measured.groups.items()
    ]
    titles = ["", "hands", "share of all, as in training", f"`{ORIGINAL}`", *(row.label for row in shown)]
    return "## Hand error by skin tone and by rarity of the pose\n\n" + table(titles, lines)
