"""The square that a network paints on: around the hands, at the network's resolution, and the way back.

The published recipe cuts a square of side 1.6 × max(w, h) of the hand's box. Where the repair mask needs
more, the square grows and moves until all of it fits. Left hands stay left.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.types import Window

SQUARE_PER_BOX = 1.6
"""Side of the square over the longer side of the hands' box (HandRefiner's published crop)."""

_ROOM = 1.06
"""Least side of the square over the longer side of the mask: the crop shows what the hand borders on."""

_LEAST_SIDE_PX = 16


@dataclass(frozen=True)
class Square:
    """A square of whole pixels in a picture's frame, which it may leave."""

    left: int  # Its first column
    top: int  # Its first row
    side: int  # Pixels along each side

    def cut(self, picture: np.ndarray) -> np.ndarray:
        """[H, W, …] → [side, side, …]; beyond the picture its nearest pixel is repeated."""
        rows = np.clip(np.arange(self.top, self.top + self.side), 0, picture.shape[0] - 1)
        columns = np.clip(np.arange(self.left, self.left + self.side), 0, picture.shape[1] - 1)
        return np.ascontiguousarray(picture[rows[:, None], columns])

    def meets(self, window: Window) -> bool:
        """Whether it shares pixels with a window."""
        x0, y0, x1, y1 = window
        across = self.left < x1 and x0 < self.left + self.side
        return across and self.top < y1 and y0 < self.top + self.side

    def in_window(self, painted: Float[np.ndarray, "s s 3"], window: Window) -> Float[np.ndarray, "h w 3"]:
        """What was painted on the square, at its place in a window; zeros where the square does not reach."""
        x0, y0, x1, y1 = window
        moved = np.zeros((y1 - y0, x1 - x0, 3), np.float32)
        left, top = max(x0, self.left), max(y0, self.top)
        right, bottom = min(x1, self.left + self.side), min(y1, self.top + self.side)
        if left < right and top < bottom:
            part = painted[top - self.top : bottom - self.top, left - self.left : right - self.left]
            moved[top - y0 : bottom - y0, left - x0 : right - x0] = part
        return moved


def square_around(
    points_px: Float[np.ndarray, "n 2"], repair_mask: Bool[np.ndarray, "h w"], window: Window
) -> Square:
    """The square to paint hands on.

    Args:
        points_px: [N, 2] landmarks of the hands, in the picture.
        repair_mask: bool [h, w] repair mask in the window, not empty.
        window: x0, y0, x1, y1 of the mask.

    Returns:
        A square of side ≥ 1.6 × the longer side of the points' box, centred on it, that holds the whole mask;
        it is larger or off centre only as far as the mask asks for it.
    """
    low, high = points_px.min(0), points_px.max(0)
    rows, columns = np.flatnonzero(repair_mask.any(1)), np.flatnonzero(repair_mask.any(0))
    first = np.array([window[0] + columns[0], window[1] + rows[0]], np.float64)
    last = np.array([window[0] + columns[-1] + 1, window[1] + rows[-1] + 1], np.float64)
    side = int(
        np.ceil(max(SQUARE_PER_BOX * (high - low).max(), _ROOM * (last - first).max(), _LEAST_SIDE_PX))
    )
    corner = np.round((low + high - side) / 2)
    corner = np.clip(corner, last - side, first)
    return Square(int(corner[0]), int(corner[1]), side)


def picture_at(picture: UInt8[np.ndarray, "s s 3"], side: int) -> UInt8[np.ndarray, "r r 3"]:
    """A picture at another resolution."""
    return np.clip(np.rint(resized(picture.astype(np.float32), side)), 0, 255).astype(np.uint8)


def mask_at(mask: Bool[np.ndarray, "s s"], side: int) -> Bool[np.ndarray, "r r"]:
    """A mask at another resolution: True where any of it is."""
    if side == mask.shape[0]:
        return mask
    how = cv2.INTER_AREA if side < mask.shape[0] else cv2.INTER_NEAREST_EXACT
    return cv2.resize(mask.astype(np.float32), (side, side), interpolation=how) > 0


def control_at(depth: UInt8[np.ndarray, "s s"], side: int) -> UInt8[np.ndarray, "r r"]:
    """A depth control image at another resolution; no value leaves the range of its neighbours."""
    if side == depth.shape[0]:
        return depth
    how = cv2.INTER_AREA if side < depth.shape[0] else cv2.INTER_LINEAR
    return np.rint(cv2.resize(depth.astype(np.float32), (side, side), interpolation=how)).astype(np.uint8)


def resized(picture: Float[np.ndarray, "s s 3"], side: int) -> Float[np.ndarray, "r r 3"]:
    """Area averages to shrink, Lanczos to enlarge, equal at the same size; float32, not clipped."""
    if side == picture.shape[0]:
        return picture
    how = cv2.INTER_AREA if side < picture.shape[0] else cv2.INTER_LANCZOS4
    return cv2.resize(picture, (side, side), interpolation=how)
