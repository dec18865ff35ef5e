"""Pictures whose hands people judged, in their publishers' layouts; broken records are counted, not read.

Human Artifact Dataset (Wang, Zhang and Zhang 2024, HADM): generated people and what is wrong with them.

    ROOT/images/val_ALL/PICTURE.jpg
    ROOT/annotations/val_ALL/PICTURE.json     one file a picture:
        image       file_name, height, width, tag
        annotation  of each malformed part: body_parts (face, torso, arm, leg, hand, feet),
                    level (mild, severe), bbox [x0, y0, x1, y1] in pixels, corners in any order
        human       of each person with parts too many or missing: tag (a list: 'human with extra hand',
                    'human missing hand', …), bbox

This is the layout that the reader of the authors' own code expects. Only what is wrong has a box: hands
without one are good, except on a person whose tags name a hand or an arm too many or missing.
Pixel 0 begins at 0.

MalHand (Qin et al. 2025, HandCraft) and other sets of malformed hands in the layout of YOLO's labels.

    ROOT/data.yaml                  names: [hand, malformed_hand], or a line '0: hand' for each
    ROOT/images/val/PICTURE.png     (or val/images)
    ROOT/labels/val/PICTURE.txt     (or val/labels) one line a hand: class x y width height

Numbers are shares of the picture, x and y of the box's middle, as the labels of Ultralytics' detectors are
documented. The authors of MalHand call their detector of malformed hands such a one, and describe no
layout of their own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from handwright.data.loaders.records import (
    Broken,
    Unusable,
    list_annotations,
    picture_at,
    read_json,
    reader,
    record_of,
    upright_size_px,
)
from handwright.data.sample import Source
from handwright.errors import DataError, InvalidValueError
from handwright.types import Box, Image

_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")


@dataclass(frozen=True)
class JudgedHand:
    """A hand and how people judge it."""

    bbox_xyxy_px: Box  # Its box; may reach beyond the picture
    malformed: bool  # Whether something is wrong with it
    level: str | None = None  # The data set's word for how wrong ('mild', 'severe'), if it has one

    def __post_init__(self) -> None:
        _expect_box("JudgedHand.bbox_xyxy_px", self.bbox_xyxy_px)


@dataclass(frozen=True, eq=False)
class JudgedPicture:
    """A picture with its judged hands."""

    key: str  # Unique among all data sets; usable as a file name
    image: Callable[[], Image]  # Reads the picture; raises ``UnreadableImageError``
    hands: tuple[JudgedHand, ...]  # Hands with a box
    rest_good: bool  # Whether hands without a box are good ones; otherwise nothing is known of them
    # Boxes within which nothing is known of hands that have no box of their own
    unclear_xyxy_px: tuple[Box, ...]
    source: Source  # Where it comes from

    def __post_init__(self) -> None:
        for box in self.unclear_xyxy_px:
            _expect_box("JudgedPicture.unclear_xyxy_px", box)


def _expect_box(name: str, box: Box) -> None:
    x0, y0, x1, y1 = box
    if not (np.isfinite(box).all() and x0 < x1 and y0 < y1):
        raise InvalidValueError(f"{name} must be a box, got {box}")


_HADM = "HADM"
_PART = "hand"
_UNCLEAR = ("hand", "arm")


def read_hadm(root: Path, split: str = "val_ALL") -> Generator[JudgedPicture | Broken]:
    """Every picture of a split, by name.

    Args:
        root: Folder with ``images`` and ``annotations``.
        split: Folder below both: 'val_ALL', 'val_sdxl', 'val_mj', 'val_dalle2', 'val_dalle3', 'train_ALL'.

    Raises:
        DataError: There is no annotation.
    """
    for file in list_annotations(root / "annotations" / split, _HADM):
        source = Source(_HADM, f"{split}/{file.stem}")
        yield record_of(source, partial(_hadm_picture, root / "images" / split, file, source))


def _hadm_picture(pictures: Path, file: Path, source: Source) -> JudgedPicture:
    labels = read_json(file, _HADM)
    named = [pictures / str(labels["image"]["file_name"]), *(pictures / f"{file.stem}{s}" for s in _SUFFIXES)]
    path = picture_at(*named)
    width, height = upright_size_px(path)
    if (labels["image"]["width"], labels["image"]["height"]) != (width, height):
        raise Unusable("its picture has another size than its labels give")
    hands = [_hadm_hand(part) for part in labels["annotation"] if part["body_parts"] == _PART]
    unclear = [_corners(person["bbox"]) for person in labels["human"] if _hands_in_doubt(person)]
    key = f"hadm-{source.record.replace('/', '-')}"
    return JudgedPicture(key, reader(path), tuple(hands), True, tuple(unclear), source)


def _hadm_hand(part: dict[str, Any]) -> JudgedHand:
    return JudgedHand(_corners(part["bbox"]), True, str(part["level"]))


def _hands_in_doubt(person: dict[str, Any]) -> bool:
    """Whether a person has hands or arms too many or too few; some files call the tags ``tags``."""
    tags: list[str] = person.get("tag") or person.get("tags") or []
    return any(tag.split()[-1] in _UNCLEAR for tag in tags)


def _corners(corners: list[float]) -> Box:
    x0, y0, x1, y1 = (float(number) for number in corners)
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


_MALHAND = "MalHand"
_MALFORMED = re.compile(
    r"mal|malformed|malhands?|bad|deformed|abnormal|distorted|wrong|defect|defects|defective|broken|fake|poor"
)
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_FIELDS = 5


def read_malhand(
    root: Path, split: str = "val", malformed: Sequence[str] | None = None
) -> Generator[JudgedPicture | Broken]:
    """Every picture of a split that has a label file, by name; in an empty one no hand is labelled.

    Args:
        root: Folder with ``data.yaml``.
        split: 'train', 'val' (some sets: 'valid') or 'test'.
        malformed: Names of the classes that are malformed hands; by default those whose names mean it
            ('malformed_hand', 'bad hand', …).

    Raises:
        DataError: Labels or class names are missing, or no class is malformed, or, going by the names,
            every one.
    """
    names = _names(root / "data.yaml")
    wrong = [_names_malformed(name) if malformed is None else name in malformed for name in names]
    every = malformed is None and all(wrong)
    if every or not any(wrong):
        raise DataError(
            f"{_MALHAND}: {'every' if every else 'no'} class of {root / 'data.yaml'} is a malformed hand",
            f"they are {', '.join(names)}",
            "say which are",
        )
    files, pictures = _labels(root, split)
    for file in files:
        source = Source(_MALHAND, f"{split}/{file.stem}")
        yield record_of(source, partial(_malhand_picture, pictures, file, wrong, source))


def _names_malformed(name: str) -> bool:
    """Whether a class name has a word for malformed: of 'malformed_hand', not of 'normal' or 'undeformed'."""
    return any(_MALFORMED.fullmatch(word.lower()) for word in _WORDS.findall(name))


def _labels(root: Path, split: str) -> tuple[list[Path], Path]:
    for labels, pictures in (
        (root / "labels" / split, root / "images" / split),
        (root / split / "labels", root / split / "images"),
    ):
        if labels.is_dir() and (files := sorted(labels.glob("*.txt"))):
            return files, pictures
    raise DataError(
        f"{_MALHAND}: {root / 'labels' / split} holds no labels",
        "no PICTURE.txt there",
        "name the folder that holds labels and images",
    )


def _names(path: Path) -> list[str]:
    """Class names of a data.yaml: ``names: [a, b]``, or a line ``- a`` or ``0: a`` for each."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{_MALHAND}: cannot read {path}", str(error), "name the folder that holds it"
        ) from error
    one_line = re.search(r"^names:\s*\[(.*?)\]", text, re.MULTILINE | re.DOTALL)
    if one_line:
        return [name.strip().strip("'\"") for name in one_line[1].split(",")]
    many = re.search(r"^names:[^\S\n]*\n((?:[^\S\n]*(?:-|\d+:)[^\n]*\n?)+)", text, re.MULTILINE)
    if not many:
        raise DataError(f"{_MALHAND}: {path} names no classes", "it has no names: list", "add one")
    lines = [line.split("#")[0] for line in many[1].splitlines()]
    return [re.sub(r"^\s*(-|\d+:)\s*", "", line).strip().strip("'\"") for line in lines]


def _malhand_picture(pictures: Path, file: Path, wrong: list[bool], source: Source) -> JudgedPicture:
    path = picture_at(*(pictures / f"{file.stem}{s}" for s in _SUFFIXES))
    width, height = upright_size_px(path)
    hands: list[JudgedHand] = []
    for line in file.read_text("utf-8").split("\n"):
        numbers = [float(field) for field in line.split()]
        if not numbers:
            continue
        if len(numbers) != _FIELDS:
            raise Unusable(f"a line of its labels has not {_FIELDS} fields")
        number, x, y, w, h = numbers
        if not 0 <= number < len(wrong):
            raise Unusable("its labels hold a class without a name")
        corners = ((x - w / 2) * width, (y - h / 2) * height, (x + w / 2) * width, (y + h / 2) * height)
        hands.append(JudgedHand(corners, wrong[int(number)]))
    key = f"malhand-{source.record.replace('/', '-')}"
    return JudgedPicture(key, reader(path), tuple(hands), False, (), source)
