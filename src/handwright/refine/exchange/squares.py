"""A square per hand for somebody else to paint on, and the way of the paint into the picture."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.errors import InvalidValueError
from handwright.handrefiner.square import Square, control_at, mask_at, picture_at, resized, square_around
from handwright.image.compositing import feathered_blend
from handwright.refine.compositing.blend import rim
from handwright.refine.exchange.planned import PlannedHand, PlannedHands


@dataclass(frozen=True, eq=False, kw_only=True)
class HandSquare:
    """One hand's square, at the resolution R that it is to be painted at."""

    place: Square  # Where it lies in the picture
    picture: UInt8[np.ndarray, "r r 3"]
    mask: Bool[np.ndarray, "r r"]  # True where it is to be painted
    depth: UInt8[np.ndarray, "r r"]  # Depth control image
    inside: Bool[np.ndarray, "H W"]  # the same mask in the whole picture
    hand_px: float  # Hand size in pixels of the picture


def hand_squares(pixels: UInt8[np.ndarray, "H W 3"], planned: PlannedHands, side: int) -> list[HandSquare]:
    """Cut a square around every hand, the farthest hand first.

    Args:
        pixels: uint8 [H, W, 3] the picture.
        planned: Its hands.
        side: R in pixels.

    Returns:
        Squares of 1.6 × the hand's box (HandRefiner's published crop), larger where the mask asks for it.
        Hands whose mask is empty have none.
    """
    farthest_first = sorted(planned.hands, key=lambda hand: -float(hand.fit.hand.translation_m[2]))
    return [_cut(pixels, planned, hand, side) for hand in farthest_first if bool(hand.mask.inside.any())]


def middle_square(pixels: UInt8[np.ndarray, "H W 3"], side: int) -> HandSquare:
    """The middle of a picture without hands: a square with nothing to paint."""
    height, width = pixels.shape[:2]
    shorter = min(height, width)
    place = Square((width - shorter) // 2, (height - shorter) // 2, shorter)
    return HandSquare(
        place=place,
        picture=picture_at(place.cut(pixels), side),
        mask=np.zeros((side, side), np.bool_),
        depth=np.zeros((side, side), np.uint8),
        inside=np.zeros((height, width), np.bool_),
        hand_px=1.0,
    )


def paste_squares(
    pixels: UInt8[np.ndarray, "H W 3"],
    squares: Sequence[HandSquare],
    painted: Sequence[Float[np.ndarray, "p p 3"]],
) -> tuple[UInt8[np.ndarray, "H W 3"], Bool[np.ndarray, "H W"]]:
    """Paste painted squares, one after the other.

    Args:
        pixels: uint8 [H, W, 3] the picture.
        squares: Where each belongs.
        painted: float32 [P, P, 3] in 0 … 255 each, of any side P.

    Returns:
        The picture, and bool [H, W] where it may differ; elsewhere it is the same bit for bit.

    Raises:
        InvalidValueError: The picture has another size, or the numbers differ.
    """
    if len(squares) != len(painted):
        raise InvalidValueError(
            f"{len(painted)} painted squares came for {len(squares)}", "", "paint every square, in its order"
        )
    height, width = pixels.shape[:2]
    canvas, changed = pixels.copy(), np.zeros((height, width), np.bool_)
    for square, paint in zip(squares, painted, strict=True):
        if square.inside.shape != (height, width):
            raise InvalidValueError(
                f"the squares were cut from a picture of {square.inside.shape[1]} × {square.inside.shape[0]}",
                f"this one has {width} × {height}",
                "give the picture that they were cut from",
            )
        alpha = rim(square.inside, square.hand_px)
        light = square.place.in_window(
            np.ascontiguousarray(resized(paint.astype(np.float32), square.place.side)), (0, 0, width, height)
        )
        canvas = feathered_blend(canvas, light, alpha)
        changed |= alpha > 0
    return canvas, changed


def _cut(pixels: np.ndarray, planned: PlannedHands, hand: PlannedHand, side: int) -> HandSquare:
    inside = hand.mask.inside
    height, width = inside.shape
    points = np.concatenate([hand.observation.landmarks_px, hand.fit.landmarks_px])
    place = square_around(points, inside, (0, 0, width, height))
    return HandSquare(
        place=place,
        picture=picture_at(place.cut(pixels), side),
        mask=mask_at(place.cut(inside), side),
        depth=control_at(place.cut(planned.depth.depth), side),
        inside=inside,
        hand_px=max(hand.observation.size_px, 1.0),
    )
