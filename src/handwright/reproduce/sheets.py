"""Sample sheets (a picture a row, a treatment a column), and how figures are written."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import fill

import cv2
import numpy as np
from jaxtyping import UInt8

from handwright.image import write_atomically
from handwright.metrics.estimate import Estimate

DIGITS = {"error": 1, "found": 0, "score": 3, "texture": 2, "kid": 4, "anatomy": 3, "fid": 2, "sound": 0}
"""Decimals of each measure."""

_WIDTH = 118


def figure(estimate: Estimate | None, digits: int) -> str:
    """``12.3 [10.1, 14.0]``, or a dash."""
    if estimate is None:
        return "–"
    value, low, high = (f"{number:.{digits}f}" for number in (estimate.value, estimate.low, estimate.high))
    return f"{value} [{low}, {high}]"


def cells(figures: Mapping[str, Estimate], keys: Sequence[str]) -> list[str]:
    """The figures of a row in the order of columns."""
    return [figure(figures.get(key), DIGITS[key]) for key in keys]


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(titles) + " |", "|" + "---|" * len(titles)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def sign(estimate: Estimate | None) -> str:
    """'lower', 'higher', or 'undecided' where the interval holds 0."""
    if estimate is None:
        return "not measured"
    if estimate.low <= 0 <= estimate.high:
        return "undecided"
    return "higher" if estimate.value > 0 else "lower"


def against_paper(estimate: Estimate | None, paper: float) -> str:
    """Whether a difference has the sign of the paper's."""
    ours = sign(estimate)
    if ours in ("undecided", "not measured"):
        return ours
    return "as the paper" if (ours == "higher") == (paper > 0) else "**unlike the paper**"


def paragraph(text: str) -> str:
    """Running text in lines of the page's width."""
    return fill(" ".join(text.split()), _WIDTH, break_long_words=False, break_on_hyphens=False)


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
