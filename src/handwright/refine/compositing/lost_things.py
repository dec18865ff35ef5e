"""Rings, painted nails and held things that a repaint has turned to skin.

A thing is a piece of colour that the hand's skin cannot take, bordered by the hand, and rare around it: what
shows between fingers is background, and is found around the hand as well.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.hand.rig import dilated, opened
from handwright.hand.skin_colour import not_skin, skin_distance
from handwright.types import HandRegion


@dataclass(frozen=True, kw_only=True)
class LostThingParams:
    """Which pieces of a hand are things, and when one is lost; chosen on repaints of training pictures.

    Of 90 a thing was lost in 12 by eye: these find 3 of them, and none of the others
    (docs/research/real.md); with 2.5 times ``rare`` no further one, and three false ones.
    """

    working_px: float = 160.0  # Size of a hand at which pieces are found; larger hands are shrunk to it
    near: float = 0.06  # How far beside the hand a thing may lie, in hand sizes
    around: float = 0.35  # How far the surroundings reach, in hand sizes
    bins: int = 16  # Bins of each of L*, a* and b* in which the surroundings' colours are counted
    rare: float = 0.02  # Share of the surroundings that a thing's colour and its neighbours have at most
    least_radius: float = 0.008  # Half the width of the slimmest thing, in hand sizes
    least_area: float = 0.0012  # Area of the smallest thing, in squared hand sizes
    least_border: float = 0.25  # Least share of a thing's rim that is the hand
    other_lab: float = 15.0  # Lab distance from which a repainted pixel is plainly of another colour
    # Squared distance from the hand's skin, in standard deviations, below which a repainted pixel is skin
    skin: float = 25.0
    most_lost: float = 0.35  # Share of a thing that may be lost


PARAMS = LostThingParams()

Pixels = UInt8[np.ndarray, "h w 3"]
Inside = Bool[np.ndarray, "h w"]


def lost_things_area(
    before: Pixels, after: Pixels, changed: Inside, region: HandRegion, hand_px: float
) -> float:
    """Area of the things on and in a hand that became skin, in squared hand sizes; 0: none.

    Args:
        before: uint8 [h, w, 3] the crop as it was.
        after: uint8 [h, w, 3] the same as repainted.
        changed: bool [h, w] what was repainted.
        region: The hand in ``before``, without what had to go.
        hand_px: Size of the hand in pixels.
    """
    scale = min(1.0, PARAMS.working_px / max(hand_px, 1.0))
    if scale < 1:
        before, after = (_shrunk(picture, scale) for picture in (before, after))
        changed, inside = (_shrunk(m.astype(np.uint8), scale) > 0 for m in (changed, region.inside))
        span_px = region.span_px * scale
        region = replace(region, inside=inside, certain=None, probability=None, span_px=span_px)
    size = scale * hand_px
    near = dilated(region.inside, _px(PARAMS.near, size))
    around = dilated(region.inside, _px(PARAMS.around, size)) & ~near
    odd = not_skin(before, region) & near & (_share_around(before, around) < PARAMS.rare)
    pieces = opened(odd, _px(PARAMS.least_radius, size))
    was, became = (cv2.cvtColor(p.astype(np.float32) / 255, cv2.COLOR_RGB2LAB) for p in (before, after))
    lost = changed & (np.linalg.norm(was - became, axis=2) > PARAMS.other_lab)
    lost &= skin_distance(after, region) < PARAMS.skin
    count, parts = cv2.connectedComponents(pieces.astype(np.uint8))
    total = 0
    for number in range(1, count):
        piece = parts == number
        area = int(piece.sum())
        if area < PARAMS.least_area * size**2 or (piece & lost).sum() <= PARAMS.most_lost * area:
            continue
        rim = dilated(piece, 2) & ~piece
        if (rim & region.inside).sum() >= PARAMS.least_border * rim.sum():
            total += area
    return float(total / size**2)


def _share_around(picture: Pixels, around: Inside) -> Float[np.ndarray, "h w"]:
    """Of each pixel the share of the surroundings that has its colour or a neighbouring one."""
    lab, bins = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB), PARAMS.bins
    counts = cv2.calcHist([lab], [0, 1, 2], around.astype(np.uint8), [bins] * 3, [0, 256] * 3)
    padded = np.pad(counts / max(int(around.sum()), 1), 1)
    for axis in range(3):
        padded = sum(np.roll(padded, step, axis) for step in (-1, 0, 1))
    level = (lab // (256 // bins)).astype(int) + 1
    return np.asarray(padded)[level[..., 0], level[..., 1], level[..., 2]]


def _px(share: float, hand_px: float) -> int:
    return max(1, round(share * hand_px))


def _shrunk(picture: np.ndarray, scale: float) -> np.ndarray:
    size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
