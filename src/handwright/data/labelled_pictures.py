"""Pictures of image generators whose hands people labelled by eye: a folder with ``hands.jsonl``.

A line a picture: 'file' below the folder, 'repo' that it is from, 'path' there, 'split', 'origin' ('ai', or
'real' for a photograph among them), 'generator', and 'hands', each with a 'box' (x0, y0, x1, y1 in pixels), a
'label', 'kinds' of defects, and where two people looked a 'second' label with its kinds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from handwright.data.photographs import decode_photo
from handwright.types import Box

FILE = "hands.jsonl"


def labelled_pictures(folder: Path, *splits: str) -> list[dict[str, Any]]:
    """The lines of generated pictures of these splits; what is learnt or set is learnt on 'train' alone.

    Raises:
        OSError: There is no such file.
    """
    lines = [json.loads(text) for text in (folder / FILE).read_text("utf-8").splitlines()]
    return [line for line in lines if line["split"] in splits and line["origin"] == "ai"]


def read_pixels(folder: Path, line: Mapping[str, Any]) -> UInt8[np.ndarray, "h w 3"]:
    """The picture of a line, sRGB and upright.

    Raises:
        UnreadableImageError: It is damaged.
    """
    return decode_photo((folder / line["file"]).read_bytes(), line["file"])


def box_of(values: Iterable[float]) -> Box:
    """Four numbers, x0, y0, x1, y1, of a record as a box."""
    x0, y0, x1, y1 = map(float, values)
    return x0, y0, x1, y1


def label_of(hand: Mapping[str, Any]) -> str:
    """The label on which both people agree; 'unclear' where they do not, or only one looked."""
    second = hand.get("second") or {}
    return hand["label"] if hand["label"] == second.get("label") else "unclear"
