"""A picture to measure, and its labels: from a file, a shard, or wherever else."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
from jaxtyping import Bool, Float

from handwright.errors import HandsFileError
from handwright.image import load_image
from handwright.metrics.average_precision import FoundPerson
from handwright.types import Image

Labels = Mapping[str, Any]
"""What a sample's JSON holds: ``hands``, ``people``, ``caption``, as the synthesis writes them."""


@dataclass(frozen=True, eq=False, kw_only=True)
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
        path=path,
        kind=format_of(path.suffix),
        image=partial(load_image, path),
        labels=partial(_labels_beside, path),
        caption=partial(_caption_beside, path),
        inside=None if masks is None else partial(_mask, masks / f"{path.stem}.png"),
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


Label = TypeVar("Label")


@dataclass(frozen=True, eq=False)
class TrueHand:
    """A hand's exact keypoints."""

    points_px: Float[np.ndarray, "21 2"]  # float64 [21, 2] in the picture
    visible: Bool[np.ndarray, "21"]  # bool [21]


def true_hands(labels: Labels, where: Path) -> list[TrueHand]:
    """``hands[].keypoints_px`` [21][2] and ``visible`` [21] (all, where it is missing).

    Raises:
        HandsFileError: They are missing, malformed or not finite, or a hand has no extent.
    """
    return _each(labels, "hands", _hand, where)


def people(labels: Labels, where: Path, key: str = "people") -> list[FoundPerson]:
    """``people[].wholebody`` [133][3], x, y and how surely it is there, and ``score``, which may be missing.

    Raises:
        HandsFileError: They are missing, malformed or not finite.
    """
    return _each(labels, key, _person, where)


def poses(labels: Labels, where: Path) -> list[Float[np.ndarray, "j 3"]]:
    """``hands[].pose`` [J][3], axis-angle of each joint in radians.

    Raises:
        HandsFileError: They are missing, malformed or not finite.
    """
    return _each(labels, "hands", _pose, where)


def _each(labels: Labels, key: str, read: Callable[[dict[str, Any]], Label], where: Path) -> list[Label]:
    try:
        return [read(label) for label in labels[key]]
    except (ValueError, KeyError, TypeError) as error:
        detail = f"{type(error).__name__}: {error}"
        raise HandsFileError(f"{where}: its {key} cannot be read", detail, "write them again") from error


def _hand(label: dict[str, Any]) -> TrueHand:
    points = _finite("keypoints_px", label["keypoints_px"], (21, 2))
    if np.ptp(points, axis=0).max() <= 0:
        raise ValueError("keypoints_px all lie in one place")
    return TrueHand(points, _finite("visible", label.get("visible", [True] * 21), (21,)) > 0)


def _person(label: dict[str, Any]) -> FoundPerson:
    points = _finite("wholebody", label["wholebody"], (133, 3))
    score = float(label.get("score", points[:, 2].mean()))
    if not np.isfinite(score):
        raise ValueError(f"score must be finite, got {score}")
    return FoundPerson(np.where(points[:, 2:] > 0, points[:, :2], 0.0), score)


def _pose(label: dict[str, Any]) -> Float[np.ndarray, "j 3"]:
    points = np.array(label["pose"], float)
    return _finite("pose", points, (len(points), 3))


def _finite(name: str, label: Any, shape: tuple[int, ...]) -> Float[np.ndarray, "*n"]:  # noqa: ANN401
    values = np.array(label, float)
    if values.shape != shape or not np.isfinite(values).all():
        raise ValueError(f"{name} must be finite {list(shape)}, got {list(values.shape)}")
    return values
