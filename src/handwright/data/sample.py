"""One labelled picture, whatever data set it came from or whether it was rendered here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float

from handwright.data.shapes import Landmarks
from handwright.errors import InvalidValueError
from handwright.types import Box, Image, Side

Domain = Literal["photograph", "3D rendered image"]
"""What captions call the picture; the negative words of HandRefiner's eq. 3 rest on it."""


@dataclass(frozen=True, eq=False)
class HandLabel:
    """What is known of one hand."""

    bbox_xyxy_px: Box  # Its box; may reach beyond the picture
    side: Side | None  # Its anatomical side; None where the data set does not have it
    # float64 [21, 2] in MediaPipe order, pixel centres at + 0.5; None where there are none
    keypoints_px: Landmarks | None
    # labelled and (as far as the data set has it) seen; all False without keypoints
    visible: Bool[np.ndarray, "21"]
    # float64 [21, 3] the same points in camera space, metres; None where there are none
    joints_cam_m: Float[np.ndarray, "21 3"] | None = None
    gesture: str | None = None  # The data set's name of what the hand does, if it has one

    def __post_init__(self) -> None:
        _expect("HandLabel.visible", self.visible, (21,))
        if self.keypoints_px is not None:
            _expect("HandLabel.keypoints_px", self.keypoints_px, (21, 2))
        elif self.visible.any():
            raise InvalidValueError("HandLabel.visible is True of keypoints that are not there")
        if self.joints_cam_m is not None:
            _expect("HandLabel.joints_cam_m", self.joints_cam_m, (21, 3))
        x0, y0, x1, y1 = self.bbox_xyxy_px
        if not (np.isfinite(self.bbox_xyxy_px).all() and x0 < x1 and y0 < y1):
            raise InvalidValueError(f"HandLabel.bbox_xyxy_px must be a box, got {self.bbox_xyxy_px}")


@dataclass(frozen=True, eq=False)
class PersonLabel:
    """What is known of one person."""

    # float64 [133, 3] x, y in pixels (centres at + 0.5) and how surely it is there in [0, 1], COCO-WholeBody
    # order: 17 body, 6 feet, 68 face, 21 left hand, 21 right hand. What is not labelled is 0, 0, 0.
    wholebody: Float[np.ndarray, "133 3"]
    bbox_xyxy_px: Box  # Box of the person

    def __post_init__(self) -> None:
        _expect("PersonLabel.wholebody", self.wholebody, (133, 3))


@dataclass(frozen=True)
class Source:
    """Where a sample comes from."""

    dataset: str  # Its name
    record: str  # What finds it there again: an image id, a file, an index


@dataclass(frozen=True, eq=False)
class Sample:
    """A picture with everything that is known of it."""

    key: str  # Unique among all data sets; usable as a file name
    image: Callable[[], Image]  # Reads the picture; raises ``UnreadableImageError``
    hands: tuple[HandLabel, ...]  # Its labelled hands
    people: tuple[PersonLabel, ...]  # Its labelled people
    caption: str | None  # What it shows, if that is known
    domain: Domain  # 'photograph' or '3D rendered image'
    source: Source  # Where it comes from


def box_around(points_px: Float[np.ndarray, "n 2"]) -> Box:
    """The tight box of some points, at least a pixel wide and high."""
    low, high = points_px.min(0), points_px.max(0)
    middle, half = (low + high) / 2, np.maximum((high - low) / 2, 0.5)
    (x0, y0), (x1, y1) = middle - half, middle + half
    return float(x0), float(y0), float(x1), float(y1)


def _expect(name: str, value: np.ndarray, shape: tuple[int, ...]) -> None:
    if value.shape != shape:
        raise InvalidValueError(f"{name} must have shape {list(shape)}, got {list(value.shape)}")
    if not np.isfinite(value).all():
        raise InvalidValueError(f"{name} holds numbers that are not finite")
