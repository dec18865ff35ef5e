"""From a folder of data to crops: shards of ``handwright synth``, and lots of photographs' crops."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Float

from handwright.data.hands.defects.generators import DEFECTS
from handwright.data.shards import Entry, read_shards
from handwright.errors import UsageError
from handwright.training.streams.crops import Crops, joined, load_lots

CONTEXT = 1.9
"""Side of a crop in sizes of its hand."""

_LEAST_PX, _LEAST_SEEN = 40, 6
_SIDES = {"left": 0, "right": 1}


def load_crops(folder: Path, size: int, *, scene: bool = False) -> Crops:
    """The hands of every shard and lot in a folder and below, in the order of paths.

    Args:
        folder: With .tar shards, .npz lots, or both.
        size: Side of the crops in pixels.
        scene: Their depth is that of all that is in the picture, not of the hands.

    Raises:
        UsageError: There are none, a lot is damaged, or no hand in them is large enough; or shards are older
            than the depth of scenes.
        DataError: A shard is damaged.
    """
    tars = sorted(folder.rglob("*.tar"))
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        parts = [part for shard in pool.map(lambda path: _shard(path, size, scene), tars) for part in shard]
    parts += load_lots(folder, size)
    if not parts:
        raise UsageError(f"{folder} holds no crops", "", "give a folder that `handwright synth` filled")
    return joined(parts)


def _shard(path: Path, size: int, scene: bool) -> list[Crops]:
    parts = [crops_of(entry, size, scene=scene) for entry in read_shards([path])]
    return [joined([part for part in parts if len(part)])] if any(map(len, parts)) else []


def crops_of(entry: Entry, size: int, *, scene: bool = False) -> Crops:
    """A square around each hand that is large enough and seen; none, one or two.

    Args:
        entry: A sample of a shard.
        size: Side of the crops in pixels.
        scene: Their depth is that of all that is in the picture.

    Raises:
        UsageError: It has none.
    """
    image, record = entry.pictures["image"], entry.record
    blank = np.zeros(image.shape[:2], np.uint8)
    depth = entry.pictures.get("depth", blank)
    if scene and "scene" not in entry.pictures:
        raise UsageError(f"sample {entry.key} has no depth of its scene", "", "make the shards anew")
    rows: list[dict[str, Any]] = []
    for hand in record["hands"]:
        points, visible = np.array(hand["keypoints_px"], np.float32), np.array(hand["visible"], np.bool_)
        extent = float(np.ptp(points, axis=0).max())
        if extent < _LEAST_PX or visible.sum() < _LEAST_SEEN:
            continue
        x, y, side = _window(points, extent, image.shape[:2])
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
                "visible": visible,
                "side": np.int8(_SIDES.get(hand.get("side") or "", -1)),
                "pose": hand.get("name") or "",
                "defects": np.isin(DEFECTS, [defect["name"] for defect in hand.get("defects", ())]),
                "gloved": bool(hand.get("gloved", False)),
                "caption": _wordings(record),
                "rendered": record["domain"] != "photograph",
            }
        )
    return _stacked(rows, size)


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
    def column(name: str, shape: tuple[int, ...], kind: Any) -> np.ndarray:  # noqa: ANN401 - a dtype
        return np.array([row[name] for row in rows], kind).reshape(len(rows), *shape)

    return Crops(
        pixels=column("pixels", (size, size, 3), np.uint8),
        depth=column("depth", (size, size), np.uint8),
        mask=column("mask", (size, size), np.bool_),
        landmarks_px=column("landmarks_px", (21, 2), np.float32),
        visible=column("visible", (21,), np.bool_),
        side=column("side", (), np.int8),
        pose=column("pose", (), np.str_),
        defects=column("defects", (len(DEFECTS),), np.bool_),
        gloved=column("gloved", (), np.bool_),
        caption=column("caption", (), np.str_),
        rendered=column("rendered", (), np.bool_),
    )
