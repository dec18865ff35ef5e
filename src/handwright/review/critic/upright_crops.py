"""Square crops around a hand, turned so that its fingers point up: the critic's input."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8

GREY = 127
"""Grey level of a crop beyond the picture's border, of 255."""

_MAX_STEP = 1.5
"""Pixels of the picture per pixel of the crop that bilinear sampling may skip over; beyond, they are averaged
first. Chosen by eye."""

Affine = Float[np.ndarray, "2 3"]


@dataclass(frozen=True)
class OrientedSquare:
    """A square around a hand with its direction."""

    center_px: tuple[float, float]  # (x, y) of the middle of its box in the picture
    size_px: float  # Longer side of its box
    toward_rad: float  # Direction from the wrist to the middle finger's knuckle, atan2(dy, dx) with y down

    @classmethod
    def of(cls, landmarks_px: Float[np.ndarray, "21 2"]) -> OrientedSquare:
        """The square of a hand whose landmarks are known."""
        low, high = landmarks_px.min(0), landmarks_px.max(0)
        x, y = (low + high) / 2
        dx, dy = landmarks_px[9] - landmarks_px[0]
        return cls((float(x), float(y)), float((high - low).max()), math.atan2(dy, dx))


def crop_transform(region: OrientedSquare, size_px: int, context: float) -> Affine:
    """The similarity from the picture to a crop of ``size_px`` a side that is ``context`` hand sizes wide.

    Args:
        region: The hand.
        size_px: Side of the crop.
        context: Its side in hand sizes.
    """
    scale = size_px / (context * max(region.size_px, 1.0))
    turn = -math.pi / 2 - region.toward_rad
    c, s = scale * math.cos(turn), scale * math.sin(turn)
    linear = np.array([[c, -s], [s, c]])
    shift = size_px / 2 - linear @ np.array(region.center_px)
    return np.column_stack([linear, shift])


def upright_crop(
    pixels: UInt8[np.ndarray, "h w 3"], to_crop: Affine, size_px: int
) -> UInt8[np.ndarray, "s s 3"]:
    """The picture resampled by a similarity, averaged where it shrinks: uint8 [S, S, 3].

    Args:
        pixels: The picture; pixel centres lie at integers + 0.5.
        to_crop: Similarity from the picture to the crop.
        size_px: Side of the crop.
    """
    scale = math.hypot(to_crop[0, 0], to_crop[1, 0])
    if scale * _MAX_STEP < 1:
        pixels, to_crop = _shrunk(pixels, to_crop, size_px, scale)
    centred = to_opencv_affine(to_crop)
    return cv2.warpAffine(
        pixels, centred, (size_px, size_px), flags=cv2.INTER_LINEAR, borderValue=(GREY, GREY, GREY)
    )


def transform_points(affine: Affine, points: Float[np.ndarray, "*n 2"]) -> Float[np.ndarray, "*n 2"]:
    """Points [*, 2] under an affine map."""
    return points @ affine[:, :2].T + affine[:, 2]


def invert_affine(affine: Affine) -> Affine:
    """The inverse of an affine map."""
    linear = np.linalg.inv(affine[:, :2])
    return np.column_stack([linear, -linear @ affine[:, 2]])


def to_opencv_affine(affine: Affine) -> Affine:
    """The same map for OpenCV, whose pixel centres lie at integers instead of integers + 0.5."""
    half = np.array([0.5, 0.5])
    return np.column_stack([affine[:, :2], transform_points(affine, half) - half])


def _shrunk(
    pixels: UInt8[np.ndarray, "h w 3"], to_crop: Affine, size_px: int, scale: float
) -> tuple[UInt8[np.ndarray, "h w 3"], Affine]:
    """The part of a picture that a crop shows, shrunk by averaging, and the map from there to the crop."""
    edge = np.array([[0.0, 0.0], [size_px, 0.0], [0.0, size_px], [size_px, size_px]])
    corners = transform_points(invert_affine(to_crop), edge)
    height, width = pixels.shape[:2]
    x0, y0 = np.clip(np.floor(corners.min(0)).astype(int), 0, [width - 1, height - 1])
    x1, y1 = np.clip(np.ceil(corners.max(0)).astype(int), [x0 + 1, y0 + 1], [width, height])
    small = (max(1, round((x1 - x0) * scale)), max(1, round((y1 - y0) * scale)))
    ratio = np.array([(x1 - x0) / small[0], (y1 - y0) / small[1]])
    linear = to_crop[:, :2] * ratio
    shrunk = cv2.resize(pixels[y0:y1, x0:x1], small, interpolation=cv2.INTER_AREA)
    return shrunk, np.column_stack([linear, transform_points(to_crop, np.array([float(x0), float(y0)]))])
