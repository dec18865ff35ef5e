"""A world is the same for any number of workers, and goes on after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from handwright.data import synthesise as module
from handwright.data.shards import Entry, list_shards, read_shards
from handwright.data.synthesise import KINDS, World, synthesise, tiled
from handwright.errors import DataError, UsageError

TINY = 64


def _dots(world: World, index: int, photos) -> Entry:
    """A stand-in that is quick: 21 points and noise."""
    size = world.size
    rng = np.random.default_rng([world.seed, index])
    points = rng.uniform(0, size, (21, 2)).round(2).tolist()
    picture = rng.integers(0, 256, (size, size, 3), dtype=np.uint8)
    return Entry(f"{index:08d}", {"image": picture}, {"index": index, "hands": [{"keypoints_px": points}]})


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "PER_SHARD", 6)
    monkeypatch.setitem(KINDS, "dots", _dots)


def _bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in list_shards(folder)}


def test_every_index_is_there_once_and_in_order(tmp_path: Path):
    written = synthesise(tmp_path, "dots", count=20, size=TINY)
    assert (written.samples, written.shards, written.new_shards) == (20, 4, 4)
    assert [e.record["index"] for e in read_shards(list_shards(tmp_path))] == list(range(20))


def test_a_second_run_makes_only_what_is_missing(tmp_path: Path):
    synthesise(tmp_path, "dots", count=20, size=TINY)
    before = _bytes(tmp_path)
    list_shards(tmp_path)[2].unlink()
    assert synthesise(tmp_path, "dots", count=20, size=TINY).new_shards == 1
    assert _bytes(tmp_path) == before


@pytest.mark.parametrize("share", [0.0, 0.5, 0.85])
def test_a_shard_that_is_there_but_cut_is_made_again_and_said(tmp_path: Path, share: float):
    synthesise(tmp_path, "dots", count=20, size=TINY)
    before = _bytes(tmp_path)
    cut = list_shards(tmp_path)[1]
    cut.write_bytes(before[cut.name][: int(share * len(before[cut.name]))])
    said: list[str] = []
    assert synthesise(tmp_path, "dots", count=20, size=TINY, notify=said.append).new_shards == 1
    assert said == [f"{cut.name} is damaged; it is rendered again"]
    assert _bytes(tmp_path) == before


def test_a_shard_with_other_samples_than_its_name_says_is_made_again(tmp_path: Path):
    synthesise(tmp_path, "dots", count=20, size=TINY)
    before = _bytes(tmp_path)
    first, second = list_shards(tmp_path)[:2]
    second.write_bytes(before[first.name])
    assert synthesise(tmp_path, "dots", count=20, size=TINY).new_shards == 1
    assert _bytes(tmp_path) == before


def test_a_larger_world_keeps_whole_shards_and_leaves_no_index_twice(tmp_path: Path):
    synthesise(tmp_path, "dots", count=9, size=TINY)
    synthesise(tmp_path, "dots", count=20, size=TINY)
    assert [e.record["index"] for e in read_shards(list_shards(tmp_path))] == list(range(20))


def test_a_smaller_world_is_refused_and_nothing_is_deleted(tmp_path: Path):
    synthesise(tmp_path, "dots", count=20, size=TINY)
    before = _bytes(tmp_path)
    with pytest.raises(DataError, match="up to number 20"):
        synthesise(tmp_path, "dots", count=9, size=TINY)
    assert _bytes(tmp_path) == before


def test_another_world_is_not_mixed_in(tmp_path: Path):
    synthesise(tmp_path, "dots", count=6, size=TINY)
    with pytest.raises(DataError, match="another world"):
        synthesise(tmp_path, "dots", count=6, size=TINY, seed=1)
    (tmp_path / "world.json").unlink()
    with pytest.raises(DataError, match="unknown world"):
        synthesise(tmp_path, "dots", count=6, size=TINY)


@pytest.mark.parametrize(
    "options", [{"kind": "feet"}, {"count": 0}, {"size": 8}, {"size": 9999}, {"workers": 0}, {"seed": -1}]
)
def test_options_that_make_no_sense_are_refused(tmp_path: Path, options):
    with pytest.raises(UsageError):
        synthesise(tmp_path / "new", **options)
    assert not (tmp_path / "new").exists()


def test_a_sheet_shows_the_first_pictures(tmp_path: Path):
    synthesise(tmp_path, "dots", count=7, size=TINY, sheet=True)
    entries = list(read_shards(list_shards(tmp_path)))
    assert tiled([entry.pictures["image"] for entry in entries], 5).shape == (2 * TINY, 5 * TINY, 3)
    assert (tmp_path / "sheet.jpg").stat().st_size > 1000


def test_real_hands_are_the_same_with_one_worker_and_two(tmp_path: Path):
    for name, workers in (("one", 1), ("two", 2)):
        synthesise(tmp_path / name, "hands", count=8, size=TINY, workers=workers)
    assert _bytes(tmp_path / "one") == _bytes(tmp_path / "two")


def test_a_killed_run_leaves_whole_shards_and_is_taken_up_again(tmp_path: Path):
    script = (
        "import sys, time; from pathlib import Path; from handwright.data import synthesise as m; "
        "m.PER_SHARD = 6; "
        "hold = lambda done, _: time.sleep(3600 * (done >= 6 * int(sys.argv[2]))); "
        f"m.synthesise(Path(sys.argv[1]), 'hands', count=24, size={TINY}, progress=hold)"
    )
    folder = tmp_path / "killed"
    for shards in (1, 2):
        run = subprocess.Popen([sys.executable, "-c", script, str(folder), str(shards)])
        while run.poll() is None and len(list(folder.glob("*.tar"))) < shards:
            time.sleep(0.02)
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
        assert len(list(read_shards(list_shards(folder)))) == 6 * shards
    synthesise(folder, "hands", count=24, size=TINY)
    synthesise(tmp_path / "whole", "hands", count=24, size=TINY)
    assert _bytes(folder) == _bytes(tmp_path / "whole")


def test_a_world_of_one_defect_shows_no_other(tmp_path: Path):
    synthesise(tmp_path, "defects", count=6, seed=3, size=TINY, defect="split")
    shown = [entry.record["defects"] for entry in read_shards(list_shards(tmp_path))]
    assert {name for names in shown for name in names} == {"split"}
    with pytest.raises(DataError, match="another world"):
        synthesise(tmp_path, "defects", count=6, seed=3, size=TINY, defect="fused")


@pytest.mark.parametrize(("kind", "defect"), [("hands", "split"), ("defects", "seven")])
def test_a_defect_that_a_world_cannot_show_is_refused(tmp_path: Path, kind: str, defect: str):
    with pytest.raises(UsageError, match="defect"):
        synthesise(tmp_path, kind, count=6, size=TINY, defect=defect)
    assert not list(tmp_path.iterdir())
