"""Square hand crops to train on: arrays in memory; photographs' in compressed files, renders' from shards."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int8, UInt8

from handwright.errors import UsageError
from handwright.image import write_atomically


@dataclass(frozen=True, eq=False)
class Crops:
    """Hand crops with what is known of them.

    Attributes:
        pixels: uint8 [N, S, S, 3] sRGB.
        depth: uint8 [N, S, S] depth control image of the true mesh, of photographs of a fitted one; zeros
            where it is not known.
        mask: bool [N, S, S] the hand with its repair margin.
        landmarks_px: float32 [N, 21, 2] in the crop, MediaPipe order; of the sound hand that it should be.
        visible: bool [N, 21] landmarks that are seen.
        side: int8 [N] 0 left, 1 right, −1 unknown.
        pose: [N] name of the pose; '' where it has none.
        defects: bool [N, D] in the order of ``DEFECTS``.
        gloved: bool [N].
        caption: [N] what is seen, with its domain word: wordings to choose from, one a line.
        rendered: bool [N], True for renders, whose depth is exact.
    """

    pixels: UInt8[np.ndarray, "n s s 3"]
    depth: UInt8[np.ndarray, "n s s"]
    mask: Bool[np.ndarray, "n s s"]
    landmarks_px: Float[np.ndarray, "n 21 2"]
    visible: Bool[np.ndarray, "n 21"]
    side: Int8[np.ndarray, "n"]
    pose: np.ndarray
    defects: Bool[np.ndarray, "n d"]
    gloved: Bool[np.ndarray, "n"]
    caption: np.ndarray
    rendered: Bool[np.ndarray, "n"]

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
    return [sized(_load(path), size) for path in sorted(folder.rglob("*.npz"))]


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
    )


def _load(path: Path) -> Crops:
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            arrays = {f.name: file[f.name] for f in fields(Crops)}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise UsageError(f"{path} is no lot of crops", str(error), "delete it and make it again") from error
    side = arrays["pixels"].shape[2]
    arrays["mask"] = np.unpackbits(arrays["mask"], axis=-1, count=side).astype(np.bool_)
    return Crops(**arrays)
