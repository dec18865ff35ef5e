"""``handwright review``: the checklist for every hand."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, cast

import typer

from handwright.apps.cli import options as opt
from handwright.apps.cli.show import Screen


def review(
    inputs: opt.Inputs = None,
    prompt: Annotated[
        str | None,
        typer.Option(
            "--prompt", metavar="TEXT", help="What the pictures were meant to show; held against it."
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="DIR", help="Write review.json, index.html and the overlays here."),
    ] = None,
    fail_on: Annotated[
        str, typer.Option("--fail-on", metavar="fail|unsure", help="What makes the exit code 1.")
    ] = "fail",
    workers: opt.Workers = 1,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write the review to stdout, and nothing else there.")
    ] = False,
    landmarker: opt.Landmarker = None,
    debug: opt.Debug = False,
) -> None:
    """Go through the checklist of every hand: finger count, joint bending, left–right, grasp.

    Each line says pass, fail or cannot tell, and why. Exit code 0: nothing found; 1: findings; 2: a file
    could not be read, the rest was reviewed.
    """
    import json

    from handwright.workflow.review import FailOn, ReviewOptions, review_files

    screen = Screen(as_json=as_json, debug=debug)
    with screen.progress() as (on_start, on_outcome):
        options = ReviewOptions(
            prompt=prompt,
            report=report,
            fail_on=cast("FailOn", fail_on),
            workers=workers,
            landmarker=landmarker,
            on_start=on_start,
            on_outcome=on_outcome,
            say=screen.say,
        )
        result = review_files(inputs or [], options)
    for trace in result.traces if debug else ():
        screen.say(trace)
    for entry in result.review["unreadable"]:
        screen.say(f"handwright: {entry['error']}")
    if as_json:
        screen.say_aloud(json.dumps(result.review, indent=1, allow_nan=False))
    else:
        for picture in result.review["pictures"]:
            screen.say_aloud(_lines(picture))
        if result.page is not None:
            screen.say_aloud(f"report: {result.page}")
    raise typer.Exit(result.exit_code)


def _lines(picture: dict[str, Any]) -> str:
    """A picture's verdict, and below it what every hand did not pass."""
    lines = [f"{picture['path']}: {str(picture['verdict']).replace('_', ' ')}"]
    for hand in picture["hands"]:
        lines.append(f"  hand {hand['id']} ({hand['side']}): {hand['verdict']}")
        said = ((name, check) for name, check in hand["checks"].items() if check["verdict"] != "pass")
        lines += [
            f"    {name.replace('_', ' ')}: {check['verdict']}. {check['reason']}" for name, check in said
        ]
    return "\n".join([*lines, *(f"  {note}" for note in picture["notes"])])
