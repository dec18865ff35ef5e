"""The commands ``refine``, ``hands`` and ``setup``."""

from pathlib import Path
from typing import Annotated, Any, TypeVar, cast

import typer

from handwright import __version__
from handwright.apps.cli import options as opt
from handwright.apps.cli.show import Screen

T = TypeVar("T")

app = typer.Typer(
    help="Find, fit, redraw and check human hands in generated pictures.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _show_version(wanted: bool) -> None:
    if wanted:
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
@opt.with_options()
def refine(
    inputs: opt.Inputs = None,
    output: opt.Output = None,
    report: opt.Report = None,
    fail_on: opt.FailOn = "fail",
    patches: opt.Patches = False,
    from_report: opt.FromReport = None,
    pick: opt.Pick = None,
    again: opt.Again = None,
    keep_intermediates: opt.KeepIntermediates = False,
    workers: opt.Workers = 1,
    as_json: opt.AsJson = False,
    force: opt.Force = False,
    debug: opt.Debug = False,
    **given: Any,  # noqa: ANN401 - the options of a refinement
) -> None:
    """Review the hands of finished pictures and repaint those that fail; outside them nothing changes.

    Exit code 0: no hand fails as it leaves; 1: one does; 2: a file could not be read, the rest was done.
    """
    from handwright.workflow import Request, RunOptions, pick_candidate, refine_again, refine_files
    from handwright.workflow.run.batch import FailOn

    screen = Screen(as_json=as_json, debug=debug)
    out = required(output, "-o OUT")
    request = Request(**given)
    if from_report is not None or pick is not None:
        if len(request["hand"]) != 1:
            raise typer.BadParameter("--pick needs one --hand ID.")
        (chosen,), number = request["hand"], required(pick, "--pick N")
        source = inputs[0] if inputs else None
        notes = pick_candidate(
            required(from_report, "--from REPORT"), chosen, number, out, source=source, force=force
        )
        screen.show_pick(out, chosen, number, notes)
        return
    if again is not None:
        same = refine_again(again, out, request, force=force)
        screen.write(f"{out}: {'the same bytes as' if same else 'NOT the same bytes as'} {again}")
        raise typer.Exit(0 if same else 1)
    with screen.progress() as progress:
        options = RunOptions(
            report=report,
            fail_on=cast("FailOn", fail_on),
            patches=patches,
            force=force,
            workers=workers,
            keep_intermediates=keep_intermediates,
            progress=progress,
            notify=screen.notify,
        )
        result = refine_files(inputs or [], out, request, options)
    screen.show_result(result)
    raise typer.Exit(result.exit_code)


@app.command(short_help="Refine what is written into a folder.")
@opt.with_options()
def watch(
    folder: Annotated[Path, typer.Argument(metavar="IN", help="The folder that pictures are written to.")],
    output: Annotated[Path | None, opt.option("-o --output", "DIR", "Folder for the results.")] = None,
    patches: opt.Patches = False,
    debug: opt.Debug = False,
    **given: Any,  # noqa: ANN401 - the options of a refinement
) -> None:
    """Refine the pictures of a folder and every one that is written there later; ends with Ctrl-C.

    Models stay loaded, files of the folder are never changed, and what was done already is left as it is.
    """
    from handwright.workflow import Request, RunOptions
    from handwright.workflow.run.watch import watch_folder

    screen = Screen(debug=debug)
    out = required(output, "-o DIR")
    options = RunOptions(patches=patches, notify=screen.notify)
    screen.write(f"watching {folder}; results go to {out}; Ctrl-C ends it")
    watch_folder(folder, out, Request(**given), options, screen.show_result)


@app.command(short_help="Find, fit, show and save hands.")
@opt.with_options("box", "hands", "landmarker", "fitter")
def hands(
    inputs: opt.Inputs = None,
    output: Annotated[Path | None, opt.option("-o --output", "DIR", "Folder for what is found.")] = None,
    report: opt.Report = None,
    workers: opt.Workers = 1,
    as_json: opt.AsJson = False,
    force: opt.Force = False,
    debug: opt.Debug = False,
    **given: Any,  # noqa: ANN401 - the options of a refinement
) -> None:
    """Find and fit hands, and save overlay, depth, mask, mesh and an editable JSON file of each picture."""
    from handwright.workflow import Request, RunOptions, inspect_files

    screen = Screen(as_json=as_json, debug=debug)
    out = required(output, "-o DIR")
    with screen.progress() as progress:
        options = RunOptions(
            report=report,
            force=force,
            workers=workers,
            progress=progress,
            notify=screen.notify,
        )
        result = inspect_files(inputs or [], out, Request(**given), options)
    screen.show_result(result)
    raise typer.Exit(result.exit_code)


@app.command(short_help="Fetch the hand model, compile the kernels.")
def setup(landmarker: opt.Landmarker = None, debug: opt.Debug = False) -> None:
    """Fetch the hand model and compile the kernels, so that the first picture is as fast as the second."""
    from handwright.workflow import prepare

    screen = Screen(debug=debug)
    prepare(landmarker, screen.write)


def required(value: T | None, option: str) -> T:
    """The value, or an error that names the missing option."""
    if value is None:
        raise typer.BadParameter(f"Missing option '{option}'.")
    return value
