"""Pictures whose hands people have judged: good or malformed."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from handwright.data.sample import Source
from handwright.errors import InvalidValueError
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
