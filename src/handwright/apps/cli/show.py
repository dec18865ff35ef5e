"""What a user sees: a progress bar, a line a picture, errors on stderr, or JSON alone on stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from handwright.apps.cli.options import in_cli_words
from handwright.errors import HandwrightError
from handwright.progress import STAGES, Progress, silent

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from handwright.workflow import Outcome, RunResult


@dataclass(frozen=True)
class Screen:
    """Where a command's words go."""

    as_json: bool = False  # Stdout carries the report as JSON and nothing else
    debug: bool = False  # Show tracebacks of pictures that failed

    def notify(self, line: str) -> None:
        """A line on stderr: what the user waits for, or what went wrong."""
        _write(sys.stderr, line)

    def write(self, line: str) -> None:
        """A line on stdout: what a command returns."""
        _write(sys.stdout, line)

    @contextmanager
    def progress(self) -> Generator[Progress]:
        """A callback that shows a terminal what is being done, and a bar when there are several pictures."""
        if not sys.stderr.isatty():
            yield silent
            return
        from rich import progress
        from rich.console import Console

        columns = (
            progress.SpinnerColumn(), progress.TextColumn("{task.description}"), progress.BarColumn(),
            progress.MofNCompleteColumn(), progress.TimeElapsedColumn(), progress.TimeRemainingColumn(),
        )  # fmt: skip
        single = (*columns[:2], progress.TimeElapsedColumn())
        with ExitStack() as stack:
            bar: progress.Progress | None = None
            task = progress.TaskID(0)

            def show(stage: str, done: int, total: int) -> None:
                nonlocal bar, task
                if bar is None:
                    console = Console(stderr=True)
                    shown = columns if total > 1 else single
                    bar = stack.enter_context(progress.Progress(*shown, console=console, transient=True))
                    task = bar.add_task("starting", total=total)
                if stage:
                    bar.update(task, description=STAGES.get(stage, stage), completed=done, total=total)
                else:
                    bar.update(task, completed=done, total=total)

            yield show

    def show_result(self, result: RunResult) -> None:
        """A line for every picture, or the report as JSON."""
        for outcome in result.outcomes:
            if outcome.trace and self.debug:
                _write(sys.stderr, outcome.trace)
            if outcome.record["error"]:
                _write(sys.stderr, f"handwright: {_error_line(outcome.record['error'])}")
            elif not self.as_json:
                _write(sys.stdout, _picture_line(outcome, str(result.report["command"])))
        if not self.as_json:
            for line in (_nothing_attempted(result.report), closing_line(result.report, result.exit_code)):
                if line:
                    _write(sys.stdout, line)
        if self.as_json:
            _write(sys.stdout, json.dumps(result.report, indent=1, allow_nan=False))
        elif result.report_path is not None:
            _write(sys.stdout, f"report: {result.report_path.with_name('index.html')}")

    def show_pick(self, output: Path, hand: int, pick: int, notes: Sequence[str]) -> None:
        """What ``--pick`` did."""
        chosen = f"candidate {pick}" if pick else "the original"
        text = f"{output}: hand {hand} is now {chosen}"
        if self.as_json:
            text = json.dumps({"output": output.as_posix(), "hand": hand, "pick": pick, "notes": list(notes)})
        for line in (text, *(() if self.as_json else notes)):
            _write(sys.stdout, line)


def console_and_table() -> tuple[Console, Table]:
    """What a table is shown on, and an empty one without lines; 100 columns where there is no terminal."""
    from rich.console import Console
    from rich.table import Table

    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else 100, highlight=False)
    return console, Table(box=None, pad_edge=False)


def _picture_line(outcome: Outcome, command: str) -> str:
    record = outcome.record
    hands: list[dict[str, Any]] = record["hands"]
    parts = [f"hand {hand['id']} {_what(hand, command)}" for hand in hands]
    parts += [
        f"hand {review['id']} left as it was (its joints cannot be made out)"
        for review in record.get("undetected", ())
    ]
    if not parts:
        parts = ["no hand found" + (", went through unchanged" if command == "refine" else "")]
    done = " (done before)" if outcome.resumed else ""
    line = f"{record['input']} → {record['output']}: {', '.join(parts)}{done}"
    lossy = [
        in_cli_words(note)
        for note in record["notes"]
        if not note.startswith(("No hand was found:", "No hand was changed:"))
    ]
    return "\n".join([line, *(f"  {note}" for note in lossy)])


def closing_line(report: Mapping[str, Any], exit_code: int) -> str:
    """What a run of ``refine`` did, and why its exit code is not 0; empty where there was no hand."""
    from handwright.workflow.report.words import counts_in_words

    counts = report["summary"]
    if report["command"] != "refine" or not counts["hands"]:
        return ""
    failing, unsure = counts["hands_left_fail"], counts["hands_left_unsure"]
    why = ""
    if exit_code == 1:
        why = f"{failing} still {'fails' if failing == 1 else 'fail'} the review" if failing else ""
        why = why or f"the review cannot tell of {unsure}"
    elif exit_code == 2:
        why = f"{counts['pictures_failed']} of {counts['pictures']} pictures could not be done"
    return f"in all: {counts_in_words(counts)}" + (f"; exit code {exit_code}: {why}" if why else "")


def _nothing_attempted(report: dict[str, Any]) -> str:
    """What to do when no hand of a whole run was attempted; empty where one was, or there is none."""
    from handwright.workflow.report.document import verdict_left

    pictures: list[dict[str, Any]] = [
        entry for entry in report["pictures"] if entry["hands"] or entry.get("undetected")
    ]
    attempted = any(hand["action"] != "skipped" for entry in pictures for hand in entry["hands"])
    chosen = attempted or any(entry["settings"]["hand"] for entry in pictures)
    if report["command"] != "refine" or chosen or not pictures:
        return ""
    if any(entry["settings"]["leave_holding"] and _is_left_failing(entry["hands"]) for entry in pictures):
        return (
            "what fails the review may hold a thing, so it was not attempted: --leave-holding leaves it alone"
        )
    if report["summary"]["hands_left_fail"]:
        return "no hand that fails the review could be made out, so none was attempted"
    unsure = sum(verdict_left(hand) == "unsure" for entry in pictures for hand in entry["hands"])
    why = "no hand failed the review, so none was attempted"
    if not any(len(entry["judged_by"]) > 1 for entry in pictures):
        why += " (the network that judges hands is not installed, and geometry alone fails few)"
    hint = f"--unsure attempts the {unsure} that it cannot tell, " if unsure else ""
    return f"{why}: {hint}--all attempts every hand"


def _is_left_failing(hands: Sequence[dict[str, Any]]) -> bool:
    """Whether a hand that was not attempted fails the review."""
    from handwright.workflow.report.document import verdict_left

    return any(hand["action"] == "skipped" and verdict_left(hand) == "fail" for hand in hands)


def _what(hand: dict[str, Any], command: str) -> str:
    if command == "hands":
        return f"{hand['side']}, fitted to {100 * hand['fit_residual']:.1f} % of its size"
    from handwright.workflow.report.words import ACTION_WORDS

    plain = hand["action"] == "refined" or not hand["reason"]
    reason = "" if plain else f" ({in_cli_words(hand['reason'].rstrip('.'))})"
    return f"{ACTION_WORDS[hand['action']]}{reason}"


def _error_line(error: dict[str, Any]) -> str:
    return in_cli_words(str(HandwrightError(error["what"], error["why"], error["fix"])))


def _write(stream: TextIO, text: str) -> None:
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    stream.flush()
