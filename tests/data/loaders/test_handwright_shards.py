"""Our own shards as samples: what is good is passed on, what is not is counted with a reason."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest

from handwright.data.loaders import Tally, read_handwright
from handwright.data.shards import Entry, write_shard
from handwright.errors import DataError, UnreadableImageError

POINTS = np.random.default_rng(0).uniform(2, 30, (21, 2)).round(3)


def entry(index: int, **changes) -> Entry:
    hand = {"side": "left", "keypoints_px": POINTS.tolist(), "visible": [True] * 20 + [False], "name": "fist"}
    record = {"index": index, "kind": "hands", "domain": "3D rendered image", "caption": "a hand"}
    picture = np.full((32, 32, 3), index * 10, np.uint8)
    return Entry(f"{index:08d}", {"image": picture}, {**record, "hands": [hand], **changes})


def read(folder: Path):
    tally = Tally()
    return list(tally.samples(read_handwright(folder))), tally


def rewritten(path: Path, name: str, data: bytes) -> None:
    """The same tar with another content under one name."""
    with tarfile.open(path) as tar:
        files = [(m.name, tar.extractfile(m).read()) for m in tar.getmembers()]
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for old, content in files:
            info = tarfile.TarInfo(old)
            body = data if old == name else content
            info.size = len(body)
            tar.addfile(info, io.BytesIO(body))


def test_a_sample_knows_its_hands_picture_caption_and_domain(tmp_path: Path):
    write_shard(tmp_path / "hands-0.tar", [entry(k) for k in range(3)])
    samples, tally = read(tmp_path)
    assert (len(samples), tally.broken.total()) == (3, 0)
    (hand,) = samples[1].hands
    assert (hand.keypoints_px == POINTS).all()
    assert hand.visible.tolist() == [True] * 20 + [False]
    assert hand.bbox_xyxy_px[:2] == pytest.approx(tuple(POINTS[:20].min(0)))
    assert (hand.side, hand.gesture, hand.joints_cam_m) == ("left", "fist", None)
    assert (samples[1].image().pixels == 10).all()
    assert (samples[1].caption, samples[1].domain) == ("a hand", "3D rendered image")
    assert samples[1].source.record == "hands-0.tar/00000001"
    assert len({sample.key for sample in samples}) == 3


def test_people_come_with_their_133_points(tmp_path: Path):
    points = np.random.default_rng(1).uniform(0, 32, (133, 3))
    people = [
        {"wholebody": points.tolist(), "bbox_xyxy_px": [1, 2, 30, 31]},
        {"wholebody": points.tolist()},
    ]
    write_shard(tmp_path / "a.tar", [entry(0, people=people)])
    ((sample,), _) = read(tmp_path)
    assert (sample.people[0].wholebody == points).all()
    assert sample.people[0].bbox_xyxy_px == (1, 2, 30, 31)
    assert sample.people[1].bbox_xyxy_px[:2] == pytest.approx(tuple(points[:, :2].min(0)))


def test_what_the_synthesiser_writes_is_read(tmp_path: Path):
    from handwright.data.synthesise import synthesise

    synthesise(tmp_path, "hands", count=2, size=64, seed=3)
    samples, tally = read(tmp_path)
    assert (len(samples), tally.broken.total()) == (2, 0)
    for sample in samples:
        assert sample.image().pixels.shape == (64, 64, 3)
        assert all(hand.joints_cam_m is not None for hand in sample.hands)


def test_a_shard_cut_in_half_gives_its_first_samples_and_one_counted_fault(tmp_path: Path):
    path = tmp_path / "a.tar"
    write_shard(path, [entry(k) for k in range(4)])
    write_shard(tmp_path / "b.tar", [entry(9)])
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    samples, tally = read(tmp_path)
    assert 1 <= len(samples) < 5
    assert samples[-1].source.record == "b.tar/00000009"
    assert tally.broken.total() == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"hands": [{"side": "left", "visible": [True] * 21}]}, "no keypoints_px"),
        ({"hands": [{"side": "left", "keypoints_px": POINTS.tolist()}]}, "KeyError: 'visible'"),
        (
            {"hands": [{"side": "up", "keypoints_px": POINTS.tolist(), "visible": [True] * 21}]},
            "KeyError: 'up'",
        ),
        ({"camera": {"focal_px": float("nan")}}, "camera holds NaN"),
        ({"people": [{"wholebody": [[1, 2, 3]]}]}, "must have shape [133, 3]"),
        ({"domain": "painting"}, "neither photograph nor render"),
    ],
)
def test_a_record_that_is_broken_is_counted_with_its_reason(tmp_path: Path, changes, reason: str):
    path = tmp_path / "a.tar"
    write_shard(path, [entry(0), entry(1), entry(2)])
    rewritten(path, "00000001.json", json.dumps({**entry(1).record, **changes}).encode())
    samples, tally = read(tmp_path)
    assert [sample.source.record for sample in samples] == ["a.tar/00000000", "a.tar/00000002"]
    ((told, count),) = tally.broken.items()
    assert count == 1
    assert reason in told


def test_a_text_in_place_of_a_picture_is_told_when_it_is_read(tmp_path: Path):
    write_shard(tmp_path / "a.tar", [entry(0)])
    rewritten(tmp_path / "a.tar", "00000000.image.png", b"this is a text")
    ((sample,), _) = read(tmp_path)
    with pytest.raises(UnreadableImageError, match="not a picture"):
        sample.image()


def test_a_folder_without_shards_is_an_error(tmp_path: Path):
    with pytest.raises(DataError, match="no shards"):
        list(read_handwright(tmp_path))
