"""A batch on Ray Data: a local cluster that it starts by itself, or one that is there."""

from __future__ import annotations

import json
import logging
import math
import os
import signal
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Literal, Self
from uuid import uuid4

from handwright import __version__
from handwright.errors import HandwrightError, OutputError, UsageError, need
from handwright.locks import remove_left_folders
from handwright.memory import share_one_heap
from handwright.progress import Progress, silent
from handwright.stderr import silenced_stderr
from handwright.workflow.batch.items import Item
from handwright.workflow.batch.kinds import KINDS
from handwright.workflow.batch.sink import Sink
from handwright.workflow.batch.summary import Summary
from handwright.workflow.batch.task import Finished, Task, TaskName, read_values
from handwright.workflow.batch.worker import SCRATCH, Worker
from handwright.workflow.run.pool import FailOn, OpenEngine, exit_code_of
from handwright.workflow.run.request import Request

if TYPE_CHECKING:
    from handwright.metrics.results import Evaluation

_ROWS_A_BLOCK = 8
"""Pictures of a block, the unit that Ray plans with; few, so that workers end together. Chosen by eye."""

_MOST_BLOCKS = 20_000
"""More blocks cost the driver memory; beyond, they get longer. Chosen by eye."""

_START_S = 60.0
"""Seconds in which a worker, started again, has loaded its models: they take 10 where nothing else runs."""

_OBJECT_STORE_BYTES = 200_000_000
"""Of a local cluster: rows hold names and numbers only."""


@dataclass(frozen=True, kw_only=True)
class BatchOptions:
    """How a batch is carried out; nothing here changes a result."""

    task: TaskName = "refine"  # What is done with every picture
    prompt: str = ""  # What pictures were meant to show that have no prompt of their own; for review
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])  # Of generate, evaluate and synth
    workers: int = 1  # Processes, one core each
    gpus: float = 0.0  # Of each worker; below 1 it shares one with others
    address: str | None = None  # Of a cluster that is there; None: a local one is started
    max_seconds: float = 600.0  # A picture that takes longer ends its worker
    attempts: int = 3  # At a picture at which workers die
    redo: Literal["nothing", "quarantined", "everything"] = "nothing"  # Of what is done already
    fail_on: FailOn = "fail"  # What of a hand makes the exit code 1
    progress: Progress = silent
    open_engine: OpenEngine | None = None  # None: the real one; it travels to the workers

    def check(self) -> None:
        """Refuse what makes no sense.

        Raises:
            UsageError: An option has no such value.
        """
        if self.task not in KINDS:
            raise UsageError(f"--task {self.task!r} is not known", "", f"give {', '.join(KINDS)}")
        if self.fail_on not in ("fail", "unsure"):
            raise UsageError(f"--fail-on {self.fail_on!r} is not known", "", "give fail or unsure")
        numbers = {"--workers": self.workers, "--attempts": self.attempts, "--max-seconds": self.max_seconds}
        for name, value in numbers.items():
            if value <= 0:
                raise UsageError(f"{name} is {value:g}", "", "give a number above 0")
        if self.gpus < 0 or (self.gpus > 1 and self.gpus % 1):
            raise UsageError(
                f"--gpus {self.gpus:g} cannot be had", "", "give a part of one, or a whole number"
            )


@dataclass(frozen=True)
class BatchResult:
    """What a batch did."""

    summary: Summary
    exit_code: int  # 0, 1 a hand fails that is left, 2 pictures are in quarantine, 70 one by a bug
    evaluation: Evaluation | None = None  # Of the task of that name


def run_batch(
    sources: Sequence[str], sink: str, request: Request | None = None, options: BatchOptions | None = None
) -> BatchResult:
    """Work on all pictures of the sources that are not done yet.

    Args:
        sources: See ``items.list_items``; of prompts, sets and seeds: docs/how-to/batch.md.
        sink: Folder for results, records and the report: a path, or an address that fsspec knows.
        request: Options of a refinement.
        options: How the batch is carried out.

    Raises:
        UsageError: The sources hold no picture, or an option makes no sense.
        OutputError: The sink cannot be written to, or became full.
        MissingPackageError: Ray is not installed.
        MissingModelError: A model is missing and cannot be fetched.
    """
    request, options = request or Request(), options or BatchOptions()
    need("ray", "pyarrow", "fsspec", extra="batch")
    options.check()
    kind, place, run = KINDS[options.task], Sink(sink), uuid4().hex[:12]
    _check_given(options, request)
    task = Task(
        name=options.task,
        request=request,
        settings=request.as_json(),
        fingerprint=request.fingerprint(f"{options.task} {options.prompt}".rstrip()),
        sink=sink,
        run=run,
        values=read_values(kind.values, options.values, "--set"),
        prompt=options.prompt,
        attempts=options.attempts,
        seconds=options.max_seconds,
        redo=options.redo,
        open_engine=options.open_engine,
    )
    items = kind.items(sources, task)
    request.check(len(items))
    kind.opener(task)  # fetches models once, here
    place.write("batch.json", _about(task, sources).encode())
    summary, finished = Summary(run), Finished()
    _work(items, task, options, summary)
    place.remove("claims")
    place.remove_parts()
    try:
        if kind.finish is not None:
            finished = kind.finish(task, place, items)
    finally:
        about = {"schema": "handwright/batch-1", "handwright": __version__, "task": options.task, "run": run}
        report = summary.to_json({**about, "settings": task.settings, **finished.report})
        place.write("report.json", report.encode())
        place.write("quarantine.csv", summary.quarantine_csv().encode())
        title = f"{options.task} of {summary.counts['pictures']} pictures"
        place.write("index.html", summary.page(title, kind.counted, finished.figures).encode())
    errors = [{"internal": summary.internal}] * bool(summary.quarantine)
    code = exit_code_of(errors, summary.counts, options.fail_on)
    return BatchResult(summary, max(code, finished.exit_code), finished.evaluation)


def _check_given(options: BatchOptions, request: Request) -> None:
    takes = KINDS[options.task].options
    alien = [name for name in request.given if takes is not None and name not in takes]
    if alien:
        raise UsageError(
            f"`{alien[0]}` has no meaning for --task {options.task}",
            "",
            "leave it out; --set gives its options",
        )


def _work(items: Sequence[Item], task: Task, options: BatchOptions, summary: Summary) -> None:
    """Work on all items; results are added to the summary as they come."""
    total = sum(item.pictures for item in items)
    options.progress("", 0, total)
    try:
        # Ray reports the death of workers on stdout, tracebacks and all; what came of it is in the report
        watch = _Watch(silence_s(items, options))
        with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere), _cluster(options), watch:
            for row in _results(items, task, options):
                watch.look()
                if row["stop"]:
                    raise OutputError(row["stop"])
                summary.add(row)
                options.progress("", summary.counts["pictures"], total)
    finally:
        remove_left_folders(SCRATCH)


def silence_s(items: Sequence[Item], options: BatchOptions) -> float:
    """Seconds without a result from which a batch has stopped: all attempts at a whole block, and starts."""
    longest = max(item.pictures for item in items) * math.ceil(len(items) / _blocks(items, options))
    return options.attempts * (longest * options.max_seconds + _START_S)


def _blocks(items: Sequence[Item], options: BatchOptions) -> int:
    """How many blocks Ray plans with; what is done comes back a block at a time."""
    return min(max(len(items) // _ROWS_A_BLOCK, options.workers), _MOST_BLOCKS, len(items))


class _Watch:
    """Ends a block of the main thread with an error where nothing is looked at for so many seconds.

    Workers end by themselves what takes too long; one that spins or waits in native code cannot, and Ray
    waits for it for ever.
    """

    def __init__(self, silence: float) -> None:
        self._silence, self._looked, self._ended = silence, threading.Event(), False
        self._over, self._before = False, signal.getsignal(signal.SIGINT)
        self._main = threading.current_thread() is threading.main_thread()

    def look(self) -> None:
        """Say that a result came."""
        self._looked.set()

    def __enter__(self) -> Self:
        """Begin to watch, if this is the main thread: no other can be interrupted."""
        if self._main:
            self._before = signal.signal(signal.SIGINT, self._interrupt)  # ignored in a script's background
            threading.Thread(target=self._wait, name="batch-watch", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Stop watching.

        Raises:
            HandwrightError: It was the watch that interrupted the block.
        """
        self._ended = True
        self._looked.set()
        if self._main:
            signal.signal(signal.SIGINT, self._before)
        if self._over and kind is KeyboardInterrupt:
            raise HandwrightError(
                "the batch stopped",
                f"no picture was ended in {self._silence:g} seconds: a worker hangs",
                "run it again, with less beside it or more memory",
            )

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        if self._over:
            raise KeyboardInterrupt
        if callable(self._before):
            self._before(number, frame)

    def _wait(self) -> None:
        while self._looked.wait(self._silence):
            self._looked.clear()
            if self._ended:
                return
        self._over = True
        os.kill(os.getpid(), signal.SIGINT)


def _about(task: Task, sources: Sequence[str]) -> str:
    about = {"handwright": __version__, "task": task.name, "sources": list(sources), "run": task.run}
    about |= {"settings": task.settings, "values": dict(task.values)}
    return json.dumps(about, indent=1, ensure_ascii=False) + "\n"


@contextmanager
def _cluster(options: BatchOptions) -> Generator[None]:
    """A cluster for one batch, or a connection to one.

    A local cluster listens on the loopback interface alone, has no dashboard, sends no usage statistics, and
    has a core more than workers: reading takes one, and an actor pool that holds all of them waits for ever.
    """
    os.environ.update(RAY_USAGE_STATS_ENABLED="0", RAY_BACKEND_LOG_LEVEL="fatal")  # read as Ray is imported
    if options.address is None:
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    share_one_heap()  # of the workers, which inherit it
    import ray

    settings: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL}
    if options.address is None:
        own = {"num_cpus": options.workers + 1, "object_store_memory": _OBJECT_STORE_BYTES}
        settings |= {**own, "include_dashboard": False, "address": "local"}  # not one that runs here already
    else:
        settings["address"] = options.address
    try:
        with silenced_stderr():  # its C++ writes that its log level was set
            ray.init(**settings)
    except Exception as error:  # a timeout of its start is of this class itself
        why = " ".join(str(error).split())
        if options.address is not None:
            raise UsageError(f"there is no cluster at {options.address}", why, "check --address") from error
        ray.shutdown()
        what, fix = "Ray did not start", "run the batch again, best when less runs beside it"
        raise HandwrightError(what, why, fix) from error
    try:
        if ray.cluster_resources().get("GPU", 0.0) < options.gpus:  # its workers would be waited for for ever
            raise UsageError(
                f"the cluster has no {options.gpus:g} GPU", "", "leave --gpus out, or join another"
            )
        yield
    finally:
        ray.shutdown()


def _results(items: Sequence[Item], task: Task, options: BatchOptions) -> Generator[dict[str, Any]]:
    """A summary row for every item, as they are done."""
    import ray.data

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.CRITICAL + 1)  # errors are raised, too: tracebacks
    blocks = _blocks(items, options)
    rows = ray.data.from_items([item.row() for item in items], override_num_blocks=blocks)
    results = rows.map_batches(
        Worker,  # pyright: ignore[reportArgumentType] - its batches are plain columns
        fn_constructor_args=(task,),
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(size=options.workers),
        num_cpus=1,
        num_gpus=options.gpus or None,
    )
    yield from results.iter_rows()
