"""Rendered pictures with the exact parameters of their hands: what T-H2I learns from (HanDiffuser §3.3).

From shards of ``handwright synth``: hand crops (``--kind hands``) and people (``--kind people``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from handwright.data.hands.record import hand_of_record
from handwright.data.shards import Member, decode_picture, file_of
from handwright.errors import UsageError
from handwright.hand.kinematics import hand_in_window, mirror_hand_x
from handwright.training.square_windows import SquarePicture, SquareWindows, caption_of, corner, records_in
from handwright.training.streams.crop_batches import other_side
from handwright.training.streams.picture_shards import resized
from handwright.training.streams.whole_pictures import refuse_test_only
from handwright.types import Hand, Side


@dataclass(frozen=True, eq=False, kw_only=True)
class HandPicture(SquarePicture):
    """A sample: a square picture with its hands' parameters."""

    hands: Mapping[Side, Hand]  # The hands that are seen, in pixels of the picture


@dataclass(frozen=True, eq=False)
class _Stored:
    image: Member
    record: Mapping[str, Any]


class HandPictureStream(SquareWindows[_Stored, HandPicture]):
    """Draws augmented pictures from shards; see ``SquareWindows``.

    Pictures with a malformed hand, or with more than one hand of a side, are left out.

    Args:
        folder: With shards at any depth.
        resolution: Side of a sample, pixels.

    Raises:
        UsageError: Nothing is left.
        DataError: A shard is damaged, or shows a test-only photograph.
    """

    def __init__(self, folder: Path, resolution: int) -> None:
        super().__init__(list(_pictures(folder)), resolution)
        if not any(found.record["hands"] for found in self.stored):
            raise UsageError(
                f"{folder} holds no pictures of sound hands with their parameters",
                "T-H2I learns to paint hands as parameters have them",
                "make some with `handwright synth --kind hands` and `--kind people`",
            )

    def window(self, stored: _Stored, share: float, at: tuple[float, float], wording: int) -> HandPicture:
        """See ``SquareWindows``."""
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
        return HandPicture(
            pixels=resized(np.ascontiguousarray(window), self.resolution),
            hands={hand.side: hand for hand in hands},
            caption=caption_of(record, wording),
        )

    def mirrored(self, sample: HandPicture) -> HandPicture:
        """See ``SquareWindows``."""
        hands = (mirror_hand_x(hand, self.resolution) for hand in sample.hands.values())
        return HandPicture(
            pixels=np.ascontiguousarray(sample.pixels[:, ::-1]),
            hands={hand.side: hand for hand in hands},
            caption=other_side(sample.caption),
        )


def _within(places: np.ndarray, length: int) -> np.ndarray:
    """Pixels along one axis that a window should hold, in rising order; of nothing, the middle."""
    if not len(places):
        return np.array([length // 2])
    return np.clip(np.sort(places), 0, length - 1).astype(int)


def _pictures(folder: Path) -> Iterator[_Stored]:
    for _, parts, record in records_in(folder):
        image = file_of("image", parts)
        if image is None:
            continue
        refuse_test_only(record)
        if sound_hands_are_known(record):
            yield _Stored(parts[image], record)


def sound_hands_are_known(record: Mapping[str, Any]) -> bool:
    """Whether a picture's record has its hands' parameters, none malformed and one of each side at most."""
    hands = record.get("hands", ())
    sides = [hand.get("side") for hand in hands]
    sound = all("translation_m" in hand and not hand.get("defects") for hand in hands)
    return "hands" in record and sound and len(set(sides)) == len(sides)
