"""HaGRID (Kapitanov et al. 2022, 2024): people who show a gesture to a web camera.

    ROOT/annotations/train/call.json    picture → bboxes [x, y, w, h], labels, leading_hand, and
                                        hand_landmarks or landmarks (21 [x, y] a box; may be empty)
    ROOT/call/PICTURE.jpg (or images/call, images/train/call, train_val_call, hagrid_dataset/call)

All numbers are shares of the picture, so that no pixel convention is involved.
"""

from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from handwright.data.loaders.records import (
    Record,
    Unusable,
    list_annotations,
    picture_at,
    read_json,
    reader,
    record_of,
    upright_size_px,
)
from handwright.data.sample import HandLabel, Sample, Source
from handwright.errors import DataError
from handwright.types import Side

_NAME = "HaGRID"
_NO_GESTURE = "no_gesture"
_FOLDERS = (
    "{gesture}", "images/{gesture}", "images/{split}/{gesture}", "train_val_{gesture}",
    "hagrid_dataset/{gesture}",
)  # fmt: skip
_SIDES: dict[str, Side] = {"left": "left", "right": "right"}


def read_hagrid(root: Path, split: str = "train") -> Generator[Record]:
    """Every picture of a split ('train', 'val', 'test'), gesture by gesture; ``root`` holds ``annotations``.

    Raises:
        DataError: There are no annotation files, or one is no JSON.
    """
    for file in list_annotations(root / "annotations" / split, _NAME):
        gesture = file.stem
        document = read_json(file, _NAME)
        if not isinstance(document, dict):
            raise DataError(f"{_NAME}: {file} is malformed", "it is no object", "fetch it again")
        for name, labels in document.items():
            source = Source(_NAME, f"{split}/{gesture}/{name}")
            yield record_of(source, partial(_sample, root, split, gesture, name, source, labels))


def _sample(
    root: Path, split: str, gesture: str, name: str, source: Source, labels: dict[str, Any]
) -> Sample:
    folders = (root / folder.format(gesture=gesture, split=split) for folder in _FOLDERS)
    file = picture_at(*(folder / f"{name}.jpg" for folder in folders))
    size = np.array(upright_size_px(file), float)
    boxes, gestures = labels["bboxes"], labels["labels"]
    if len(boxes) != len(gestures) or not boxes:
        raise Unusable("its boxes and labels do not fit")
    points = labels.get("hand_landmarks") or labels.get("landmarks") or [[]] * len(boxes)
    alone = len(gestures) - gestures.count(_NO_GESTURE) == 1
    leading = _SIDES.get(labels.get("leading_hand", "")) if alone else None
    hands = [_hand(*of_hand, size, leading) for of_hand in zip(boxes, gestures, points, strict=True)]
    key = f"hagrid-{gesture}-{name}"
    return Sample(key, reader(file), tuple(hands), (), None, "photograph", source)


def _hand(
    box: list[float], label: str, landmarks: list[Any], size: np.ndarray, leading: Side | None
) -> HandLabel:
    """``leading`` is the side of the only hand that shows a gesture; that of a free hand is not known."""
    x, y, width, height = (float(number) for number in box)
    corners = np.array([(x, y), (x + width, y + height)]) * size
    (x0, y0), (x1, y1) = corners.tolist()
    known = len(landmarks) > 0
    points = np.array(landmarks, float)[:, :2] * size if known else None
    side = leading if label != _NO_GESTURE else None
    return HandLabel((x0, y0, x1, y1), side, points, np.full(21, known), None, label)
