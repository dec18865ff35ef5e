"""What all loaders share: records that may be broken, and the one pixel convention.

Data sets number pixels so that the first one's centre is 0; here it is 0.5. ``from_pixel_index`` is the step
between the two; ``project`` takes it, too.
"""

from collections import Counter
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Bool, Float
from PIL import Image as PILImage

from handwright.data.sample import HandLabel, Sample, Source, box_around
from handwright.errors import DataError, HandwrightError, UnreadableImageError
from handwright.image import load_image
from handwright.json_text import parse_json
from handwright.types import Image, Side

_ORIENTATION_TAG = 274
_EXAMPLES = 3


@dataclass(frozen=True)
class Broken:
    """A record that cannot be used."""

    source: Source  # Which one
    reason: str  # Why, in a few words that are the same for all records broken in the same way


class Unusable(Exception):
    """Raised while a record is read: why it cannot be used."""


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


def record_of(source: Source, read: Callable[[], Found]) -> Found | Broken:
    """The sample that ``read`` returns, or why there is none: its own reason, or labels of another shape."""
    try:
        return read()
    except Unusable as error:
        return Broken(source, str(error))
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        reason = error.what if isinstance(error, HandwrightError) else f"{type(error).__name__}: {error}"
        return Broken(source, f"its labels are malformed ({reason})")
    except HandwrightError as error:
        return Broken(source, error.why or error.what)


def read_json(path: Path, dataset: str) -> Any:  # noqa: ANN401 - whatever the file holds
    """The content of a file without which nothing of a data set can be read.

    Raises:
        DataError: It is missing or no JSON.
    """
    try:
        return parse_json(path.read_text("utf-8"))
    except OSError as error:
        why = error.strerror or str(error)
        raise DataError(f"{dataset}: cannot read {path}", why, "name the folder that holds it") from error
    except ValueError as error:
        raise DataError(f"{dataset}: {path} is no JSON", str(error), "fetch it again") from error


def list_annotations(folder: Path, dataset: str, pattern: str = "*.json") -> list[Path]:
    """The label files in a folder, sorted.

    Raises:
        DataError: There is none.
    """
    if files := sorted(folder.glob(pattern)):
        return files
    hint = "name the folder that holds annotations and pictures"
    raise DataError(f"{dataset}: {folder} holds no annotations", f"no {pattern} there", hint)


def picture_at(*places: Path) -> Path:
    """The first of some places where a picture is.

    Raises:
        Unusable: It is at none of them.
    """
    for place in places:
        if place.is_file():
            return place
    raise Unusable("its picture is missing")


def reader(path: Path) -> Callable[[], Image]:
    """What reads this picture when it is wanted."""
    return lambda: load_image(path)


def hand_in_view(
    side: Side,
    joints_cam_m: Float[np.ndarray, "21 3"],
    focal_px: Float[np.ndarray, "2"],
    center_px: Float[np.ndarray, "2"],
    size: tuple[int, int],
    valid: Bool[np.ndarray, "21"] | bool = True,
) -> HandLabel | None:
    """A hand seen by a camera whose picture has this width and height; None where no valid point is in it."""
    points = project(joints_cam_m, focal_px, center_px)
    visible = np.asarray(valid & (points >= 0).all(1) & (points < np.array(size)).all(1))
    return (
        HandLabel(box_around(points[visible]), side, points, visible, joints_cam_m) if visible.any() else None
    )


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
    """Pinhole projection of points in camera space whose first pixel is centred at 0; here it is at 0.5.

    Raises:
        ValueError: A point lies behind the camera.
    """
    points = np.asarray(points_cam, np.float64)
    if not (points[:, 2] > 0).all():
        raise ValueError("a point lies behind the camera")
    return from_pixel_index(points[:, :2] / points[:, 2:] * focal_px + center_px)
