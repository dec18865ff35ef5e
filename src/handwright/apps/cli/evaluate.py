"""``handwright evaluate``: measures of one set of pictures against another."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from handwright.apps.cli import options as opt
from handwright.apps.cli.show import Screen, console_and_table

if TYPE_CHECKING:
    from handwright.metrics.results import Evaluation

_MOST_SHOWN = 20

Metrics = Annotated[
    str,
    opt.option(
        "--metrics",
        "A,B",
        "Names from the list above; default: kid, and fid where there are more pictures than features; "
        "of files of poses all.",
    ),
]
Extractor = Annotated[
    str,
    opt.option(
        "--extractor",
        "NAME",
        "hw-v2, imagenet, referee-v1, clip-hw-v1, hw:DIR, inception:FILE[@192], clip:DIR|OWNER/NAME or "
        "rand-v1.",
    ),
]
Masks = Annotated[
    tuple[Path, Path] | None,
    opt.option("--masks", "REAL FAKE", "Folders of foreground masks; adds kid-fg, fid-fg."),
]
Versus = Annotated[
    str | None,
    opt.option(
        "--versus",
        "OTHER",
        "FAKE's inputs treated another way, same names: adds FAKE − OTHER with paired tests.",
    ),
]


def evaluate(
    real: Annotated[
        str,
        typer.Argument(
            metavar="REAL", help="Folder, pattern or shards of the real pictures, or a .npz of poses."
        ),
    ],
    fake: Annotated[str, typer.Argument(metavar="FAKE", help="The same of the pictures to judge.")],
    metrics: Metrics = "",
    hands: Annotated[bool, typer.Option("--hands", help="Also find the hands and measure them.")] = False,
    masks: Masks = None,
    versus: Versus = None,
    extractor: Extractor = "hw-v2",
    seed: Annotated[int, opt.option("--seed", "N", "Of the bootstrap intervals.")] = 0,
    landmarker: opt.Landmarker = None,
    as_json: Annotated[bool, typer.Option("--json", help="Figures as JSON to stdout, nothing else.")] = False,
    debug: opt.Debug = False,
) -> None:
    """Measure FAKE against REAL: every figure with its extractor, N and a 95 % bootstrap interval.

    \b
    kid, fid           distances of whole pictures; what is taken by default
    kid-fg, fid-fg     the same without background (--masks, or shards)
    kid-h, fid-h       the same of the hands that are found (--hands)
    det                how often and how surely hands are found (--hands)
    mpjpe, pck         joints of hands in pictures of one name, with floor (--hands)
    clipsim            how well pictures fit their captions (--extractor clip-hw-v1)
    dap, mpjpe-body    labelled people in pictures of one name: 133 and 42 points
    pose-fid, diversity           labelled poses of hands, or files of poses
    r-precision, multimodality    files of poses: texts and poses, poses a text

    NAME.json beside a real picture is its truth, NAME.txt beside a fake one its caption; shards of
    `handwright synth` bring both. docs/metrics.md explains what each measure is and needs.

    handwright evaluate preference --help: studies in which people choose between pictures.
    """  # noqa: D301 - a backspace keeps the list's lines
    from handwright.workflow.evaluation import evaluate as run

    screen = Screen(as_json=as_json, debug=debug)
    with screen.progress() as progress:
        result = run(
            real,
            fake,
            metrics=[name.strip() for name in metrics.split(",") if name.strip()],
            hands=hands,
            masks=masks,
            versus=versus,
            extractor=extractor,
            landmarker=landmarker,
            seed=seed,
            progress=progress,
        )
    if as_json:
        _notify_problems(result, screen)
        screen.write(json.dumps(result.to_json(), indent=1, allow_nan=False, ensure_ascii=False))
    else:
        show_evaluation(result, screen)
    raise typer.Exit(result.exit_code)


def show_evaluation(result: Evaluation, screen: Screen) -> None:
    """What was left out, and the figures as a table."""
    _notify_problems(result, screen)
    _show(result)


def _notify_problems(result: Evaluation, screen: Screen) -> None:
    """A line for each file that was skipped, the first twenty, and for each measure that failed."""
    for skipped in result.skipped[:_MOST_SHOWN]:
        screen.notify(f"handwright: skipped {skipped.path}: {skipped.reason}")
    if len(result.skipped) > _MOST_SHOWN:
        screen.notify(
            f"handwright: skipped {len(result.skipped) - _MOST_SHOWN} more; --json names all of them."
        )
    for failed in result.failed:
        screen.notify(f"handwright: {failed.metric} could not be measured: {failed.reason}.")


def _show(result: Evaluation) -> None:
    """The figures as a table, and what to know when reading them."""
    console, table = console_and_table()
    tested = any(e.p is not None for e in result.estimates)
    columns = [("measure", "left"), ("value", "right"), ("95 % interval", "left"), ("N", "right")]
    for title, side in [*columns, *([("p", "right")] if tested else [])]:
        table.add_column(title, justify=side, overflow="fold")  # pyright: ignore[reportArgumentType]
    for e in result.estimates:
        n = f"{e.n}" if e.n_reference is None else f"{e.n} / {e.n_reference}"
        interval = f"[{_figure(e.low)}, {_figure(e.high)}]"
        p = "" if e.p is None else f"{e.p:.2g}"
        table.add_row(
            *(text.replace("[", "\\[") for text in (e.name, _figure(e.value), interval, n, p)[: 4 + tested])
        )
    console.print(table)
    counted = f"{result.n_real} real and {result.n_fake} fake {result.counted}"
    if result.skipped:
        counted += f", {len(result.skipped)} skipped"
    for line in (counted, *result.notes):
        console.print(line, markup=False)


def _figure(value: float) -> str:
    return f"{value:.4g}" if math.isfinite(value) else "–"
