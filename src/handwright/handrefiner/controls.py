"""Control images of other kinds than depth, made from the same hand: HandRefiner §4.4 asks about them."""

from collections.abc import Callable, Mapping
from itertools import pairwise

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.hand.anatomy import LANDMARK_EDGES

Depth = UInt8[np.ndarray, "s s"]
Landmarks = Float[np.ndarray, "n 21 2"]
Picture = UInt8[np.ndarray, "s s 3"]

_COLOURS = np.array(
    [[255, 255, 255], [255, 64, 64], [255, 200, 0], [64, 220, 64], [64, 128, 255], [220, 64, 255]], np.uint8
)
"""Palm, thumb, index, middle, ring, pinky."""

_FINGERS = [tuple(range(1 + 4 * finger, 5 + 4 * finger)) for finger in range(5)]
_LINE, _ALONG, _SMOOTH_PX, _RELIEF = 64, 9, 1.0, 0.12
"""Sides a line is thick; points along a bone; blur of depth before it is differentiated; how far the hand
comes forward in sides per unit of its depth image's slope."""


def control_picture(kind: str, depth: Depth, landmarks_px: Landmarks) -> Picture:
    """The control image of a square, one of ``KINDS``: uint8 [S, S, 3]."""
    return _MAKERS[kind](depth, landmarks_px)


def _depth(depth: Depth, landmarks_px: Landmarks) -> Picture:
    del landmarks_px
    return np.repeat(depth[..., None], 3, axis=2)


def _landmarks(depth: Depth, landmarks_px: Landmarks) -> Picture:
    """Bones as lines, each finger in its colour."""
    picture = np.zeros((*depth.shape, 3), np.uint8)
    thick = max(1, round(depth.shape[0] / _LINE))
    for points in landmarks_px:
        for a, b in LANDMARK_EDGES:
            colour = tuple(int(v) for v in _COLOURS[_part_of(max(a, b)) if min(a, b) else 0])
            start, end = (tuple(int(v) for v in np.rint(points[k] * 16 - 8)) for k in (a, b))
            cv2.line(picture, start, end, colour, thick, cv2.LINE_AA, shift=4)
    return picture


def _segmentation(depth: Depth, landmarks_px: Landmarks) -> Picture:
    """The hand in six colours, every pixel that of the part whose bone is nearest."""
    inside = depth > 0
    picture = np.zeros((*depth.shape, 3), np.uint8)
    if not inside.any() or not len(landmarks_px):
        return picture
    rows, columns = np.nonzero(inside)
    here = np.stack([columns, rows], 1) + 0.5
    nearest, part = np.full(len(here), np.inf), np.zeros(len(here), int)
    for points in landmarks_px:
        for number, spots in enumerate(_spots(points)):
            away = ((here[:, None] - spots[None]) ** 2).sum(-1).min(1)
            part, nearest = np.where(away < nearest, number, part), np.minimum(nearest, away)
    picture[rows, columns] = _COLOURS[part]
    return picture


def _normals(depth: Depth, landmarks_px: Landmarks) -> Picture:
    """Directions of the surface, as far as the depth image tells them: x, y, towards the camera."""
    del landmarks_px
    inside = depth > 0
    height = _smoothed(depth.astype(np.float32) / 255, inside) * _RELIEF * depth.shape[0]
    slope_x, slope_y = cv2.Sobel(height, -1, 1, 0, scale=1 / 8), cv2.Sobel(height, -1, 0, 1, scale=1 / 8)
    normals = np.dstack([-slope_x, -slope_y, np.ones_like(height)])
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    shown = np.rint((normals + 1) * 127.5).astype(np.uint8)
    return np.where(inside[..., None], shown, np.uint8(0))


def _smoothed(height: Float[np.ndarray, "s s"], inside: Bool[np.ndarray, "s s"]) -> Float[np.ndarray, "s s"]:
    """Blurred within the hand alone, and carried on beyond its outline, so that it has no cliff."""
    share = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), _SMOOTH_PX)
    blurred = cv2.GaussianBlur(np.where(inside, height, 0).astype(np.float32), (0, 0), _SMOOTH_PX)
    return blurred / np.maximum(share, 1e-3)


def _part_of(landmark: int) -> int:
    return 0 if landmark == 0 else 1 + (landmark - 1) // 4


def _spots(points: Float[np.ndarray, "21 2"]) -> list[Float[np.ndarray, "k 2"]]:
    """Points along the bones of palm and fingers, in the order of ``_COLOURS``."""
    palm = [_between(points[0], points[finger[0]]) for finger in _FINGERS]
    fingers = [
        np.concatenate([_between(points[a], points[b]) for a, b in pairwise(finger)]) for finger in _FINGERS
    ]
    return [np.concatenate(palm), *fingers]


def _between(a: Float[np.ndarray, "2"], b: Float[np.ndarray, "2"]) -> Float[np.ndarray, "k 2"]:
    return a + np.linspace(0, 1, _ALONG)[:, None] * (b - a)


_MAKERS: Mapping[str, Callable[[Depth, Landmarks], Picture]] = {
    "depth": _depth, "landmarks": _landmarks, "segmentation": _segmentation, "normals": _normals,
    "scene": _depth,
}  # fmt: skip

KINDS = tuple(_MAKERS)
"""What a ControlNet may be steered by; the first is HandRefiner's.

The last learnt from the depth of whole scenes, and is shown the hand's alone when it paints: HandRefiner's
'untuned'.
"""
