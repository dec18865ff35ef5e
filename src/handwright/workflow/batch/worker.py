"""One picture after another, models kept loaded: what an actor of the cluster does, itself without Ray."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path, PurePosixPath
from typing import Any, Literal, get_args

from handwright.errors import HandwrightError, OutputError
from handwright.locks import make_held_folder, remove_left_folders
from handwright.workflow.batch.items import Item, read_item
from handwright.workflow.batch.sink import Record, Sink
from handwright.workflow.jobs import Job
from handwright.workflow.report.document import failed_entry, verdicts_left
from handwright.workflow.run.batch import RunOptions, engine_opener
from handwright.workflow.run.ledger import Ledger
from handwright.workflow.run.picture import SUFFIX as HANDS_SUFFIX
from handwright.workflow.run.picture import Outcome, Work, attempt, inspect_file, refine_file
from handwright.workflow.run.pool import OpenEngine
from handwright.workflow.run.request import Plan, Request

TaskName = Literal["refine", "review", "hands"]
TASKS: tuple[TaskName, ...] = get_args(TaskName)

SCRATCH = "handwright-batch-"
"""Start of the names of the temporary folders in which workers keep local copies."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is done with every picture; it travels to the workers."""

    name: TaskName
    request: Request  # The user's settings
    settings: dict[str, Any]  # ``request.as_json()``, made once
    fingerprint: str  # Of everything that decides a result; records made otherwise do not count
    sink: str  # Where results go
    run: str  # Name of this run, for its claims
    prompt: str = ""  # What pictures were meant to show that have no prompt of their own
    attempts: int = 3  # Attempts in one run at a picture at which workers die
    seconds: float = 600.0  # A picture that takes longer ends its worker
    redo: Literal["nothing", "quarantined", "everything"] = "nothing"  # Of what is done already
    open_engine: OpenEngine | None = None  # None: the real one


class Worker:
    """Works on rows of items; see ``items.Item``.

    Args:
        task: What is done with them.
    """

    def __init__(self, task: Task) -> None:
        import cv2

        cv2.setNumThreads(1)  # results do not depend on it; a worker has one core
        remove_left_folders(SCRATCH)
        self.task, self.sink, self._stack = task, Sink(task.sink), ExitStack()

    def __call__(self, rows: Mapping[str, Any]) -> dict[str, list[Any]]:
        """The results of rows, one list a column, as Ray Data passes batches."""
        names = list(rows)
        items = [
            Item(**{name: _plain(value) for name, value in zip(names, values, strict=True)})
            for values in zip(*rows.values(), strict=True)
        ]
        results = [self._row(item) for item in items]
        return {name: [result[name] for result in results] for name in results[0]}

    def _row(self, item: Item) -> dict[str, Any]:
        try:
            return summary_row(item.key, self.work(item))
        except OutputError as error:  # the next picture's result could not be kept either
            return {**summary_row(item.key, _NOTHING), "stop": str(error)}

    def work(self, item: Item) -> Record:
        """What became of a picture: now, or in an earlier attempt or run.

        Raises:
            OutputError: The result cannot be written, or there is no room for a local copy.
        """
        task = self.task
        done = None if task.redo == "everything" else self.sink.record(item.key, task.fingerprint)
        if done is not None and (done["error"] is None or task.redo == "nothing" or done["run"] == task.run):
            return done
        number = self.sink.claim(task.run, item.key, task.attempts)
        if number == task.attempts:
            error = HandwrightError(
                f"{item.url} could not be worked on",
                f"its worker died {number} times, or took more than {task.seconds:g} seconds",
                "look at the picture, or give the batch more memory or --max-seconds",
            )
            outcome, results = Outcome(failed_entry(_job(task.name, item, Path()), task.settings, error)), {}
        else:
            with _time_limit(task.seconds), self._folder() as folder:
                outcome, results = self._attempt(item, folder)
        outputs = {f"pictures/{name}": hashlib.sha256(data).hexdigest() for name, data in results.items()}
        for name, data in results.items():
            self.sink.write(f"pictures/{name}", data)
        entry = outcome.record
        record: Record = {
            "key": item.key,
            "task": task.name,
            "run": task.run,
            "fingerprint": task.fingerprint,
            "outputs": outputs,
            "error": entry.pop("error"),
            "entry": {**entry, "input": item.url, "output": self._main(item, outputs)},
        }
        self.sink.keep(item.key, record)
        self.sink.release(task.run, item.key, number)
        return record

    def _main(self, item: Item, outputs: Mapping[str, str]) -> str | None:
        """The result that the others stand beside; None where there is none."""
        name = _job(self.task.name, item, Path()).output.name
        return next((output for output in outputs if PurePosixPath(output).name == name), None)

    def _attempt(self, item: Item, folder: Path) -> tuple[Outcome, dict[str, bytes]]:
        """Work on local copies, as the commands do; results by their names below ``pictures/``."""
        job = _job(self.task.name, item, folder)
        plan = Plan(request=self._request(item), settings=self.task.settings,
                    ledger=Ledger(self.task.fingerprint, folder / "records"), force=True)  # fmt: skip
        work: Mapping[TaskName, Work] = {
            "refine": refine_file,
            "hands": inspect_file,
            "review": partial(_review, item, self.task.prompt),
        }
        try:
            data = read_item(item)
        except HandwrightError as error:
            return Outcome(failed_entry(job, self.task.settings, error)), {}
        write_copy(job.source, data)
        began = time.perf_counter()
        outcome = attempt(work[self.task.name], job, plan, self._engine)
        outcome.record.setdefault("seconds", {"all": round(time.perf_counter() - began, 4)})
        written = sorted(file for file in job.output.parent.rglob("*") if file.is_file())
        place, error = PurePosixPath(item.key).parent, outcome.record["error"]
        if error is not None and error["what"].startswith(f"cannot write {folder}"):  # no room for a copy
            raise OutputError(error["what"], error["why"], "free some space, then run the batch again")
        if error is not None:  # in the user's words, not those of the copy
            named = {k: v.replace(str(job.source), item.url) for k, v in error.items() if isinstance(v, str)}
            outcome.record["error"] = {**error, **named}
            return outcome, {}
        return outcome, {(place / file.name).as_posix(): file.read_bytes() for file in written}

    def _request(self, item: Item) -> Request:
        diffusing = self.task.name == "refine" and self.task.settings.get("diffusion") is not None
        if not (item.prompt and diffusing):
            return self.task.request
        return Request(**{**self.task.request.given, "prompt": item.prompt})

    @cached_property
    def _opened(self) -> Any:  # noqa: ANN401
        options = RunOptions(open_engine=self.task.open_engine)
        return self._stack.enter_context(engine_opener(options, self.task.request)())

    def _engine(self) -> Any:  # noqa: ANN401
        return self._opened

    @contextmanager
    def _folder(self) -> Generator[Path]:
        """A temporary folder for one picture; what a worker that is killed leaves, the next one removes."""
        try:
            folder, held = make_held_folder(SCRATCH)
        except OSError as error:
            raise _no_room(Path(tempfile.gettempdir()), error) from error
        try:
            with held:
                yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def write_copy(path: Path, data: bytes) -> None:
    """Write a picture's local copy.

    Raises:
        OutputError: There is no room for it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise _no_room(path, error) from error


def _no_room(path: Path, error: OSError) -> OutputError:
    why = error.strerror or str(error)
    return OutputError(f"cannot write {path}", why, "free some space, then run the batch again")


def summary_row(key: str, record: Record) -> dict[str, Any]:
    """What the summary needs of a record: plain values, the same names in every row."""
    error, entry = record["error"], record["entry"]
    left = _verdicts(record["task"], entry)
    return {
        "key": key,
        "error": "" if error is None else _one_line(error),
        "internal": bool(error is not None and error["internal"]),
        "run": record["run"],
        "hands": len(entry.get("hands", ())),
        "refined": sum(hand.get("action") == "refined" for hand in entry.get("hands", ())),
        "fail": left["fail"],
        "unsure": left["unsure"],
        "seconds": float(sum(entry.get("seconds", {}).values())),
        "output": entry["output"] or "",
        "stop": "",  # Why the whole batch cannot go on
    }


_NOTHING: Record = {"task": "hands", "run": "", "error": None, "entry": {"output": None}}


def _verdicts(task: TaskName, entry: Mapping[str, Any]) -> Mapping[Any, int]:
    if task == "review":
        verdicts = [hand["verdict"] for hand in entry.get("hands", ())]
        return {name: verdicts.count(name) for name in ("fail", "unsure")}
    return verdicts_left([dict(entry)] if task == "refine" else [])


def _review(item: Item, prompt: str, job: Job, plan: Plan, engine: Any) -> Outcome:  # noqa: ANN401
    from handwright.image import load_image
    from handwright.prompts.parse import parse_prompt
    from handwright.review.judge import review_picture
    from handwright.review.review_json import picture_json

    text = item.prompt or prompt
    expected = parse_prompt(text) if text.strip() else None
    review = review_picture(load_image(job.source), engine().judge, expected)
    return Outcome({**picture_json(item.key, review), "prompt": text, "error": None})


def _job(task: TaskName, item: Item, folder: Path) -> Job:
    """The picture's local copy and its result; a format that can only be read becomes .png."""
    from handwright.image import SUFFIXES

    name = PurePosixPath(PurePosixPath(item.key).name)
    result = name if name.suffix.lower() in SUFFIXES else name.with_suffix(".png")
    if task == "hands":
        result = name.with_name(name.name + HANDS_SUFFIX)
    return Job(folder / "in" / name, name, folder / "out" / result)


def _one_line(error: Mapping[str, str]) -> str:
    return str(HandwrightError(error["what"], error["why"], error["fix"]))


def _plain(value: Any) -> Any:  # noqa: ANN401 - NumPy's scalars
    return value.item() if hasattr(value, "item") else value


@contextmanager
def _time_limit(seconds: float) -> Generator[None]:
    """End the process after so long: nothing else stops a native library that hangs."""
    timer = threading.Timer(seconds, os._exit, (70,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
