"""Shards: what is written is read back, what is damaged is named or counted."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from handwright.data.shards import (
    Entry,
    encode_png,
    list_shards,
    read_records,
    read_shards,
    shard_ranges,
    write_shard,
)
from handwright.errors import DataError

RNG = np.random.default_rng(0)


def entry(index: int, **changes) -> Entry:
    points = RNG.uniform(0, 32, (21, 2)).round(3).tolist()
    record = {"index": index, "hands": [{"keypoints_px": points}], **changes}
    pictures = {
        "image": RNG.integers(0, 256, (32, 32, 3), dtype=np.uint8),
        "depth": RNG.integers(0, 256, (32, 32), dtype=np.uint8),
        "mask": (RNG.random((32, 32)) > 0.5).astype(np.uint8) * 255,
        "parts": RNG.integers(0, 60, (32, 32), dtype=np.uint8),
    }
    return Entry(f"{index:08d}", pictures, record)


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    path = tmp_path / "hands-00000000-00000004.tar"
    write_shard(path, [entry(k) for k in range(5)])
    return path


def test_what_is_written_is_read_back(tmp_path: Path):
    written = [entry(k) for k in range(4)]
    assert write_shard(tmp_path / "a.tar", written) == 4
    for before, after in zip(written, read_shards([tmp_path / "a.tar"]), strict=True):
        assert after.key == before.key
        assert after.record == before.record
        for name, picture in before.pictures.items():
            assert (after.pictures[name] == picture).all()


def test_a_cameras_own_jpeg_is_kept_byte_for_byte(tmp_path: Path):
    data = cv2.imencode(".jpg", RNG.integers(0, 256, (32, 32, 3), dtype=np.uint8))[1].tobytes()
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    one = entry(0)
    shown = {**one.pictures, "image": pixels}
    write_shard(tmp_path / "a.tar", [Entry(one.key, shown, one.record, {"image": data})])
    (after,) = read_shards([tmp_path / "a.tar"])
    assert after.encoded["image"] == data
    assert (after.pictures["image"] == pixels).all()


def test_the_same_entries_give_the_same_bytes(tmp_path: Path):
    entries = [entry(k) for k in range(3)]
    for name in ("a.tar", "b.tar"):
        write_shard(tmp_path / name, entries)
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()


def test_a_writer_that_fails_leaves_nothing(tmp_path: Path):
    def entries():
        yield entry(0)
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        write_shard(tmp_path / "a.tar", entries())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("share", [0.1, 0.35, 0.5, 0.77, 0.95])
def test_a_shard_cut_off_is_an_error_or_a_counted_skip(shard: Path, share: float):
    data = shard.read_bytes()
    shard.write_bytes(data[: int(share * len(data))])
    with pytest.raises(DataError, match="damaged"):
        list(read_shards([shard]))
    *kept, problem = read_records([shard])
    assert [one.record["index"] for one in kept] == list(range(len(kept)))
    assert len(kept) < 5
    assert isinstance(problem, DataError)


def test_a_shard_cut_exactly_between_two_files_is_noticed(shard: Path):
    with tarfile.open(shard) as tar:
        last = tar.getmembers()[10]
    shard.write_bytes(shard.read_bytes()[: last.offset])
    with pytest.raises(DataError, match="damaged"):
        list(read_shards([shard]))


def test_reading_goes_on_with_the_next_shard(shard: Path, tmp_path: Path):
    write_shard(tmp_path / "hands-00000005-00000006.tar", [entry(5), entry(6)])
    shard.write_bytes(shard.read_bytes()[:3000])
    assert [one.record["index"] for one in list(read_records(list_shards(tmp_path)))[-2:]] == [5, 6]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"hands": [{}]}, "no keypoints_px"),
        ({"hands": [{"keypoints_px": [[1, 2]] * 20}]}, "21 finite points"),
        ({"hands": [{"keypoints_px": [[1, float("nan")]] * 21}]}, "21 finite points"),
        ({"hands": None}, "no list of hands"),
        ({"hands": [], "pose": [[0.0, float("nan")]]}, "pose holds NaN"),
        ({"hands": [], "camera": {"focal_px": float("inf")}}, "camera holds NaN or infinity"),
    ],
)
def test_a_record_without_keypoints_is_an_error_or_a_counted_skip(tmp_path: Path, change, said: str):
    path = tmp_path / "a.tar"
    write_shard(path, [entry(0), entry(1)])
    _rewrite(path, "00000000.json", json.dumps({"index": 0, **change}).encode())
    with pytest.raises(DataError, match=said):
        list(read_shards([path]))
    problem, kept = read_records([path])
    assert kept.key == "00000001"
    assert said in str(problem)


@pytest.mark.parametrize("name", ["00000000.json", "00000000.image.png"])
def test_a_text_in_place_of_a_file_is_named(tmp_path: Path, name: str):
    path = tmp_path / "a.tar"
    write_shard(path, [entry(0)])
    _rewrite(path, name, b"this is a text")
    with pytest.raises(DataError, match="00000000"):
        list(read_shards([path]))


def test_nan_cannot_be_written(tmp_path: Path):
    with pytest.raises(ValueError, match="JSON compliant"):
        write_shard(tmp_path / "a.tar", [entry(0, caption=float("nan"))])


def test_an_empty_folder_is_an_error(tmp_path: Path):
    with pytest.raises(DataError, match="no shards"):
        list_shards(tmp_path)


def test_ranges_cover_every_index_once():
    for count, per_shard in ((1, 250), (250, 250), (251, 250), (999, 100)):
        covered = [k for start, stop in shard_ranges(count, per_shard) for k in range(start, stop)]
        assert covered == list(range(count))


def test_png_keeps_every_value():
    picture = RNG.integers(0, 256, (9, 7, 3), dtype=np.uint8)
    back = cv2.imdecode(np.frombuffer(encode_png(picture), np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert (back == picture).all()


def _rewrite(path: Path, name: str, data: bytes) -> None:
    import io

    with tarfile.open(path) as tar:
        files = [(m.name, tar.extractfile(m).read()) for m in tar.getmembers()]
    with tarfile.open(path, "w") as tar:
        for old, content in files:
            info = tarfile.TarInfo(old)
            body = data if old == name else content
            info.size = len(body)
            tar.addfile(info, io.BytesIO(body))
