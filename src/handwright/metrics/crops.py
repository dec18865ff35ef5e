"""Parts of pictures to measure alone: hands, and what is not background."""

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from handwright.errors import InvalidValueError
from handwright.types import Box

CROP_PX = 224  # Side of hand crops

MARGIN = 1.6  # Side of a crop in longer sides of the hand's box


def hand_crop(
    pixels: UInt8[np.ndarray, "h w 3"], box: Box, side_px: int = CROP_PX
) -> UInt8[np.ndarray, "s s 3"]:
    """The square around a hand, 1.6 times the longer side of its box (HandRefiner's crops); unmirrored.

    Beyond the picture its edge is repeated.

    Raises:
        InvalidValueError: The box has no extent.
    """
    x0, y0, x1, y1 = box
    side = round(MARGIN * max(x1 - x0, y1 - y0))
    if side < 1:
        raise InvalidValueError(f"a hand's box must have an extent, got {box}")
    height, width = pixels.shape[:2]
    columns = np.clip(np.arange(side) + round((x0 + x1 - side) / 2), 0, width - 1)
    rows = np.clip(np.arange(side) + round((y0 + y1 - side) / 2), 0, height - 1)
    square = pixels[np.ix_(rows, columns)]
    how = cv2.INTER_AREA if side > side_px else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(square, (side_px, side_px), interpolation=how), np.uint8)


def foreground_only(
    pixels: UInt8[np.ndarray, "h w 3"], inside: Bool[np.ndarray, "h w"]
) -> UInt8[np.ndarray, "h w 3"]:
    """The picture with its background made black (the two-stage paper's FID fg and KID fg).

    Raises:
        InvalidValueError: The sizes differ.
    """
    if inside.shape != pixels.shape[:2]:
        raise InvalidValueError(f"the mask is {inside.shape}, the picture {pixels.shape[:2]}")
    return np.where(inside[..., None], pixels, np.uint8(0))
