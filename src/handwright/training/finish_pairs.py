"""Malformed hands, redrawn, beside what was photographed: what a learnt finish sees, and should make of it.

It sees the old hand and the drawn one, where either may be changed, how the drawn surface is turned and where
on the resting hand each pixel lies: creases, knuckles and nails have their places there. The old hand is a
photographed one that was made malformed, so that the photograph is what a repair should come to.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.errors import UsageError
from handwright.image import write_atomically
from handwright.training.finish_planes import PAINTED, FinishSquare, cut_planes

_HELD_OUT_ONE_IN = 20  # One picture in so many, by a hash of its name, is measured on and not learnt from


@dataclass(frozen=True, eq=False)
class FinishPairs:
    """Squares of drawn hands and what was photographed there."""

    planes: Float[np.ndarray, "n s s c"]  # float16, as ``finish_inputs`` makes them
    photograph: UInt8[np.ndarray, "n s s 3"]  # sRGB, of the sound hand
    name: np.ndarray  # [n] of the picture, with the hand's side
    rendered: Bool[np.ndarray, " n"]  # Whether the picture is rendered

    def __len__(self) -> int:
        return len(self.planes)

    def where(self, chosen: np.ndarray) -> FinishPairs:
        """Those at chosen places."""
        return FinishPairs(**{field.name: getattr(self, field.name)[chosen] for field in fields(self)})

    def held_out(self) -> Bool[np.ndarray, " n"]:
        """Which are measured on and not learnt from; hands of one picture go together."""
        pictures = (str(name).rsplit(" ", 1)[0] for name in self.name)
        return np.array([zlib.crc32(p.encode()) % _HELD_OUT_ONE_IN == 0 for p in pictures], np.bool_)


def cut_pair(
    planes: Float[np.ndarray, "h w 14"], photograph: UInt8[np.ndarray, "h w 3"], name: str, rendered: bool
) -> FinishPairs | None:
    """The square around what was painted, or None where nothing was.

    Args:
        planes: Of a malformed and a drawn hand (``finish_inputs``).
        photograph: The sound hand.
        name: Of the picture, with the hand's side.
        rendered: Whether the picture is rendered.
    """
    painted = planes[..., PAINTED] > 0.5
    if not painted.any():
        return None
    square = FinishSquare.around(painted)
    return FinishPairs(
        cut_planes(planes, square).astype(np.float16)[None],
        square.cut(photograph)[None],
        np.array([name]),
        np.array([rendered]),
    )


def save_pairs(path: Path, pairs: Sequence[FinishPairs]) -> None:
    """Write pairs, whole or not at all; no pairs, no file."""
    if pairs:
        arrays = vars(joined(pairs))
        write_atomically(path, lambda file: np.savez_compressed(file, **arrays))


def load_pairs(folder: Path) -> FinishPairs:
    """All pairs of a folder.

    Raises:
        UsageError: There are none.
    """
    files = sorted(folder.glob("*.npz"))
    if not files:
        why = "pairs are made by scripts/make_finish_pairs.py"
        raise UsageError(f"{folder} holds no pairs of drawn hands", why, "make some")
    lots: list[FinishPairs] = []
    for path in files:
        with np.load(path) as stored:
            lots.append(FinishPairs(**{field.name: stored[field.name] for field in fields(FinishPairs)}))
    return joined(lots)


def joined(lots: Sequence[FinishPairs]) -> FinishPairs:
    """Lots one after another."""
    names = [field.name for field in fields(FinishPairs)]
    return FinishPairs(**{name: np.concatenate([getattr(lot, name) for lot in lots]) for name in names})
