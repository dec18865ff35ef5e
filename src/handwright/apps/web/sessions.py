"""What the visitors of the page have done for them: jobs of the queue, and what they upload."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from handwright.apps.service.queue import FINISHED, Job, JobQueue
from handwright.apps.web.state import Json, Page
from handwright.errors import HandwrightError, UsageError
from handwright.progress import STAGES

FILES = "/files"  # Route of the files of jobs

_POLL_S = 0.1  # Between two looks at a job
_NONE: Mapping[str, bytes] = MappingProxyType({})


class CancelledError(HandwrightError):
    """The visitor cancelled the job."""


class Sessions:
    """Jobs of every visitor, one at a time each, and the folder that uploads come to."""

    def __init__(self, queue: JobQueue, uploads: Path) -> None:
        self._queue, self._uploads = queue, uploads.resolve()
        self._running: dict[str, Job] = {}

    def run(
        self,
        owner: str,
        kind: str,
        picture: bytes,
        options: Mapping[str, Any],
        files: Mapping[str, bytes] = _NONE,
    ) -> Generator[str, None, Job]:
        """Have a job done; yields what is being done, in words, until it is finished.

        Args:
            owner: The visitor; a job of theirs that still runs is cancelled.
            kind: As ``work.KINDS`` has it.
            picture: Bytes of the picture's file.
            options: Of the job.
            files: More files, by names that no visitor chose.

        Returns:
            The finished job.

        Raises:
            CancelledError: The visitor cancelled it.
            HandwrightError: It failed; or the queue is full.
        """
        self.cancel(owner)
        job = self._queue.add(kind, picture, options, owner, files)
        self._running[owner] = job
        began = time.monotonic()
        try:
            while job.status not in FINISHED:
                yield _in_words(job, self._queue.position(job), time.monotonic() - began)
                time.sleep(_POLL_S)
        finally:
            self._queue.cancel(job)
            self._running.pop(owner, None)
        if job.status == "cancelled":
            raise CancelledError("cancelled")
        if job.error is not None:
            raise HandwrightError(*job.error)
        return job

    def cancel(self, owner: str) -> None:
        """End what a visitor has running; its worker is free at once."""
        job = self._running.get(owner)
        if job is not None:
            self._queue.cancel(job)

    def forget(self, owner: str) -> None:
        """Remove everything of a visitor who left."""
        self._queue.forget(owner)

    def job(self, job_id: str) -> Job:
        """A finished job that is still there.

        Raises:
            UsageError: It has expired.
        """
        job = self._queue.get(job_id, None)
        if job is None or job.status != "done":
            raise UsageError("this picture is not kept any more", "it was not used for long", "load it again")
        return job

    def file(self, job_id: str, name: str) -> Path | None:
        """A file that a job lists; None where there is none."""
        job = self._queue.get(job_id, None)
        return job.folder / name if job is not None and name in job.files else None

    def link(self, job_id: str, name: str) -> str:
        """The address of a job's file."""
        return f"{FILES}/{job_id}/{name}"

    def picture_of(self, page: Page) -> bytes:
        """Bytes of the picture that a page shows.

        Raises:
            UsageError: There is none, or it has expired.
        """
        if page.picture is None:
            raise UsageError("there is no picture", "", "choose one first")
        return next(self.job(page.picture.job_id).folder.glob("input*")).read_bytes()

    def taken(self, upload: Any) -> tuple[str, bytes]:  # noqa: ANN401 - what a browser sent
        """Name and bytes of a file that was uploaded; the file itself is removed.

        Args:
            upload: ``{"path", "name"}`` as the page's script sends it.

        Raises:
            UsageError: The path is none of an upload.
        """
        path = Path(str(upload["path"])).resolve() if isinstance(upload, dict) and "path" in upload else None
        if path is None or not path.is_relative_to(self._uploads) or not path.is_file():
            raise UsageError("there is no such upload", "", "choose the file again")
        data = path.read_bytes()
        path.unlink()
        return file_name(upload), data


def file_name(upload: Json) -> str:
    """The last part of an uploaded file's own name, without what no file name should hold."""
    name = str(upload.get("name", "")).replace("\\", "/").rpartition("/")[2]
    return "".join(sign for sign in name if sign.isprintable())[-120:] or "picture"


def _in_words(job: Job, position: int | None, seconds: float) -> str:
    if position is not None:
        return f"waiting: number {position} in the queue"
    stage = STAGES.get(job.stage, job.stage) or "starting"
    return f"{stage} ({seconds:.0f} s)"
