"""Slow disks, little memory, and clocks that jump; see ``faults.py``."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from multiprocessing import active_children
from pathlib import Path

from fault_jobs import (
    LONGEST_JOB_S,
    batch_workers,
    check_batch,
    finished,
    has_negative_seconds,
    not_expected,
    queue_in,
    read_json,
    start_batch,
)
from fault_tools import Bench, Row, files_in, not_in_one_line

SLOW_S = 0.5
"""Seconds of each flush and each rename on a slow disk."""

JUMPS_S = {"a year forwards": 365.25 * 86_400, "an hour backwards": -3600.0}

LONGEST_S = 60.0
"""Seconds with little memory: where Python has no memory to start a thread, it waits for it for ever."""

BATCH_S = 20.0
"""Seconds of a picture of a batch with little memory: one that hangs then ends within ``LONGEST_JOB_S``."""

HEADROOMS_MB = (0, 16, 32, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072)
"""Address space beyond what the warm process or the worker has already."""


def sitecustomize(folder: Path, code: str) -> Mapping[str, str]:
    """Environment in which every new process of Python runs some code first."""
    (folder / "site").mkdir()
    (folder / "site" / "sitecustomize.py").write_text(code, "utf-8")
    return {"PYTHONPATH": os.pathsep.join([str(folder / "site"), os.environ.get("PYTHONPATH", "")])}


def slow_code() -> str:
    """Python that makes this process's disk slow."""
    tools = Path(__file__).with_name("fault_slow.py")
    return f"import runpy\nrunpy.run_path({str(tools)!r})['slow_disk']({SLOW_S})\n"


def jump_code(seconds: float, sign: Path | None = None) -> str:
    """Python whose clock jumps once a file is there, or this process is two seconds old.

    The clock stands under its usual name, by which Ray sends it.
    """
    there = f"exists({str(sign)!r})" if sign else "monotonic() - _began > 2.0"
    return (
        "import time\nfrom os.path import exists\nfrom time import monotonic\n"
        "_now, _began = time.time, monotonic()\n"
        f"def _jumped(): return _now() + ({seconds}) * ({there})\n"
        "_jumped.__module__ = _jumped.__name__ = _jumped.__qualname__ = 'time'\n"
        "time.time = _jumped\n"
    )


def commands(bench: Bench, row: Row, trial: str, code: str, workers: int = 1) -> None:
    """``refine`` in a new process that runs some code first."""
    folder = bench.new()
    out, report = folder / "out", folder / "report"
    given = [sys.executable, "-m", "handwright", *bench.command(out, report), "--workers", str(workers)]
    variables = {**os.environ, **sitecustomize(folder, code), "TMPDIR": str(folder / "tmp")}
    row.trials += 1
    done = subprocess.run(given, env=variables, capture_output=True, text=True, check=False)
    row.seen[f"exit code {done.returncode}"] += 1
    row.note(trial, [f"exit code {done.returncode}: {done.stderr[-300:]}"] * (done.returncode != 0))
    row.note(trial, bench.unfinished(folder, out, report))
    row.note(trial, ["a report has negative seconds"] * any(
        has_negative_seconds([entry["seconds"] for entry in read_json(path)["pictures"]])
        for path in report.glob("report.json")))  # fmt: skip


def slow_commands(bench: Bench) -> list[Row]:
    """``refine`` on a slow disk, with one process and two."""
    row = Row("slow disk", "`refine`")
    for workers in (1, 2):
        commands(bench, row, f"{workers} workers", slow_code(), workers)
    return [row]


def clock_commands(bench: Bench) -> list[Row]:
    """``refine`` while the clock jumps."""
    row = Row("clock jump", "`refine`")
    for name, seconds in JUMPS_S.items():
        commands(bench, row, name, jump_code(seconds))
    return [row]


def batches(bench: Bench, row: Row, trial: str, code: Callable[[Path], str]) -> None:
    """``batch`` whose processes run some code first; it may wait for the sink's first record."""
    folder = bench.new()
    row.trials += 1
    records = folder / "sink/records"
    driver = start_batch(bench, folder / "sink", folder, **sitecustomize(folder, code(folder / "begun")))
    while driver.poll() is None and not any(records.glob("*.json")):
        time.sleep(0.05)
    (folder / "begun").touch()
    code_ = driver.wait()
    row.seen[f"exit code {code_}"] += 1
    row.note(trial, [f"exit code {code_}"] * (code_ != 0))
    row.note(trial, check_batch(bench, folder, ended=True))
    seconds = [read_json(path)["entry"]["seconds"] for path in records.glob("*.json")]
    row.note(trial, ["a record has negative seconds"] * any(map(has_negative_seconds, seconds)))


def slow_batch(bench: Bench) -> Row:
    """``batch`` on a slow disk."""
    row = Row("slow disk", "`batch`")
    batches(bench, row, "slow", lambda _: slow_code())
    return row


def clock_batch(bench: Bench) -> Row:
    """``batch`` while the clocks of its driver, of Ray's helpers in Python and of its workers jump."""
    row = Row("clock jump", "`batch`")
    for name, seconds in JUMPS_S.items():
        batches(bench, row, name, partial(jump_code, seconds))
    return row


def services(bench: Bench, row: Row, trial: str, code: str) -> None:
    """Two jobs of the service whose worker runs some code first."""
    folder = bench.new()
    name, data = sorted(files_in(bench.inputs).items())[0]
    before = os.environ.get("PYTHONPATH", "")
    os.environ.update(sitecustomize(folder, code))
    try:
        with queue_in(folder / "tmp", keep_seconds=120.0) as queue:
            for _ in range(2):
                row.trials += 1
                finished(job := queue.add("refine", data, {"all": True}, "me"))
                row.seen[f"job {job.status}"] += 1
                row.note(trial, ["its result is gone"] * (queue.get(job.id, "me") is not job))
                row.note(trial, not_expected(job, bench.expected[name]))
    finally:
        os.environ["PYTHONPATH"] = before


def slow_service(bench: Bench) -> Row:
    """The service on a slow disk."""
    row = Row("slow disk", "the service's jobs")
    services(bench, row, "slow", slow_code())
    return row


def clock_service(bench: Bench) -> list[Row]:
    """Jobs of the service while the clocks of server and worker jump."""
    row, now = Row("clock jump", "the service's jobs"), time.time
    for name, seconds in JUMPS_S.items():
        began = time.monotonic()
        time.time = lambda s=seconds, b=began: now() + s * (time.monotonic() - b > 2.0)  # type: ignore[assignment]
        try:
            services(bench, row, name, jump_code(seconds))
        finally:
            time.time = now  # type: ignore[assignment]
    return [row]


def limit_memory(megabytes: int) -> None:
    """Let this process have no more address space than it has now and so much."""
    limit_process(os.getpid(), megabytes)


def little_memory_command(bench: Bench) -> Row:
    """``refine`` with ever more address space."""
    row = Row("out of memory", "`refine`")
    for megabytes in HEADROOMS_MB:
        folder, trial = bench.new(), f"{megabytes} MB more"
        row.trials += 1
        started = bench.refine(folder, partial(limit_memory, megabytes))
        code = started.wait(LONGEST_S)
        row.seen[f"exit code {code}" if code >= 0 else f"ended by signal {-code}"] += 1
        row.note(trial, [f"exit code {code}"] * (code not in (0, 2)))
        row.note(trial, not_in_one_line(started.errors) if code else [])
        row.note(trial, bench.torn(folder / "out", folder / "report"))
        code = bench.refine(folder).wait()
        row.note(trial, [f"then exit code {code}"] * (code != 0))
        row.note(trial, bench.unfinished(folder, folder / "out", folder / "report"))
    return row


def little_memory_batch(bench: Bench) -> Row:
    """A batch whose worker has ever more address space; one that takes its place has enough."""
    row = Row("out of memory", "a worker of `batch`")
    for megabytes in HEADROOMS_MB[:8:2]:
        folder, trial = bench.new(), f"{megabytes} MB more"
        driver = start_batch(bench, folder / "sink", folder, "--max-seconds", f"{BATCH_S:g}")
        while not (pids := batch_workers(folder)) and driver.poll() is None:
            time.sleep(0.01)
        for pid in pids:
            limit_process(pid, megabytes)
        row.trials += 1
        row.note(trial, ["there was no worker"] * (not pids))
        code = driver.wait(LONGEST_JOB_S)
        row.seen[f"exit code {code}"] += 1
        row.note(trial, [f"exit code {code}"] * (code not in (0, 2)))
        row.note(trial, check_batch(bench, folder))
        code = start_batch(bench, folder / "sink", folder, "--retry").wait(LONGEST_JOB_S)
        row.note(trial, [f"then exit code {code}"] * (code != 0))
        row.note(trial, check_batch(bench, folder, ended=True))
    return row


def limit_process(pid: int, megabytes: int) -> None:
    """Let a process have no more address space than it has now and so much."""
    used = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[0]) * os.sysconf("SC_PAGE_SIZE")
    limit = used + (megabytes << 20)
    resource.prlimit(pid, resource.RLIMIT_AS, (limit, limit))


def little_memory_service(bench: Bench) -> Row:
    """A job whose worker has ever more address space, then one with a worker that has enough."""
    row = Row("out of memory", "a worker of the service")
    name, data = sorted(files_in(bench.inputs).items())[0]
    with queue_in(bench.new(), max_seconds=LONGEST_S) as queue:
        add = partial(queue.add, "refine", data, {"all": True}, "me")
        for megabytes in HEADROOMS_MB[:8:2]:
            trial = f"{megabytes} MB more"
            finished(add())
            (child,) = active_children()
            limit_process(child.pid or 0, megabytes)
            row.trials += 1
            finished(job := add())
            said = " ".join(job.error or ())
            row.seen[f"job {job.status}"] += 1
            in_line = any(words in said for words in ("memory", "worker process ended", "it took more than"))
            row.note(trial, [f"the job failed: {said}"] * (job.status == "failed" and not in_line))
            row.note(trial, [f"the job is {job.status}"] * (job.status not in ("done", "failed")))
            if child.is_alive():
                child.kill()
            finished(job := add())
            row.note(trial, not_expected(job, bench.expected[name]) if job.status == "done" else [])
            finished(job := add())
            row.note(trial, not_expected(job, bench.expected[name]))
    return row
