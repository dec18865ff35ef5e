"""Small pictures of a network's predictions, for the sample grids that a person looks at."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from handwright.hand.anatomy import LANDMARK_EDGES

_SHIFT = 4  # Fractional bits of OpenCV's drawing coordinates

_EDGE, _TIP, _TIPS = (40, 220, 255), (255, 60, 200), (4, 8, 12, 16, 20)


def with_hand(
    picture: UInt8[np.ndarray, "s s 3"], points_px: Float[np.ndarray, "21 2"], shown: np.ndarray
) -> UInt8[np.ndarray, "s s 3"]:
    """A copy of the picture, doubled in size, with the landmarks that are ``shown`` and the bones between."""
    drawn = cv2.resize(picture, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    at = [tuple(int(v) for v in np.rint((2 * p - 0.5) * (1 << _SHIFT))) for p in points_px]
    for a, b in LANDMARK_EDGES:
        if shown[a] and shown[b]:
            cv2.line(drawn, at[a], at[b], _EDGE, 1, cv2.LINE_AA, _SHIFT)
    for tip in _TIPS:
        if shown[tip]:
            cv2.circle(drawn, at[tip], 3 << _SHIFT, _TIP, 1, cv2.LINE_AA, _SHIFT)
    return drawn


def framed(picture: UInt8[np.ndarray, "h w 3"], colour: tuple[int, int, int]) -> UInt8[np.ndarray, "h w 3"]:
    """A copy of the picture inside a coloured frame."""
    drawn = picture.copy()
    cv2.rectangle(drawn, (0, 0), (picture.shape[1] - 1, picture.shape[0] - 1), colour, 5)
    return drawn


def words(lines: list[str], width: int, line_px: int = 16) -> UInt8[np.ndarray, "h w 3"]:
    """Lines of ASCII in white on black; what does not fit is cut off."""
    drawn = np.zeros((line_px * len(lines) + 4, width, 3), np.uint8)
    for k, line in enumerate(lines):
        at = (3, line_px * (k + 1) - 4)
        cv2.putText(drawn, line, at, cv2.FONT_HERSHEY_SIMPLEX, 0.38, (255, 255, 255), 1, cv2.LINE_AA)
    return drawn


def tiled(pictures: list[UInt8[np.ndarray, "h w 3"]], columns: int) -> UInt8[np.ndarray, "hh ww 3"]:
    """Pictures of one size in rows; the last row is filled up with black."""
    blank = np.zeros_like(pictures[0])
    filled = [*pictures, *[blank] * (-len(pictures) % columns)]
    rows = [np.concatenate(filled[k : k + columns], 1) for k in range(0, len(filled), columns)]
    return np.concatenate(rows, 0)
