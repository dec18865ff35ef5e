"""Many pictures, one or more processes; the results do not depend on how many.

The engine (detector, rig, compiled kernels) is opened once a process, and only when a picture needs it.
Workers are spawned, keep to one thread each, and end with their parent even when that is killed.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from multiprocessing import connection, get_context, parent_process, util
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from handwright.errors import HandwrightError, UsageError
from handwright.memory import share_one_heap
from handwright.progress import Progress, silent
from handwright.workflow.jobs import Job
from handwright.workflow.report.document import failed_entry
from handwright.workflow.run.picture import Outcome, Work, attempt
from handwright.workflow.run.request import Plan

if TYPE_CHECKING:
    from handwright.refine.pipeline import Engine

OpenEngine = Callable[[], "AbstractContextManager[Engine]"]
"""Makes a fresh engine; picklable, so that a worker can make its own."""

FailOn = Literal["fail", "unsure"]
"""The mildest verdict of a hand that makes the exit code 1."""


def exit_code_of(errors: Sequence[Mapping[str, Any]], left: Mapping[Any, int], fail_on: FailOn) -> int:
    """0 nothing at or above ``fail_on`` is left, 1 a hand is, 2 a picture was not processed, 70 a bug.

    ``errors`` are those of pictures; ``left`` counts what is left by verdict.
    """
    if errors:
        return 70 if any(error["internal"] for error in errors) else 2
    return int(left["fail"] > 0 or (fail_on == "unsure" and left["unsure"] > 0))


THREAD_LIMITS = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, kw_only=True)
class JobOptions:
    """How many pictures are worked on; nothing here changes a result."""

    report: Path | None = None  # Folder of the report, or None
    fail_on: FailOn = "fail"  # Of a hand as it leaves
    workers: int = 1  # Processes
    # Called before the first picture, after each, and at the stages of a picture that one process refines
    progress: Progress = silent
    notify: Callable[[str], None] = lambda _: None  # Called with a line for what is fetched

    def check(self) -> None:
        """Refuse what makes no sense.

        Raises:
            UsageError: ``workers`` or ``fail_on`` has no such value.
        """
        if self.workers < 1:
            raise UsageError(f"`workers` is {self.workers}", "", "give 1 or more")
        if self.fail_on not in ("fail", "unsure"):
            raise UsageError(f"`fail_on` is {self.fail_on!r}", "", "give fail or unsure")

    def landmarker_file(self, own: object = None) -> Path:
        """The hand landmarker, fetched where it is missing.

        Args:
            own: A hand_landmarker.task of the user's own; anything that is no file stands for the usual one.

        Raises:
            MissingModelError: It could not be fetched.
        """
        from handwright.perception.models.download import ensure_models

        file = own if isinstance(own, Path) else None
        return ensure_models(model_path=file, notify=self.notify).hand_landmarker


def run_in_order(
    jobs: Sequence[Job], work: Work, plan: Plan, open_engine: OpenEngine, options: JobOptions
) -> tuple[Outcome, ...]:
    """The outcome of every picture, in the order of the jobs; progress is shown as they are finished."""
    outcomes: dict[int, Outcome] = {}
    options.progress("", 0, len(jobs))
    for index, outcome in run_jobs(jobs, work, plan, open_engine, options.workers):
        outcomes[index] = outcome
        options.progress("", len(outcomes), len(jobs))
    return tuple(outcomes[index] for index in range(len(jobs)))


def run_jobs(
    jobs: Sequence[Job], work: Work, plan: Plan, open_engine: OpenEngine, workers: int = 1
) -> Iterator[tuple[int, Outcome]]:
    """Yield (index of the job, outcome) as pictures are finished; what ``workers`` call is module-level."""
    if workers <= 1 or len(jobs) <= 1:
        yield from _run_here(jobs, work, plan, open_engine)
        return
    waiting = set(range(len(jobs)))
    for index, outcome in _run_there(sorted(waiting), jobs, work, plan, open_engine, min(workers, len(jobs))):
        waiting.discard(index)
        yield index, outcome
    for index in sorted(waiting):
        outcomes = dict(_run_there([index], jobs, work, plan, open_engine, 1))
        yield index, outcomes.get(index) or _killed(jobs[index], plan)


def _run_here(
    jobs: Sequence[Job], work: Work, plan: Plan, open_engine: OpenEngine
) -> Iterator[tuple[int, Outcome]]:
    with ExitStack() as stack:
        engine = _opened_once(open_engine, stack)
        for index, job in enumerate(jobs):
            yield index, attempt(work, job, plan, engine)


def _opened_once(open_engine: OpenEngine, stack: ExitStack) -> Callable[[], Engine]:
    """A function that opens an engine on its first call, for the stack to close, and always returns it."""
    return cache(lambda: stack.enter_context(open_engine()))


def _run_there(
    indices: Sequence[int], jobs: Sequence[Job], work: Work, plan: Plan, open_engine: OpenEngine, workers: int
) -> Iterator[tuple[int, Outcome]]:
    """Outcomes from worker processes; those of a pool that broke (a worker was killed) are missing."""
    pool = ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_start_worker, initargs=(open_engine,)
    )
    futures: dict[Future[Outcome], int] = {}
    try:
        with _one_thread_each(), suppress(BrokenProcessPool):
            for index in indices:
                futures[pool.submit(_in_worker, work, jobs[index], plan)] = index
        for future in as_completed(futures):
            if not isinstance(future.exception(), BrokenProcessPool):
                yield futures[future], future.result()
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _one_thread_each() -> Generator[None]:
    """Processes started inside see the limits before they load a numerical library."""
    before = {name: os.environ.get(name) for name in THREAD_LIMITS}
    os.environ.update(dict.fromkeys(THREAD_LIMITS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


_worker_engine: Callable[[], Engine] | None = None


def _start_worker(open_engine: OpenEngine) -> None:
    global _worker_engine
    share_one_heap()
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    stack = ExitStack()
    _worker_engine = _opened_once(open_engine, stack)
    util.Finalize(None, stack.close, exitpriority=10)


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)


def _in_worker(work: Work, job: Job, plan: Plan) -> Outcome:
    import cv2

    assert _worker_engine is not None
    cv2.setNumThreads(1)
    return attempt(work, job, plan, _worker_engine)


def _killed(job: Job, plan: Plan) -> Outcome:
    error = HandwrightError(
        f"the process that worked on {job.source} was killed",
        "most often there was not enough memory",
        "use fewer --workers or a smaller picture",
    )
    return Outcome(failed_entry(job, plan.settings, error))
