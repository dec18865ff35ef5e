"""The review of a picture's hands, drawn over it."""

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from handwright.hand.anatomy import LANDMARK_EDGES
from handwright.review.checklist import HandReview, Overall
from handwright.types import Box

COLOURS: dict[Overall, tuple[int, int, int]] = {
    "pass": (60, 190, 110),
    "unsure": (240, 180, 40),
    "fail": (230, 60, 45),
}
SUBPIXEL_BITS = 4
"""Of OpenCV's fixed point, in which lines and circles are drawn."""
_BONE_RGB = (235, 235, 235)


def draw_review(
    pixels: UInt8[np.ndarray, "h w 3"], hands: Sequence[HandReview]
) -> UInt8[np.ndarray, "h w 3"]:
    """The picture with each hand's bones, its box in its verdict's colour, and the places of failures."""
    canvas = np.ascontiguousarray(pixels.copy())
    for hand in hands:
        size = max(hand.bbox_xyxy_px[2] - hand.bbox_xyxy_px[0], hand.bbox_xyxy_px[3] - hand.bbox_xyxy_px[1])
        thick = max(1, round(size / 160))
        if hand.observation is not None:
            draw_bones(canvas, hand.observation.landmarks_px, _BONE_RGB, thick)
        _box(canvas, hand.bbox_xyxy_px, COLOURS[hand.verdict], thick)
        _places(canvas, hand, thick, size)
        _label(canvas, hand)
    return canvas


def draw_bones(
    canvas: UInt8[np.ndarray, "h w 3"],
    landmarks_px: Float[np.ndarray, "21 2"],
    colour: tuple[int, int, int],
    thick: int,
) -> None:
    """Draw a hand's bones, with a black rim of a pixel, so many pixels thick."""
    points = fixed_points(landmarks_px)
    for drawn, extra in (((0, 0, 0), 2), (colour, 0)):
        for start, end in LANDMARK_EDGES:
            cv2.line(canvas, points[start], points[end], drawn, thick + extra, cv2.LINE_AA, SUBPIXEL_BITS)


def _places(canvas: np.ndarray, hand: HandReview, thick: int, size: float) -> None:
    for check in hand.checks.values():
        if check.verdict != "fail":
            continue
        if check.where.region_xyxy_px is not None:
            _box(canvas, check.where.region_xyxy_px, COLOURS["fail"], 2 * thick)
        for point in check.where.points_px:
            (centre,) = fixed_points(np.array([point]))
            radius = int(max(4.0, 0.06 * size) * (1 << SUBPIXEL_BITS))
            for colour, extra in (((0, 0, 0), 2), (COLOURS["fail"], 0)):
                cv2.circle(canvas, centre, radius, colour, 2 * thick + extra, cv2.LINE_AA, SUBPIXEL_BITS)


def _box(canvas: np.ndarray, box: Box, colour: tuple[int, int, int], thick: int) -> None:
    low, high = fixed_points(np.array([box[:2], box[2:]]))
    for drawn, extra in (((0, 0, 0), 2), (colour, 0)):
        cv2.rectangle(canvas, low, high, drawn, thick + extra, cv2.LINE_AA, SUBPIXEL_BITS)


def _label(canvas: np.ndarray, hand: HandReview) -> None:
    """Number, side and verdict above the box, inside the picture."""
    text = f"{hand.id} {hand.side or 'hand'}: {hand.verdict}"
    scale = float(np.clip((hand.bbox_xyxy_px[2] - hand.bbox_xyxy_px[0]) / 400, 0.4, 2.0))
    thick = max(1, round(1.5 * scale))
    (width, height), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, thick)
    left = int(np.clip(hand.bbox_xyxy_px[0], 0, max(canvas.shape[1] - width, 0)))
    base = int(np.clip(hand.bbox_xyxy_px[1] - below, height, max(canvas.shape[0] - below, height)))
    corners = (left - 2, base - height - 2), (left + width + 2, base + below)
    cv2.rectangle(canvas, *corners, (0, 0, 0), -1)
    colour = COLOURS[hand.verdict]
    cv2.putText(canvas, text, (left, base), cv2.FONT_HERSHEY_SIMPLEX, scale, colour, thick, cv2.LINE_AA)


def fixed_points(points_px: Float[np.ndarray, "n 2"]) -> list[tuple[int, int]]:
    """Pixel coordinates (centres at + 0.5) in OpenCV's fixed point (centres at integers)."""
    fixed = np.rint((points_px - 0.5) * (1 << SUBPIXEL_BITS)).astype(int)
    return [(int(x), int(y)) for x, y in np.clip(fixed, -(1 << 20), 1 << 20)]
