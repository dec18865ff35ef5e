"""Uploads and files stay where they belong, and a visitor's jobs end with the visit."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from handwright.apps.service.queue import Job
from handwright.apps.web.sessions import CancelledError, Sessions, file_name
from handwright.apps.web.state import Page
from handwright.errors import HandwrightError, UsageError


class Queue:
    """A queue whose next job goes through these states, one at every look."""

    def __init__(self, folder, *states, error=None):
        self.folder, self.states, self.error, self.cancelled, self.jobs = folder, list(states), error, [], {}

    def add(self, kind, picture, options, owner, files):
        job = Job(id="new", owner=owner, kind=kind, options=options, folder=self.folder, error=self.error)
        self.jobs["new"] = job
        return job

    def position(self, job):
        job.status = self.states.pop(0)
        return 2 if job.status == "queued" else None

    def cancel(self, job):
        if job.status not in ("done", "failed", "cancelled"):
            job.status = "cancelled"
        self.cancelled.append(job.id)

    def get(self, job_id, owner):
        return self.jobs.get(job_id)


def run(sessions):
    steps, lines = sessions.run("me", "look", b"x", {}), []
    while True:
        try:
            lines.append(next(steps))
        except StopIteration as stop:
            return lines, stop.value


def test_a_job_tells_its_place_and_its_stage(tmp_path):
    lines, job = run(Sessions(Queue(tmp_path, "queued", "running", "done"), tmp_path))
    assert lines[0] == "waiting: number 2 in the queue"
    assert lines[1] == "starting (0 s)"
    assert job.status == "done"


def test_a_cancelled_job_and_a_failed_one_are_errors(tmp_path):
    with pytest.raises(CancelledError):
        run(Sessions(Queue(tmp_path, "cancelled"), tmp_path))
    with pytest.raises(HandwrightError, match="cannot read it: it is bad; send another"):
        run(
            Sessions(
                Queue(tmp_path, "failed", error=("cannot read it", "it is bad", "send another")), tmp_path
            )
        )


def test_who_leaves_in_the_middle_frees_the_worker(tmp_path):
    queue = Queue(tmp_path, "running", "running")
    steps = Sessions(queue, tmp_path).run("me", "look", b"x", {})
    next(steps)
    steps.close()
    assert queue.jobs["new"].status == "cancelled"


def test_an_upload_is_taken_once(tmp_path):
    (tmp_path / "a" / "b.png").parent.mkdir()
    (tmp_path / "a" / "b.png").write_bytes(b"data")
    sessions = Sessions(Queue(tmp_path), tmp_path)
    sent = {"path": str(tmp_path / "a" / "b.png"), "name": "b.png"}
    assert sessions.taken(sent) == ("b.png", b"data")
    with pytest.raises(UsageError, match="no such upload"):
        sessions.taken(sent)


@pytest.mark.parametrize("path", ["../secret", "/etc/passwd", "", ".", "link"])
def test_no_path_outside_the_uploads_is_read(tmp_path, path):
    (tmp_path / "secret").write_text("secret")
    uploads = tmp_path / "uploads"
    uploads.mkdir()
    (uploads / "link").symlink_to(tmp_path / "secret")
    sessions = Sessions(Queue(tmp_path), uploads)
    with pytest.raises(UsageError, match="no such upload"):
        sessions.taken({"path": str(uploads / path), "name": "x"})
    assert (tmp_path / "secret").read_text() == "secret"


@pytest.mark.parametrize("sent", [None, [], "x", {}, {"name": "x"}])
def test_what_is_no_upload_is_refused(tmp_path, sent):
    with pytest.raises(UsageError, match="no such upload"):
        Sessions(Queue(tmp_path), tmp_path).taken(sent)


def test_only_files_that_a_job_lists_are_served(tmp_path):
    queue = Queue(tmp_path)
    queue.jobs["j"] = SimpleNamespace(folder=tmp_path, files=("output.png",), status="done")
    sessions = Sessions(queue, tmp_path)
    assert sessions.file("j", "output.png") == tmp_path / "output.png"
    assert sessions.file("j", "../secret") is None
    assert sessions.file("j", "input.png") is None
    assert sessions.file("k", "output.png") is None


def test_a_picture_that_expired_is_one_line(tmp_path):
    sessions = Sessions(Queue(tmp_path), tmp_path)
    with pytest.raises(UsageError, match="load it again"):
        sessions.job("gone")
    with pytest.raises(UsageError, match="there is no picture"):
        sessions.picture_of(Page())


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("a/b\\c.png", "c.png"),
        ("", "picture"),
        ("x" * 300, "x" * 120),
        ("a\nb.png", "ab.png"),
        (None, "None"),
    ],
)
def test_a_files_own_name_loses_what_no_name_should_hold(name, kept):
    assert file_name({"name": name}) == kept
