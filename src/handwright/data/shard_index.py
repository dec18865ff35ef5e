"""Where each file of each sample lies in a shard, so that single pictures are read when they are wanted."""

from __future__ import annotations

import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from handwright.errors import DataError


@dataclass(frozen=True)
class Member:
    """One file in a shard."""

    shard: Path  # The tar
    offset: int  # Of its first byte there
    size: int  # In bytes

    def read(self) -> bytes:
        """Its bytes.

        Raises:
            DataError: The shard cannot be read any more.
        """
        try:
            with self.shard.open("rb") as file:
                file.seek(self.offset)
                return file.read(self.size)
        except OSError as error:
            raise DataError(f"cannot read {self.shard}", error.strerror or str(error), "check it") from error


@dataclass(frozen=True)
class ShardIndex:
    """What is in a shard."""

    # Files of each sample by kind ('image.jpg', 'mask.png', 'json', …), by the sample's key
    samples: Mapping[str, Mapping[str, Member]]
    problem: str | None = None  # Why it ends before its end, if it does


def index_shard(shard: Path) -> ShardIndex:
    """Read a shard's table of contents; one that was cut off gives what came before, and the problem."""
    samples: dict[str, dict[str, Member]] = {}
    problem = None
    try:
        size = shard.stat().st_size
        with tarfile.open(shard, "r:") as tar:
            for entry in tar:
                if entry.isfile():
                    if entry.offset_data + entry.size > size:
                        raise tarfile.ReadError("unexpected end of data")
                    key, _, kind = Path(entry.name).name.partition(".")
                    samples.setdefault(key, {})[kind] = Member(shard, entry.offset_data, entry.size)
        if size < tar.offset + tarfile.BLOCKSIZE:
            raise tarfile.ReadError("the end of the archive is missing")
    except (tarfile.TarError, EOFError, OSError) as error:
        problem = f"it is damaged after {list(samples)[-1] if samples else 'its start'} ({error})"
    return ShardIndex(samples, problem)
