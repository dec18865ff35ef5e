"""Whole pictures of many shards, mixed by weight: an index in memory, pictures read when they are drawn.

Shards lie in folders that are named after what they show (``hands``, ``people``, ``photographs``, …). Only
whole shards are indexed, so another process may go on writing more beside them.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from handwright.data.shards import Member, decode_picture, file_of, index_shard
from handwright.errors import UsageError

HELD_OUT_ONE_IN = 40
"""One picture in so many, by a hash of its shard and name, is kept from training and measured on."""


@dataclass(frozen=True, kw_only=True)
class PictureMix:
    """Which pictures a stream draws, and how it crops them. All values chosen by eye."""

    # How often each kind is drawn, relative to the others; kinds without shards are left out
    shares: Mapping[str, float]
    # Share of samples cut out at the picture's own resolution; the others are scaled
    native_share: float = 0.5
    smallest_window: float = 0.6  # Scaled samples show at least this share of the picture's shorter side


CODEC_MIX = PictureMix(
    shares={"hands": 0.35, "people": 0.4, "defects": 0.05, "photographs": 0.15, "ai_hands": 0.05}
)
"""What an autoencoder learns from."""


@dataclass(frozen=True)
class StoredPicture:
    """One encoded picture of a shard."""

    name: str  # Of its sample, SHARD/KEY
    file: Member  # Where its bytes are

    def pixels(self) -> UInt8[np.ndarray, "h w 3"]:
        """The decoded picture, uint8 [H, W, 3] sRGB.

        Raises:
            DataError: It cannot be read or decoded.
        """
        return decode_picture(self.file.read(), self.name)


def held_out(name: str) -> bool:
    """Whether the sample of this name, SHARD/KEY, is kept from training."""
    return zlib.crc32(name.encode()) % HELD_OUT_ONE_IN == 0


def none_held_out(folder: Path) -> tuple[str, str, str]:
    """What to raise where nothing is left to measure progress on."""
    why = f"one picture in {HELD_OUT_ONE_IN} is held out, by its name, and there are too few"
    return f"{folder} has no pictures to measure progress on", why, "make more pictures"


class PictureStream:
    """Draws augmented square samples from shards below a folder; everything random comes from the generator.

    Args:
        folder: With shards in folders named after their kind.
        resolution: Side of a sample in px.
        mix: Which kinds, how often, and how they are cropped.

    Raises:
        UsageError: No kind of the mix has pictures, or none is held out.
        DataError: A shard is damaged.
    """

    def __init__(self, folder: Path, resolution: int, mix: PictureMix) -> None:
        self.resolution, self.mix = resolution, mix
        stored = {kind: index_pictures(folder, kind) for kind in mix.shares}
        training = {kind: [p for p in found if not held_out(p.name)] for kind, found in stored.items()}
        self.training = {kind: pictures for kind, pictures in training.items() if pictures}
        self.held_out = {kind: [p for p in stored[kind] if held_out(p.name)] for kind in self.training}
        if not self.training:
            raise UsageError(
                f"{folder} holds no shards of {', '.join(mix.shares)}",
                "each kind has a folder of its own",
                "make some with `handwright synth --kind hands -o DIR/hands`",
            )
        if not any(self.held_out.values()):
            raise UsageError(*none_held_out(folder))
        self.kinds = tuple(self.training)
        weights = np.array([mix.shares[kind] for kind in self.kinds])
        self.weights = weights / weights.sum()

    def draw(self, rng: np.random.Generator, count: int) -> UInt8[np.ndarray, "n r r 3"]:
        """``count`` samples, uint8 [N, R, R, 3]."""
        return np.stack([self._sample(rng) for _ in range(count)])

    def held_out_pictures(self, each: int) -> dict[str, UInt8[np.ndarray, "n r r 3"]]:
        """The middles of the first ``each`` held-out pictures by kind, uint8 [N, R, R, 3].

        They stay the same when shards are added; kinds without any are left out.
        """
        return {
            kind: np.stack([_middle(picture.pixels(), self.resolution) for picture in pictures[:each]])
            for kind, pictures in self.held_out.items()
            if pictures
        }

    def _sample(self, rng: np.random.Generator) -> UInt8[np.ndarray, "r r 3"]:
        pool = self.training[self.kinds[int(rng.choice(len(self.kinds), p=self.weights))]]
        pixels = pool[int(rng.integers(len(pool)))].pixels()
        shorter, resolution = min(pixels.shape[:2]), self.resolution
        native = rng.random() < self.mix.native_share
        share = float(rng.uniform(self.mix.smallest_window, 1.0))
        side = min(shorter, resolution) if native else round(shorter * share)
        y, x = (int(rng.integers(n - side + 1)) for n in pixels.shape[:2])
        sample = resized(pixels[y : y + side, x : x + side], resolution)
        return np.ascontiguousarray(sample[:, ::-1]) if rng.random() < 0.5 else sample


def index_pictures(folder: Path, kind: str) -> list[StoredPicture]:
    """Where every ``image`` of the shards in ``folder/kind`` lies, in the order of names.

    Raises:
        DataError: A shard is damaged.
    """
    found: list[StoredPicture] = []
    for shard in sorted((folder / kind).glob("*.tar")):
        index = index_shard(shard)
        if index.problem is not None:
            raise index.problem
        for key, parts in index.samples.items():
            if (image := file_of("image", parts)) is not None:
                found.append(StoredPicture(f"{shard.name}/{key}", parts[image]))
    return found


def _middle(pixels: UInt8[np.ndarray, "h w 3"], resolution: int) -> UInt8[np.ndarray, "r r 3"]:
    """The largest square in the middle, scaled."""
    side = min(pixels.shape[:2])
    y, x = ((n - side) // 2 for n in pixels.shape[:2])
    return resized(pixels[y : y + side, x : x + side], resolution)


def resized(pixels: UInt8[np.ndarray, "s s 3"], resolution: int) -> UInt8[np.ndarray, "r r 3"]:
    """A square at another size: area average when it shrinks, cubic when it grows."""
    how = cv2.INTER_AREA if len(pixels) > resolution else cv2.INTER_CUBIC
    return np.ascontiguousarray(cv2.resize(pixels, (resolution, resolution), interpolation=how))
