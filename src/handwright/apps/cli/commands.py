"""The commands and their options (SPEC §6)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeVar

import typer

from handwright import __version__
from handwright.apps.cli.parse import parse_box
from handwright.apps.cli.show import Screen

T = TypeVar("T")

app = typer.Typer(
    help="Find, fit, redraw and check human hands in generated pictures.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Inputs = Annotated[
    list[Path] | None,
    typer.Argument(metavar="IN...", help="Pictures, folders or patterns.", show_default=False),
]
Model = Annotated[Path | None, typer.Option("--model", metavar="FILE", help="Your own hand_landmarker.task.")]
Report = Annotated[
    Path | None,
    typer.Option("--report", metavar="DIR", help="Write report.json, index.html and the evidence here."),
]
Boxes = Annotated[
    list[str] | None,
    typer.Option(
        "--box",
        metavar="X0,Y0,X1,Y1",
        help="A hand is here, in pixels; may be repeated; wins over the finder.",
    ),
]
Hands = Annotated[
    Path | None,
    typer.Option("--hands", metavar="FILE", help="Edited hands of `handwright hands`, instead of finding."),
]
Workers = Annotated[
    int, typer.Option("--workers", metavar="N", help="Processes; the result is the same for any number.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Write the report to stdout, and nothing else there.")]
Force = Annotated[
    bool, typer.Option("--force", help="Overwrite files, the input included; do again what is done.")
]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
Output = Annotated[
    Path | None, typer.Option("-o", "--output", metavar="OUT", help="File for one picture, or a folder.")
]


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"handwright {__version__}")
        raise typer.Exit


@app.callback()
def handwright(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """Find, fit, redraw and check human hands in generated pictures."""


@app.command(short_help="Mend the hands of finished pictures.")
def refine(
    inputs: Inputs = None,
    output: Output = None,
    report: Report = None,
    boxes: Boxes = None,
    hand: Annotated[
        list[int] | None,
        typer.Option("--hand", metavar="ID", help="Attempt only this hand; may be repeated."),
    ] = None,
    all_hands: Annotated[bool, typer.Option("--all", help="Attempt every hand found.")] = False,
    hands: Hands = None,
    mask: Annotated[Path | None, typer.Option("--mask", metavar="FILE", help="White: may change.")] = None,
    depth: Annotated[
        Path | None, typer.Option("--depth", metavar="FILE", help="Your own depth control image.")
    ] = None,
    hand_pose: Annotated[
        Path | None,
        typer.Option(
            "--hand-pose", metavar="FILE|PHOTO", help="Take the pose from a saved hand or a photo of one."
        ),
    ] = None,
    painter: Annotated[str, typer.Option("--painter", metavar="NAME", help="How to paint: draw.")] = "draw",
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Same seed, same bytes.")] = 0,
    candidates: Annotated[int, typer.Option("--candidates", metavar="N", help="Attempts per hand.")] = 1,
    patches: Annotated[
        bool, typer.Option("--patches", help="Also one transparent PNG per refined hand.")
    ] = False,
    from_report: Annotated[
        Path | None,
        typer.Option("--from", metavar="REPORT", help="Take another candidate of an earlier run."),
    ] = None,
    pick: Annotated[
        int | None,
        typer.Option(
            "--pick", metavar="N", help="With --from and --hand: the Nth candidate; 0: the original."
        ),
    ] = None,
    workers: Workers = 1,
    as_json: AsJson = False,
    force: Force = False,
    model: Model = None,
    debug: Debug = False,
) -> None:
    """Mend the hands of finished pictures; outside the hands nothing changes."""
    from handwright.workflow import Request, RunOptions, pick_candidate, refine_files

    screen = Screen(as_json=as_json, debug=debug)
    out = required(output, "-o OUT")
    if from_report is not None or pick is not None:
        chosen = one_hand(hand)
        notes = pick_candidate(
            required(from_report, "--from REPORT"),
            chosen,
            required(pick, "--pick N"),
            out,
            source=inputs[0] if inputs else None,
            force=force,
        )
        screen.show_pick(out, chosen, required(pick, "--pick N"), notes)
        return
    request = Request(
        painter=painter,
        seed=seed,
        candidates=candidates,
        boxes=tuple(parse_box(box) for box in boxes or ()),
        hand_ids=tuple(hand or ()),
        all_hands=all_hands,
        hands=hands,
        mask=mask,
        depth=depth,
        hand_pose=hand_pose,
    )
    with screen.progress() as (on_start, on_outcome):
        options = RunOptions(report, patches, force, workers, model, on_start, on_outcome, screen.say)
        result = refine_files(inputs or [], out, request, options)
    screen.show_result(result)
    raise typer.Exit(result.exit_code)


@app.command(short_help="Find, fit, show and save hands.")
def hands(
    inputs: Inputs = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", help="Folder for what is found.")
    ] = None,
    report: Report = None,
    boxes: Boxes = None,
    hands_file: Hands = None,
    workers: Workers = 1,
    as_json: AsJson = False,
    force: Force = False,
    model: Model = None,
    debug: Debug = False,
) -> None:
    """Find and fit hands, and save overlay, depth, mask, mesh and an editable JSON file of each picture."""
    from handwright.workflow import Request, RunOptions, inspect_files

    screen = Screen(as_json=as_json, debug=debug)
    out = required(output, "-o DIR")
    request = Request(boxes=tuple(parse_box(box) for box in boxes or ()), hands=hands_file)
    with screen.progress() as (on_start, on_outcome):
        options = RunOptions(report, False, force, workers, model, on_start, on_outcome, screen.say)
        result = inspect_files(inputs or [], out, request, options)
    screen.show_result(result)
    raise typer.Exit(result.exit_code)


@app.command(short_help="Fetch the hand model, compile the kernels.")
def setup(model: Model = None, debug: Debug = False) -> None:
    """Fetch the hand model and compile the kernels, so that the first picture is as fast as the second."""
    from handwright.workflow import prepare

    screen = Screen(debug=debug)
    prepare(model, screen.say_aloud)


def required(value: T | None, option: str) -> T:
    """The value, or one line that says which option is missing."""
    if value is None:
        raise typer.BadParameter(f"Missing option '{option}'.")
    return value


def one_hand(ids: list[int] | None) -> int:
    """The single hand that ``--pick`` is about."""
    if ids is None or len(ids) != 1:
        raise typer.BadParameter("--pick needs one --hand ID.")
    return ids[0]
