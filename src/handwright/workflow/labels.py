"""Labels that users give hands: those of a report's page, or a table of good and bad ones."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from handwright.errors import UsageError
from handwright.types import Box

_OF_FORM = ("finger_count", "joint_bending")
_WORDS = {"good": False, "bad": True}
_FIX = "save labels from a report's page, or write columns path, hand, label (good or bad)"


@dataclass(frozen=True)
class Label:
    """A user's label of a hand."""

    path: str  # Of the picture, as it is written
    hand: int  # Number of the hand in its review
    box: Box | None  # Of the hand as it was reviewed, or None
    malformed: bool  # Whether something is wrong with it


def read_labels(path: Path) -> list[Label]:
    """Labels of hands, in the order of the file.

    Of a report's page: agreeing that finger count or joint bending fails, or disagreeing that it passes,
    labels the hand malformed; a hand with other labels, and none of this kind, is good. Labels of other
    checks, and of 'cannot tell', do not count here.

    Args:
        path: A CSV file with a line of names: path, hand, box, check, verdict, confidence, label; or path,
            hand, label.

    Raises:
        UsageError: It cannot be read, or a line of it.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} cannot be read", str(error), _FIX) from error
    missing = [name for name in ("path", "hand", "label") if rows and name not in rows[0]]
    if not rows or missing:
        why = f"it has no column {' and no '.join(missing)}" if missing else "it is empty"
        raise UsageError(f"{path} holds no labels", why, _FIX)
    labels: dict[tuple[str, int], tuple[Box | None, bool]] = {}
    for number, row in enumerate(rows, start=2):
        try:
            label = _label_of(row)
        except (ValueError, TypeError, KeyError) as error:
            raise UsageError(f"line {number} of {path} is no label", f"{error}", _FIX) from error
        if label is not None:
            key = label.path, label.hand
            labels[key] = label.box, label.malformed or labels.get(key, (None, False))[1]
    return [Label(*key, *label) for key, label in labels.items()]


def _label_of(row: Mapping[str, str]) -> Label | None:
    """The label of a line; None of one that is not about the hand's form."""
    if not (row["path"] or "").strip():
        raise ValueError("it names no picture")
    hand = int(row["hand"])
    if row.get("check") is None:
        word = (row["label"] or "").strip().lower()
        if word not in _WORDS:
            raise ValueError(f"its label is {word!r}, neither good nor bad")
        return Label(row["path"], hand, None, _WORDS[word])
    if row["label"] not in ("agree", "disagree"):
        raise ValueError(f"its label is {row['label']!r}, neither agree nor disagree")
    if row["check"] not in _OF_FORM or row["verdict"] not in ("pass", "fail"):
        return None
    malformed = (row["verdict"] == "fail") == (row["label"] == "agree")
    return Label(row["path"], hand, _box(row.get("box") or ""), malformed)


def _box(text: str) -> Box | None:
    if not text.strip():
        return None
    x0, y0, x1, y1 = (float(number) for number in text.split())
    return x0, y0, x1, y1
