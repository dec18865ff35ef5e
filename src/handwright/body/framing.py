"""A shorter lens for a person of whom something lies outside the picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from handwright.body.parameters import BodyParameters
from handwright.types import Camera

_RIM = 0.04  # Share of the picture that is left free around what is to be in it


def framed(body: BodyParameters, points_px: Float[np.ndarray, "n 2"]) -> BodyParameters:
    """The same person, the camera with a shorter lens until these points are in the picture."""
    far, (width, height) = stepping_back(body, points_px), body.size_px
    if far <= 1 + 1e-9:
        return body
    middle = np.array([width / 2, height / 2])
    x, y = (np.asarray(body.camera.center_px) - middle) / far + middle
    return replace(body, camera=Camera(body.camera.focal_px / far, (float(x), float(y))))


def stepping_back(body: BodyParameters, points_px: Float[np.ndarray, "n 2"]) -> float:
    """By how much the lens must become shorter for these points to be in the picture."""
    middle = np.asarray(body.size_px) / 2
    return float((np.abs(points_px - middle) / (middle * (1 - 2 * _RIM))).max())
