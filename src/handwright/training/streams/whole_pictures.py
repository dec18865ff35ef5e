"""Whole pictures with all that is known of their hands: what the proposal network learns from."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.data.photographs import decode_photo, read_photo
from handwright.data.shards import read_records
from handwright.errors import DataError, UsageError
from handwright.training.streams.photographs import is_test_only

CALIBRATION_BELOW = "1a"
"""Pictures whose group's sha256 starts below this are kept from training: thresholds are set on them."""

_LEAST_SEEN = 6
_OVAL = np.stack([np.cos(np.arange(21) * 2 * np.pi / 21), np.sin(np.arange(21) * 2 * np.pi / 21)], 1) / 2


@dataclass(frozen=True, eq=False)
class LabelledPicture:
    """A picture and its hands."""

    pixels: UInt8[np.ndarray, "h w 3"]  # sRGB
    # float32 [N, 21, 2] landmarks in pixels, MediaPipe order; of hands known by their box alone, an oval in
    # it
    hands: Float[np.ndarray, "n 21 2"]
    directed: Bool[np.ndarray, "n"]  # , where the hand points is known
    seen: Bool[np.ndarray, "n"]  # , enough of it is seen to be found
    complete: bool  # No other hand is in the picture
    kind: str  # 'photograph', or the kind of world that it was rendered in


def load_pictures(folder: Path, largest_px: int, *, calibration: bool = False) -> list[LabelledPicture]:
    """The pictures of every shard in a folder and below, in the order of paths.

    Args:
        folder: With shards of ``handwright synth``, and of photographs from
            ``scripts/make_photograph_pictures.py``.
        largest_px: Larger ones are made so large on their longer side.
        calibration: Those that are kept from training instead of those to train on.

    Raises:
        UsageError: There is none.
        DataError: A shard is damaged.
    """
    found = list(_read(sorted(folder.rglob("*.tar")), largest_px, calibration))
    if not any(len(picture.hands) for picture in found):
        raise UsageError(f"{folder} holds no pictures of hands", "", "make some with `handwright synth`")
    return found


def is_calibration(record: Mapping[str, Any]) -> bool:
    """Whether a sample is kept from training; all samples of one photograph are, or none is.

    Raises:
        DataError: It shows a photograph that the split keeps for tests.
    """
    refuse_test_only(record)
    return hashlib.sha256(group_of(record).encode()).hexdigest()[:2] < CALIBRATION_BELOW


def refuse_test_only(record: Mapping[str, Any]) -> None:
    """Raise if a sample shows a photograph that the split keeps for tests, be it behind a rendered hand.

    Raises:
        DataError: It does.
    """
    for photograph in (record.get("photograph") or record, record.get("background") or {}):
        if is_test_only(photograph.get("sha256") or "ff"):
            name = photograph.get("name") or photograph.get("source")
            raise DataError(
                f"{name} is a test-only photograph",
                "nothing is learnt or set on those",
                "make the shard without it",
            )


def group_of(record: Mapping[str, Any]) -> str:
    """Name of what a sample shows: samples of one photograph have the same."""
    photograph = record.get("photograph") or record
    return str(photograph.get("sha256") or f"{record['kind']}-{record['seed']}-{record['index']}")


def _read(shards: list[Path], largest_px: int, calibration: bool) -> Iterator[LabelledPicture]:
    for sample in itertools.chain.from_iterable(read_records([shard]) for shard in shards):
        if isinstance(sample, DataError):
            raise sample
        if is_calibration(sample.record) == calibration:
            pixels = decode_photo(read_photo(sample.shard / sample.image), sample.image)
            yield sized(labelled(pixels, sample.record), largest_px)


def labelled(pixels: UInt8[np.ndarray, "h w 3"], record: Mapping[str, Any]) -> LabelledPicture:
    """A picture with the hands of its record.

    Surgery names one hand of a photograph and backgrounds may be photographs: there may be other hands.
    """
    boxes = np.array(record.get("boxes_xyxy_px", []), np.float32).reshape(-1, 2, 2)
    ovals = boxes.mean(1)[:, None] + np.diff(boxes, axis=1) * _OVAL
    points = np.array([hand["keypoints_px"] for hand in record["hands"]], np.float32).reshape(-1, 21, 2)
    visible = np.array([hand["visible"] for hand in record["hands"]], np.bool_).reshape(-1, 21)
    photograph = record["domain"] == "photograph"
    return LabelledPicture(
        pixels,
        np.concatenate([points, ovals]).astype(np.float32),
        np.arange(len(points) + len(ovals)) < len(points),
        np.concatenate([visible.sum(1) >= _LEAST_SEEN, np.ones(len(ovals), np.bool_)]),
        bool(record.get("complete", not photograph and record.get("place") != "photograph")),
        "photograph" if photograph else str(record["kind"]),
    )


def sized(picture: LabelledPicture, largest_px: int) -> LabelledPicture:
    """The same picture, ``largest_px`` on its longer side if it was larger."""
    height, width = picture.pixels.shape[:2]
    scale = largest_px / max(height, width)
    if scale >= 1:
        return picture
    size = max(1, round(width * scale)), max(1, round(height * scale))
    smaller = cv2.resize(picture.pixels, size, interpolation=cv2.INTER_AREA)
    return replace(picture, pixels=smaller, hands=picture.hands * np.float32(scale))
