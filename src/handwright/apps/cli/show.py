"""What a user sees: a progress bar, a line a picture, errors on stderr, or JSON alone on stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from handwright.errors import HandwrightError

if TYPE_CHECKING:
    from handwright.workflow import Outcome, RunResult

    OnStart = Callable[[int], None]
    OnOutcome = Callable[[object], None]


@dataclass(frozen=True)
class Screen:
    """Where the words go.

    Attributes:
        as_json: Stdout carries the report as JSON and nothing else.
        debug: Show tracebacks of pictures that failed.
    """

    as_json: bool = False
    debug: bool = False

    def say(self, line: str) -> None:
        """Something that the user waits for, on stderr."""
        _write(sys.stderr, line)

    def say_aloud(self, line: str) -> None:
        """What a command has to tell, on stdout."""
        _write(sys.stdout, line)

    @contextmanager
    def progress(self) -> Generator[tuple[OnStart, OnOutcome]]:
        """A progress bar when stderr is a terminal and there are several pictures."""
        if not sys.stderr.isatty():
            yield lambda _: None, lambda _: None
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

        bar = Progress(
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        task = bar.add_task("pictures", visible=False)
        with bar:
            yield (
                lambda total: bar.update(task, total=total, visible=total > 1),
                lambda _: bar.advance(task),
            )

    def show_result(self, result: RunResult) -> None:
        """A line for every picture, or the report as JSON."""
        for outcome in result.outcomes:
            if outcome.trace and self.debug:
                _write(sys.stderr, outcome.trace)
            if outcome.record["error"]:
                _write(sys.stderr, f"handwright: {_error_line(outcome.record['error'])}")
            elif not self.as_json:
                _write(sys.stdout, _picture_line(outcome, str(result.report["command"])))
        if not self.as_json and (told := _nothing_attempted(result.report)):
            _write(sys.stdout, told)
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


def _picture_line(outcome: Outcome, command: str) -> str:
    record = outcome.record
    hands: list[dict[str, Any]] = record["hands"]
    told = [f"hand {hand['id']} {_what(hand, command)}" for hand in hands]
    told += [f"hand {review['id']} skipped (it could not be read)" for review in record.get("unread", ())]
    if not told:
        told = ["no hand found" + (", went through unchanged" if command == "refine" else "")]
    done = " (done before)" if outcome.resumed else ""
    line = f"{record['input']} → {record['output']}: {', '.join(told)}{done}"
    lossy = [
        note
        for note in record["notes"]
        if not note.startswith(("No hand was found:", "No hand was changed:"))
    ]
    return "\n".join([line, *(f"  {note}" for note in lossy)])


def _nothing_attempted(report: dict[str, Any]) -> str:
    """What to do when no hand of a whole run was attempted; empty where one was, or there is none."""
    from handwright.workflow.report.document import verdict_left

    pictures: list[dict[str, Any]] = [
        entry for entry in report["pictures"] if entry["hands"] or entry.get("unread")
    ]
    chosen = any(hand["action"] != "skipped" for entry in pictures for hand in entry["hands"])
    chosen |= any(entry["settings"]["hand_ids"] for entry in pictures)
    if report["command"] != "refine" or chosen or not pictures:
        return ""
    if report["summary"]["hands_left_fail"]:
        return "no hand that fails the review could be read, so none was attempted"
    unsure = sum(verdict_left(hand) == "unsure" for entry in pictures for hand in entry["hands"])
    why = "no hand failed the review, so none was attempted"
    if not any("critic" in entry["judged_by"] for entry in pictures):
        why += " (no critic is installed, and geometry alone fails few hands)"
    telling = f"--unsure attempts the {unsure} that it cannot tell, " if unsure else ""
    return f"{why}: {telling}--all attempts every hand"


def _what(hand: dict[str, Any], command: str) -> str:
    if command == "hands":
        return f"{hand['side']}, fit residual {100 * hand['fit_residual']:.1f} %"
    reason = "" if hand["action"] == "refined" or not hand["reason"] else f" ({hand['reason'].rstrip('.')})"
    return f"{hand['action']}{reason}"


def _error_line(error: dict[str, Any]) -> str:
    return str(HandwrightError(error["what"], error["why"], error["fix"]))


def _write(stream: TextIO, text: str) -> None:
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    stream.flush()
