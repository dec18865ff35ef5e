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

from handwright.data.loaders.records import Record, read_json, reader, record_of, upright_size_px
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
    files = sorted((root / "annotations" / split).glob("*.json"))
    if not files:
        raise DataError(
            f"{_NAME}: {root / 'annotations' / split} holds no annotations",
            "no GESTURE.json there",
            "name the folder that holds annotations",
        )
    for file in files:
        gesture = file.stem
        document = read_json(file, _NAME)
        if not isinstance(document, dict):
            raise DataError(f"{_NAME}: {file} is malformed", "it is no object", "fetch it again")
        for name, labels in document.items():
            source = Source(_NAME, f"{split}/{gesture}/{name}")
            yield record_of(source, partial(_sample, root, split, gesture, name, source, labels))


def _sample(
    root: Path, split: str, gesture: str, name: str, source: Source, labels: dict[str, Any]
) -> Sample | str:
    places = [root / folder.format(gesture=gesture, split=split) / f"{name}.jpg" for folder in _FOLDERS]
    file = next((place for place in places if place.is_file()), None)
    if file is None:
        return "its picture is missing"
    size = np.array(upright_size_px(file), float)
    boxes, gestures = labels["bboxes"], labels["labels"]
    if len(boxes) != len(gestures) or not boxes:
        return "its boxes and labels do not fit"
    points = labels.get("hand_landmarks") or labels.get("landmarks") or [[]] * len(boxes)
    shown = [label for label in gestures if label != _NO_GESTURE]
    hands = [
        _hand(
            box,
            label,
            landmarks,
            size,
            _SIDES.get(labels.get("leading_hand", "")) if len(shown) == 1 else None,
        )
        for box, label, landmarks in zip(boxes, gestures, points, strict=True)
    ]
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
