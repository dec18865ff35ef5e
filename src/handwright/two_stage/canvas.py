"""From stage I's crops to the canvas of stage II, and pictures cut and padded to what networks take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, UInt8
from PIL import Image as PILImage
from scipy.ndimage import distance_transform_edt

from handwright.perception.body.body_pose import HANDS, BodyPose
from handwright.two_stage.engine import CANVAS_GREY, StageOneHand
from handwright.types import Window

LANCZOS = PILImage.Resampling.LANCZOS

SOFT_PX = 2.0
"""A pasted hand covers fully from this far inside its mask, in pixels of the picture: less leaves the stairs
of the mask, more makes fingers of four pixels transparent. Chosen by eye on 22 hands of seed 2060."""

WRIST_RAMP = 0.35
"""How far from its end at the wrist a pasted hand fades into the arm, in lengths from the wrist to the
knuckles. Chosen by eye on the same."""

NEAR = 1 / 10
"""How far around pasted hands a picture is painted once more, in its longer side: grey clouds reach as far.
Chosen by eye of 1/16, 1/10 and 1/6, which look much alike, on eight people of seed 2060."""

_MIXED_PX = 1.5  # How far inside its mask a scaled hand still has something of stage I's background
_REACH_PX = 2.3  # How far its colour is looked for; fingers without an inside keep their own

_WRIST_ZONE = 1.0  # Pixels so near the wrist are the hand's end there, in lengths from wrist to knuckles
_KNUCKLES = (5, 9, 13, 17)  # MCPs of the four fingers, MediaPipe order


def compose(
    stage_one: Sequence[StageOneHand], masks: Sequence[Bool[np.ndarray, "h w"]]
) -> tuple[UInt8[np.ndarray, "h w 3"], Bool[np.ndarray, "h w"]]:
    """The canvas: stage I's hands, each cut out of its own crop, at their places on grey; the initial mask.

    Along the rim of a mask, where scaled pixels are a mixture of the hand and what stage I painted behind it,
    the hand's own colours from farther inside stand.

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
        picture[place][inside] = _without_background(painted, inside)[inside]
        everywhere[place] |= inside
    return picture, everywhere


def _without_background(painted: UInt8[np.ndarray, "h w 3"], inside: Bool[np.ndarray, "h w"]) -> np.ndarray:
    """A hand whose mixed pixels at the rim of its mask have the colour of the nearest that are its own."""
    own = _depth_inside(inside) > _MIXED_PX
    if not own.any():
        return painted
    found: Any = distance_transform_edt(~own, return_indices=True)
    far, (rows, columns) = found
    mixed = inside & ~own & (far <= _REACH_PX)
    result = painted.copy()
    result[mixed] = painted[rows[mixed], columns[mixed]]
    return result


def hand_alpha(
    mask: Bool[np.ndarray, "h w"], pose: BodyPose, things: Bool[np.ndarray, "h w"] | None = None
) -> Float[np.ndarray, "h w"]:
    """How far the canvas covers the painted picture: 0 outside the hands' mask, 1 inside but for its rim.

    The rim is ``SOFT_PX`` wide. Where a hand ends at its wrist, it fades along the arm's direction over
    ``WRIST_RAMP``, so that the tone of hand and arm change into each other.

    Args:
        mask: Where the hands are, in the picture.
        pose: The pose, in pixels of the picture; a hand fades whose wrist and knuckles are known.
        things: Where things in the hands are seen; they cover, too, and do not fade at wrists.

    Returns:
        float64 in [0, 1].
    """
    nothing = np.zeros_like(mask) if things is None else things
    alpha = np.clip(_depth_inside(mask | nothing) / SOFT_PX, 0, 1)
    rows, columns = np.nonzero(mask & ~nothing)
    at = np.stack((columns, rows), 1) + 0.5
    for hand in HANDS.values():
        if not pose.known[hand][[0, *_KNUCKLES]].all():
            continue
        points = pose.points_px[hand]
        outwards = points[0] - points[list(_KNUCKLES)].mean(0)
        length = float(np.linalg.norm(outwards))
        near = np.linalg.norm(at - points[0], axis=1) < _WRIST_ZONE * length
        if not near.any():
            continue
        along = (at[near] - points[0]) @ (outwards / length)
        faded = np.clip((along.max() - along) / (WRIST_RAMP * length), 0, 1)
        place = rows[near], columns[near]
        alpha[place] = np.minimum(alpha[place], faded)
    return alpha


def paste_hand(
    picture: UInt8[np.ndarray, "h w 3"], canvas: UInt8[np.ndarray, "h w 3"], alpha: Float[np.ndarray, "h w"]
) -> UInt8[np.ndarray, "h w 3"]:
    """The decoded picture with the canvas's hand put back; pixel for pixel where alpha is 0 or 1."""
    share = alpha[..., None]
    return np.rint(share * canvas + (1 - share) * picture).astype(np.uint8)


def _depth_inside(mask: Bool[np.ndarray, "h w"]) -> Float[np.ndarray, "h w"]:
    """How far each pixel of a mask is from the nearest outside it, pixels; the picture's border is no end."""
    if mask.all():
        return np.full(mask.shape, np.inf)
    return np.asarray(distance_transform_edt(mask), np.float64)


def hand_surroundings(mask: Bool[np.ndarray, "h w"]) -> Float[np.ndarray, "h w"]:
    """How far a picture counts as near the hands of a mask: 1 in and around them, 0 from ``NEAR`` on.

    It falls over the outer half of that distance. float64 in [0, 1].
    """
    away = _depth_inside(~mask)
    return np.clip(2 - 2 * away / (NEAR * max(mask.shape)), 0, 1)


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
