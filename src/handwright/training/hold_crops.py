"""Crops of hands that hold things, soundly or not: what the network of the grasp check learns from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Int, UInt8

from handwright.data.shards import Entry, list_shards, read_shards
from handwright.errors import DataError, UsageError
from handwright.hand.defects import Hold
from handwright.review.critic.upright_crops import GREY, to_opencv_affine
from handwright.training.streams.degradations import corrupted
from handwright.training.streams.photographs import is_test_only

HOLDS = tuple(str(hold) for hold in Hold)
REAL = len(HOLDS)
"""Number of the class of good hands of photographs and generators: only that no hold is broken is known."""

SIDE_PX, ROOM = 184, 2.1  # Side of the crops in shards, in pixels and in hand sizes

RENDER = "render"
"""Origin of renders of holds, of which alone it is known that holds are broken."""

_FOLDS = 5  # One of so many is left out of training


@dataclass(frozen=True, kw_only=True)
class _Drawing:
    """How samples are drawn and worn; all chosen by eye."""

    # Shares of a batch: none, sound, cut, floating, grown, real
    shares: tuple[float, ...] = (0.22, 0.28, 0.13, 0.13, 0.13, 0.11)
    turn_rad: float = 0.15  # Standard deviation of the direction
    growth: float = 0.1  # Of the logarithm of the size
    shift: float = 0.03  # Of the place, in sides of the crop
    # The silhouette's own error beside these, as a share of them: fits are off by as much
    outline_share: float = 0.5
    gain: float = 0.12  # Standard deviation of the logarithm of each channel's gain
    grey_share: float = 0.05  # Share of crops without colour
    degraded_share: float = 0.5  # Share of crops that are blurred, noisy, coded or coarse


_DRAWING = _Drawing()

_DEGRADATIONS = ("blur", "noise", "jpeg", "coarse")


@dataclass(frozen=True, eq=False)
class HoldCrops:
    """Crops of N hands."""

    pixels: UInt8[np.ndarray, "n s s 4"]  # sRGB, and the fitted hand's silhouette
    kinds: Int[np.ndarray, "n"]  # Index into ``HOLDS``, or ``REAL``
    # ``RENDER``, 'person', 'render of a text', 'diffuse of a text', 'generated' or 'photograph'
    origins: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.kinds)


def hold_entry(key: str, crop: UInt8[np.ndarray, "s s 4"], facts: Mapping[str, Any]) -> Entry:
    """A crop as a sample of a shard.

    Args:
        key: Its name there.
        crop: Of ``review.checks.broken_hold.hold_crop`` with ``SIDE_PX`` and ``ROOM``.
        facts: 'state' (a value of ``Hold``, or 'real'), 'origin', 'group' (samples of one group are left out
            together), and of photographs 'sha256'.
    """
    pictures = {"image": np.ascontiguousarray(crop[..., :3]), "mask": np.ascontiguousarray(crop[..., 3])}
    return Entry(key, pictures, {"kind": "hold_crops", "hands": [], **facts})


def is_left_out(record: Mapping[str, Any]) -> bool:
    """Whether a sample is among the fifth that training never sees; all of its group are.

    Raises:
        DataError: It shows a photograph, or a generated picture, that the split keeps for tests.
    """
    if is_test_only(record.get("sha256") or "ff") or record.get("split", "train") != "train":
        raise DataError(
            f"{record['group']} is test-only", "nothing is learnt or set on it", "make the shard without it"
        )
    return int(hashlib.sha256(str(record["group"]).encode()).hexdigest()[:8], 16) % _FOLDS == 0


def load_hold_crops(folder: Path, *, left_out: bool = False) -> HoldCrops:
    """The crops of a folder that ``scripts/make_hold_crops.py`` wrote.

    Args:
        folder: With its shards.
        left_out: Those that training does not see instead of those that it does.

    Raises:
        UsageError: There is none.
        DataError: A shard is damaged, or holds what the split keeps for tests.
    """
    pixels, kinds, origins = list[np.ndarray](), list[int](), list[str]()
    for entry in read_shards(list_shards(folder)):
        record = entry.record
        if record.get("kind") != "hold_crops" or is_left_out(record) != left_out:
            continue
        pixels.append(np.dstack([entry.pictures["image"], entry.pictures["mask"]]))
        kinds.append(REAL if record["state"] == "real" else HOLDS.index(record["state"]))
        origins.append(str(record["origin"]))
    if not pixels:
        raise UsageError(f"{folder} holds no crops of holds", "", "make some with scripts/make_hold_crops.py")
    return HoldCrops(np.stack(pixels), np.array(kinds), tuple(origins))


class HoldStream:
    """Draws training samples; everything random comes from the generator given.

    Args:
        crops: Where to draw from.
        size_px: Side of a sample.
        context: Its side in hand sizes.
    """

    def __init__(self, crops: HoldCrops, size_px: int, context: float) -> None:
        self.crops, self.size_px, self.scale = crops, size_px, size_px / SIDE_PX * ROOM / context
        self._pools = [self._pools_of(kind) for kind in range(REAL + 1)]
        there = np.array([bool(pools) for pools in self._pools])
        shares = np.array(_DRAWING.shares) * there
        self._shares = shares / shares.sum()

    def _pools_of(self, kind: int) -> list[Int[np.ndarray, "m"]]:
        """The crops of a class by origin; each origin is drawn as often, renders of holds as all others.

        Broken holds are renders of holds; if few others were, their look would be taken for a sign.
        """
        origins, mine = np.array(self.crops.origins), self.crops.kinds == kind
        pools = [np.flatnonzero(mine & (origins == one)) for one in np.unique(origins[mine])]
        holds = np.flatnonzero(mine & (origins == RENDER))
        return pools + [holds] * (len(pools) - 2 if len(holds) else 0)

    def draw(self, rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Crops uint8 [B, S, S, 4] and their classes int64 [B]."""
        kinds = rng.choice(len(self._shares), count, p=self._shares)
        return np.stack([self._one(rng, int(kind)) for kind in kinds]), kinds.astype(np.int64)

    def plain(self) -> UInt8[np.ndarray, "n s s 4"]:
        """All crops as the review cuts them."""
        return np.stack([self._cut(pixels, 0.0, 1.0, np.zeros(2)) for pixels in self.crops.pixels])

    def _one(self, rng: np.random.Generator, kind: int) -> UInt8[np.ndarray, "s s 4"]:
        pools = self._pools[kind]
        pool = pools[int(rng.integers(len(pools)))]
        pixels = self.crops.pixels[pool[int(rng.integers(len(pool)))]]
        if rng.random() < 0.5:
            pixels = pixels[:, ::-1]
        turn, growth = rng.normal(0, _DRAWING.turn_rad), rng.normal(0, _DRAWING.growth)
        shift, off = rng.normal(0, _DRAWING.shift, 2), _DRAWING.outline_share * rng.normal(0, 1, 4)
        cut = self._cut(pixels, turn, float(np.exp(growth)), shift)
        off *= np.array([_DRAWING.turn_rad, _DRAWING.growth, _DRAWING.shift, _DRAWING.shift])
        outline = self._cut(pixels, turn + off[0], float(np.exp(growth + off[1])), shift + off[2:])
        return np.dstack([worn(rng, cut[..., :3]), outline[..., 3]])

    def _cut(
        self, pixels: UInt8[np.ndarray, "t t 4"], turn: float, growth: float, shift: np.ndarray
    ) -> UInt8[np.ndarray, "s s 4"]:
        scale, half = self.scale * growth, np.array([SIDE_PX / 2, SIDE_PX / 2])
        c, s = scale * np.cos(turn), scale * np.sin(turn)
        linear = np.array([[c, -s], [s, c]])
        affine = np.column_stack([linear, self.size_px * (0.5 + shift) - linear @ half])
        return cv2.warpAffine(
            np.ascontiguousarray(pixels),
            to_opencv_affine(affine),
            (self.size_px, self.size_px),
            flags=cv2.INTER_LINEAR,
            borderValue=(GREY, GREY, GREY, 0),
        )


def worn(rng: np.random.Generator, pixels: UInt8[np.ndarray, "s s 3"]) -> UInt8[np.ndarray, "s s 3"]:
    """Colours of a crop changed, and half of them spoilt, as pictures differ that no renderer makes."""
    values = pixels.astype(np.float32) / 255
    if rng.random() < _DRAWING.grey_share:
        values[:] = values.mean(2, keepdims=True)
    values = values ** float(np.exp(rng.normal(0, _DRAWING.gain))) * np.exp(rng.normal(0, _DRAWING.gain, 3))
    changed = np.clip(values * 255 + 0.5, 0, 255).astype(np.uint8)
    if rng.random() >= _DRAWING.degraded_share:
        return changed
    return corrupted(rng, changed, str(rng.choice(_DEGRADATIONS)), float(rng.uniform(0, 0.6) ** 1.5))
