"""MalHand (Qin et al. 2025, HandCraft) and other sets of malformed hands in the layout of YOLO's labels.

    ROOT/data.yaml                  names: [hand, malformed_hand], or a line '0: hand' for each
    ROOT/images/val/PICTURE.png     (or val/images)
    ROOT/labels/val/PICTURE.txt     (or val/labels) one line a hand: class x y width height

Numbers are shares of the picture, x and y of the box's middle, as the labels of Ultralytics' detectors are
documented. The authors of MalHand call their detector of malformed hands such a one, and describe no
layout of their own.
"""

import re
from collections.abc import Generator, Sequence
from functools import partial
from pathlib import Path

from handwright.data.loaders.records import (
    Broken,
    JudgedHand,
    JudgedPicture,
    reader,
    record_of,
    upright_size_px,
)
from handwright.data.sample import Source
from handwright.errors import DataError

_NAME = "MalHand"
_PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
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
            f"{_NAME}: {'every' if every else 'no'} class of {root / 'data.yaml'} is a malformed hand",
            f"they are {', '.join(names)}",
            "say which are",
        )
    files, pictures = _labels(root, split)
    for file in files:
        source = Source(_NAME, f"{split}/{file.stem}")
        yield record_of(source, partial(_picture, pictures, file, wrong, source))


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
        f"{_NAME}: {root / 'labels' / split} holds no labels",
        "no PICTURE.txt there",
        "name the folder that holds labels and images",
    )


def _names(path: Path) -> list[str]:
    """Class names of a data.yaml: ``names: [a, b]``, or a line ``- a`` or ``0: a`` for each."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{_NAME}: cannot read {path}", str(error), "name the folder that holds it"
        ) from error
    one_line = re.search(r"^names:\s*\[(.*?)\]", text, re.MULTILINE | re.DOTALL)
    if one_line:
        return [name.strip().strip("'\"") for name in one_line[1].split(",")]
    many = re.search(r"^names:[^\S\n]*\n((?:[^\S\n]*(?:-|\d+:)[^\n]*\n?)+)", text, re.MULTILINE)
    if not many:
        raise DataError(f"{_NAME}: {path} names no classes", "it has no names: list", "add one")
    lines = [line.split("#")[0] for line in many[1].splitlines()]
    return [re.sub(r"^\s*(-|\d+:)\s*", "", line).strip().strip("'\"") for line in lines]


def _picture(pictures: Path, file: Path, wrong: list[bool], source: Source) -> JudgedPicture | str:
    path = next((p for s in _PICTURES if (p := pictures / f"{file.stem}{s}").is_file()), None)
    if path is None:
        return "its picture is missing"
    width, height = upright_size_px(path)
    hands: list[JudgedHand] = []
    for line in file.read_text("utf-8").split("\n"):
        numbers = [float(field) for field in line.split()]
        if not numbers:
            continue
        if len(numbers) != _FIELDS:
            return f"a line of its labels has not {_FIELDS} fields"
        number, x, y, w, h = numbers
        if not 0 <= number < len(wrong):
            return "its labels hold a class without a name"
        corners = ((x - w / 2) * width, (y - h / 2) * height, (x + w / 2) * width, (y + h / 2) * height)
        hands.append(JudgedHand(corners, wrong[int(number)]))
    key = f"malhand-{source.record.replace('/', '-')}"
    return JudgedPicture(key, reader(path), tuple(hands), False, (), source)
