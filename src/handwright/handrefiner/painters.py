"""The painters' contract: a crop with a fitted hand in, the crop with that hand painted (SPEC §1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.errors import UsageError
from handwright.types import Hand, HandRegion


@dataclass(frozen=True, eq=False)
class PaintJob:
    """One hand to paint.

    Attributes:
        crop: uint8 [h, w, 3] sRGB, the picture inside ``window``.
        window: x0, y0, x1, y1 of the crop in the picture.
        hand: The hand to paint, in the picture's camera.
        landmarks_px: [21, 2] landmarks of the old hand as they were seen, in the crop.
        region: The old hand in the crop.
        depth: uint8 [h, w] depth control image.
        may_change: bool [h, w] pixels that the painter may change.
        others: bool [h, w] pixels of other hands that lie in front of this one.
        seed: Same seed, same bytes.
    """

    crop: UInt8[np.ndarray, "h w 3"]
    window: tuple[int, int, int, int]
    hand: Hand
    landmarks_px: Float[np.ndarray, "21 2"]
    region: HandRegion
    depth: UInt8[np.ndarray, "h w"]
    may_change: Bool[np.ndarray, "h w"]
    others: Bool[np.ndarray, "h w"]
    seed: int


@dataclass(frozen=True, eq=False)
class Painted:
    """A painted crop.

    Attributes:
        pixels: uint8 [h, w, 3], equal to the crop outside ``inside``.
        inside: bool [h, w], a part of ``may_change``.
    """

    pixels: UInt8[np.ndarray, "h w 3"]
    inside: Bool[np.ndarray, "h w"]


class Painter(Protocol):
    """Anything that can paint a hand."""

    def paint(self, job: PaintJob) -> Painted:
        """Paint one hand."""
        ...


class DrawPainter:
    """``--painter draw``: no network, see ``handwright.drawing``."""

    def paint(self, job: PaintJob) -> Painted:
        """Draw the mesh with the picture's own skin, light, blur and grain."""
        from handwright.drawing.painter import draw_hand

        drawn = draw_hand(
            job.crop,
            job.window,
            job.hand,
            job.landmarks_px,
            job.region,
            seed=job.seed,
            may_change=job.may_change,
            in_front=job.others,
        )
        return Painted(drawn.pixels, drawn.inside)


def open_painter(name: str) -> Painter:
    """The painter of that name.

    Raises:
        UsageError: There is none.
    """
    if name == "draw":
        return DrawPainter()
    raise UsageError(f"there is no painter {name!r}", "", "choose draw")
