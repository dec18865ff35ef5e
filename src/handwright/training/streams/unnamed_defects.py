"""Sound hands gone wrong in ways that have no name, so that a critic doubts more than the named defects.

All of them work on the picture, whatever the hand: none is a generator of
``data.hands.defects.generators``, which change the mesh, or of ``data.photo_edits``, which knows fingers.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.training.streams.degradations import displaced

_CHAINS = tuple((0, *range(1 + 4 * finger, 5 + 4 * finger)) for finger in range(5))
_TRIES = 4
_SEEN_LEVELS, _LEAST_CHANGED = 22, 0.012
"""A place is wrong that changed by so many levels; a hand whose square changed less is left sound."""

Way = Callable[[np.random.Generator, np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""(random, picture [S, S, 3], landmarks [21, 2] in pixels, another hand's picture [S, S, 3]) → picture."""


def gone_wrong(
    rng: np.random.Generator,
    pixels: UInt8[np.ndarray, "s s 3"],
    landmarks_px: Float[np.ndarray, "21 2"],
    other: UInt8[np.ndarray, "s s 3"],
) -> tuple[UInt8[np.ndarray, "s s 3"], Bool[np.ndarray, "s s"]] | None:
    """A sound hand with something wrong with it, and where; None where nothing came of it.

    Args:
        rng: Of everything.
        pixels: A view of the hand; not changed.
        landmarks_px: Of the hand.
        other: A view of some other hand, to take pieces from.
    """
    for _ in range(_TRIES):
        out = pixels
        for _ in range(1 + (rng.random() < 0.35)):
            out = WAYS[rng.integers(len(WAYS))](rng, out, landmarks_px, other)
        changed = cv2.blur(cv2.absdiff(out, pixels).max(2), (3, 3)) > _SEEN_LEVELS
        if changed.sum() > _LEAST_CHANGED * _size(landmarks_px) ** 2:
            return out, changed
    return None


def processed(
    rng: np.random.Generator,
    pixels: UInt8[np.ndarray, "s s 3"],
    landmarks_px: Float[np.ndarray, "21 2"],
    other: UInt8[np.ndarray, "s s 3"],
) -> UInt8[np.ndarray, "s s 3"]:
    """The same done beside the hand: traces of the work must not tell a malformed hand."""
    side = pixels.shape[0]
    angle = rng.uniform(0, 2 * math.pi)
    beside = landmarks_px + _size(landmarks_px) * np.array([math.cos(angle), math.sin(angle)])
    out = WAYS[rng.integers(len(WAYS))](rng, pixels, beside, other)
    hull = np.zeros((side, side), np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(landmarks_px.astype(np.float32)).astype(np.int32), 255)
    reach = round(0.3 * _size(landmarks_px)) | 1
    near = cv2.dilate(hull, np.ones((reach, reach), np.uint8))
    share = cv2.GaussianBlur(near, (0, 0), 2)[..., None] / np.float32(255)
    return _mixed(out, pixels, share)


def _size(landmarks_px: np.ndarray) -> float:
    return max(float(np.ptp(landmarks_px, axis=0).max()), 8.0)


def _place(rng: np.random.Generator, landmarks_px: np.ndarray) -> np.ndarray:
    """Somewhere on a bone."""
    chain = _CHAINS[rng.integers(5)]
    start = rng.integers(len(chain) - 1)
    share = rng.random()
    return (1 - share) * landmarks_px[chain[start]] + share * landmarks_px[chain[start + 1]]


def _grid(side: int) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = np.mgrid[0:side, 0:side].astype(np.float32)
    return columns, rows


def _disc(side: int, middle: np.ndarray, radius: float, edge: float = 4.0) -> np.ndarray:
    """1 inside, 0 outside, float32 [S, S]; the higher ``edge``, the sharper."""
    x, y = _grid(side)
    far = ((x - middle[0]) ** 2 + (y - middle[1]) ** 2) / radius**2
    return np.exp(-(far**edge)).astype(np.float32)


def _mixed(below: np.ndarray, above: np.ndarray, share: np.ndarray) -> np.ndarray:
    return np.clip(below + share * (above.astype(np.float32) - below) + 0.5, 0, 255).astype(np.uint8)


def _rippled(
    rng: np.random.Generator, pixels: np.ndarray, points: np.ndarray, other: np.ndarray
) -> np.ndarray:
    """A patch whose places trade colours with their neighbourhood."""
    side, size = pixels.shape[0], _size(points)
    inside = _disc(side, _place(rng, points), size * rng.uniform(0.2, 0.6))
    field = cv2.GaussianBlur(
        rng.normal(size=(side, side, 2)).astype(np.float32), (0, 0), size * rng.uniform(0.03, 0.09)
    )
    field *= size * rng.uniform(0.05, 0.11) / field.std() * inside[..., None]
    return displaced(pixels, field)


def _bulged(
    rng: np.random.Generator, pixels: np.ndarray, points: np.ndarray, other: np.ndarray
) -> np.ndarray:
    """A swelling, or flesh drawn together."""
    side, middle = pixels.shape[0], _place(rng, points)
    radius = _size(points) * rng.uniform(0.16, 0.32)
    amount = rng.uniform(0.45, 0.7) if rng.random() < 0.6 else -rng.uniform(0.6, 1.0)
    x, y = _grid(side)
    share = -amount * _disc(side, middle, radius, 1.5)
    return displaced(pixels, np.stack([share * (x - middle[0]), share * (y - middle[1])], -1))


def _dragged(
    rng: np.random.Generator, pixels: np.ndarray, points: np.ndarray, other: np.ndarray
) -> np.ndarray:
    """A piece of the hand drawn somewhere else, its surroundings after it."""
    side, size = pixels.shape[0], _size(points)
    middle, radius = _place(rng, points), size * rng.uniform(0.14, 0.3)
    angle, reach = rng.uniform(0, 2 * math.pi), radius * rng.uniform(0.6, 0.95)
    inside = _disc(side, middle, radius, 1.2)
    return displaced(pixels, reach * np.array([math.cos(angle), math.sin(angle)]) * inside[..., None])


def _capsule(side: int, start: np.ndarray, end: np.ndarray, radius: float) -> np.ndarray:
    plane = np.zeros((side, side), np.uint8)
    a, b = (tuple(round(8 * float(v)) for v in point) for point in (start, end))
    cv2.line(plane, a, b, 255, max(1, round(2 * radius)), cv2.LINE_AA, 3)
    return cv2.GaussianBlur(plane, (0, 0), 1.2).astype(np.float32) / 255


def _onto(start: np.ndarray, goal: np.ndarray, angle: float, scale: float) -> np.ndarray:
    """The turning and scaling [2, 3] about ``start``, which comes to ``goal``."""
    c, s = scale * math.cos(angle), scale * math.sin(angle)
    linear = np.array([[c, -s], [s, c]])
    return np.column_stack([linear, goal - linear @ start])


def _moved(pixels: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return cv2.warpAffine(pixels, matrix, pixels.shape[:2], borderMode=cv2.BORDER_REFLECT)


def _grafted(
    rng: np.random.Generator, pixels: np.ndarray, points: np.ndarray, other: np.ndarray
) -> np.ndarray:
    """A piece of a finger stuck on somewhere else, at any angle."""
    side, size = pixels.shape[0], _size(points)
    chain = _CHAINS[rng.integers(5)]
    first = int(rng.integers(1, len(chain) - 1))
    a, b = points[chain[first]], points[chain[-1]]
    share = _capsule(side, a, b, size * rng.uniform(0.06, 0.1))
    goal = _place(rng, points) + rng.normal(0, 0.08 * size, 2)
    matrix = _onto((a + b) / 2, goal, rng.uniform(-math.pi, math.pi), rng.uniform(0.75, 1.3))
    share = cv2.warpAffine(share, matrix, (side, side))
    return _mixed(pixels, _moved(pixels, matrix), share[..., None])


def _swapped(
    rng: np.random.Generator, pixels: np.ndarray, points: np.ndarray, other: np.ndarray
) -> np.ndarray:
    """A piece of another hand in place of a piece of this one, in its colours."""
    side, size, middle = pixels.shape[0], _size(points), _place(rng, points)
    share = _disc(side, middle, size * rng.uniform(0.16, 0.34), 6.0)
    angle, scale = rng.uniform(-math.pi, math.pi), rng.uniform(0.8, 1.25)
    if rng.random() < 0.5:
        other = np.ascontiguousarray(other[:, ::-1])
    start = np.full(2, side / 2) + rng.normal(0, 0.06 * side, 2)
    piece = _moved(other, _onto(start, middle, angle, scale))
    weight = share[..., None] / max(float(share.sum()), 1e-6)
    shift = ((pixels.astype(np.float32) - piece) * weight).sum((0, 1))
    return _mixed(pixels, np.clip(piece + shift, 0, 255), share[..., None])


def _filled(
    rng: np.random.Generator, pixels: np.ndarray, points: np.ndarray, other: np.ndarray
) -> np.ndarray:
    """Skin over what lies between three places of the hand."""
    side = pixels.shape[0]
    corners = np.clip([_place(rng, points) for _ in range(3)], 0, side - 1)
    area = np.zeros((side, side), np.uint8)
    cv2.fillConvexPoly(area, cv2.convexHull(corners.astype(np.float32)).astype(np.int32), 255, cv2.LINE_AA)
    share = cv2.GaussianBlur(area, (0, 0), rng.uniform(1, 3)).astype(np.float32) / 255
    smooth = cv2.GaussianBlur(pixels, (0, 0), 2).astype(np.float32)
    x, y = _grid(side)
    near = np.stack([1 / (4 + (x - corner[0]) ** 2 + (y - corner[1]) ** 2) for corner in corners])
    skin = np.tensordot(
        near / near.sum(0), smooth[corners[:, 1].astype(int), corners[:, 0].astype(int)], (0, 0)
    )
    texture = np.roll(pixels - smooth, tuple(rng.integers(4, 20, 2)), (0, 1))
    return _mixed(pixels, np.clip(skin + 0.7 * texture, 0, 255), share[..., None])


WAYS: tuple[Way, ...] = (_rippled, _bulged, _dragged, _grafted, _swapped, _filled)
