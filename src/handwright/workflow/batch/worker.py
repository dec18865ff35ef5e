"""One picture after another, models kept loaded: what an actor of the cluster does, itself without Ray."""

from __future__ import annotations

import hashlib
import os
import pickle
import shutil
import tempfile
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, Self

from handwright.errors import HandwrightError, OutputError
from handwright.locks import make_held_folder, remove_left_folders
from handwright.memory import end_where_threads_cannot_start, share_one_heap
from handwright.workflow.batch.items import Item, no_room
from handwright.workflow.batch.kinds import KINDS
from handwright.workflow.batch.sink import Record, Sink
from handwright.workflow.batch.task import Attempt, Task
from handwright.workflow.jobs import Job
from handwright.workflow.report.document import failed_entry
from handwright.workflow.run.ledger import Ledger
from handwright.workflow.run.picture import Outcome, attempt
from handwright.workflow.run.request import Plan

SCRATCH = "handwright-batch-"
"""Start of the names of the temporary folders in which workers keep local copies."""


class Worker:
    """Works on rows of items; see ``items.Item``.

    Args:
        task: What is done with them.
    """

    def __init__(self, task: Task) -> None:
        import cv2

        share_one_heap()
        end_where_threads_cannot_start()
        cv2.setNumThreads(1)  # results do not depend on it; a worker has one core
        remove_left_folders(SCRATCH)
        self.task, self.kind = task, KINDS[task.name]
        self.sink, self._stack = Sink(task.sink), ExitStack()

    def __call__(self, rows: Mapping[str, Any]) -> dict[str, list[Any]]:
        """The results of rows, one list a column, as Ray Data passes batches."""
        items: list[Item] = [pickle.loads(row) for row in rows["item"]]  # noqa: S301 - the driver's own
        results = [self._row(item) for item in items]
        return {name: [result[name] for result in results] for name in results[0]}

    def _row(self, item: Item) -> dict[str, Any]:
        try:
            return summary_row(item, self.work(item))
        except OutputError as error:  # the next picture's result could not be kept either
            return {**summary_row(item, _NOTHING), "stop": str(error)}

    def work(self, item: Item) -> Record:
        """What became of a picture: now, or in an earlier attempt or run.

        Raises:
            OutputError: The result cannot be written, or there is no room for a local copy.
        """
        task, fingerprint = self.task, self.task.fingerprint_of(item)
        done = None if task.redo == "everything" else self.sink.record(item.key, fingerprint)
        if done is not None and (done["error"] is None or task.redo == "nothing" or done["run"] == task.run):
            return done
        number = self.sink.claim(task.run, item.key, task.attempts)
        if number == task.attempts:
            error = HandwrightError(
                f"{item.url} could not be worked on",
                f"its worker died {number} times, or took more than {task.seconds:g} seconds",
                "look at the picture, or give the batch more memory or --max-seconds",
            )
            outcome, results = Outcome(failed_entry(self._job(item, Path()), task.settings, error)), {}
        else:
            with _TimeLimit(task.seconds) as limit, self._folder() as folder:
                outcome, results = self._attempt(item, folder, limit)
        outputs = {f"pictures/{name}": hashlib.sha256(data).hexdigest() for name, data in results.items()}
        for name, data in results.items():
            self.sink.write(f"pictures/{name}", data)
        entry = outcome.record
        record: Record = {
            "key": item.key,
            "task": task.name,
            "run": task.run,
            "fingerprint": fingerprint,
            "outputs": outputs,
            "error": entry.pop("error"),
            "entry": {**entry, "input": item.url, "output": self._main(item, outputs)},
        }
        self.sink.keep(item.key, record)
        self.sink.release(task.run, item.key, number)
        return record

    def _main(self, item: Item, outputs: Mapping[str, str]) -> str | None:
        """The result that the others stand beside; None where there is none."""
        name = self._job(item, Path()).output.name
        return next((output for output in outputs if PurePosixPath(output).name == name), None)

    def _job(self, item: Item, folder: Path) -> Job:
        """A place for a local copy and one for the result."""
        name = PurePosixPath(PurePosixPath(item.key).name)
        return Job(folder / "in" / name, name, folder / "out" / self.kind.result(name))

    def _attempt(self, item: Item, folder: Path, limit: _TimeLimit) -> tuple[Outcome, dict[str, bytes]]:
        """Work on local copies, as the commands do; results by their names below ``pictures/``."""
        task, job = self.task, self._job(item, folder)
        ledger = Ledger(task.fingerprint, folder / "records")
        plan = Plan(request=task.request, settings=task.settings, ledger=ledger, force=True)
        given = Attempt(item=item, task=task, job=job, plan=plan, models=self._models, restart=limit.restart)
        began = time.perf_counter()
        outcome = attempt(lambda *_: self.kind.work(given), job, plan, self._models)
        outcome.record.setdefault("seconds", {"all": round(time.perf_counter() - began, 4)})
        written = sorted(file for file in job.output.parent.rglob("*") if file.is_file())
        place, error = PurePosixPath(item.key).parent, outcome.record["error"]
        if error is not None and error["what"].startswith(f"cannot write {folder}"):  # no room for a copy
            raise OutputError(error["what"], error["why"], "free some space, then run the batch again")
        if error is not None:  # in the user's words, not those of the copy
            outcome.record["error"] = _in_words_of(item, job, error)
            return outcome, {}
        return outcome, {(place / file.name).as_posix(): file.read_bytes() for file in written}

    @cached_property
    def _opened(self) -> Any:  # noqa: ANN401
        return self._stack.enter_context(self.kind.opener(self.task)())

    def _models(self) -> Any:  # noqa: ANN401
        return self._opened

    @contextmanager
    def _folder(self) -> Generator[Path]:
        """A temporary folder for one picture; what a worker that is killed leaves, the next one removes."""
        try:
            folder, held = make_held_folder(SCRATCH)
        except OSError as error:
            raise no_room(Path(tempfile.gettempdir()), error) from error
        try:
            with held:
                yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def summary_row(item: Item, record: Record) -> dict[str, Any]:
    """What the summary needs of a record: plain values, the same names in every row."""
    error, entry = record["error"], record["entry"]
    left = KINDS[record["task"]].verdicts(entry)
    return {
        "key": item.key,
        "pictures": item.pictures,
        "error": "" if error is None else _one_line(error),
        "internal": bool(error is not None and error["internal"]),
        "run": record["run"],
        "hands": len(entry.get("hands", ())),
        "refined": sum(hand.get("action") == "refined" for hand in entry.get("hands", ())),
        "fail": left.get("fail", 0),
        "unsure": left.get("unsure", 0),
        "seconds": float(sum(entry.get("seconds", {}).values())),
        "output": entry["output"] or "",
        "stop": "",  # Why the whole batch cannot go on
    }


def _in_words_of(item: Item, job: Job, error: Mapping[str, Any]) -> dict[str, Any]:
    """An error that names what the user named, in place of the local copy."""
    words = ((str(job.source), item.url), ("could not be refined", "could not be worked on"))
    named = {key: text for key, text in error.items() if isinstance(text, str)}
    for copy, own in words:
        named = {key: text.replace(copy, own) for key, text in named.items()}
    return {**error, **named}


_NOTHING: Record = {"task": "hands", "run": "", "error": None, "entry": {"output": None}}


def _one_line(error: Mapping[str, str]) -> str:
    return str(HandwrightError(error["what"], error["why"], error["fix"]))


class _TimeLimit:
    """Ends the process after so long: nothing else stops a native library that hangs.

    Args:
        seconds: How long.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __enter__(self) -> Self:
        self._timer = threading.Timer(self.seconds, os._exit, (70,))
        self._timer.daemon = True
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def restart(self) -> None:
        """Count from now on."""
        self._timer.cancel()
        self.__enter__()
