"""The page of a study: the paper's two tables and the ablations, every figure with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from handwright.metrics.estimate import Estimate
from handwright.reproduce.people_bench import ORIGINAL
from handwright.reproduce.people_measure import Figures, missing_fid
from handwright.reproduce.sheets import figure, table
from handwright.reproduce.two_stage.measure import Measured
from handwright.reproduce.two_stage.rows import ABLATIONS, BASELINES, BLENDS, OURS, POSE, Row
from handwright.reproduce.two_stage.study import MEETING_FROM, POSES_FROM, TwoStageStudy
from handwright.two_stage.hand_stage import SMALL_HAND_PX
from handwright.workflow.files import write_text

_COLUMNS = (
    ("dap", "DAP", 2), ("dap_hands", "DAP hands", 2), ("mpjpe", "MPJPE", 3),
    ("mpjpe_hands", "MPJPE hands", 3), ("mpjpe_small", f"MPJPE hands < {SMALL_HAND_PX} px", 3),
    ("found", "hands found", 2), ("passes", "hands that pass", 2),
    ("passes_without_text", "seen hands that pass without the text", 2), ("clipsim", "CLIPSIM", 1),
    ("fid-fg", "FID fg", 2), ("kid-fg", "KID fg", 4), ("kid-fg-imagenet", "KID fg, ImageNet", 3),
    ("mask_iou", "mask IoU", 3), ("seconds", "s a picture", 1),
)  # fmt: skip
_DIFFERENCES = (
    ("mpjpe", "Δ MPJPE", 3), ("mpjpe_hands", "Δ MPJPE hands", 3), ("passes", "Δ hands that pass", 2),
    ("mask_iou", "Δ mask IoU", 3),
)  # fmt: skip


def write_page(
    study: TwoStageStudy, rows: Sequence[Row], measured: Measured, command: str, page: Path, sheet: str
) -> None:
    """Write the Markdown.

    Raises:
        OutputError: It cannot be written.
    """
    parts = [
        "# Giving a Hand to Diffusion Models, measured again",
        f"    {command}",
        _about(study, measured),
        f"![the first poses, a row each: {', '.join(row.name for row in rows if not row.missing)}]({sheet})",
        *(_table(title, rows, measured) for title in (BASELINES, BLENDS, ABLATIONS)),
        missing_fid(measured.figures.values(), {"fid-fg": "FID fg"}, measured.fid_needs),
        _differences(measured, rows),
        _closeness(measured),
        _wanted(measured),
    ]
    write_text(page, "\n\n".join(part for part in parts if part) + "\n")


def _about(study: TwoStageStudy, measured: Measured) -> str:
    if study.data is not None:
        poses = f"poses of photographs in {study.data.name}, as the estimator sees them"
    elif study.poses == "meeting":
        poses = (
            f"poses of rendered people (seed {MEETING_FROM}, {study.size_px}²), which nothing is trained on; "
            "their two hands meet, touching or crossed, and are painted as they are"
        )
    else:
        poses = f"poses of rendered people (seed {POSES_FROM}, {study.size_px}²), which nothing is trained on"
    networks = ", ".join(
        f"{name} {Path(place).name}"
        for name, place in (
            ("hand generator", study.hand_generator),
            ("outpainter", study.outpainter),
            ("pose ControlNet", study.pose_controlnet),
        )
        if place is not None
    )
    return (
        f"N {measured.n}: {poses}. Base of every row: {Path(study.model).name}"
        f"{', ' + networks if networks else ''}; seed {study.seed}; intervals are bootstrap 95 %. "
        "MPJPE is a share of the person's size; a point that is not found counts 1. "
        f"People are found by MediaPipe, as in the paper; `{ORIGINAL}` is what it makes of the pictures that "
        "the poses come from. A hand passes if our review, which knows the text, has nothing against it: a "
        "share of hands wanted or seen, whichever are more; without the text, of hands seen. (d) is judged "
        f"by the same review. FID and KID are of people on grey, with {study.extractor}; KID with ImageNet "
        "features beside it."
    )


def _table(title: str, rows: Sequence[Row], measured: Measured) -> str:
    chosen = [row for row in rows if title in row.tables]
    shown = [(f"`{ORIGINAL}`", measured.figures[ORIGINAL])] if title == BASELINES else []
    shown += [(row.label, measured.figures[row.name]) for row in chosen if not row.missing]
    columns = [column for column in _COLUMNS if any(column[0] in figures for _, figures in shown)]
    lines = [[label, *_cells(figures, columns)] for label, figures in shown]
    missing = [f"* {row.label}: not painted, {row.missing}." for row in chosen if row.missing]
    heading = f"## {title[0].upper()}{title[1:]}"
    rows_shown = table(["", *(words for _, words, _ in columns)], lines)
    return "\n\n".join([heading, rows_shown, *(["\n".join(missing)] if missing else [])])


def _differences(measured: Measured, rows: Sequence[Row]) -> str:
    if not measured.differences:
        return ""
    labels = {row.name: row.label for row in rows}
    lines = [
        [f"{labels[one]} − {labels[other]}", *_cells(figures, _DIFFERENCES)]
        for (one, other), figures in measured.differences.items()
    ]
    return "## One row less another, paired\n\n" + table(
        ["", *(words for _, words, _ in _DIFFERENCES)], lines
    )


def _closeness(measured: Measured) -> str:
    if not measured.closeness:
        return ""
    shared, encoded, nearer = (figure(measured.closeness[key], 1) for key in ("shared", "encoded", "nearer"))
    return (
        "## One latent space\n\n"
        "PSNR of the hands in what stage II paints, before they are pasted, to stage I's own decode, with "
        f"one free step: {shared} dB with shared latents, {encoded} dB through decode and encode: {nearer} "
        f"dB nearer (N {measured.closeness['nearer'].n}, paired)."
    )


def _wanted(measured: Measured) -> str:
    """How this compares with the paper's margins over a pose ControlNet alone."""
    if not {OURS, POSE} <= set(measured.figures):
        return ""
    ours, pose = measured.figures[OURS], measured.figures[POSE]
    lines: list[str] = []
    for key, words, paper in (("dap_hands", "DAP hands", "1.9"), ("mpjpe_hands", "MPJPE hands", ".6")):
        if key in ours and key in pose and pose[key].value > 0:
            lines.append(f"* {words}: {ours[key].value / pose[key].value:.2f} × (paper: {paper} ×)")
    return "Ours over the pose ControlNet alone:\n\n" + "\n".join(lines) if lines else ""


def _cells(figures: Figures, columns: Sequence[tuple[str, str, int]]) -> list[str]:
    found: list[Estimate | None] = [figures.get(key) for key, _, _ in columns]
    return [figure(one, digits) for one, (_, _, digits) in zip(found, columns, strict=True)]
