"""Jobs: a bounded queue, a thread and a process for each worker, results that expire."""

from __future__ import annotations

import os
import secrets
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from handwright.apps.service.settings import ServiceSettings
from handwright.apps.service.worker import KINDS, Kinds, work_until_closed
from handwright.errors import HandwrightError
from handwright.locks import make_held_folder, remove_left_folders

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

Status = Literal["queued", "running", "done", "failed", "cancelled"]

FINISHED = ("done", "failed", "cancelled")

_LOOK_S = 0.1  # Seconds between two looks at a worker: a cancelled job frees it within that
_FOLDER = "handwright-service-"  # Of the pictures of a service that runs
_STOP_S = 2.0  # Seconds that an idle worker has to end by itself


class QueueFullError(HandwrightError):
    """No more jobs can wait, or there is no room for their files."""


@dataclass(eq=False, kw_only=True)
class Job:
    """One picture to work on and what became of it."""

    id: str  # Random; who knows it may read the job
    owner: str  # Whose it is: a key's or an address's name
    kind: str  # 'review', 'refine', 'hands' or 'generate'
    options: Mapping[str, Any]  # As ``worker.do_job`` has them
    folder: Path  # Of its own
    status: Status = "queued"
    stage: str = ""  # What is being done: 'find', 'fit', 'paint', …
    created: float = field(default_factory=time.time)  # Seconds since 1970
    started: float | None = None
    finished: float | None = None
    result: dict[str, Any] | None = None  # The same JSON as the command line's
    files: tuple[str, ...] = ()  # Names below the folder that may be read
    error: tuple[str, str, str] | None = None  # What, why, and what to do
    refused: bool = False  # Whether it failed for what was sent: a picture that cannot be read, say
    ended: float = 0.0  # When it was finished, in seconds of a clock that nobody sets

    def to_json(self, position: int | None = None) -> dict[str, Any]:
        """The job as clients see it; ``position`` is its place in the queue, from 1."""
        return {
            "id": self.id,
            "kind": self.kind,
            "status": self.status,
            "stage": self.stage,
            "position": position,
            "created": self.created,
            "started": self.started,
            "finished": self.finished,
            "result": self.result,
            "files": {name: f"/v1/jobs/{self.id}/files/{name}" for name in self.files},
            "error": None
            if self.error is None
            else dict(zip(("what", "why", "fix"), self.error, strict=True)),
        }


class JobQueue:
    """Jobs in the order they came; ``close`` ends the workers and removes every file."""

    def __init__(
        self,
        settings: ServiceSettings,
        on_finish: Callable[[Job], None] = lambda _: None,
        kinds: Kinds = KINDS,
    ) -> None:
        self._settings, self._on_finish, self._kinds = settings, on_finish, kinds
        remove_left_folders(_FOLDER)
        self._folder, self._lock = make_held_folder(_FOLDER)
        self._jobs: dict[str, Job] = {}
        self._waiting: deque[Job] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self.restarts = 0  # How many workers had to be replaced
        self._threads = [
            threading.Thread(target=self._serve, name=f"worker-{k}", daemon=True)
            for k in range(settings.workers)
        ]
        for thread in self._threads:
            thread.start()

    def add(
        self,
        kind: str,
        picture: bytes,
        options: Mapping[str, Any],
        owner: str,
        files: Mapping[str, bytes] = MappingProxyType({}),
    ) -> Job:
        """Put a job into the queue; ``files`` lie beside its picture, under names that no client chose.

        Raises:
            QueueFullError: As many jobs wait as may, or the disk is full.
        """
        job_id = secrets.token_urlsafe(16)
        folder = self._folder / secrets.token_hex(8)
        job = Job(id=job_id, owner=owner, kind=kind, options=options, folder=folder)
        with self._changed:
            self._expire()
            if len(self._waiting) >= self._settings.max_queue or self._closed:
                raise QueueFullError(
                    "the queue is full", f"{len(self._waiting)} jobs wait", "try again in a moment"
                )
            try:
                folder.mkdir()
                for name, data in {"input": picture, **files}.items():
                    (folder / name).write_bytes(data)
            except OSError as error:
                shutil.rmtree(folder, ignore_errors=True)
                why = error.strerror or str(error)
                raise QueueFullError("the picture cannot be kept", why, "try again later") from error
            self._jobs[job_id] = job
            self._waiting.append(job)
            self._changed.notify_all()
        return job

    def get(self, job_id: str, owner: str | None) -> Job | None:
        """A job of this owner (None: of anybody); None where there is none, or none any more."""
        with self._changed:
            self._expire()
            job = self._jobs.get(job_id)
            return job if job is not None and owner in (None, job.owner) else None

    def position(self, job: Job) -> int | None:
        """Its place in the queue, from 1; None once it has begun."""
        with self._changed:
            return self._waiting.index(job) + 1 if job in self._waiting else None

    def cancel(self, job: Job) -> None:
        """End a job; one that runs frees its worker at once. A finished job stays as it is."""
        with self._changed:
            if job.status in FINISHED:
                return
            if job in self._waiting:
                self._waiting.remove(job)
            self._finish(job, "cancelled")

    def forget(self, owner: str) -> None:
        """Cancel the jobs of an owner and remove their files."""
        with self._changed:
            for job in [job for job in self._jobs.values() if job.owner == owner]:
                self.cancel(job)
                shutil.rmtree(job.folder, ignore_errors=True)
                del self._jobs[job.id]

    @property
    def waiting(self) -> int:
        """How many jobs wait."""
        return len(self._waiting)

    def close(self) -> None:
        """End the workers, cancel what runs or waits, and remove all files."""
        with self._changed:
            self._closed = True
            for job in self._jobs.values():
                if job.status not in FINISHED:
                    self._finish(job, "cancelled")
            self._waiting.clear()
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(2 * _STOP_S)
        self._lock.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _serve(self) -> None:
        """Give one worker process its jobs; a process that had to be stopped is replaced."""
        worker: _Worker | None = None
        try:
            while (job := self._next()) is not None:
                if worker is None or not worker.process.is_alive():
                    worker = _Worker(self._settings, self._kinds)
                if not self._run(job, worker):
                    worker.stop()
                    worker = None
                    self.restarts += 1
        finally:
            if worker is not None:
                worker.stop()

    def _next(self) -> Job | None:
        with self._changed:
            while not self._waiting and not self._closed:
                self._changed.wait(self._settings.keep_seconds / 4)
                self._expire()
            if self._closed:
                return None
            job = self._waiting.popleft()
            job.status, job.started = "running", time.time()
            return job

    def _run(self, job: Job, worker: _Worker) -> bool:
        """Have a job done; whether the worker can go on."""
        began = time.monotonic()
        try:
            worker.pipe.send((job.kind, str(job.folder), dict(job.options)))
            while not worker.pipe.poll(_LOOK_S) or not self._take(job, worker.pipe.recv()):
                if job.status != "running":
                    return False
                limit = self._settings.max_seconds
                if time.monotonic() - began > limit:
                    self._fail(
                        job, f"it took more than {limit:g} s", "send a smaller picture or ask for less"
                    )
                    return False
                if worker.memory_gb() > (self._settings.max_memory_gb or float("inf")):
                    why = f"it needed more than {self._settings.max_memory_gb:g} GB of memory"
                    self._fail(job, why, "send a smaller picture")
                    return False
        except (EOFError, OSError):
            self._fail(job, "the worker process ended", "try again; if it happens again, report the picture")
            return False
        return True

    def _take(self, job: Job, message: tuple[Any, ...]) -> bool:
        """Note what a worker sent; whether the job is finished by it."""
        with self._changed:
            if message[0] == "stage":
                job.stage = message[1]
                return False
            if job.status == "running":
                if message[0] == "done":
                    job.result, job.files = message[1], tuple(message[2])
                    self._finish(job, "done")
                else:
                    job.error, job.refused = message[1], message[0] == "refused"
                    self._finish(job, "failed")
            return True

    def _fail(self, job: Job, why: str, fix: str) -> None:
        with self._changed:
            if job.status == "running":
                job.error = ("the picture could not be worked on", why, fix)
                self._finish(job, "failed")

    def _finish(self, job: Job, status: Status) -> None:
        if status != "done":  # before the status: whoever sees it finds no file
            shutil.rmtree(job.folder, ignore_errors=True)
        job.status, job.stage = status, ""
        job.finished, job.ended = time.time(), time.monotonic()
        self._on_finish(job)
        self._changed.notify_all()

    def _expire(self) -> None:
        """Forget finished jobs that are too old or too many."""
        now = time.monotonic()  # a day set forward must not throw results away
        ended = sorted((j for j in self._jobs.values() if j.status in FINISHED), key=lambda j: j.ended)
        too_many = max(0, len(ended) - self._settings.max_results)
        for k, job in enumerate(ended):
            if k < too_many or now - job.ended > self._settings.keep_seconds:
                shutil.rmtree(job.folder, ignore_errors=True)
                del self._jobs[job.id]


class _Worker:
    """A worker process and the pipe to it."""

    def __init__(self, settings: ServiceSettings, kinds: Kinds) -> None:
        context = get_context("spawn")
        self.pipe, theirs = context.Pipe()
        arguments: tuple[Connection, Path | None, int, Kinds]
        arguments = theirs, settings.landmarker, settings.max_pixels, kinds
        self.process: BaseProcess = context.Process(target=work_until_closed, args=arguments, daemon=True)
        self.process.start()
        theirs.close()

    def memory_gb(self) -> float:
        """Resident memory in GB; 0 where the system does not tell."""
        try:
            pages = int(Path(f"/proc/{self.process.pid}/statm").read_text("ascii").split()[1])
        except (OSError, ValueError, IndexError):
            return 0.0

        return pages * os.sysconf("SC_PAGE_SIZE") / 1e9

    def stop(self) -> None:
        """End the process at once."""
        self.pipe.close()
        self.process.kill()
        self.process.join(_STOP_S)
