from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from handwright.data.shards import Entry, index_shard, write_shard
from handwright.errors import DataError


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (9, 9, 3), np.uint8) for _ in range(3)]
    mask = np.full((9, 9), 255, np.uint8)
    write_shard(
        tmp_path / "s.tar",
        (Entry(f"{i:04d}", {"image": p, "mask": mask}, {"hands": []}) for i, p in enumerate(pictures)),
    )
    return tmp_path / "s.tar"


def test_every_file_of_every_sample_is_where_it_says(shard):
    index = index_shard(shard)
    assert index.problem is None and list(index.samples) == ["0000", "0001", "0002"]
    for parts in index.samples.values():
        assert set(parts) == {"image.png", "mask.png", "json"}
        assert parts["json"].read() == b'{"hands":[]}'
        assert parts["image.png"].read().startswith(b"\x89PNG")


def test_a_shard_that_was_cut_gives_what_came_before_and_says_so(shard):
    whole = shard.read_bytes()
    samples = index_shard(shard).samples
    within, behind = samples["0001"]["mask.png"].offset + 3, samples["0002"]["json"].offset + 512
    for cut, last in ((within, "0001"), (512, "its start"), (behind, "0002")):
        shard.write_bytes(whole[:cut])
        told = index_shard(shard)
        assert told.problem is not None and last in told.problem.what
        assert all(part.read() for parts in told.samples.values() for part in parts.values())
    shard.write_bytes(b"hello" * 400)
    assert index_shard(shard).samples == {}


def test_a_shard_that_went_away_is_one_clear_line(shard):
    member = index_shard(shard).samples["0000"]["json"]
    shard.unlink()
    with pytest.raises(DataError, match="cannot read"):
        member.read()
    assert "No such file" in str(index_shard(shard).problem)
