"""Kill -9 at random moments: of ``handwright refine``, of a worker of the service, of a batch's processes."""

from __future__ import annotations

import os
import random
import signal
import time
from functools import partial
from multiprocessing import active_children
from pathlib import Path
from typing import Any

from fault_jobs import (
    LONGEST_JOB_S,
    batch_workers,
    check_batch,
    finished,
    queue_in,
    result,
    start_batch,
)
from fault_slow import slow_disk
from fault_tools import LONGEST_S, Bench, Row, files_in

SLOW_S = 0.05
"""Seconds of each flush and rename in every second trial, so that more kills fall into writing."""


def kill_commands(bench: Bench, count: int, seed: int, minutes: float) -> Row:
    """Kill, look at what is there, run the same command to its end; until ``count`` were killed at work."""
    row, random_ = Row("kill -9", "`refine` of a folder"), random.Random(seed)
    slowly, end = partial(slow_disk, SLOW_S), time.monotonic() + 60 * minutes
    began = time.monotonic()
    bench.refine(bench.new(), slowly).wait()
    seconds = {False: bench.seconds, True: time.monotonic() - began}
    for attempt in range(2 * count):
        if row.trials == count or time.monotonic() > end:
            break
        slow, folder = attempt % 2 == 1, bench.new()
        started = bench.refine(folder, slowly if slow else lambda: None)
        time.sleep(random_.uniform(0, seconds[slow]))
        if started.kill():
            _look_and_go_on(bench, row, folder)
    return row


def kill_writers(bench: Bench, count: int, seed: int, minutes: float) -> Row:
    """As ``kill_commands`` on a slow disk, at moments between the first file written and the end."""
    row, random_ = Row("kill -9", "`refine` while it writes"), random.Random(seed)
    slowly, end = partial(slow_disk, SLOW_S), time.monotonic() + 60 * minutes
    whole = bench.refine(folder := bench.new(), slowly)
    _wait_for_file(folder)
    began = time.monotonic()
    whole.wait()
    seconds = time.monotonic() - began
    for _ in range(2 * count):
        if row.trials == count or time.monotonic() > end:
            break
        started = bench.refine(folder := bench.new(), slowly)
        _wait_for_file(folder)
        time.sleep(random_.uniform(0, seconds))
        if started.kill():
            _look_and_go_on(bench, row, folder)
    return row


def _wait_for_file(folder: Path) -> None:
    """Wait until a command writes its first file."""
    deadline = time.monotonic() + LONGEST_S
    while not any(path.is_file() for name in ("out", "report") for path in (folder / name).rglob("*")):
        if time.monotonic() > deadline:
            return
        time.sleep(0.005)


def _look_and_go_on(bench: Bench, row: Row, folder: Path) -> None:
    """Check what a killed command left; run it to its end and check that."""
    out, report = folder / "out", folder / "report"
    names = [path.name for path in folder.rglob("*") if path.is_file()]
    row.trials += 1
    trial, begun = f"kill {row.trials}", out.exists() and any(out.iterdir())
    row.seen["in the middle of writing a file"] += any(name.endswith(".part") for name in names)
    row.seen["with some results written"] += begun
    row.seen["before the first result"] += not begun
    row.note(trial, bench.torn(out, report))
    code = bench.refine(folder).wait()
    row.note(trial, [f"exit code {code} afterwards"] * (code != 0))
    row.note(trial, (f"run again: {what}" for what in bench.unfinished(folder, out, report)))


def kill_service_workers(bench: Bench, count: int, seed: int, minutes: float) -> Row:
    """Kill the worker twice, once warm and once as it starts; then a job must be done as if nothing was."""
    row, random_ = Row("kill -9", "a worker of the service"), random.Random(seed)
    end = time.monotonic() + 60 * minutes
    name, data = sorted(files_in(bench.inputs).items())[0]
    with queue_in(folder := bench.new()) as queue:
        began = time.monotonic()
        add = partial(queue.add, "refine", data, {"all": True}, "me")
        finished(add())
        cold, began = time.monotonic() - began, time.monotonic()
        finished(whole := add())
        warm, expected = time.monotonic() - began, bench.expected[name]
        if list(result(whole).values()) != [expected]:
            row.note("undisturbed", ["its result is not the command's"])
        for attempt in range(4 * count):
            if row.trials >= count or time.monotonic() > end:
                break
            job = add()
            time.sleep(random_.uniform(0, warm if attempt % 2 == 0 else cold))
            if job.status not in ("queued", "running"):
                finished(add())
                continue
            kill_child()
            row.trials += 1
            finished(job)
            line = " ".join(job.error or ())
            row.seen[f"job {job.status}"] += 1
            if not (job.status == "done" or (job.status == "failed" and "the worker process ended" in line)):
                row.note(f"kill {row.trials}", [f"job {job.status}: {line}"])
            if job.status == "failed" and job.folder.exists():
                row.note(f"kill {row.trials}", ["the failed job's files are there"])
            if attempt % 2 == 1:
                finished(again := add())
                if list(result(again).values()) != [expected]:
                    row.note(f"kill {row.trials}", [f"the next job is {again.status}: {again.error}"])
        row.seen["workers replaced"] = queue.restarts
    row.note("the end", (f"{left.name} was left over" for left in folder.iterdir() if left.name != "tmp"))
    return row


def kill_child() -> None:
    """Kill the worker, as soon as there is one."""
    deadline = time.monotonic() + LONGEST_JOB_S
    while not (children := active_children()) and time.monotonic() < deadline:
        time.sleep(0.001)
    for child in children:
        if child.pid is not None:
            os.kill(child.pid, signal.SIGKILL)


_NODE: dict[str, Any] = {"num_cpus": 2, "object_store_memory": 100 << 20, "include_dashboard": False}


def kill_batches(bench: Bench, count: int, seed: int, minutes: float) -> list[Row]:
    """Kill a worker, then the driver, look, run to the end; until ``count`` were killed of each."""
    workers, drivers = Row("kill -9", "a worker of `batch`"), Row("kill -9", "the driver of `batch`")
    random_, folder, end = random.Random(seed), bench.new(), time.monotonic() + 60 * minutes
    began = time.monotonic()
    start_batch(bench, folder / "sink", folder).wait()
    seconds = time.monotonic() - began
    if files_in(folder / "sink/pictures") != bench.expected:
        drivers.note("undisturbed", ["its results are not the command's"])
    while drivers.trials < count and time.monotonic() < end:
        folder = bench.new()
        driver = start_batch(bench, folder / "sink", folder)
        time.sleep(random_.uniform(0, seconds))
        if workers.trials < count and (pids := batch_workers(folder)):
            os.kill(pids[0], signal.SIGKILL)
            workers.trials += 1
            workers.note(f"kill {workers.trials}", check_batch(bench, folder))
            time.sleep(random_.uniform(0, seconds / 2))
        if driver.poll() is None:
            driver.kill()
            drivers.trials += 1
        driver.wait()
        drivers.seen["with some results written"] += (folder / "sink/pictures").exists()
        trial = f"kill {drivers.trials}"
        drivers.note(trial, check_batch(bench, folder))
        code = start_batch(bench, folder / "sink", folder).wait()
        drivers.note(trial, [f"exit code {code} afterwards"] * (code != 0))
        drivers.note(trial, (f"run again: {what}" for what in check_batch(bench, folder, ended=True)))
    return [workers, drivers]


def kill_nodes(bench: Bench, count: int, seed: int, minutes: float) -> Row:
    """A batch on a cluster of two nodes of this machine, one of which is killed; the other goes on."""
    from ray.cluster_utils import Cluster

    row, random_, end = (
        Row("kill -9", "a node of `batch`"),
        random.Random(seed),
        time.monotonic() + 60 * minutes,
    )
    seconds = 0.0
    for attempt in range(count + 1):  # the first one is not disturbed: it tells how long a batch takes
        if time.monotonic() > end:
            break
        folder = bench.new()
        cluster = Cluster(initialize_head=True, head_node_args=_NODE)
        node = cluster.add_node(**_NODE)
        try:
            began = time.monotonic()
            driver = start_batch(
                bench, folder / "sink", folder, "--address", str(cluster.address), "--workers", "2"
            )
            if attempt:
                time.sleep(random_.uniform(0, seconds))
                cluster.remove_node(node, allow_graceful=False)
            code, trial = driver.wait(LONGEST_JOB_S), f"kill {attempt}" if attempt else "undisturbed"
            seconds = seconds or time.monotonic() - began
            row.trials += attempt > 0
            row.seen[f"exit code {code}"] += attempt > 0
            row.note(trial, [f"exit code {code}"] * (code != 0))
            row.note(trial, check_batch(bench, folder, ended=True))
        finally:
            cluster.shutdown()
    return row
