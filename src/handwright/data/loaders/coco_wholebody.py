"""COCO-WholeBody (Jin et al. 2020): 133 points of each person in COCO's photographs.

    ROOT/annotations/coco_wholebody_val_v1.0.json
    ROOT/val2017/000000000139.jpg (or images/val2017)

Hands are valid where ``lefthand_valid`` is set. Visibility 0 is 'not labelled', 1 'hidden', 2 'seen'. Points
are pixel indices, 0 the first; boxes are x, y, width, height.
"""

from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from handwright.data.loaders.records import Record, Unusable, picture_at, read_json, reader, record_of
from handwright.data.sample import HandLabel, PersonLabel, Sample, Source, box_around
from handwright.errors import DataError
from handwright.types import Box, Side

_NAME = "COCO-WholeBody"
_PARTS = (
    ("keypoints", 17), ("foot_kpts", 6), ("face_kpts", 68), ("lefthand_kpts", 21), ("righthand_kpts", 21),
)  # fmt: skip
_HANDS: tuple[tuple[Side, slice], ...] = (("left", slice(91, 112)), ("right", slice(112, 133)))


def read_coco_wholebody(root: Path, split: Literal["train", "val"] = "val") -> Generator[Record]:
    """Every picture that shows a labelled person; ``root`` holds ``annotations``.

    Raises:
        DataError: The label file is missing or malformed.
    """
    file = root / "annotations" / f"coco_wholebody_{split}_v1.0.json"
    document = read_json(file, _NAME)
    try:
        pictures = {picture["id"]: str(picture["file_name"]) for picture in document["images"]}
        people: dict[int, list[dict[str, Any]]] = {}
        for person in document["annotations"]:
            people.setdefault(person["image_id"], []).append(person)
    except (KeyError, TypeError) as error:
        raise DataError(f"{_NAME}: {file} is malformed", f"{error!r}", "fetch it again") from error
    for number, labels in people.items():
        source = Source(_NAME, f"{split}2017/{number}")
        yield record_of(source, partial(_sample, root, split, source, pictures.get(number), labels))


def _sample(root: Path, split: str, source: Source, name: str | None, labels: list[dict[str, Any]]) -> Sample:
    if name is None:
        raise Unusable("its image id is in no list")
    file = picture_at(root / f"{split}2017" / name, root / "images" / f"{split}2017" / name)
    people: list[PersonLabel] = []
    hands: list[HandLabel] = []
    for label in labels:
        if label.get("iscrowd"):
            continue
        points = _wholebody(label)
        if (points[:, 2] > 0).any():
            people.append(PersonLabel(points, _box(label["bbox"])))
        for side, part in _HANDS:
            if label[f"{side}hand_valid"] and (points[part, 2] > 0).any():
                hands.append(_hand(side, points[part], label))
    if not people:
        raise Unusable("nobody in it has a labelled point")
    key = f"coco-wholebody-{Path(name).stem}"
    return Sample(key, reader(file), tuple(hands), tuple(people), None, "photograph", source)


def _wholebody(label: dict[str, Any]) -> Float[np.ndarray, "133 3"]:
    """All parts in one, visibility 0, 1, 2 as 0, 0.5, 1."""
    parts = [np.array(label[name], float).reshape(count, 3) for name, count in _PARTS]
    points = np.concatenate(parts)
    known = points[:, 2] > 0
    points[known, :2] += 0.5
    points[~known] = 0.0
    points[:, 2] = np.clip(points[:, 2], 0, 2) / 2
    return points


def _hand(side: Side, points: Float[np.ndarray, "21 3"], label: dict[str, Any]) -> HandLabel:
    known = points[:, 2] > 0
    given = label.get(f"{side}hand_box")
    box = _box(given) if given and given[2] > 0 and given[3] > 0 else box_around(points[known, :2])
    return HandLabel(box, side, points[:, :2].copy(), known)


def _box(xywh: list[float]) -> Box:
    x, y, width, height = (float(number) for number in xywh)
    return x, y, x + width, y + height
