"""Jobs of the service and batches, as the scenes of ``faults.py`` start, await and check them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fault_tools import Bench, files_in, not_in_one_line
from handwright.apps.service.queue import FINISHED, Job, JobQueue
from handwright.apps.service.settings import ServiceSettings

MARK = "FAULTS"
"""Environment variable that tells processes of one trial's batch from others."""

LONGEST_JOB_S = 400.0
"""A job that is not finished by then hangs; the service ends one after 300 s."""


@contextmanager
def queue_in(folder: Path, **settings: float) -> Generator[JobQueue]:
    """The service's jobs; their pictures lie in a folder, those of its workers' temporary files, too."""
    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    environment = dict(os.environ)
    os.environ["TMPDIR"] = str(folder)
    try:
        queue = JobQueue(ServiceSettings(**settings))  # pyright: ignore[reportArgumentType]
        yield queue
        queue.close()
    finally:
        tempfile.tempdir = before
        os.environ.clear()
        os.environ.update(environment)


def finished(job: Job) -> bool:
    """Wait until a job is finished; False where it never is."""
    deadline = time.monotonic() + LONGEST_JOB_S
    while job.status not in FINISHED and time.monotonic() < deadline:
        time.sleep(0.01)
    return job.status in FINISHED


def result(job: Job) -> Mapping[str, bytes]:
    """The files of a finished job."""
    return {name: (job.folder / name).read_bytes() for name in job.files}


def start_batch(
    bench: Bench, sink: Path, folder: Path, *options: str, **variables: str
) -> subprocess.Popen[bytes]:
    """``handwright batch`` of the pictures in a process of its own."""
    batch = [sys.executable, "-m", "handwright", "batch", str(bench.inputs), "-o", str(sink), "--all"]
    command = [*batch, *options]
    environment = {**os.environ, "TMPDIR": str(folder / "tmp"), "RAY_TMPDIR": "/tmp", MARK: str(folder)}
    with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as errors:
        return subprocess.Popen(command, stdout=out, stderr=errors, env={**environment, **variables})


def batch_workers(folder: Path) -> list[int]:
    """Processes of the batches of a folder that work on pictures."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                is_ours = f"{MARK}={folder}".encode() in (entry / "environ").read_bytes().split(b"\0")
                if is_ours and (entry / "cmdline").read_bytes().startswith(b"ray::MapWorker"):
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def check_batch(bench: Bench, folder: Path, *, ended: bool = False) -> list[str]:
    """What is wrong with a sink."""
    sink = folder / "sink"
    wrong = bench.torn(sink / "pictures", sink / "records")
    if ended:
        if files_in(sink / "pictures") != bench.expected:
            wrong.append("results are not those of the undisturbed run")
        if (records := len(list((sink / "records").glob("*.json")))) != len(bench.expected):
            wrong.append(f"{records} records")
        left = [*sink.rglob("*.part"), *sink.glob("claims"), *(folder / "tmp").glob("handwright-*")]
        wrong += [f"{path.name} was left over" for path in left]
    text = (folder / "stderr").read_text("utf-8", "replace")
    return [*wrong, *(not_in_one_line(text) if text else [])]


def not_expected(job: Job, expected: bytes) -> list[str]:
    """What is wrong with a job that should be done, with these bytes."""
    if job.status != "done":
        return [f"the job is {job.status}: {job.error}"]
    wrong = ["its result is not the undisturbed one"] * (list(result(job).values()) != [expected])
    seconds = [entry["seconds"] for entry in (job.result or {}).get("pictures", ())]
    return wrong + ["seconds are negative"] * has_negative_seconds(seconds)


def has_negative_seconds(value: Any) -> bool:
    """Whether JSON holds a number of seconds below 0."""
    if isinstance(value, dict):
        return any(has_negative_seconds(one) for one in value.values())
    if isinstance(value, list):
        return any(has_negative_seconds(one) for one in value)
    return isinstance(value, int | float) and value < 0


def read_json(path: Path) -> dict[str, Any]:
    """A JSON file."""
    return json.loads(path.read_text("utf-8"))
