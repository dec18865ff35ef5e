"""Square windows of whole pictures from shards, drawn at random: what streams of whole pictures share.

An index of the shards stays in memory, pictures are read when they are drawn.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
from jaxtyping import UInt8

from handwright.data.shards import Member, index_shard
from handwright.json_text import parse_json
from handwright.training.streams.crop_batches import relit

SMALLEST_WINDOW = 0.75  # Samples show at least this share of the picture's shorter side; chosen by eye


@dataclass(frozen=True, eq=False, kw_only=True)
class SquarePicture:
    """What every sample has."""

    pixels: UInt8[np.ndarray, "r r 3"]  # sRGB
    caption: str  # What is seen


Stored = TypeVar("Stored")
Sample = TypeVar("Sample", bound=SquarePicture)


class SquareWindows(ABC, Generic[Stored, Sample]):
    """Draws augmented samples; everything random comes from the generator given.

    Args:
        stored: The pictures, at least one.
        resolution: Side of a sample, pixels.
    """

    def __init__(self, stored: Sequence[Stored], resolution: int) -> None:
        self.stored, self.resolution = stored, resolution

    def draw(self, rng: np.random.Generator, count: int) -> list[Sample]:
        """``count`` samples: other windows, every second one mirrored, in slightly other light."""
        return [self._sample(rng) for _ in range(count)]

    def shown(self, count: int) -> list[Sample]:
        """The middles of some pictures, the same every time."""
        chosen = np.unique(np.linspace(0, len(self.stored) - 1, count).astype(int))
        return [self.window(self.stored[int(k)], 1.0, (0.5, 0.5), 0) for k in chosen]

    def _sample(self, rng: np.random.Generator) -> Sample:
        stored = self.stored[int(rng.integers(len(self.stored)))]
        share, at = float(rng.uniform(SMALLEST_WINDOW, 1.0)), (float(rng.random()), float(rng.random()))
        sample = self.window(stored, share, at, int(rng.integers(1 << 16)))
        if rng.random() < 0.5:
            sample = self.mirrored(sample)
        return replace(sample, pixels=relit(rng, sample.pixels))

    @abstractmethod
    def window(self, stored: Stored, share: float, at: tuple[float, float], wording: int) -> Sample:
        """A square window of a picture; it holds the hands where it can, and lies ``at`` of what is free.

        Args:
            stored: The picture.
            share: Side of the window over the picture's shorter side.
            at: From 0, as far left and up as it can lie, to 1.
            wording: Number of the caption; captions are counted round.
        """

    @abstractmethod
    def mirrored(self, sample: Sample) -> Sample:
        """The sample flipped left to right: left hands become right hands, in the caption, too."""


def corner(inside: np.ndarray, side: int, length: int, place: float) -> int:
    """Where a window begins along one axis, so that it holds what is ``inside`` if it is large enough."""
    low, high = 0, length - side
    if inside[-1] < inside[0] + side:
        low, high = max(low, int(inside[-1]) + 1 - side), min(high, int(inside[0]))
    return low + round(place * (high - low))


def caption_of(record: Mapping[str, Any], wording: int) -> str:
    """The caption with this number of a sample's different ones, counted round."""
    captions = record.get("captions") or {"natural": record.get("caption") or ""}
    wordings = list(dict.fromkeys(str(words) for words in captions.values()))
    return wordings[wording % len(wordings)]


def records_in(folder: Path) -> Iterator[tuple[str, Mapping[str, Member], dict[str, Any]]]:
    """Shard and key, files by kind, and record of every sample that has one, in shards at any depth.

    Raises:
        DataError: A shard is damaged.
    """
    for shard in sorted(folder.rglob("*.tar")):
        index = index_shard(shard)
        if index.problem is not None:
            raise index.problem
        for key, parts in index.samples.items():
            if "json" in parts:
                yield f"{shard.name}, {key}", parts, parse_json(parts["json"].read().decode())
