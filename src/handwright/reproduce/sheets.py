"""Sample sheets: one picture a row, one treatment a column."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from handwright.image import write_atomically

Tile = UInt8[np.ndarray, "t t 3"]

TILE_PX = 132
_LINE_PX, _GAP_PX, _QUALITY = 15, 2, 86
_PAPER, _INK = 250, (30, 30, 30)


def save_sheet(path: Path, titles: Sequence[str], rows: Sequence[tuple[str, Sequence[Tile]]]) -> None:
    """Write a JPEG."""
    width, height = len(titles) * (TILE_PX + _GAP_PX), TILE_PX + _LINE_PX + _GAP_PX
    sheet = np.full((_LINE_PX + len(rows) * height, width, 3), _PAPER, np.uint8)
    for column, title in enumerate(titles):
        _write(sheet, title, column * (TILE_PX + _GAP_PX), 0)
    for row, (caption, tiles) in enumerate(rows):
        top = _LINE_PX + row * height
        _write(sheet, caption, 0, top)
        for column, tile in enumerate(tiles):
            left = column * (TILE_PX + _GAP_PX)
            small = cv2.resize(tile, (TILE_PX, TILE_PX), interpolation=cv2.INTER_AREA)
            sheet[top + _LINE_PX : top + _LINE_PX + TILE_PX, left : left + TILE_PX] = small
    bgr = np.ascontiguousarray(sheet[..., ::-1])
    data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()
    write_atomically(path, lambda file: file.write(data))


def _write(sheet: np.ndarray, words: str, x: int, y: int) -> None:
    plain = words.encode("ascii", "replace").decode()
    cv2.putText(sheet, plain, (x + 2, y + _LINE_PX - 4), cv2.FONT_HERSHEY_SIMPLEX, 0.36, _INK, 1, cv2.LINE_AA)
