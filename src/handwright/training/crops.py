"""Square hand crops to train on: arrays in memory, one compressed file per part on disk."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.errors import UsageError
from handwright.image import write_atomically


@dataclass(frozen=True, eq=False)
class Crops:
    """Hand crops with what is known of them.

    Attributes:
        pixels: uint8 [N, S, S, 3] sRGB.
        depth: uint8 [N, S, S] depth control image of the true mesh; zeros for photographs.
        mask: bool [N, S, S] the hand with its repair margin.
        landmarks_px: float32 [N, 21, 2] in the crop, MediaPipe order.
        caption: [N] what is seen, with its domain word.
        rendered: bool [N], True for renders, whose depth is exact.
    """

    pixels: UInt8[np.ndarray, "n s s 3"]
    depth: UInt8[np.ndarray, "n s s"]
    mask: Bool[np.ndarray, "n s s"]
    landmarks_px: Float[np.ndarray, "n 21 2"]
    caption: np.ndarray
    rendered: Bool[np.ndarray, "n"]

    def __len__(self) -> int:
        """Number of crops."""
        return len(self.pixels)

    def where(self, chosen: np.ndarray) -> Crops:
        """The chosen crops (indices or a bool array)."""
        return Crops(**{f.name: getattr(self, f.name)[chosen] for f in fields(self)})


def joined(parts: Sequence[Crops]) -> Crops:
    """Several lots as one.

    Raises:
        UsageError: There is none.
    """
    if not parts:
        raise UsageError("there are no crops to train on", "", "make some with handwright.training first")
    return Crops(**{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Crops)})


def save_crops(path: Path, crops: Crops) -> None:
    """Write a lot, whole or not at all; masks are packed to bits."""
    arrays = {f.name: getattr(crops, f.name) for f in fields(Crops)}
    arrays["mask"] = np.packbits(crops.mask, axis=-1)
    write_atomically(path, lambda file: np.savez_compressed(file, **arrays))


def load_crops(folder: Path) -> Crops:
    """Every lot of a folder, in the order of names.

    Raises:
        UsageError: The folder holds none, or one of them cannot be read.
    """
    parts: list[Crops] = []
    for path in sorted(folder.glob("*.npz")):
        try:
            with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                arrays = {f.name: file[f.name] for f in fields(Crops)}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise UsageError(
                f"{path} is no lot of crops", str(error), "delete it and make it again"
            ) from error
        side = arrays["pixels"].shape[2]
        arrays["mask"] = np.unpackbits(arrays["mask"], axis=-1, count=side).astype(np.bool_)
        parts.append(Crops(**arrays))
    if not parts:
        raise UsageError(f"{folder} holds no crops", "", "give the folder that the crops were written to")
    return joined(parts)
