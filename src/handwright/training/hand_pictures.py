"""Rendered pictures with the exact parameters of their hands: what T-H2I learns from (HanDiffuser §3.3).

From shards of ``handwright synth``: hand crops (``--kind hands``) and people (``--kind people``). An index
stays in memory, pictures are read when they are drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from handwright.data.hands.record import hand_of_record
from handwright.data.shards import Member, decode_picture, file_of, index_shard
from handwright.errors import UsageError
from handwright.hand.kinematics import hand_in_window, mirror_hand_x
from handwright.json_text import parse_json
from handwright.training.people_pictures import SMALLEST_WINDOW, corner, wordings_of
from handwright.training.streams.crop_batches import other_side, relit
from handwright.training.streams.picture_shards import resized
from handwright.training.streams.whole_pictures import refuse_test_only
from handwright.types import Hand, Side


@dataclass(frozen=True, eq=False)
class HandPicture:
    """A sample: a square picture."""

    pixels: UInt8[np.ndarray, "r r 3"]  # sRGB
    hands: Mapping[Side, Hand]  # The hands that are seen, in pixels of the picture
    caption: str  # What is seen


@dataclass(frozen=True, eq=False)
class _Stored:
    image: Member
    record: Mapping[str, Any]


class HandPictureStream:
    """Draws augmented pictures from shards; everything random comes from the generator given.

    Pictures with a malformed hand, or with more than one hand of a side, are left out.

    Args:
        folder: With shards at any depth.
        resolution: Side of a sample, pixels.

    Raises:
        UsageError: Nothing is left.
        DataError: A shard is damaged, or shows a test-only photograph.
    """

    def __init__(self, folder: Path, resolution: int) -> None:
        self.resolution = resolution
        self.stored = [found for shard in sorted(folder.rglob("*.tar")) for found in _pictures(shard)]
        if not any(found.record["hands"] for found in self.stored):
            raise UsageError(
                f"{folder} holds no pictures of sound hands with their parameters",
                "T-H2I learns to paint hands as parameters have them",
                "make some with `handwright synth --kind hands` and `--kind people`",
            )

    def draw(self, rng: np.random.Generator, count: int) -> list[HandPicture]:
        """``count`` samples."""
        return [self._sample(rng) for _ in range(count)]

    def shown(self, count: int) -> list[HandPicture]:
        """The middles of some pictures, the same every time."""
        chosen = np.unique(np.linspace(0, len(self.stored) - 1, count).astype(int))
        return [self._picture(self.stored[int(k)], 1.0, (0.5, 0.5), 0) for k in chosen]

    def _sample(self, rng: np.random.Generator) -> HandPicture:
        stored = self.stored[int(rng.integers(len(self.stored)))]
        share, at = float(rng.uniform(SMALLEST_WINDOW, 1.0)), (float(rng.random()), float(rng.random()))
        picture = self._picture(stored, share, at, int(rng.integers(1 << 16)))
        if rng.random() < 0.5:
            picture = mirrored(picture)
        return replace(picture, pixels=relit(rng, picture.pixels))

    def _picture(self, stored: _Stored, share: float, at: tuple[float, float], wording: int) -> HandPicture:
        """A square window of a picture; it holds the hands where it can, and lies ``at`` of what is free."""
        record = stored.record
        pixels = decode_picture(stored.image.read(), f"{stored.image.shard.name}, {record.get('index')}")
        height, width = pixels.shape[:2]
        side = max(round(min(height, width) * share), 1)
        points = np.array([hand["keypoints_px"] for hand in record["hands"]], float).reshape(-1, 2)
        x, y = (
            corner(_within(points[:, axis], length), side, length, place)
            for axis, length, place in ((0, width, at[0]), (1, height, at[1]))
        )
        window, scale = pixels[y : y + side, x : x + side], self.resolution / side
        hands = (hand_in_window(hand_of_record(hand), x, y, scale) for hand in record["hands"])
        wordings = wordings_of(record)
        return HandPicture(
            resized(np.ascontiguousarray(window), self.resolution),
            {hand.side: hand for hand in hands},
            wordings[wording % len(wordings)],
        )


def _within(places: np.ndarray, length: int) -> np.ndarray:
    """Pixels along one axis that a window should hold, in rising order; of nothing, the middle."""
    if not len(places):
        return np.array([length // 2])
    return np.clip(np.sort(places), 0, length - 1).astype(int)


def mirrored(picture: HandPicture) -> HandPicture:
    """The picture flipped left to right: left hands become right hands, in the caption, too."""
    hands = (mirror_hand_x(hand, picture.pixels.shape[1]) for hand in picture.hands.values())
    return HandPicture(
        np.ascontiguousarray(picture.pixels[:, ::-1]),
        {hand.side: hand for hand in hands},
        other_side(picture.caption),
    )


def _pictures(shard: Path) -> Iterator[_Stored]:
    index = index_shard(shard)
    if index.problem is not None:
        raise index.problem
    for parts in index.samples.values():
        image = file_of("image", parts)
        if image is None or "json" not in parts:
            continue
        record: dict[str, Any] = parse_json(parts["json"].read().decode())
        refuse_test_only(record)
        hands = record.get("hands", ())
        sides = [hand.get("side") for hand in hands]
        sound = all("translation_m" in hand and not hand.get("defects") for hand in hands)
        if "hands" in record and sound and len(set(sides)) == len(sides):
            yield _Stored(parts[image], record)
