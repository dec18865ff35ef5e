"""From stage I's crops to the canvas of stage II, and pictures cut and padded to what networks take."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8
from PIL import Image as PILImage

from handwright.hand.anatomy import KNUCKLES
from handwright.image.compositing import depth_inside, spread_colours, well_inside
from handwright.perception.body.body_pose import HANDS, BodyPose
from handwright.two_stage.engine import CANVAS_GREY, HeldThings, StageOneHand
from handwright.types import Window

LANCZOS = PILImage.Resampling.LANCZOS

WRIST_RAMP = 0.35
"""How far from its end at the wrist a pasted hand fades into the arm, in lengths from the wrist to the
knuckles. Chosen by eye on 22 hands of seed 2060."""

RING = 1 / 72
"""How far around pasted hands a picture is filled from beyond, in its longer side: the network's own hand and
the light rims of its decoder reach as far. Chosen by eye of 1/170, 1/100 and 1/72 on ten training texts."""

_FILL_PX = 3  # Neighbourhood that a filled pixel follows from

NEAR = 1 / 10
"""How far around pasted hands a picture is painted once more, in its longer side: grey clouds reach as far.
Chosen by eye of 1/16, 1/10 and 1/6, which look much alike, on eight people of seed 2060."""

_THING_BLUR_PX = 0.7
"""How soft the outline of a thing is, whose mask has stairs: a standard deviation. Chosen by eye."""

_DEEP_PX = 2.0  # So far inside their mask hands cover fully, but at wrists

_COVERED = 0.98  # From here on a pixel is no wrist's

HALF = 0.5  # A pixel that hands cover farther is the mask's

_MIXED_PX = 2.0  # How far inside a hand's outline stage I's background still shows, in pixels of its crop

_WRIST_ZONE = 1.0  # Pixels so near the wrist are the hand's end there, in lengths from wrist to knuckles


def compose(
    stage_one: Sequence[StageOneHand], covers: Sequence[Float[np.ndarray, "r r"]], width: int, height: int
) -> tuple[UInt8[np.ndarray, "h w 3"], Float[np.ndarray, "h w"]]:
    """The canvas: stage I's hands, each cut out of its own crop, at their places on grey.

    Along the outline, where stage I's background shows, the hand's own colours from farther inside stand.

    Args:
        stage_one: The crops.
        covers: Per crop how far its hands cover each of its pixels, from 0 to 1.
        width: Width of the picture, pixels.
        height: Height of the picture, pixels.

    Returns:
        The canvas, and how far hands cover its pixels, float64 in [0, 1].
    """
    picture = np.full((height, width, 3), CANVAS_GREY, np.uint8)
    everywhere = np.zeros((height, width))
    for hand, cover in zip(stage_one, covers, strict=True):
        colours = spread_colours(hand.pixels, well_inside(cover > HALF, _MIXED_PX))
        place, painted = _placed(colours, hand.window, width, height)
        _, seen = _placed(cover.astype(np.float32), hand.window, width, height, PILImage.Resampling.BILINEAR)
        inside = seen > everywhere[place]
        picture[place][inside] = painted[inside]
        everywhere[place][inside] = seen[inside]
    return picture, everywhere


def hand_alpha(cover: Float[np.ndarray, "h w"], pose: BodyPose) -> Float[np.ndarray, "h w"]:
    """How far the canvas covers the painted picture: as far as hands do, but less at their wrists.

    Where a hand ends at its wrist, it fades along the arm's direction over ``WRIST_RAMP``, so that the tones
    of hand and arm change into each other.

    Args:
        cover: How far hands cover each pixel of the picture, from 0 to 1.
        pose: The pose, in pixels of the picture; a hand fades whose wrist and knuckles are known.

    Returns:
        float64 in [0, 1].
    """
    alpha = cover.copy()
    rows, columns = np.nonzero(cover)
    at = np.stack((columns, rows), 1) + 0.5
    for hand in HANDS.values():
        if not pose.known[hand][[0, *KNUCKLES]].all():
            continue
        points = pose.points_px[hand]
        outwards = points[0] - points[list(KNUCKLES)].mean(0)
        length = float(np.linalg.norm(outwards))
        near = np.linalg.norm(at - points[0], axis=1) < _WRIST_ZONE * length
        if not near.any():
            continue
        along = (at[near] - points[0]) @ (outwards / length)
        faded = np.clip((along.max() - along) / (WRIST_RAMP * length), 0, 1)
        place = rows[near], columns[near]
        alpha[place] = np.minimum(alpha[place], faded)
    return alpha


def things_layer(
    held: HeldThings,
) -> tuple[UInt8[np.ndarray, "h w 3"], Float[np.ndarray, "h w"]]:
    """Things that hands hold: their colours, also beside their outline, and how far they cover each pixel."""
    colours = spread_colours(held.pixels, well_inside(held.mask, 1.0))
    return colours, cv2.GaussianBlur(held.mask.astype(np.float64), (0, 0), _THING_BLUR_PX)


def lay_things(picture: UInt8[np.ndarray, "h w 3"], held: HeldThings) -> UInt8[np.ndarray, "h w 3"]:
    """A picture with the things that its hands hold."""
    return paste_hand(picture, *things_layer(held))


def paste_hand(
    picture: UInt8[np.ndarray, "h w 3"],
    canvas: UInt8[np.ndarray, "h w 3"] | Float[np.ndarray, "h w 3"],
    alpha: Float[np.ndarray, "h w"],
) -> UInt8[np.ndarray, "h w 3"]:
    """The decoded picture with the canvas's hand put back; pixel for pixel where alpha is 0 or 1.

    Values of the canvas that are not rounded yet, from 0 to 255, are rounded once.
    """
    share = alpha[..., None]
    return np.rint(share * canvas + (1 - share) * picture).astype(np.uint8)


def without_own_hand(
    picture: UInt8[np.ndarray, "h w 3"], mask: Bool[np.ndarray, "h w"], alpha: Float[np.ndarray, "h w"]
) -> UInt8[np.ndarray, "h w 3"]:
    """What is to lie behind pasted hands: the picture without what the network painted in their place.

    Its own hand shows around the pasted one, and its decoder leaves light rims beside it. So the hands' place
    and the ring ``RING`` around it are filled from beyond (Telea 2004), but for wrists, where the network's
    own arm goes on.

    Args:
        picture: The picture as it was painted.
        mask: Where the pasted hands are.
        alpha: How far they cover it; in their mask, less than all of it is at their wrists.
    """
    reach = max(round(RING * max(mask.shape)), 1)
    pasted = mask | (alpha > 0)
    if not pasted.any():
        return picture
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    unknown = cv2.dilate(pasted.astype(np.uint8), kernel)
    if unknown.all():
        return picture
    filled = cv2.inpaint(picture, unknown, _FILL_PX, cv2.INPAINT_TELEA)
    share = np.clip((reach + 0.5 - depth_inside(~pasted)) / (reach / 2), 0, 1)
    faded = (depth_inside(mask) > _DEEP_PX) & (alpha < _COVERED)
    share *= np.clip((depth_inside(~faded) - 1) / (2 * reach), 0, 1)
    return paste_hand(picture, filled, share)


def hand_surroundings(mask: Bool[np.ndarray, "h w"]) -> Float[np.ndarray, "h w"]:
    """How far a picture counts as near the hands of a mask: 1 in and around them, 0 from ``NEAR`` on.

    It falls over the outer half of that distance. float64 in [0, 1].
    """
    away = depth_inside(~mask)
    return np.clip(2 - 2 * away / (NEAR * max(mask.shape)), 0, 1)


def _placed(
    crop: np.ndarray, window: Window, width: int, height: int, by: PILImage.Resampling = LANCZOS
) -> tuple[tuple[slice, slice], np.ndarray]:
    """Where a crop lies in a picture of this size, and its part that is inside, at the picture's scale."""
    x0, y0, x1, y1 = window
    sized = np.asarray(PILImage.fromarray(crop).resize((x1 - x0, y1 - y0), by))
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
