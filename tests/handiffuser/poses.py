"""Shards of posed people for tests."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from handwright.data.people.text_poses import pose_record
from handwright.data.shards import Entry, write_shard

PEOPLE = 24


@lru_cache(maxsize=1)
def records() -> tuple[dict[str, Any], ...]:
    """The first people of seed 11 (three of them hold compositions that are kept from training)."""
    return tuple(pose_record(11, index, 256) for index in range(PEOPLE))


def add_poses(folder: Path) -> Path:
    """Write them as one shard."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = [Entry(f"{k:08d}", {}, record) for k, record in enumerate(records())]
    write_shard(folder / "poses-00000000-00000023.tar", entries)
    return folder
