"""From stage I's crops to the canvas of stage II, and pictures cut and padded to what networks take."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, UInt8
from PIL import Image as PILImage

from handwright.two_stage.engine import CANVAS_GREY, StageOneHand
from handwright.types import Window

LANCZOS = PILImage.Resampling.LANCZOS


def compose(
    stage_one: Sequence[StageOneHand], masks: Sequence[Bool[np.ndarray, "h w"]]
) -> tuple[UInt8[np.ndarray, "h w 3"], Bool[np.ndarray, "h w"]]:
    """The canvas: stage I's hands, each cut out of its own crop, at their places on grey; the initial mask.

    Args:
        stage_one: The crops.
        masks: Per crop where its hands are in the picture; what lies beyond the crop does not count.
    """
    height, width = masks[0].shape
    picture = np.full((height, width, 3), CANVAS_GREY, np.uint8)
    everywhere = np.zeros((height, width), np.bool_)
    for hand, mask in zip(stage_one, masks, strict=True):
        place, painted = _placed(hand.pixels, hand.window, width, height)
        inside = mask[place]
        picture[place][inside] = painted[inside]
        everywhere[place] |= inside
    return picture, everywhere


def predicted_masks(
    stage_one: Sequence[StageOneHand], width: int, height: int
) -> list[Bool[np.ndarray, "h w"]] | None:
    """Per crop where stage I predicts its hands, in the picture; None where it predicts none for one."""
    masks: list[Bool[np.ndarray, "h w"]] = []
    for hand in stage_one:
        if hand.mask is None or not hand.mask.any():
            return None
        inside = np.zeros((height, width), np.bool_)
        place, seen = _placed(np.uint8(255) * np.asarray(hand.mask), hand.window, width, height)
        inside[place] = seen > 127
        masks.append(inside)
    return masks


def _placed(
    crop: np.ndarray, window: Window, width: int, height: int
) -> tuple[tuple[slice, slice], np.ndarray]:
    """Where a crop lies in a picture of this size, and its part that is inside, at the picture's scale."""
    x0, y0, x1, y1 = window
    sized = np.asarray(PILImage.fromarray(crop).resize((x1 - x0, y1 - y0), LANCZOS))
    left, top, right, bottom = max(x0, 0), max(y0, 0), min(x1, width), min(y1, height)
    return np.s_[top:bottom, left:right], sized[top - y0 : bottom - y0, left - x0 : right - x0]


def squared(picture: np.ndarray, square: int, side: int) -> PILImage.Image:
    """A picture in the upper left of a square that it fits into, grey (or 0) beyond it, at another size."""
    padded = np.full((square, square, *picture.shape[2:]), CANVAS_GREY if picture.ndim == 3 else 0, np.uint8)
    padded[: picture.shape[0], : picture.shape[1]] = picture
    return PILImage.fromarray(padded).resize(
        (side, side), PILImage.Resampling.BOX if side < square else LANCZOS
    )


def cut(picture: UInt8[np.ndarray, "h w 3"], window: Window, side: int) -> PILImage.Image:
    """A window of a picture at another size; beyond the picture its nearest pixel is repeated."""
    x0, y0, x1, y1 = window
    rows = np.clip(np.arange(y0, y1), 0, picture.shape[0] - 1)
    columns = np.clip(np.arange(x0, x1), 0, picture.shape[1] - 1)
    return PILImage.fromarray(picture[rows[:, None], columns]).resize((side, side), LANCZOS)
