"""Pairs of a hand as drawn and as photographed: what a learnt finish is shown, and what it should make of it.

It sees the drawn crop, where the hand is, how its surface is turned and where on the resting hand each pixel
lies: creases, knuckles and nails have their places there.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.drawing.geometry.surface import Surface, render_surface
from handwright.drawing.geometry.working_resolution import to_working_resolution
from handwright.drawing.params import DrawParams
from handwright.errors import UsageError
from handwright.image import write_atomically
from handwright.perception.analysis import HandAnalysis

PLANES = 10
"""Of an input: colour 3, share of the hand 1, normals 3, place on the resting hand 3."""

_REST_MIDDLE_M, _REST_REACH_M = (0.0, 0.09, 0.0), 0.1
"""Middle and reach of the resting hand in metres, which places are measured in."""

SIDE = 192
"""Side of a stored square in px; larger hands are shrunk to it, smaller ones keep their pixels."""

_ROOM = 1.25  # Side of a square in sizes of the drawn hand, for hands that are shrunk; chosen by eye

_HELD_OUT_ONE_IN = 20  # One picture in so many, by a hash of its name, is measured on and not learnt from

_LEAST_SHARED = 0.6  # Share of the drawn hand that must be skin in the photograph; chosen by eye


@dataclass(frozen=True, eq=False)
class FinishPairs:
    """Squares of drawn hands and what was photographed there."""

    planes: Float[np.ndarray, "n s s c"]  # float16, as ``finish_inputs`` makes them
    photograph: UInt8[np.ndarray, "n s s 3"]  # sRGB
    shared: UInt8[np.ndarray, "n s s"]  # 255 where the photograph shows the hand, too
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


def finish_inputs(
    pixels: UInt8[np.ndarray, "h w 3"], alpha: Float[np.ndarray, "h w"], hand: HandAnalysis
) -> Float[np.ndarray, "h w 10"]:
    """What the network sees of a hand that was drawn with the painter's own numbers.

    Args:
        pixels: uint8 [h, w, 3] sRGB, the hand's crop as drawn.
        alpha: float32 [h, w] share of the drawn hand.
        hand: The hand that was fitted and drawn.

    Returns:
        float32 [h, w, 10]: colour in −1 … 1, share in 0 … 1, unit normals in camera space, and places on the
        resting hand, about −1 … 1; the latter two are 0 outside of the hand.
    """
    params = DrawParams()
    work = to_working_resolution(hand.crop, hand.landmarks_px, hand.region, params.resolution)
    hand_px = max(float(np.ptp(work.landmarks_px, axis=0).max()), 1.0)
    surface = render_surface(
        hand.fit.hand, hand.window, hand_px, work.crop.shape[:2], work.region.inside, params.surface
    )
    share = alpha[..., None].astype(np.float32)
    colour = pixels.astype(np.float32) / np.float32(127.5) - 1
    return np.concatenate([colour, share, work.enlarge(_geometry(surface)) * (share > 0)], -1)


def _geometry(surface: Surface) -> Float[np.ndarray, "h w 6"]:
    """Normals and places of a surface, 0 where it is not."""
    rest = (surface.rest_m - np.array(_REST_MIDDLE_M, np.float32)) / np.float32(_REST_REACH_M)
    return surface.shrink(surface.place(np.concatenate([surface.normals, rest], 1).astype(np.float32)))


def cut_pair(
    planes: Float[np.ndarray, "h w c"],
    photograph: UInt8[np.ndarray, "h w 3"],
    old_hand: Bool[np.ndarray, "h w"],
    name: str,
    rendered: bool,
) -> FinishPairs | None:
    """The square around a drawn hand, or None where the photograph shows too little of the hand there."""
    share = planes[..., 3]
    drawn = share > 0.5
    if not drawn.any() or (drawn & old_hand).sum() < _LEAST_SHARED * drawn.sum():
        return None
    x, y, width, height = cv2.boundingRect(drawn.astype(np.uint8))
    side = max(float(SIDE), _ROOM * max(width, height))
    scale = SIDE / side
    move = SIDE / 2 - scale * np.array([x + width / 2, y + height / 2])
    to_square = np.array([[scale, 0, move[0]], [0, scale, move[1]]])
    to_square[:, 2] += (scale - 1) / 2  # pixel centres lie at integers + 0.5

    def cut(values: np.ndarray, border: int) -> np.ndarray:
        values = values if scale == 1 else cv2.GaussianBlur(values, (0, 0), 0.45 / scale)
        how = cv2.INTER_LINEAR
        return cv2.warpAffine(values, to_square, (SIDE, SIDE), flags=how, borderMode=border)

    colour = cut(np.ascontiguousarray(planes[..., :3]), cv2.BORDER_REFLECT_101)
    others = [cut(np.ascontiguousarray(planes[..., k]), cv2.BORDER_CONSTANT) for k in range(3, PLANES)]
    together = np.concatenate([colour, np.stack(others, -1)], -1).astype(np.float16)
    return FinishPairs(
        together[None],
        cut(photograph, cv2.BORDER_REFLECT_101)[None],
        cut(old_hand.astype(np.uint8) * np.uint8(255), cv2.BORDER_CONSTANT)[None],
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
