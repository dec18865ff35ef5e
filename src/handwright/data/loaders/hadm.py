"""Human Artifact Dataset (Wang, Zhang and Zhang 2024, HADM): generated people and what is wrong with them.

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
"""

from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import Any

from handwright.data.loaders.records import (
    Broken,
    JudgedHand,
    JudgedPicture,
    read_json,
    reader,
    record_of,
    upright_size_px,
)
from handwright.data.sample import Source
from handwright.errors import DataError
from handwright.types import Box

_NAME = "HADM"
_PART = "hand"
_UNCLEAR = ("hand", "arm")
_PICTURES = (".jpg", ".jpeg", ".png", ".webp")


def read_hadm(root: Path, split: str = "val_ALL") -> Generator[JudgedPicture | Broken]:
    """Every picture of a split, by name.

    Args:
        root: Folder with ``images`` and ``annotations``.
        split: Folder below both: 'val_ALL', 'val_sdxl', 'val_mj', 'val_dalle2', 'val_dalle3', 'train_ALL'.

    Raises:
        DataError: There is no annotation.
    """
    files = sorted((root / "annotations" / split).glob("*.json"))
    if not files:
        raise DataError(
            f"{_NAME}: {root / 'annotations' / split} holds no annotations",
            "no PICTURE.json there",
            "name the folder that holds annotations and images",
        )
    for file in files:
        source = Source(_NAME, f"{split}/{file.stem}")
        yield record_of(source, partial(_picture, root / "images" / split, file, source))


def _picture(pictures: Path, file: Path, source: Source) -> JudgedPicture | str:
    labels = read_json(file, _NAME)
    named = [pictures / str(labels["image"]["file_name"]), *(pictures / f"{file.stem}{s}" for s in _PICTURES)]
    path = next((place for place in named if place.is_file()), None)
    if path is None:
        return "its picture is missing"
    width, height = upright_size_px(path)
    if (labels["image"]["width"], labels["image"]["height"]) != (width, height):
        return "its picture has another size than its labels give"
    hands = [_hand(part) for part in labels["annotation"] if part["body_parts"] == _PART]
    unclear = [_box(person["bbox"]) for person in labels["human"] if _hands_in_doubt(person)]
    key = f"hadm-{source.record.replace('/', '-')}"
    return JudgedPicture(key, reader(path), tuple(hands), True, tuple(unclear), source)


def _hand(part: dict[str, Any]) -> JudgedHand:
    return JudgedHand(_box(part["bbox"]), True, str(part["level"]))


def _hands_in_doubt(person: dict[str, Any]) -> bool:
    """Whether a person has hands or arms too many or too few; some files call the tags ``tags``."""
    tags: list[str] = person.get("tag") or person.get("tags") or []
    return any(tag.split()[-1] in _UNCLEAR for tag in tags)


def _box(corners: list[float]) -> Box:
    x0, y0, x1, y1 = (float(number) for number in corners)
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)
