"""Contact sheets at arm's length: crops around the hand side by side, a caption over each pair."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw

TILE_PX, CAPTION_PX, GAP_PX = 300, 18, 6
PAPER = (250, 249, 247)
PAIRS_A_ROW, ROWS_A_PAGE = 6, 6


def hand_crop(
    pixels: UInt8[np.ndarray, "h w 3"], bbox: tuple[float, float, float, float], margin: float = 1.7
) -> UInt8[np.ndarray, "t t 3"]:
    """A square of ``margin`` × the box's longer side around its middle, brought to the tile's size."""
    x0, y0, x1, y1 = bbox
    half = max(margin * max(x1 - x0, y1 - y0) / 2, 16.0)
    scale = TILE_PX / (2 * half)
    shift = np.array(
        [[scale, 0, TILE_PX / 2 - scale * (x0 + x1) / 2], [0, scale, TILE_PX / 2 - scale * (y0 + y1) / 2]]
    )
    if scale < 1:
        pixels = cv2.GaussianBlur(pixels, (0, 0), max(0.45 / scale - 0.2, 0.1))
    size = (TILE_PX, TILE_PX)
    options = {"flags": cv2.INTER_CUBIC, "borderMode": cv2.BORDER_CONSTANT, "borderValue": PAPER}
    return cv2.warpAffine(pixels, shift, size, **options)


def save_pages(path: Path, groups: Sequence[tuple[str, Sequence[UInt8[np.ndarray, "t t 3"]]]]) -> list[Path]:
    """Write pages ``NAME_00.png`` … beside each other.

    Args:
        path: NAME.png.
        groups: Caption and tiles of each pair (or triple).
    """
    if not groups:
        return []
    across = len(groups[0][1])
    per_row = max(1, PAIRS_A_ROW * 2 // across)
    per_page = per_row * ROWS_A_PAGE
    width, height = across * TILE_PX + GAP_PX, TILE_PX + CAPTION_PX + GAP_PX
    path.parent.mkdir(parents=True, exist_ok=True)
    written = []
    for page in range(0, len(groups), per_page):
        part = groups[page : page + per_page]
        rows = -(-len(part) // per_row)
        sheet = Image.new("RGB", (per_row * width, rows * height), PAPER)
        draw = ImageDraw.Draw(sheet)
        for k, (caption, tiles) in enumerate(part):
            x, y = (k % per_row) * width, (k // per_row) * height
            draw.text((x + 3, y + 3), caption, (20, 20, 20))
            for t, tile in enumerate(tiles):
                sheet.paste(Image.fromarray(tile), (x + t * TILE_PX, y + CAPTION_PX))
        target = path.with_name(f"{path.stem}_{page // per_page:02d}.png")
        sheet.save(target)
        written.append(target)
    return written
