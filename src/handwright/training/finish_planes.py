"""What the learnt finish sees: a malformed hand and the drawn one, in a square of bounded size."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.drawing.geometry.surface import Surface
from handwright.drawing.painter import DrawResult

PLANES = 14
"""Of an input: colour as drawn 3, share of the drawn hand 1, its normals 3, place on the resting hand 3, old
colour 3, 1 where the drawing changed the picture."""

SHARE, NORMAL_X, OLD, PAINTED = 3, 4, slice(10, 13), 13
"""Planes: share of the drawn hand; the one whose sign a mirror changes; old colour; what was painted."""

SIDE = 192
"""Side of a square in px; larger hands are shrunk to it, smaller ones keep their pixels."""

REST_MIDDLE_M, REST_REACH_M = (0.0, 0.09, 0.0), 0.1
"""Middle and reach of the resting hand in metres, which places are measured in."""

_ROOM = 1.1  # Side of a square in sizes of what was painted, where that is shrunk; chosen by eye


@dataclass(frozen=True, eq=False)
class FinishSquare:
    """A square of a crop, and how to get there and back."""

    to_square: Float[np.ndarray, "2 3"]  # From pixels of the crop

    @property
    def scale(self) -> float:
        """Pixels of the square a pixel of the crop, at most 1."""
        return float(self.to_square[0, 0])

    @classmethod
    def around(cls, painted: Bool[np.ndarray, "h w"]) -> FinishSquare:
        """The square around what was painted, which must not be empty."""
        x, y, width, height = cv2.boundingRect(painted.astype(np.uint8))
        scale = SIDE / max(float(SIDE), _ROOM * max(width, height))
        move = SIDE / 2 - scale * np.array([x + width / 2, y + height / 2])
        to_square = np.array([[scale, 0, move[0]], [0, scale, move[1]]])
        to_square[:, 2] += (scale - 1) / 2  # pixel centres lie at integers + 0.5
        return cls(to_square)

    def cut(self, values: np.ndarray, border: int = cv2.BORDER_REFLECT_101) -> np.ndarray:
        """The square of a picture or a plane."""
        if self.scale < 1:
            values = cv2.GaussianBlur(values, (0, 0), 0.45 / self.scale)
        return cv2.warpAffine(values, self.to_square, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=border)

    def back(self, values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """A square's plane or picture in a crop of that height and width; its rim's values go on outside."""
        how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return cv2.warpAffine(values, self.to_square, size[::-1], flags=how, borderMode=cv2.BORDER_REPLICATE)


def finish_inputs(crop: UInt8[np.ndarray, "h w 3"], drawn: DrawResult) -> Float[np.ndarray, "h w 14"]:
    """What the network sees of a crop.

    Args:
        crop: uint8 [h, w, 3] sRGB, with the old hand.
        drawn: The same with the fitted hand drawn into it.

    Returns:
        float32 [h, w, 14]: colours in −1 … 1, shares in 0 … 1, unit normals in camera space, and places on
        the resting hand, about −1 … 1; the latter two are 0 outside of the hand.
    """
    share = drawn.layers.alpha[..., None].astype(np.float32)
    geometry = drawn.work.enlarge(_geometry(drawn.surface)) * (share > 0)
    new, old = (pixels.astype(np.float32) / np.float32(127.5) - 1 for pixels in (drawn.pixels, crop))
    return np.concatenate([new, share, geometry, old, drawn.painted[..., None].astype(np.float32)], -1)


def cut_planes(planes: Float[np.ndarray, "h w 14"], square: FinishSquare) -> Float[np.ndarray, "s s 14"]:
    """The square of ``finish_inputs``: colours go on beyond the crop's border, all else is 0 there."""
    colours = {*range(3), *range(OLD.start, OLD.stop)}
    borders = [cv2.BORDER_REFLECT_101 if k in colours else cv2.BORDER_CONSTANT for k in range(PLANES)]
    cuts = [square.cut(np.ascontiguousarray(planes[..., k]), border) for k, border in enumerate(borders)]
    return np.stack(cuts, -1)


def _geometry(surface: Surface) -> Float[np.ndarray, "h w 6"]:
    """Normals and places of a surface, 0 where it is not."""
    rest = (surface.rest_m - np.array(REST_MIDDLE_M, np.float32)) / np.float32(REST_REACH_M)
    return surface.shrink(surface.place(np.concatenate([surface.normals, rest], 1).astype(np.float32)))
