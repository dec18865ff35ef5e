"""The shadow that a hand casts on what is behind or beneath it: its shape, and moving it to a new outline.

Model: the light that reaches the background is 1 − strength · (silhouette, shifted and blurred), alike in all
colours. That is a distant lamp and a flat receiver; a hand that lies on a table has almost no shift.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.drawing.photo.srgb import to_linear, to_srgb
from handwright.image.compositing import feather

GRID_PX = 64.0
"""Shadows are soft: they are computed on a grid on which the hand has at most this many pixels."""

_FADE = 0.04
_SLIVER = 0.045
_UNCHANGED = 0.003


@dataclass(frozen=True)
class CastShadow:
    """A hand's shadow.

    Attributes:
        strength: Share of light that full shadow takes, 0 … 1.
        offset: x, y from the hand to its shadow, in hand sizes.
        softness: Sigma of its blur, in hand sizes, > 0.
    """

    strength: float
    offset: tuple[float, float]
    softness: float

    def light(self, caster: Float[np.ndarray, "h w"], hand_px: float) -> Float[np.ndarray, "h w"]:
        """Share of light, 1 − strength … 1, that reaches the background.

        Args:
            caster: float [h, w] 0 … 1, the silhouette; it goes on beyond the crop as it ends there.
            hand_px: Hand size in pixels.
        """
        height, width = caster.shape
        grid = shrunk_to_grid(caster, hand_px)
        unit = hand_px * grid.shape[1] / width
        move = np.array([[1, 0, self.offset[0] * unit], [0, 1, self.offset[1] * unit]])
        cast = cv2.warpAffine(grid, move, grid.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
        cast = cv2.GaussianBlur(cast, (0, 0), self.softness * unit, borderType=cv2.BORDER_REPLICATE)
        return 1 - self.strength * cv2.resize(cast, (width, height), interpolation=cv2.INTER_LINEAR)


@dataclass(frozen=True, eq=False)
class MovedShadow:
    """The old hand's shadow lifted and the new one's laid down.

    Attributes:
        before: float32 [h, w] share of light that the old hand leaves to the background.
        after: float32 [h, w] share that is to be left; equal to ``before`` where nothing may change.
        receives: float32 [h, w] 1 where kept pixels are background, softly.
    """

    before: Float[np.ndarray, "h w"]
    after: Float[np.ndarray, "h w"]
    receives: Float[np.ndarray, "h w"]

    @property
    def inside(self) -> Bool[np.ndarray, "h w"]:
        """Kept pixels that change."""
        return np.abs(self._ratio - 1) > _UNCHANGED

    @property
    def _ratio(self) -> Float[np.ndarray, "h w"]:
        return 1 + self.receives * (self.after / self.before - 1)

    def lifted(self, crop: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "h w 3"]:
        """The crop without the old hand's shadow: what background is to be copied from."""
        return np.round(relit(crop, 1 / self.before)).astype(np.uint8)

    def kept(self, crop: UInt8[np.ndarray, "h w 3"]) -> Float[np.ndarray, "h w 3"]:
        """The photograph's own background in the new shadow, sRGB 0 … 255; the crop outside ``inside``."""
        return relit(crop, np.where(self.inside, self._ratio, 1))

    def laid_on(self, background: UInt8[np.ndarray, "h w 3"]) -> Float[np.ndarray, "h w 3"]:
        """Shadowless background in the new shadow, sRGB 0 … 255."""
        return relit(background, self.after)


def move_shadow(
    shadow: CastShadow,
    old: Float[np.ndarray, "h w"],
    new: Float[np.ndarray, "h w"],
    receiver: Bool[np.ndarray, "h w"],
    may_change: Bool[np.ndarray, "h w"],
    hand_px: float,
) -> MovedShadow:
    """Take the shadow from one silhouette to another.

    The change fades out towards the edge of what may change, so that it meets the old shadow outside.

    Args:
        shadow: What the old hand casts.
        old: float [h, w] 0 … 1, the old hand and arm.
        new: float [h, w] 0 … 1, the drawn hand and what stays of the arm.
        receiver: bool [h, w] pixels that show background, or will.
        may_change: bool [h, w].
        hand_px: Hand size in pixels.
    """
    before = shadow.light(old, hand_px)
    after = shadow.light(_plainly_moved(old, new, hand_px), hand_px)
    share = feather(may_change, _FADE * hand_px)
    receives = cv2.GaussianBlur(receiver.astype(np.float32), (0, 0), 1.0) * receiver
    return MovedShadow(before, before * (after / before) ** share, receives)


def _plainly_moved(
    old: Float[np.ndarray, "h w"], new: Float[np.ndarray, "h w"], hand_px: float
) -> Float[np.ndarray, "h w"]:
    """The old silhouette with what was added and lost, but for slivers: two outlines of one hand differ."""
    width = 2 * round(_SLIVER / 2 * hand_px) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    added, lost = (cv2.morphologyEx(np.maximum(d, 0), cv2.MORPH_OPEN, disc) for d in (new - old, old - new))
    return old + added - lost


def relit(pixels: UInt8[np.ndarray, "h w 3"], light: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "h w 3"]:
    """Pixels under so many times their light, sRGB 0 … 255, float32; where that is 1, the pixels' own."""
    out = pixels.astype(np.float32)
    where = light != 1
    out[where] = to_srgb(to_linear(pixels[where]) * light[where][:, None])
    return out


def shrunk_to_grid(mask: Float[np.ndarray, "h w"], hand_px: float) -> Float[np.ndarray, "h2 w2"]:
    """A float mask at a size at which the hand has ``GRID_PX`` pixels, or its own if that is smaller."""
    factor = min(1.0, GRID_PX / hand_px)
    size = max(8, round(mask.shape[1] * factor)), max(8, round(mask.shape[0] * factor))
    return cv2.resize(np.asarray(mask, np.float32), size, interpolation=cv2.INTER_AREA)
