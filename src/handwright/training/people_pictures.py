"""Whole pictures of one person with their 133 points and the hands' pixels: what stage II learns from.

From shards of ``handwright synth --kind people``, where both are exact, and of photographs from
``scripts/make_people_photographs.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from handwright.data.hands.body import hand_pixels
from handwright.data.shards import Member, decode_picture, file_of
from handwright.errors import UsageError
from handwright.perception.body.body_pose import BodyPose
from handwright.training.square_windows import SquarePicture, SquareWindows, caption_of, corner, records_in
from handwright.training.streams.crop_batches import other_side
from handwright.training.streams.picture_shards import resized
from handwright.training.streams.whole_pictures import refuse_test_only

LEAST_HAND_SHARE = 2500 / 512**2
"""Least share of a picture that its hands fill: 'at least 2500 pixels' (§IV-A), of SD 1.5's 512²."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Person(SquarePicture):
    """A sample: one person in a square picture."""

    hands: Bool[np.ndarray, "r r"]  # Where the hands are seen
    pose: BodyPose  # In pixels of the picture


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


class PeopleStream(SquareWindows[_Stored, Person]):
    """Draws augmented people from shards; see ``SquareWindows``.

    Pictures of several people are left out, and those whose hands are too small (§IV-A).

    Args:
        folder: With shards at any depth.
        resolution: Side of a sample, pixels.

    Raises:
        UsageError: Nothing is left.
        DataError: A shard is damaged, or shows a test-only photograph.
    """

    def __init__(self, folder: Path, resolution: int) -> None:
        super().__init__(list(_people(folder)), resolution)
        if not self.stored:
            raise UsageError(
                f"{folder} holds no pictures of one person whose hands fill {LEAST_HAND_SHARE:.1%} of it",
                "stage II learns to paint people around their hands",
                "make some with `handwright synth --kind people`",
            )

    def window(self, stored: _Stored, share: float, at: tuple[float, float], wording: int) -> Person:
        """See ``SquareWindows``."""
        pixels, hands = stored.read()
        side = max(round(min(hands.shape) * share), 1)
        x, y = (
            corner(np.nonzero(hands.any(axis))[0], side, length, place)
            for axis, length, place in ((0, hands.shape[1], at[0]), (1, hands.shape[0], at[1]))
        )
        window = np.s_[y : y + side, x : x + side]
        points = np.array(stored.record["people"][0]["wholebody"], float)
        return Person(
            pixels=resized(np.ascontiguousarray(pixels[window]), self.resolution),
            hands=resized_mask(hands[window], self.resolution),
            pose=BodyPose.from_wholebody(points).scaled(x, y, self.resolution / side),
            caption=caption_of(stored.record, wording),
        )

    def mirrored(self, sample: Person) -> Person:
        """See ``SquareWindows``."""
        return Person(
            pixels=np.ascontiguousarray(sample.pixels[:, ::-1]),
            hands=np.ascontiguousarray(sample.hands[:, ::-1]),
            pose=sample.pose.mirrored(self.resolution),
            caption=other_side(sample.caption),
        )


def _people(folder: Path) -> Iterator[_Stored]:
    for where, parts, record in records_in(folder):
        image, labels = file_of("image", parts), file_of("parts", parts)
        if image is None or labels is None or len(record.get("people", ())) != 1:
            continue
        refuse_test_only(record)
        found = _Stored(parts[image], parts[labels], record)
        if are_large(found.hands(where)):
            yield found


def are_large(hands: Bool[np.ndarray, "h w"]) -> bool:
    """Whether hands fill enough of their picture for stage II to learn from it (``LEAST_HAND_SHARE``)."""
    return bool(hands.mean() >= LEAST_HAND_SHARE)


def resized_mask(mask: Bool[np.ndarray, "s s"], side: int) -> Bool[np.ndarray, "r r"]:
    """A square mask at another size: a pixel is inside if half of what it covers is."""
    share = cv2.resize(mask.astype(np.float32), (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(share >= 0.5)
