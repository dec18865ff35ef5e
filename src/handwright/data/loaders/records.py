"""What all loaders share: records that may be broken or judged, and the one pixel convention.

Data sets number pixels so that the first one's centre is 0; here it is 0.5. ``from_pixel_index`` is the step
between the two, and every loader names the place where it takes it.
"""

import json
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Float
from PIL import Image as PILImage

from handwright.data.sample import Sample, Source
from handwright.errors import DataError, HandwrightError, InvalidValueError, UnreadableImageError
from handwright.image import load_image
from handwright.types import Box, Image


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


_ORIENTATION_TAG = 274
_EXAMPLES = 3


@dataclass(frozen=True)
class Broken:
    """A record that cannot be used."""

    source: Source  # Which one
    reason: str  # Why, in a few words that are the same for all records broken in the same way


Record = Sample | Broken
Found = TypeVar("Found")


@dataclass
class Tally:
    """How many records were usable, and what was wrong with the others."""

    usable: int = 0  # Samples passed on so far
    broken: Counter[str] = field(default_factory=Counter[str])  # Number of broken records by reason
    # Up to three records of each reason
    examples: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def samples(self, records: Iterable[Found | Broken]) -> Generator[Found]:
        """The usable samples, one by one, counting both kinds."""
        for record in records:
            if isinstance(record, Broken):
                self.broken[record.reason] += 1
                shown = self.examples.setdefault(record.reason, [])
                if len(shown) < _EXAMPLES:
                    shown.append(record.source.record)
            else:
                self.usable += 1
                yield record

    def lines(self) -> list[str]:
        """What to tell the user: the count, then a line for each kind of fault."""
        total = self.usable + self.broken.total()
        lines = [f"{self.usable} of {total} records are usable"]
        for reason, count in self.broken.most_common():
            lines.append(f"{count} left out: {reason} (such as {', '.join(self.examples[reason])})")
        return lines


def record_of(source: Source, read: Callable[[], Found | str]) -> Found | Broken:
    """The sample that ``read`` returns, or why there is none: its own reason, or labels of another shape."""
    try:
        record = read()
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        reason = error.what if isinstance(error, HandwrightError) else f"{type(error).__name__}: {error}"
        return Broken(source, f"its labels are malformed ({reason})")
    except HandwrightError as error:
        return Broken(source, error.why or error.what)
    return Broken(source, record) if isinstance(record, str) else record


def read_json(path: Path, dataset: str) -> Any:  # noqa: ANN401 - whatever the file holds
    """The content of a file without which nothing of a data set can be read.

    Raises:
        DataError: It is missing or no JSON.
    """
    try:
        return json.loads(path.read_text("utf-8"))
    except OSError as error:
        why = error.strerror or str(error)
        raise DataError(f"{dataset}: cannot read {path}", why, "name the folder that holds it") from error
    except ValueError as error:
        raise DataError(f"{dataset}: {path} is no JSON", str(error), "fetch it again") from error


def reader(path: Path) -> Callable[[], Image]:
    """What reads this picture when it is wanted."""
    return lambda: load_image(path)


def upright_size_px(path: Path) -> tuple[int, int]:
    """Width and height of a picture as it will be shown, from its header alone.

    Raises:
        UnreadableImageError: It is missing or no picture.
    """
    try:
        with PILImage.open(path) as opened:
            width, height = opened.size
            turned = opened.getexif().get(_ORIENTATION_TAG, 1) >= 5
    except (OSError, SyntaxError) as error:
        raise UnreadableImageError(f"cannot read {path}", "the picture is missing or damaged") from error
    return (height, width) if turned else (width, height)


def from_pixel_index(points: Float[np.ndarray, "*n 2"]) -> Float[np.ndarray, "*n 2"]:
    """Points that call the centre of the first pixel 0 → points that call it 0.5."""
    return np.asarray(points, np.float64) + 0.5


def project(
    points_cam: Float[np.ndarray, "n 3"], focal_px: Float[np.ndarray, "2"], center_px: Float[np.ndarray, "2"]
) -> Float[np.ndarray, "n 2"]:
    """Pinhole projection of points in camera space, in the data set's own pixel convention.

    Raises:
        ValueError: A point lies behind the camera.
    """
    points = np.asarray(points_cam, np.float64)
    if not (points[:, 2] > 0).all():
        raise ValueError("a point lies behind the camera")
    return points[:, :2] / points[:, 2:] * focal_px + center_px
