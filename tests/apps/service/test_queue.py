"""Jobs: their order, their bounds and their end."""

from __future__ import annotations

import tempfile
import time
from types import SimpleNamespace

import pytest

from handwright.apps.service import queue as module
from handwright.apps.service.queue import FINISHED, JobQueue, QueueFullError
from handwright.apps.service.settings import ServiceSettings
from tests.apps.service import fakes


@pytest.fixture
def opened(monkeypatch):
    """A function that opens a queue with bounds; all are closed in the end."""
    monkeypatch.setattr(module, "work_until_closed", fakes.act)
    queues = []

    def open_queue(**bounds):
        queues.append(JobQueue(ServiceSettings(**bounds)))
        return queues[-1]

    yield open_queue
    for queue in queues:
        queue.close()


def ended(job, seconds=20.0):
    end = time.monotonic() + seconds
    while job.status not in FINISHED and time.monotonic() < end:
        time.sleep(0.02)
    assert job.status in FINISHED
    return job


def test_jobs_are_done_in_turn_by_one_process(opened):
    queue = opened()
    jobs = [queue.add("review", b"x", {"prompt": "p"}, "me") for _ in range(3)]
    assert {ended(job).status for job in jobs} == {"done"}
    assert len({job.result["pid"] for job in jobs}) == 1
    assert jobs[0].result["options"] == {"prompt": "p"}
    assert (jobs[0].folder / "output.png").read_bytes() == b"mended x"
    assert jobs[0].finished <= jobs[1].finished <= jobs[2].finished
    assert queue.restarts == 0


def test_an_error_leaves_the_worker_as_it_was(opened):
    queue = opened()
    bad, good = queue.add("refine", b"bad", {}, "me"), queue.add("refine", b"x", {}, "me")
    assert ended(bad).error == ("cannot read it", "it is bad", "send another")
    assert bad.status == "failed"
    assert ended(good).status == "done"
    assert queue.restarts == 0
    assert not bad.folder.exists()


def test_whoever_sees_that_a_job_failed_finds_no_file_of_it(opened, monkeypatch):
    queue, seen = opened(), []
    keep = SimpleNamespace(rmtree=lambda *_, **__: seen.extend(job.status for job in queue._jobs.values()))
    with monkeypatch.context() as patched:
        patched.setattr(module, "shutil", keep)
        ended(queue.add("refine", b"bad", {}, "me"))
    assert seen == ["running"]


def test_a_crash_loses_only_its_job_and_is_admitted(opened):
    queue = opened()
    lost, next_one = queue.add("refine", b"crash", {}, "me"), queue.add("refine", b"x", {}, "me")
    assert ended(lost).status == "failed"
    assert lost.error[1] == "the worker process ended"
    assert ended(next_one).status == "done"
    assert queue.restarts == 1


def test_a_cancelled_job_frees_its_worker_at_once(opened):
    queue = opened()
    long, waiting, last = (queue.add("refine", b, {}, "me") for b in (b"sleep60", b"x", b"x"))
    while long.stage != "find":
        time.sleep(0.02)
    assert (queue.position(long), queue.position(waiting), queue.position(last)) == (None, 1, 2)
    queue.cancel(waiting)
    queue.cancel(long)
    assert (long.status, waiting.status) == ("cancelled", "cancelled")
    assert ended(last).status == "done"
    assert last.started - long.finished < 2
    queue.cancel(last)
    assert last.status == "done"


def test_what_takes_too_long_is_stopped(opened):
    queue = opened(max_seconds=0.5)
    job = ended(queue.add("refine", b"sleep60", {}, "me"))
    assert (job.status, job.error[1]) == ("failed", "it took more than 0.5 s")


def test_what_needs_too_much_memory_is_stopped(opened):
    queue = opened(max_memory_gb=0.35)
    job = ended(queue.add("refine", b"hog", {}, "me"))
    assert (job.status, job.error[1]) == ("failed", "it needed more than 0.35 GB of memory")


def test_no_more_jobs_wait_than_may(opened):
    queue = opened(max_queue=1)
    first = queue.add("refine", b"sleep60", {}, "me")
    while first.status != "running":
        time.sleep(0.02)
    queue.add("refine", b"x", {}, "me")
    with pytest.raises(QueueFullError, match="1 jobs wait"):
        queue.add("refine", b"x", {}, "me")


def test_results_expire_by_age_and_by_number(opened):
    queue = opened(keep_seconds=2.0, max_results=2)
    jobs = [ended(queue.add("refine", b"x", {}, "me")) for _ in range(3)]
    assert queue.get(jobs[0].id, "me") is None
    assert queue.get(jobs[2].id, "me") is jobs[2]
    time.sleep(2.1)
    assert queue.get(jobs[2].id, "me") is None
    assert not any(job.folder.exists() for job in jobs)


def test_a_clock_that_jumps_a_day_throws_no_result_away(opened, monkeypatch):
    queue = opened(keep_seconds=60.0)
    job, now = ended(queue.add("refine", b"x", {}, "me")), time.time
    for days in (1, -1):
        monkeypatch.setattr(module.time, "time", lambda days=days: now() + days * 86_400)
        later = ended(queue.add("refine", b"x", {}, "me"))
        assert queue.get(job.id, "me") is job
        assert queue.get(later.id, "me") is later
    assert job.folder.exists()


def test_a_full_disk_is_no_job_and_leaves_nothing(opened, monkeypatch):
    queue = opened()

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(module.Path, "write_bytes", full)
        with pytest.raises(QueueFullError, match="cannot be kept: No space left on device"):
            queue.add("refine", b"x", {}, "me")
    assert queue.waiting == 0
    job = ended(queue.add("refine", b"x", {}, "me"))
    assert job.status == "done"
    assert [path for path in job.folder.parent.iterdir() if path.is_dir()] == [job.folder]


def test_pictures_of_a_service_that_was_killed_are_removed_by_the_next(opened, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left = tmp_path / "handwright-service-killed"
    (left / "job").mkdir(parents=True)
    (left / "job" / "input").write_bytes(b"a picture")
    (left / ".lock").touch()
    living = opened()
    assert not left.exists()
    opened()
    assert ended(living.add("refine", b"x", {}, "me")).status == "done"  # its folder is still there


def test_nobody_sees_the_jobs_of_others(opened):
    queue = opened()
    job = queue.add("refine", b"x", {}, "me")
    assert queue.get(job.id, "you") is None
    assert queue.get("", "me") is None


def test_closing_leaves_no_file_behind(opened):
    queue = opened()
    done, running = ended(queue.add("refine", b"x", {}, "me")), queue.add("refine", b"sleep60", {}, "me")
    folder = done.folder.parent
    queue.close()
    assert running.status == "cancelled"
    assert not folder.exists()
    with pytest.raises(QueueFullError):
        queue.add("refine", b"x", {}, "me")
