"""The commands and their options (SPEC §6)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeVar, cast

import typer

from handwright import __version__
from handwright.apps.cli import options as opt
from handwright.apps.cli.parse import parse_box, parse_strength
from handwright.apps.cli.show import Screen

T = TypeVar("T")

app = typer.Typer(
    help="Find, fit, redraw and check human hands in generated pictures.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


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
    inputs: opt.Inputs = None,
    output: opt.Output = None,
    report: opt.Report = None,
    boxes: opt.Boxes = None,
    hand: opt.Hand = None,
    all_hands: opt.AllHands = False,
    unsure: opt.Unsure = False,
    hands: opt.Hands = None,
    mask: opt.Mask = None,
    depth: opt.Depth = None,
    hand_pose: opt.HandPose = None,
    painter: opt.Painter = "draw",
    seed: opt.Seed = 0,
    candidates: opt.Candidates = 1,
    budget: opt.Budget = 0.0,
    fail_on: opt.FailOn = "fail",
    patches: opt.Patches = False,
    from_report: opt.FromReport = None,
    pick: opt.Pick = None,
    prompt: opt.Prompt = None,
    negative: opt.Negative = None,
    strength: opt.Strength = None,
    steps: opt.Steps = None,
    start_level: opt.StartLevel = None,
    sampler: opt.Sampler = None,
    guidance: opt.Guidance = None,
    model: opt.Model = None,
    controlnet: opt.ControlNet = None,
    dtype: opt.Dtype = None,
    device: opt.Device = None,
    keep_intermediates: opt.KeepIntermediates = False,
    workers: opt.Workers = 1,
    as_json: opt.AsJson = False,
    force: opt.Force = False,
    landmarker: opt.Landmarker = None,
    debug: opt.Debug = False,
) -> None:
    """Review the hands of finished pictures and repaint those that fail; outside them nothing changes.

    Exit code 0: no hand fails as it leaves; 1: one does; 2: a file could not be read, the rest was done.
    """
    from handwright.refine.settings import diffusion_settings
    from handwright.workflow import Request, RunOptions, pick_candidate, refine_files
    from handwright.workflow.run.batch import FailOn

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
    diffusion = {
        "prompt": prompt,
        "negative": negative,
        "strength": None if strength is None else parse_strength(strength),
        "steps": steps,
        "start_level": start_level,
        "sampler": sampler,
        "guidance": guidance,
        "model": model,
        "controlnet": controlnet,
        "dtype": dtype,
        "device": device,
    }
    request = Request(
        painter=painter,
        seed=seed,
        candidates=candidates,
        boxes=tuple(parse_box(box) for box in boxes or ()),
        hand_ids=tuple(hand or ()),
        all_hands=all_hands,
        unsure=unsure,
        budget_s=budget,
        hands=hands,
        mask=mask,
        depth=depth,
        hand_pose=hand_pose,
        diffusion=diffusion_settings(painter, diffusion),
    )
    with screen.progress() as (on_start, on_outcome):
        options = RunOptions(
            report=report,
            fail_on=cast("FailOn", fail_on),
            patches=patches,
            force=force,
            workers=workers,
            keep_intermediates=keep_intermediates,
            landmarker=landmarker,
            on_start=on_start,
            on_outcome=on_outcome,
            say=screen.say,
        )
        result = refine_files(inputs or [], out, request, options)
    screen.show_result(result)
    raise typer.Exit(result.exit_code)


@app.command(short_help="Find, fit, show and save hands.")
def hands(
    inputs: opt.Inputs = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", help="Folder for what is found.")
    ] = None,
    report: opt.Report = None,
    boxes: opt.Boxes = None,
    hands_file: opt.Hands = None,
    workers: opt.Workers = 1,
    as_json: opt.AsJson = False,
    force: opt.Force = False,
    landmarker: opt.Landmarker = None,
    debug: opt.Debug = False,
) -> None:
    """Find and fit hands, and save overlay, depth, mask, mesh and an editable JSON file of each picture."""
    from handwright.workflow import Request, RunOptions, inspect_files

    screen = Screen(as_json=as_json, debug=debug)
    out = required(output, "-o DIR")
    request = Request(boxes=tuple(parse_box(box) for box in boxes or ()), hands=hands_file)
    with screen.progress() as (on_start, on_outcome):
        options = RunOptions(
            report=report,
            force=force,
            workers=workers,
            landmarker=landmarker,
            on_start=on_start,
            on_outcome=on_outcome,
            say=screen.say,
        )
        result = inspect_files(inputs or [], out, request, options)
    screen.show_result(result)
    raise typer.Exit(result.exit_code)


@app.command(short_help="Fetch the hand model, compile the kernels.")
def setup(landmarker: opt.Landmarker = None, debug: opt.Debug = False) -> None:
    """Fetch the hand model and compile the kernels, so that the first picture is as fast as the second."""
    from handwright.workflow import prepare

    screen = Screen(debug=debug)
    prepare(landmarker, screen.say_aloud)


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
