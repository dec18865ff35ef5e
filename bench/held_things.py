"""Which hands of generated pictures hold a thing, as people labelled them by eye."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping
from pathlib import Path

from handwright.types import Box

LABELS = Path(__file__).parents[1] / "docs" / "research" / "held_things.csv"


def held_labels(split: str) -> Mapping[tuple[str, Box], str]:
    """'yes' or 'no' by :func:`picture_key` and box; what is unclear, or not agreed on, is out.

    Args:
        split: 'train', which one viewer labelled, or 'test', which two did.
    """
    labels: dict[tuple[str, Box], str] = {}
    with LABELS.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            x0, y0, x1, y1 = map(float, row["box"].split())
            agreed = row["holds_second"] in ("", row["holds"])
            if row["split"] == split and row["holds"] in ("yes", "no") and agreed:
                labels[row["picture"], (x0, y0, x1, y1)] = row["holds"]
    return labels


def picture_key(path: Path) -> str:
    """What the labels call a picture: the first 16 digits of its file's sha256."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
