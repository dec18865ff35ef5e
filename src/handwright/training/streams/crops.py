"""Square hand crops to train on, as arrays: from shards of ``handwright synth`` and lots of photographs."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int8, UInt8

from handwright.data.hands.defects.generators import DEFECTS
from handwright.data.shards import Entry, read_shards
from handwright.errors import UsageError
from handwright.image import write_atomically
from handwright.perception.body.body_pose import boxes_meet

CONTEXT = 1.9  # Side of a crop in sizes of its hand

_LEAST_PX, _LEAST_SEEN = 40, 6
_SIDES = {"left": 0, "right": 1}


@dataclass(frozen=True, eq=False)
class Crops:
    """Hand crops with what is known of them."""

    pixels: UInt8[np.ndarray, "n s s 3"]  # sRGB
    # depth control image of the true mesh, of photographs of a fitted one; zeros where it is not known
    depth: UInt8[np.ndarray, "n s s"]
    mask: Bool[np.ndarray, "n s s"]  # the hand with its repair margin
    # float32 [N, 21, 2] in the crop, MediaPipe order; of the sound hand that it should be
    landmarks_px: Float[np.ndarray, "n 21 2"]
    visible: Bool[np.ndarray, "n 21"]  # landmarks that are seen
    side: Int8[np.ndarray, "n"]  # int8 [N] 0 left, 1 right, −1 unknown
    defects: Bool[np.ndarray, "n d"]  # in the order of ``DEFECTS``
    caption: np.ndarray  # [N] what is seen, with its domain word: wordings to choose from, one a line
    rendered: Bool[np.ndarray, "n"]  # , True for renders, whose depth is exact
    # float32 [N, 21, 2] of the other side's hand where two that meet share a crop; NaN where there is none
    other_px: Float[np.ndarray, "n 21 2"] = field(default_factory=lambda: np.zeros((0, 21, 2), np.float32))

    def __post_init__(self) -> None:
        if len(self.other_px) != len(self.pixels):
            nobody = np.full((len(self.pixels), 21, 2), np.nan, np.float32)
            object.__setattr__(self, "other_px", nobody)

    def __len__(self) -> int:
        """Number of crops."""
        return len(self.pixels)

    def where(self, chosen: object) -> Crops:
        """The chosen crops (indices or a bool array)."""
        return Crops(**{f.name: getattr(self, f.name)[chosen] for f in fields(self)})


def joined(parts: Sequence[Crops]) -> Crops:
    """Several lots as one.

    Raises:
        UsageError: There is none.
    """
    if not parts:
        raise UsageError("there are no crops to train on", "", "make some with `handwright synth`")
    return Crops(**{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Crops)})


def save_crops(path: Path, crops: Crops) -> None:
    """Write a lot, whole or not at all; masks are packed to bits."""
    arrays = {f.name: getattr(crops, f.name) for f in fields(Crops)}
    arrays["mask"] = np.packbits(crops.mask, axis=-1)
    write_atomically(path, lambda file: np.savez_compressed(file, **arrays))


def load_lots(folder: Path, size: int) -> list[Crops]:
    """Every .npz lot in a folder and below, in the order of paths, its crops brought to ``size``.

    Raises:
        UsageError: One of them cannot be read.
    """
    return [sized(load_lot(path), size) for path in sorted(folder.rglob("*.npz"))]


def sized(crops: Crops, size: int) -> Crops:
    """The same crops with ``size`` pixels a side."""
    stored = crops.pixels.shape[1]
    if stored == size or not len(crops):
        return crops
    how = cv2.INTER_AREA if size < stored else cv2.INTER_CUBIC

    def all_of(planes: np.ndarray, kind: int) -> np.ndarray:
        return np.stack([cv2.resize(plane, (size, size), interpolation=kind) for plane in planes])

    return replace(
        crops,
        pixels=all_of(crops.pixels, how),
        depth=all_of(crops.depth, cv2.INTER_AREA),
        mask=all_of(crops.mask.astype(np.uint8), cv2.INTER_NEAREST) > 0,
        landmarks_px=crops.landmarks_px * np.float32(size / stored),
        other_px=crops.other_px * np.float32(size / stored),
    )


def load_lot(path: Path) -> Crops:
    """Read one lot.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            arrays = {f.name: file[f.name] for f in fields(Crops) if f.name in file or f.name != "other_px"}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise UsageError(f"{path} is no lot of crops", str(error), "delete it and make it again") from error
    side = arrays["pixels"].shape[2]
    arrays["mask"] = np.unpackbits(arrays["mask"], axis=-1, count=side).astype(np.bool_)
    return Crops(**arrays)


def load_crops(folder: Path, size: int, *, scene: bool = False, together: bool = False) -> Crops:
    """The hands of every shard and lot in a folder and below, in the order of paths.

    Args:
        folder: With .tar shards, .npz lots, or both.
        size: Side of the crops in pixels.
        scene: Their depth is that of all that is in the picture, not of the hands.
        together: Two hands that meet share one crop.

    Raises:
        UsageError: There are none, a lot is damaged, or no hand in them is large enough; or shards are older
            than the depth of scenes.
        DataError: A shard is damaged.
    """
    tars = sorted(folder.rglob("*.tar"))
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        parts = [
            part
            for shard in pool.map(lambda path: _shard(path, size, scene, together), tars)
            for part in shard
        ]
    parts += load_lots(folder, size)
    if not parts:
        raise UsageError(f"{folder} holds no crops", "", "give a folder that `handwright synth` filled")
    return joined(parts)


def _shard(path: Path, size: int, scene: bool, together: bool) -> list[Crops]:
    parts = [crops_of(entry, size, scene=scene, together=together) for entry in read_shards([path])]
    return [joined([part for part in parts if len(part)])] if any(map(len, parts)) else []


def crops_of(entry: Entry, size: int, *, scene: bool = False, together: bool = False) -> Crops:
    """A square around each hand that is large enough and seen; none, one or two.

    Args:
        entry: A sample of a shard.
        size: Side of the crops in pixels.
        scene: Their depth is that of all that is in the picture.
        together: A left and a right hand whose boxes meet share one crop; the left one is its hand.

    Raises:
        UsageError: It has none.
    """
    image, record = entry.pictures["image"], entry.record
    blank = np.zeros(image.shape[:2], np.uint8)
    depth = entry.pictures.get("depth", blank)
    if scene and "scene" not in entry.pictures:
        raise UsageError(f"sample {entry.key} has no depth of its scene", "", "make the shards anew")
    rows: list[dict[str, Any]] = []
    for hand, other in _pairs(record["hands"]) if together else ((hand, None) for hand in record["hands"]):
        points, visible = np.array(hand["keypoints_px"], np.float32), np.array(hand["visible"], np.bool_)
        if float(np.ptp(points, axis=0).max()) < _LEAST_PX or visible.sum() < _LEAST_SEEN:
            continue
        second = np.full((21, 2), np.nan) if other is None else np.array(other["keypoints_px"], float)
        both = points if other is None else np.concatenate([points, second])
        x, y, side = _window(both, float(np.ptp(both, axis=0).max()), image.shape[:2])
        inside = np.s_[y : y + side, x : x + side]
        near = _seen(depth, inside, size)
        how = cv2.INTER_AREA if side > size else cv2.INTER_CUBIC
        landmarks = (points - np.array([x, y], np.float32)) * np.float32(size / side)
        rows.append(
            {
                "pixels": cv2.resize(image[inside], (size, size), interpolation=how),
                "depth": _seen(entry.pictures["scene"], inside, size) if scene else near,
                "mask": repair_area(near) if near.any() else _around(landmarks, size),
                "landmarks_px": landmarks,
                "other_px": (second - np.array([x, y])) * size / side,
                "visible": visible,
                "side": np.int8(_SIDES.get(hand.get("side") or "", -1)),
                "defects": np.isin(DEFECTS, _defects(hand) + ([] if other is None else _defects(other))),
                "caption": _wordings(record),
                "rendered": record["domain"] != "photograph",
            }
        )
    return _stacked(rows, size)


Hand = Mapping[str, Any]


def _defects(hand: Hand) -> list[str]:
    return [str(defect["name"]) for defect in hand.get("defects", ())]


def _pairs(hands: Sequence[Hand]) -> list[tuple[Hand, Hand | None]]:
    """A left and a right hand whose boxes meet as one pair, the left one first; every other hand alone."""
    if {hand.get("side") for hand in hands} != {"left", "right"} or len(hands) != 2:
        return [(hand, None) for hand in hands]
    left, right = sorted(hands, key=lambda hand: str(hand["side"]))
    points_px = [np.array(hand["keypoints_px"], float) for hand in (left, right)]
    seen = all(sum(hand["visible"]) >= _LEAST_SEEN for hand in (left, right))
    large = all(float(np.ptp(points, axis=0).max()) >= _LEAST_PX for points in points_px)
    if seen and large and boxes_meet(*points_px):
        return [(left, right)]
    return [(left, None), (right, None)]


def _seen(plane: np.ndarray, inside: tuple[slice, slice], size: int) -> np.ndarray:
    return np.asarray(cv2.resize(plane[inside], (size, size), interpolation=cv2.INTER_AREA))


def repair_area(depth: np.ndarray) -> Bool[np.ndarray, "s s"]:
    """Bool [S, S] the hand of a depth control image, a little grown, as refining has it."""
    away = cv2.distanceTransform((depth == 0).astype(np.uint8), cv2.DIST_L2, 3)
    return away <= 0.02 * depth.shape[0]


def _window(points: Float[np.ndarray, "21 2"], extent: float, shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Corner and side of the square around a hand that lies within the picture."""
    side = min(round(CONTEXT * extent), *shape)
    middle = (points.min(0) + points.max(0)) / 2
    x, y = (
        int(np.clip(round(float(m) - side / 2), 0, n - side))
        for m, n in zip(middle, shape[::-1], strict=True)
    )
    return x, y, side


def _around(landmarks: Float[np.ndarray, "21 2"], size: int) -> Bool[np.ndarray, "s s"]:
    """The hull of landmarks, grown by about a finger, where no depth is known."""
    hull = np.zeros((size, size), np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(landmarks).astype(np.int32), 1)
    grown = 2 * round(0.06 * float(np.ptp(landmarks, axis=0).max())) + 1
    return cv2.dilate(hull, np.ones((grown, grown), np.uint8)) > 0


def _wordings(record: Mapping[str, Any]) -> str:
    captions = record.get("captions") or {"natural": record["caption"]}
    return "\n".join(dict.fromkeys(captions[k] for k in ("natural", "terse", "technical") if k in captions))


def _stacked(rows: list[dict[str, Any]], size: int) -> Crops:
    kinds: dict[str, tuple[tuple[int, ...], Any]] = {
        "pixels": ((size, size, 3), np.uint8), "depth": ((size, size), np.uint8),
        "mask": ((size, size), np.bool_), "landmarks_px": ((21, 2), np.float32), "visible": ((21,), np.bool_),
        "other_px": ((21, 2), np.float32),
        "side": ((), np.int8), "defects": ((len(DEFECTS),), np.bool_), "caption": ((), np.str_),
        "rendered": ((), np.bool_),
    }  # fmt: skip
    return Crops(
        **{
            name: np.array([row[name] for row in rows], kind).reshape(len(rows), *shape)
            for name, (shape, kind) in kinds.items()
        }
    )
