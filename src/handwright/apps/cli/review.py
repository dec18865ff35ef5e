"""``handwright review``: the checklist for every hand."""

from pathlib import Path
from typing import Annotated, Any, cast

import typer

from handwright.apps.cli import options as opt
from handwright.apps.cli.show import Screen
from handwright.errors import UsageError
from handwright.plug_ins import file_or_plug_in


def review(
    inputs: opt.Inputs = None,
    prompt: Annotated[
        str | None, opt.option("--prompt", "TEXT", "What the pictures were meant to show; held against it.")
    ] = None,
    generated: Annotated[
        bool,
        typer.Option(
            "--generated", help="The pictures are of image generators: hands that look malformed do not pass."
        ),
    ] = False,
    report: Annotated[
        Path | None, opt.option("--report", "DIR", "Write review.json, index.html and the overlays here.")
    ] = None,
    fail_on: Annotated[str, opt.option("--fail-on", "fail|unsure", "What makes the exit code 1.")] = "fail",
    workers: opt.Workers = 1,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write the review to stdout, and nothing else there.")
    ] = False,
    landmarker: opt.OwnLandmarker = None,
    fitter: opt.Fitter = None,
    critic: opt.OwnCritic = None,
    calibration: Annotated[
        Path | None,
        opt.option("--calibration", "FILE", "Judge with the thresholds that --calibrate found best."),
    ] = None,
    calibrate: Annotated[
        Path | None,
        opt.option(
            "--calibrate",
            "LABELS",
            "Refit the thresholds to these labels (CSV of a report's page, or path,hand,label), write "
            "-o FILE, and show what that gains.",
        ),
    ] = None,
    output: Annotated[
        Path | None, opt.option("-o --output", "FILE", "With --calibrate: where to write.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="With --calibrate: overwrite that file.")] = False,
    debug: opt.Debug = False,
) -> None:
    """Go through the checklist of every hand: finger count, joint bending, left–right, grasp.

    Each line is pass, fail or cannot tell, with the reason. Exit code 0: nothing found; 1: findings; 2: a
    file could not be read, the rest was reviewed.
    """
    import json

    from handwright.workflow.review import ReviewOptions, review_files
    from handwright.workflow.run.pool import FailOn

    screen = Screen(as_json=as_json, debug=debug)
    if calibrate is not None or output is not None:
        given = {"--prompt": prompt, "--report": report, "--calibration": calibration}
        given |= {"--critic": critic, "--fitter": fitter}
        idle = [name for name, value in given.items() if value is not None]
        idle += (
            ["--generated"] * generated + ["--fail-on"] * (fail_on != "fail") + ["--workers"] * (workers != 1)
        )
        if calibrate is not None and idle:
            raise UsageError(f"--calibrate has no use for {', '.join(idle)}", "", "leave it out")
        _calibrate(inputs or [], calibrate, output, landmarker, force, screen)
        return
    with screen.progress() as progress:
        options = ReviewOptions(
            prompt=prompt,
            generated=generated,
            report=report,
            fail_on=cast("FailOn", fail_on),
            workers=workers,
            landmarker=file_or_plug_in(landmarker),
            fitter=fitter,
            critic=critic,
            calibration=calibration,
            progress=progress,
            notify=screen.notify,
        )
        result = review_files(inputs or [], options)
    for trace in result.traces if debug else ():
        screen.notify(trace)
    for entry in result.review["unreadable"]:
        screen.notify(f"handwright: {entry['error']}")
    if as_json:
        screen.write(json.dumps(result.review, indent=1, allow_nan=False))
    else:
        for picture in result.review["pictures"]:
            screen.write(_lines(picture))
        if result.page is not None:
            screen.write(f"report: {result.page}")
    raise typer.Exit(result.exit_code)


def _calibrate(
    inputs: list[Path],
    labels: Path | None,
    output: Path | None,
    landmarker: str | None,
    force: bool,
    screen: Screen,
) -> None:
    """Refit the judging network's calibration, write it, and show what that gains."""
    import json

    from handwright.workflow.calibrate import calibrate_files
    from handwright.workflow.review import ReviewOptions, judge_opener

    if labels is None or output is None:
        raise UsageError(
            "--calibrate and -o go together", "", "give --calibrate LABELS -o FILE, or neither of them"
        )
    opener = judge_opener(ReviewOptions(landmarker=file_or_plug_in(landmarker), notify=screen.notify))
    with screen.progress() as progress:
        gain = calibrate_files(inputs, labels, output, opener, force=force, progress=progress)
    if screen.as_json:
        screen.write(json.dumps(dict(gain.calibration.about), indent=1, allow_nan=False))
        return
    for line in gain.lines():
        screen.write(line)
    screen.write(f"written: {output}; use it with handwright review --calibration {output}")


def _lines(picture: dict[str, Any]) -> str:
    """A picture's verdict, and below it what every hand did not pass."""
    lines = [f"{picture['path']}: {str(picture['verdict']).replace('_', ' ')}"]
    for hand in picture["hands"]:
        lines.append(f"  hand {hand['id']} ({hand['side']}): {hand['verdict']}")
        open_checks = ((name, check) for name, check in hand["checks"].items() if check["verdict"] != "pass")
        lines += [
            f"    {name.replace('_', ' ')}: {check['verdict']}. {check['reason']}"
            for name, check in open_checks
        ]
    return "\n".join([*lines, *(f"  {note}" for note in picture["notes"])])
