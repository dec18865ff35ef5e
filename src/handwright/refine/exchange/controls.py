"""Depth control image and inpainting mask of a whole picture, in the sizes and kinds that others expect."""

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from handwright.hand.depth import hand_window
from handwright.refine.exchange.planned import PlannedHand
from handwright.types import DepthControl

MASK_KINDS = ("based_on_depth", "tight_bboxes", "original", "repair")
"""What the mask covers: the rendered hands, their boxes, these with padding, or old and new hand alike.

The first three are those of the MeshGraphormer preprocessor for ControlNet.
"""

_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)


def inpainting_mask(
    hands: Sequence[PlannedHand],
    control: DepthControl,
    kind: str = MASK_KINDS[0],
    *,
    padding_px: int = 30,
    expand_px: int = 0,
) -> Bool[np.ndarray, "h w"]:
    """The mask to inpaint hands in.

    Args:
        hands: The hands.
        control: Their depth control image.
        kind: One of ``MASK_KINDS``.
        padding_px: Of kind 'original': room around each box, in pixels.
        expand_px: Grow the mask by so many pixels along rows and columns; below 0, shrink it.

    Returns:
        bool [H, W].
    """
    height, width = control.depth.shape
    if kind == "based_on_depth":
        inside = control.depth > 0
    else:
        inside = np.zeros((height, width), np.bool_)
        for hand in hands:
            if kind == "repair":
                inside |= hand.mask.inside
                continue
            box = hand_window(hand.fit.hand, height, width, margin_px=0)
            if box is not None:
                room = padding_px if kind == "original" else 0
                inside[max(0, box[1] - room) : box[3] + room, max(0, box[0] - room) : box[2] + room] = True
    if not expand_px:
        return inside
    change = cv2.dilate if expand_px > 0 else cv2.erode
    return change(inside.astype(np.uint8), _CROSS, iterations=abs(expand_px)) > 0


def depth_at(depth: UInt8[np.ndarray, "h w"], shorter_px: int) -> UInt8[np.ndarray, "r c"]:
    """A depth control image with a shorter side of so many pixels, as preprocessors make it; 0: as it is."""
    height, width = depth.shape
    scale = shorter_px / min(height, width)
    if shorter_px == 0 or scale == 1:
        return depth
    size = max(1, round(width * scale)), max(1, round(height * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.rint(cv2.resize(depth.astype(np.float32), size, interpolation=how)).astype(np.uint8)
