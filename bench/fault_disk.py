"""Full disks; see ``faults.py``."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from fault_jobs import check_batch, finished, not_expected, queue_in, start_batch
from fault_tools import Bench, Row, files_in, fork, not_in_one_line
from handwright.apps.service.queue import QueueFullError

PAGE = 4096  # Bytes; a tmpfs gives whole pages
TMPFS_BYTES = 16 << 20
SHARES = (0.0, 0.2, 0.4, 0.6, 0.8)
"""Of the room that the undisturbed results take, how much is free."""


@contextmanager
def small_disk(folder: Path) -> Generator[None]:
    """A tmpfs at a folder.

    Raises:
        PermissionError: It may not be mounted.
    """
    folder.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={TMPFS_BYTES}", "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise PermissionError(str(error)) from error
    if done.returncode != 0:
        raise PermissionError(" ".join(done.stderr.split()))
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path, free: int) -> Path:
    """Fill a disk but for so many bytes; the file that does it."""
    filler = disk / "filler"
    room = os.statvfs(disk)
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, room.f_bavail * room.f_frsize - free))
    return filler


def room_of(folder: Path) -> int:
    """Bytes that a folder's files take in whole pages."""
    return sum(-(-path.stat().st_size // PAGE) * PAGE for path in folder.rglob("*") if path.is_file())


def full_disk_commands(bench: Bench) -> list[Row]:
    """``refine`` with its report, and ``review`` with its, onto a disk with too little room."""
    rows = [Row("disk full", "`refine`"), Row("disk full", "`review`")]
    fork(_review(bench, bench.root / "reviewed"), bench.new()).wait()
    for row, whole in zip(rows, (bench.whole, bench.root / "reviewed"), strict=True):
        for share in SHARES:
            folder = bench.new()
            try:
                with small_disk(folder / "disk"):
                    room = int(share * room_of(whole))
                    _full_disk_command(bench, row, f"{share:.0%} of the room", folder, room)
            except PermissionError as error:
                row.not_run = f"a tmpfs cannot be mounted: {error}"
    return rows


def _review(bench: Bench, report: Path) -> list[str]:
    return ["review", str(bench.inputs), "--report", str(report)]


def _full_disk_command(bench: Bench, row: Row, trial: str, folder: Path, room: int) -> None:
    """Run a command where there is too little room, then with room."""
    refines, disk = row.where == "`refine`", folder / "disk"
    out, report, filler = disk / "out", disk / "report", fill(disk, room)
    command = bench.command(out, report) if refines else _review(bench, report)
    row.trials += 1
    started = fork(command, folder)
    code = started.wait()
    row.seen[f"exit code {code}"] += 1
    row.note(trial, [f"exit code {code}"] * (code not in (1, 2)))
    row.note(trial, not_in_one_line(started.errors))
    row.note(trial, bench.torn(out, report))
    row.note(trial, (f"{path.name} was left over" for path in disk.rglob("*.part")))
    filler.unlink()
    code = fork(command, folder).wait()
    row.note(trial, [f"then exit code {code}"] * (code not in ((0,) if refines else (0, 1))))
    if refines:
        row.note(trial, bench.unfinished(folder, out, report))
    elif set(files_in(report)) != set(files_in(bench.root / "reviewed")):
        row.note(trial, ["the report afterwards is not the undisturbed one"])


def full_disk_batch(bench: Bench) -> Row:
    """``batch`` into a sink with too little room."""
    row = Row("disk full", "`batch`")
    for free in (0, 3 * PAGE, 8 * PAGE):
        folder = bench.new()
        try:
            with small_disk(folder / "sink"):
                row.trials += 1
                filler, trial = fill(folder / "sink", free), f"{free} bytes free"
                code = start_batch(bench, folder / "sink", folder).wait()
                row.seen[f"exit code {code}"] += 1
                text = (folder / "stderr").read_text("utf-8", "replace")
                row.note(trial, [f"exit code {code}: {text[-200:]}"] * (code != 2))
                row.note(trial, [f"stderr: {text!r}"] * (text.count("\n") != 1))
                row.note(trial, check_batch(bench, folder))
                filler.unlink()
                code = start_batch(bench, folder / "sink", folder).wait()
                row.note(trial, [f"then exit code {code}"] * (code != 0))
                row.note(trial, check_batch(bench, folder, ended=True))
        except PermissionError as error:
            row.not_run = f"a tmpfs cannot be mounted: {error}"
    return row


def full_disk_service(bench: Bench) -> Row:
    """Jobs whose folder is on a disk with too little room."""
    row = Row("disk full", "the service's jobs")
    name, data = sorted(files_in(bench.inputs).items())[0]
    disk = bench.new() / "disk"
    try:
        with small_disk(disk), queue_in(disk) as queue:
            for free in (0, len(data) // 2, len(data) + 2 * PAGE, len(data) + 6 * PAGE):
                trial = f"{free} bytes free"
                row.trials += 1
                filler = fill(disk, free)
                try:
                    finished(job := queue.add("refine", data, {"all": True}, "me"))
                    said = " ".join(job.error or ())
                    row.seen[f"job {job.status}"] += 1
                    if job.status == "done":  # there was room
                        row.note(trial, not_expected(job, bench.expected[name]))
                        said = "No space left"
                except QueueFullError as error:
                    row.seen["refused"] += 1
                    said = str(error)
                bad = "\n" in said or "internal" in said or "No space left" not in said
                row.note(trial, [f"said {said!r}"] * bad)
                filler.unlink()
                finished(job := queue.add("refine", data, {"all": True}, "me"))
                row.note(trial, not_expected(job, bench.expected[name]))
    except PermissionError as error:
        row.not_run = f"a tmpfs cannot be mounted: {error}"
    return row
