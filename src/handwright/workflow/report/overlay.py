"""What was found, drawn over the picture: a look at the evidence, not an output to keep."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from handwright.hand.anatomy import LANDMARK_EDGES
from handwright.refine.result import HandRepair
from handwright.types import Image

DETECTED_RGB = (255, 176, 0)
FITTED_RGB = (0, 190, 255)
_SUBPIXEL_BITS = 4


def draw_overlay(image: Image, hands: Sequence[HandRepair]) -> UInt8[np.ndarray, "h w 3"]:
    """The picture with each hand's mask outline, detected points (orange), fitted bones (blue), number."""
    canvas = np.ascontiguousarray(image.pixels.copy())
    for hand in hands:
        thick = max(1, round(hand.observation.size_px / 120))
        outline, _ = cv2.findContours(
            hand.mask.inside.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
        )
        for color, extra in (((0, 0, 0), 2), ((255, 255, 255), 0)):
            cv2.drawContours(canvas, outline, -1, color, max(1, thick // 2) + extra, cv2.LINE_AA)
        _bones(canvas, hand.fit.landmarks_px, thick)
        _points(canvas, hand.observation.landmarks_px, thick)
        _label(canvas, hand)
    return canvas


def _bones(canvas: UInt8[np.ndarray, "h w 3"], points_px: Float[np.ndarray, "21 2"], thick: int) -> None:
    fixed = _fixed_point(points_px)
    for color, extra in (((0, 0, 0), 2), (FITTED_RGB, 0)):
        for start, end in LANDMARK_EDGES:
            cv2.line(canvas, fixed[start], fixed[end], color, thick + extra, cv2.LINE_AA, _SUBPIXEL_BITS)


def _points(canvas: UInt8[np.ndarray, "h w 3"], points_px: Float[np.ndarray, "21 2"], thick: int) -> None:
    for center in _fixed_point(points_px):
        radius = int((thick + 1.5) * (1 << _SUBPIXEL_BITS))
        cv2.circle(canvas, center, radius, (0, 0, 0), -1, cv2.LINE_AA, _SUBPIXEL_BITS)
        cv2.circle(
            canvas, center, radius - (1 << _SUBPIXEL_BITS), DETECTED_RGB, -1, cv2.LINE_AA, _SUBPIXEL_BITS
        )


def _label(canvas: UInt8[np.ndarray, "h w 3"], hand: HandRepair) -> None:
    """Number and side, beside the wrist and inside the picture."""
    text = f"{hand.id} {hand.observation.side}"
    scale = float(np.clip(hand.observation.size_px / 400, 0.4, 2.0))
    thick = max(1, round(1.5 * scale))
    (width, height), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, thick)
    x, y = hand.fit.landmarks_px[0] + 8 * scale
    left = int(np.clip(x, 0, max(canvas.shape[1] - width, 0)))
    base = int(np.clip(y + height, height, max(canvas.shape[0] - below, height)))
    for color, extra in (((0, 0, 0), 3), ((255, 255, 255), 0)):
        cv2.putText(
            canvas, text, (left, base), cv2.FONT_HERSHEY_SIMPLEX, scale, color, thick + extra, cv2.LINE_AA
        )


def _fixed_point(points_px: Float[np.ndarray, "n 2"]) -> list[tuple[int, int]]:
    """Pixel coordinates (centres at + 0.5) in OpenCV's fixed point (centres at integers)."""
    fixed = np.rint((points_px - 0.5) * (1 << _SUBPIXEL_BITS)).astype(int)
    return [(int(x), int(y)) for x, y in np.clip(fixed, -(1 << 20), 1 << 20)]
