"""A picture to measure, and its labels: from a file, a shard, or wherever else."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
from jaxtyping import Bool

from handwright.errors import HandsFileError
from handwright.image import load_image
from handwright.types import Image

Labels = Mapping[str, Any]
"""What a sample's JSON holds: ``hands``, ``people``, ``caption``, as the synthesis writes them."""


@dataclass(frozen=True, eq=False)
class Item:
    """One picture of a set. Nothing is read before it is called for."""

    path: Path  # Where it is; what messages call it
    kind: str  # Its file format: 'png', 'jpeg', …
    image: Callable[[], Image]  # Reads it; raises ``UnreadableImageError``
    # Reads the labels beside it, None where there are none; raises ``HandsFileError``
    labels: Callable[[], Labels | None]
    # Reads the text that it shall show, None where there is none; raises ``HandsFileError``
    caption: Callable[[], str | None]
    # Reads its foreground, bool [H, W]; raises ``UnreadableImageError``. None without a mask.
    inside: Callable[[], Bool[np.ndarray, "h w"]] | None = None


def file_item(path: Path, masks: Path | None = None) -> Item:
    """A picture file with NAME.json, NAME.txt and its foreground NAME.png in ``masks``, where they are."""
    return Item(
        path,
        format_of(path.suffix),
        partial(load_image, path),
        partial(_labels_beside, path),
        partial(_caption_beside, path),
        None if masks is None else partial(_mask, masks / f"{path.stem}.png"),
    )


def format_of(suffix: str) -> str:
    """'.JPG' → 'jpeg'."""
    bare = suffix.lower().lstrip(".")
    return "jpeg" if bare in ("jpg", "jpe") else bare


def labels_of(data: bytes, where: str | Path) -> Labels:
    """The JSON object that these bytes hold.

    Raises:
        HandsFileError: They hold none.
    """
    try:
        labels = json.loads(data)
    except ValueError as error:
        raise HandsFileError(f"{where} is not JSON", str(error), "write it again or remove it") from error
    if not isinstance(labels, dict):
        raise HandsFileError(f"{where} is not a JSON object", "", "write it again or remove it")
    return cast("Labels", labels)


def _labels_beside(picture: Path) -> Labels | None:
    file = picture.with_suffix(".json")
    return labels_of(_bytes(file), file) if file.is_file() else None


def _caption_beside(picture: Path) -> str | None:
    file = picture.with_suffix(".txt")
    if not file.is_file():
        labels = _labels_beside(picture)
        return None if labels is None else caption_in(labels)
    try:
        return _bytes(file).decode("utf-8").strip() or None
    except UnicodeDecodeError as error:
        raise HandsFileError(f"{file} is no UTF-8 text", str(error), "save it as UTF-8") from error


def caption_in(labels: Labels) -> str | None:
    """The caption among the labels, if any."""
    caption = labels.get("caption")
    return caption if isinstance(caption, str) and caption else None


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise HandsFileError(f"cannot read {file}", error.strerror or str(error), "check the file") from error


def _mask(file: Path) -> Bool[np.ndarray, "h w"]:
    return load_image(file).pixels.max(2) > np.uint8(127)
