"""Packs: pictures of one kind at 256 px, small enough to carry and quickly decoded into a GPU's memory."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Int, UInt8

from handwright.data.shards import Member, decode_picture, index_shard
from handwright.errors import DataError
from handwright.image import write_atomically
from handwright.training.streams.crops import load_lot, repair_area, sized
from handwright.training.streams.picture_shards import held_out, resized

SIDE_PX = 256
"""Side of packed pictures."""

_DEPTH_QUALITY = 60  # Of WebP; a depth control image is smooth


@dataclass(frozen=True, eq=False)
class Packed:
    """A picture with what the base learns from it."""

    pixels: UInt8[np.ndarray, "s s 3"]  # sRGB
    depth: UInt8[np.ndarray, "s s"]  # Depth control image of the hands; zeros where it is not known
    mask: Bool[np.ndarray, "s s"]  # The hands with their repair margin; empty where there is none
    captions: Sequence[str]  # Wordings
    held_out: bool  # Whether it is kept from training


def pictures_of_shard(shard: Path) -> Iterator[Packed]:
    """The pictures of a shard of ``handwright synth``.

    Raises:
        DataError: The shard is damaged.
    """
    index = index_shard(shard)
    if index.problem is not None:
        raise index.problem
    for key, files in index.samples.items():
        record = json.loads(files["json"].read())
        captions = record.get("captions") or {"natural": record["caption"]}
        depth = _plane(files["depth.png"], key)
        yield Packed(
            resized(_picture(files, key), SIDE_PX),
            depth,
            repair_area(depth) & bool(depth.any()),
            list(dict.fromkeys(captions.values())),
            held_out(f"{shard.name}/{key}"),
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
    for picture in pictures:
        files.append(_encoded(".webp", picture.pixels[..., ::-1], [cv2.IMWRITE_WEBP_QUALITY, quality]))
        files.append(_encoded(".webp", picture.depth, [cv2.IMWRITE_WEBP_QUALITY, _DEPTH_QUALITY]))
        files.append(_encoded(".png", picture.mask.astype(np.uint8) * 255, [cv2.IMWRITE_PNG_BILEVEL, 1]))
        rows.append({"captions": list(picture.captions), "held_out": picture.held_out})
    ends = np.cumsum([len(file) for file in files])
    text = np.frombuffer(json.dumps(rows).encode(), np.uint8)
    write_atomically(
        target, lambda file: np.savez_compressed(file, bytes=np.concatenate(files), ends=ends, rows=text)
    )


def _encoded(kind: str, plane: np.ndarray, options: Sequence[int]) -> UInt8[np.ndarray, "n"]:
    return cv2.imencode(kind, np.ascontiguousarray(plane), options)[1].ravel()


def captions_of_pack(path: Path) -> list[str]:
    """Every wording of a pack's pictures.

    Raises:
        DataError: It cannot be read.
    """
    return [text for row in _opened(path)[2] for text in row["captions"]]


def _opened(path: Path) -> tuple[UInt8[np.ndarray, "b"], Int[np.ndarray, "f"], list[dict[str, Any]]]:
    """Bytes of all files, where each ends, and what is known of the pictures."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return file["bytes"], file["ends"], json.loads(file["rows"].tobytes())
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{path} is no pack of pictures", str(error), "make it anew") from error


def pictures_of_pack(path: Path) -> Iterator[Packed]:
    """The pictures of a pack.

    Raises:
        DataError: It cannot be read.
    """
    data, ends, rows = _opened(path)
    files = np.split(data, ends[:-1])
    for k, row in enumerate(rows):
        image, depth, mask = (
            decode_picture(file.tobytes(), path.name, colour=colour)
            for file, colour in zip(files[3 * k : 3 * k + 3], (True, False, False), strict=True)
        )
        # lossy compression leaves traces beside the hands
        depth = np.where(mask > 0, depth, 0).astype(np.uint8)
        yield Packed(image, depth, mask > 0, row["captions"], row["held_out"])
