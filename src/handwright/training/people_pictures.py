"""Whole pictures of one person with their 133 points and the hands' pixels: what stage II learns from.

From shards of ``handwright synth --kind people``, where both are exact, and of photographs from
``scripts/make_people_photographs.py``. An index stays in memory, pictures are read when they are drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from handwright.data.hands.body import hand_pixels
from handwright.data.shards import Member, decode_picture, file_of, index_shard
from handwright.errors import UsageError
from handwright.json_text import parse_json
from handwright.perception.body.body_pose import BodyPose
from handwright.training.streams.crop_batches import other_side, relit
from handwright.training.streams.picture_shards import resized
from handwright.training.streams.whole_pictures import refuse_test_only

LEAST_HAND_SHARE = 2500 / 512**2
"""Least share of a picture that its hands fill: 'at least 2500 pixels' (§IV-A), of SD 1.5's 512²."""

SMALLEST_WINDOW = 0.75  # Samples show at least this share of the picture's shorter side; chosen by eye


@dataclass(frozen=True, eq=False)
class Person:
    """A sample: one person in a square picture."""

    pixels: UInt8[np.ndarray, "r r 3"]  # sRGB
    hands: Bool[np.ndarray, "r r"]  # Where the hands are seen
    pose: BodyPose  # In pixels of the picture
    caption: str  # What is seen


@dataclass(frozen=True, eq=False)
class _Stored:
    image: Member
    parts: Member
    record: Mapping[str, Any]

    def read(self) -> tuple[UInt8[np.ndarray, "h w 3"], Bool[np.ndarray, "h w"]]:
        where = f"{self.image.shard.name}, {self.record.get('index')}"
        return decode_picture(self.image.read(), where), self.hands(where)

    def hands(self, where: str) -> Bool[np.ndarray, "h w"]:
        return hand_pixels(decode_picture(self.parts.read(), where, colour=False))


class PeopleStream:
    """Draws augmented people from shards; everything random comes from the generator given.

    Pictures of several people are left out, and those whose hands are too small (§IV-A).

    Args:
        folder: With shards at any depth.
        resolution: Side of a sample, pixels.

    Raises:
        UsageError: Nothing is left.
        DataError: A shard is damaged, or shows a test-only photograph.
    """

    def __init__(self, folder: Path, resolution: int) -> None:
        self.resolution = resolution
        self.stored = [found for shard in sorted(folder.rglob("*.tar")) for found in _people(shard)]
        if not self.stored:
            raise UsageError(
                f"{folder} holds no pictures of one person whose hands fill {LEAST_HAND_SHARE:.1%} of it",
                "stage II learns to paint people around their hands",
                "make some with `handwright synth --kind people`",
            )

    def draw(self, rng: np.random.Generator, count: int) -> list[Person]:
        """``count`` samples."""
        return [self._sample(rng) for _ in range(count)]

    def shown(self, count: int) -> list[Person]:
        """The middles of some pictures, the same every time."""
        chosen = np.unique(np.linspace(0, len(self.stored) - 1, count).astype(int))
        return [self._person(self.stored[int(k)], 1.0, (0.5, 0.5), 0) for k in chosen]

    def _sample(self, rng: np.random.Generator) -> Person:
        stored = self.stored[int(rng.integers(len(self.stored)))]
        share, at = float(rng.uniform(SMALLEST_WINDOW, 1.0)), (float(rng.random()), float(rng.random()))
        person = self._person(stored, share, at, int(rng.integers(1 << 16)))
        if rng.random() < 0.5:
            person = Person(
                np.ascontiguousarray(person.pixels[:, ::-1]),
                np.ascontiguousarray(person.hands[:, ::-1]),
                person.pose.mirrored(self.resolution),
                other_side(person.caption),
            )
        return Person(relit(rng, person.pixels), person.hands, person.pose, person.caption)

    def _person(self, stored: _Stored, share: float, at: tuple[float, float], wording: int) -> Person:
        """A square window of a picture; it holds the hands where it can, and lies ``at`` of what is free."""
        pixels, hands = stored.read()
        side = max(round(min(hands.shape) * share), 1)
        x, y = (
            corner(np.nonzero(hands.any(axis))[0], side, length, place)
            for axis, length, place in ((0, hands.shape[1], at[0]), (1, hands.shape[0], at[1]))
        )
        window = np.s_[y : y + side, x : x + side]
        points = np.array(stored.record["people"][0]["wholebody"], float)
        size = self.resolution, self.resolution
        mask = cv2.resize(hands[window].astype(np.float32), size, interpolation=cv2.INTER_AREA) >= 0.5
        wordings = wordings_of(stored.record)
        return Person(
            resized(np.ascontiguousarray(pixels[window]), self.resolution),
            np.asarray(mask),
            BodyPose.from_wholebody(points).scaled(x, y, self.resolution / side),
            wordings[wording % len(wordings)],
        )


def corner(inside: np.ndarray, side: int, length: int, place: float) -> int:
    """Where a window begins along one axis, so that it holds what is ``inside`` if it is large enough."""
    low, high = 0, length - side
    if inside[-1] < inside[0] + side:
        low, high = max(low, int(inside[-1]) + 1 - side), min(high, int(inside[0]))
    return low + round(place * (high - low))


def _people(shard: Path) -> Iterator[_Stored]:
    index = index_shard(shard)
    if index.problem is not None:
        raise index.problem
    for key, parts in index.samples.items():
        image, labels = file_of("image", parts), file_of("parts", parts)
        if image is None or labels is None or "json" not in parts:
            continue
        record: dict[str, Any] = parse_json(parts["json"].read().decode())
        if len(record.get("people", ())) != 1:
            continue
        refuse_test_only(record)
        found = _Stored(parts[image], parts[labels], record)
        if found.hands(f"{shard.name}, {key}").mean() >= LEAST_HAND_SHARE:
            yield found


def wordings_of(record: Mapping[str, Any]) -> Sequence[str]:
    """The different captions of a sample."""
    captions = record.get("captions") or {"natural": record.get("caption") or ""}
    return list(dict.fromkeys(str(words) for words in captions.values()))
