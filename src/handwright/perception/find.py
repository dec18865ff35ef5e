"""Find every hand of a picture: the whole of it, then enlarged tiles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8

from handwright.perception.landmarker import HandLandmarker, Landmarker
from handwright.perception.merge import box_iou, merge_hands
from handwright.perception.views import View, around, tiles, whole
from handwright.types import Box, HandObservation

Pixels = UInt8[np.ndarray, "h w 3"]


def find_hands(
    pixels: Pixels, *, boxes: Sequence[Box] = (), landmarker: Landmarker | None = None
) -> list[HandObservation]:
    """Hands of a picture, left to right, then top to bottom.

    Args:
        pixels: uint8 [H, W, 3] sRGB, upright.
        boxes: x0, y0, x1, y1 in pixels. When given, only these are looked at; a box without a hand gives none
            (``find_in_box`` says which).
        landmarker: Eyes to use and leave open; by default MediaPipe's, opened and closed here.

    Raises:
        MissingModelError: MediaPipe's model is missing and cannot be fetched.
    """
    if landmarker is None:
        with HandLandmarker() as own:
            return find_hands(pixels, boxes=boxes, landmarker=own)
    if boxes:
        found = [hand for box in boxes if (hand := find_in_box(pixels, box, landmarker)) is not None]
    else:
        found = _search(pixels, landmarker)
    return sorted(found, key=lambda hand: hand.bbox_xyxy_px[:2])


def find_in_box(pixels: Pixels, box: Box, landmarker: Landmarker) -> HandObservation | None:
    """The hand that fits a user's box best, or None when nothing is seen in it by any means."""
    x0, y0, x1, y1 = box
    center, size = ((x0 + x1) / 2, (y0 + y1) / 2), max(x1 - x0, y1 - y0)
    best: tuple[float, HandObservation] | None = None
    for turn in (0.0, np.pi / 2, -np.pi / 2, np.pi):
        for margin in (1.6, 2.4, 1.2):
            view = View(center, margin * size, 384, turn)
            for hand in view.look(pixels, landmarker, max_hands=4, confidence=0.1, found_by="box"):
                overlap = box_iou(hand.bbox_xyxy_px, box)
                if overlap > (best[0] if best else 0.1):
                    best = (overlap, hand)
        if best:
            return best[1]
    return None


def _search(pixels: Pixels, landmarker: Landmarker) -> list[HandObservation]:
    height, width = pixels.shape[:2]
    found = whole(width, height, size_px=512).look(
        pixels, landmarker, max_hands=8, confidence=0.5, found_by="picture"
    )
    if max(width, height) > 320:
        for view in tiles(width, height, side_px=max(320.0, max(width, height) / 3), hand_px=96, size_px=384):
            for hand in view.look(pixels, landmarker, max_hands=4, confidence=0.5, found_by="tile"):
                again = around(hand, margin=2.0, size_px=384)
                found += [
                    h
                    for h in again.look(pixels, landmarker, max_hands=1, confidence=0.5, found_by="tile")
                    if box_iou(h.bbox_xyxy_px, hand.bbox_xyxy_px) > 0.5
                ]
    return merge_hands(found)
