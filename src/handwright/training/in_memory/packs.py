"""Packs: pictures of one kind at 256 px, small enough to carry and quickly decoded into a GPU's memory."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, Float16, Int, UInt8
from torch import Tensor

from handwright.data.hands.body import hand_pixels
from handwright.data.hands.record import hand_of_record
from handwright.data.shards import Member, decode_picture, index_shard
from handwright.errors import DataError
from handwright.hand.kinematics import hand_in_window, mirror_hand_x
from handwright.handiffuser.text_hand_encoder import WIDTHS, HandFeatures, features_of
from handwright.image import write_atomically
from handwright.training.hand_pictures import sound_hands_are_known
from handwright.training.people_pictures import are_large, resized_mask
from handwright.training.streams.crops import load_lot, repair_area, sized
from handwright.training.streams.picture_shards import held_out, resized
from handwright.training.streams.whole_pictures import refuse_test_only

SIDE_PX = 256
"""Side of packed pictures."""

_DEPTH_QUALITY = 60  # Of WebP; a depth control image is smooth
_MARGIN, _HAND = 128, 255  # In a pack's mask picture: the repair margin, and the hands' own pixels


@dataclass(frozen=True, eq=False)
class Packed:
    """A picture with what the base learns from it."""

    pixels: UInt8[np.ndarray, "s s 3"]  # sRGB
    depth: UInt8[np.ndarray, "s s"]  # Depth control image of the hands; zeros where it is not known
    mask: Bool[np.ndarray, "s s"]  # The hands with their repair margin; empty where there is none
    captions: Sequence[str]  # Wordings
    held_out: bool  # Whether it is kept from training
    # ``hand_rows`` of the picture and of its mirror image; None where the hands' parameters are not known
    hands: Float16[np.ndarray, "2 2 6 77"] | None = None
    # Of pictures of one person whose hands are large enough for stage II (``are_large``), else None:
    wholebody: Float[np.ndarray, "133 3"] | None = None  # Points, px, and their visibility
    seen_hands: Bool[np.ndarray, "s s"] | None = None  # Where the hands are seen


HAND_NUMBERS = sum(WIDTHS.values()) + 1
"""Numbers of a part of a hand: joints, rotations, vertices (``HandFeatures``), and 1 where it is seen."""


def hand_rows(features: HandFeatures) -> Float16[np.ndarray, "n 2 6 77"]:
    """The numbers of people's hands in one array."""
    seen = features.present[:, :, None, None].expand(*features.joints.shape[:3], 1)
    rows = torch.cat([features.joints, features.rotations, features.vertices, seen.float()], -1)
    return rows.numpy().astype(np.float16)


def features_of_rows(rows: Float[Tensor, "n 2 6 77"]) -> HandFeatures:
    """The hands of ``hand_rows``."""
    joints, rotations, vertices, seen = rows.split((*WIDTHS.values(), 1), -1)
    return HandFeatures(joints, rotations, vertices, seen[:, :, 0, 0] > 0)


def _hands_of(record: Mapping[str, Any]) -> Float16[np.ndarray, "2 2 6 77"] | None:
    """The hands of a record, and of its mirror image; None where they are not known or malformed."""
    if not sound_hands_are_known(record):
        return None
    scale = SIDE_PX / int(record["width"])
    hands = [hand_in_window(hand_of_record(hand), 0, 0, scale) for hand in record["hands"]]
    other = [mirror_hand_x(hand, SIDE_PX) for hand in hands]
    size = (SIDE_PX, SIDE_PX)
    return hand_rows(features_of([{h.side: h for h in hands}, {h.side: h for h in other}], [size, size]))


def _posed(
    files: Mapping[str, Member], record: Mapping[str, Any], key: str
) -> tuple[Float[np.ndarray, "133 3"], Bool[np.ndarray, "s s"]] | None:
    """The person's points and where the hands are seen; None where stage II learns nothing from it."""
    people = record.get("people", ())
    if len(people) != 1 or "parts.png" not in files:
        return None
    seen = hand_pixels(decode_picture(files["parts.png"].read(), key, colour=False))
    if not are_large(seen):
        return None
    points = np.array(people[0]["wholebody"], float)
    points[:, :2] *= SIDE_PX / int(seen.shape[1])
    return points, resized_mask(seen, SIDE_PX)


def pictures_of_shard(shard: Path) -> Iterator[Packed]:
    """The pictures of a shard of ``handwright synth``.

    Raises:
        DataError: The shard is damaged, or shows a test-only photograph.
    """
    index = index_shard(shard)
    if index.problem is not None:
        raise index.problem
    for key, files in index.samples.items():
        record = json.loads(files["json"].read())
        refuse_test_only(record)
        captions = record.get("captions") or {"natural": record["caption"]}
        depth = _plane(files["depth.png"], key)
        points, seen = _posed(files, record, key) or (None, None)
        mask = repair_area(depth) & bool(depth.any())
        yield Packed(
            resized(_picture(files, key), SIDE_PX),
            depth,
            mask if seen is None else mask | seen,
            list(dict.fromkeys(captions.values())),
            held_out(f"{shard.name}/{key}"),
            _hands_of(record),
            points,
            seen,
        )


def _picture(files: Mapping[str, Member], key: str) -> UInt8[np.ndarray, "h w 3"]:
    return decode_picture(
        next(files[name] for name in ("image.jpg", "image.png") if name in files).read(), key
    )


def _plane(file: Member, key: str) -> UInt8[np.ndarray, "s s"]:
    plane = decode_picture(file.read(), key, colour=False)
    return np.asarray(cv2.resize(plane, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA))


def pack_shard(shard: Path, target: Path, quality: int) -> None:
    """Pack one shard of ``handwright synth``."""
    _write(target, pictures_of_shard(shard), quality)


def pack_crops(lot: Path, target: Path, quality: int) -> None:
    """Pack a lot of crops of photographed hands."""
    crops = sized(load_lot(lot), SIDE_PX)
    rows = (
        Packed(
            crops.pixels[k],
            crops.depth[k],
            crops.mask[k],
            str(crops.caption[k]).split("\n"),
            held_out(f"{lot.name}/{k}"),
        )
        for k in range(len(crops))
    )
    _write(target, rows, quality)


def _write(target: Path, pictures: Iterator[Packed], quality: int) -> None:
    files: list[np.ndarray] = []
    rows: list[dict[str, Any]] = []
    hands: list[np.ndarray] = []
    bodies: list[np.ndarray] = []
    for picture in pictures:
        files.append(_encoded(".webp", picture.pixels[..., ::-1], [cv2.IMWRITE_WEBP_QUALITY, quality]))
        files.append(_encoded(".webp", picture.depth, [cv2.IMWRITE_WEBP_QUALITY, _DEPTH_QUALITY]))
        mask = picture.mask.astype(np.uint8) * _MARGIN
        if picture.seen_hands is not None:
            mask[picture.seen_hands] = _HAND
        files.append(_encoded(".png", mask, [cv2.IMWRITE_PNG_COMPRESSION, 9]))
        rows.append(
            {
                "captions": list(picture.captions),
                "held_out": picture.held_out,
                "hands": picture.hands is not None,
                "posed": picture.wholebody is not None,
            }
        )
        if picture.hands is not None:
            hands.append(picture.hands)
        if picture.wholebody is not None:
            bodies.append(picture.wholebody)
    ends = np.cumsum([len(file) for file in files])
    text = np.frombuffer(json.dumps(rows).encode(), np.uint8)
    known = np.array(hands, np.float16).reshape(-1, 2, 2, 6, HAND_NUMBERS)
    arrays: dict[str, Any] = {
        "bytes": np.concatenate(files), "ends": ends, "rows": text, "hands": known,
        "wholebody": np.array(bodies, np.float32).reshape(-1, 133, 3),
    }  # fmt: skip
    write_atomically(target, lambda file: np.savez_compressed(file, **arrays))


def _encoded(kind: str, plane: np.ndarray, options: Sequence[int]) -> UInt8[np.ndarray, "n"]:
    return cv2.imencode(kind, np.ascontiguousarray(plane), options)[1].ravel()


def captions_of_pack(path: Path) -> list[str]:
    """Every wording of a pack's pictures.

    Raises:
        DataError: It cannot be read.
    """
    return [text for row in _opened(path).rows for text in row["captions"]]


class _Opened(NamedTuple):
    data: UInt8[np.ndarray, "b"]  # Bytes of all files
    ends: Int[np.ndarray, "f"]  # Where each ends
    rows: list[dict[str, Any]]  # What is known of the pictures
    hands: Float16[np.ndarray, "k 2 2 6 77"]  # Of those whose hands are known
    wholebody: Float[np.ndarray, "p 133 3"]  # Of those from which stage II learns


def _opened(path: Path) -> _Opened:
    try:
        with np.load(path, allow_pickle=False) as file:
            rows = json.loads(file["rows"].tobytes())
            return _Opened(file["bytes"], file["ends"], rows, file["hands"], file["wholebody"])
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{path} is no pack of pictures", str(error), "make it anew") from error


def pictures_of_pack(path: Path) -> Iterator[Packed]:
    """The pictures of a pack.

    Raises:
        DataError: It cannot be read.
    """
    pack = _opened(path)
    files, hands, bodies = np.split(pack.data, pack.ends[:-1]), iter(pack.hands), iter(pack.wholebody)
    for k, row in enumerate(pack.rows):
        image, depth, mask = (
            decode_picture(file.tobytes(), path.name, colour=colour)
            for file, colour in zip(files[3 * k : 3 * k + 3], (True, False, False), strict=True)
        )
        # lossy compression leaves traces beside the hands
        depth = np.where(mask > 0, depth, 0).astype(np.uint8)
        yield Packed(
            image, depth, mask > 0, row["captions"], row["held_out"],
            next(hands) if row["hands"] else None,
            *((next(bodies), mask == _HAND) if row["posed"] else (None, None)),
        )  # fmt: skip
