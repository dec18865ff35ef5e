"""Where a pose to generate from comes from: a pose file, or the person in a photograph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from handwright.errors import UsageError
from handwright.perception.body.body_pose import BodyPose
from handwright.perception.body.estimate import Body
from handwright.perception.body.pose_file import read_canvas, read_pose

Estimate = Callable[[UInt8[np.ndarray, "h w 3"]], Sequence[Body]]
"""Everybody in a picture, the surest first."""

_MARGIN = 1.05  # A canvas that a file does not name reaches this far beyond its outermost points


@dataclass(frozen=True, eq=False)
class PoseSource:
    """A pose on its canvas."""

    pose: BodyPose  # In pixels of the canvas
    width: int  # Of the canvas, pixels
    height: int  # Of the canvas, pixels
    name: str  # The file that it comes from


def pose_from_file(path: Path, person: int | None, side: int) -> PoseSource:
    """The pose of a file, on a canvas whose longer side is ``side`` pixels.

    Raises:
        InvalidValueError: The file is no pose file, or what it holds is bad; the message names the part.
    """
    pose = read_pose(path, person)
    canvas = read_canvas(path)
    if canvas is None:
        far = np.maximum(pose.points_px[pose.known].max(0) * _MARGIN, 8)
        canvas = int(np.ceil(far[0])), int(np.ceil(far[1]))
    return scaled(pose, *canvas, side, path.name)


def pose_from_photo(path: Path, person: int | None, side: int, estimate: Estimate) -> PoseSource:
    """The pose of somebody in a photograph, on a canvas of its shape whose longer side is ``side`` pixels.

    Raises:
        UnreadableImageError: It cannot be read as a picture.
        UsageError: Nobody is found, or several people and none is named.
    """
    from handwright.image import load_image

    image = load_image(path)
    bodies = estimate(image.pixels)
    if not bodies:
        raise UsageError(
            f"nobody is found in {path.name}", "", "give a photograph with a head or a trunk in it"
        )
    if person is None and len(bodies) > 1:
        raise UsageError(
            f"{path.name} shows {len(bodies)} people", "", "name one with --person, from 0, the surest first"
        )
    number = person or 0
    if not 0 <= number < len(bodies):
        raise UsageError(f"{path.name} shows no person {number}", f"{len(bodies)} found, counted from 0")
    return scaled(bodies[number].pose, image.width, image.height, side, path.name)


def scaled(pose: BodyPose, width: int, height: int, side: int, name: str) -> PoseSource:
    """A pose and its canvas at another size."""
    scale = side / max(width, height)
    size = [max(round(length * scale), 8) for length in (width, height)]
    return PoseSource(BodyPose(pose.points_px * scale, pose.visibility), size[0], size[1], name)
