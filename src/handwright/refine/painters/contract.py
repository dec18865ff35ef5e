"""The painters' contract: a picture with fitted hands in, a crop with those hands painted out (SPEC §1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.handrefiner.strength import Strength
from handwright.refine.hand_task import HandTask
from handwright.types import Window


@dataclass(frozen=True, eq=False, kw_only=True)
class PaintJob:
    """One hand, or hands that meet, to paint."""

    picture: UInt8[np.ndarray, "H W 3"]  # sRGB as painted so far; never written to
    control: UInt8[np.ndarray, "H W"]  # depth control image
    tasks: tuple[HandTask, ...]  # The hands, farthest first
    # Per hand, bool [h, w] in its own window: pixels of other hands that lie in front of it
    others: tuple[Bool[np.ndarray, "_ _"], ...]
    window: Window  # x0, y0, x1, y1 of the crop to paint; holds the windows of all the hands
    repair_mask: Bool[np.ndarray, "h w"]  # pixels of the crop that may change
    seed: int  # Same seed, same bytes
    # Control strength, for painters that have one: numbers, 'fixed' or 'auto'; None: that of their settings
    strength: Strength | str | None = None

    @property
    def crop(self) -> UInt8[np.ndarray, "h w 3"]:
        """The picture inside the window."""
        x0, y0, x1, y1 = self.window
        return np.ascontiguousarray(self.picture[y0:y1, x0:x1])

    @property
    def hand_px(self) -> float:
        """Size of the smallest of the hands in pixels."""
        return max(min(task.observation.size_px for task in self.tasks), 1.0)

    @property
    def old_hands(self) -> Bool[np.ndarray, "h w"]:
        """Where the crop shows the hands that are repaired."""
        old = np.zeros(self.repair_mask.shape, np.bool_)
        for task in self.tasks:
            old[self.place(task)] |= task.region.inside
        return old

    @property
    def new_hands(self) -> Bool[np.ndarray, "h w"]:
        """Where the crop is to show hands: the depth control image has them there."""
        x0, y0, x1, y1 = self.window
        return self.control[y0:y1, x0:x1] > 0

    def place(self, task: HandTask) -> tuple[slice, slice]:
        """Where a hand's own window lies in the crop."""
        (left, top, _, _), (x0, y0, x1, y1) = self.window, task.window
        return slice(y0 - top, y1 - top), slice(x0 - left, x1 - left)


@dataclass(frozen=True, eq=False)
class PaintResult:
    """A painted crop, not yet composited into the picture."""

    # [h, w, 3] sRGB in 0 … 255, uint8 or float; anything where ``alpha`` is 0
    pixels: UInt8[np.ndarray, "h w 3"] | Float[np.ndarray, "h w 3"]
    # float32 [h, w] in 0 … 1, share of the paint; it counts only inside ``repair_mask``
    alpha: Float[np.ndarray, "h w"]
    # Whether its colours stay as they are: taken from the picture itself, or asked for without a match
    toned: bool = False
    # Whether hand and background run into each other at the hand's outlines, as a network paints them
    soft: bool = False
    strength: Strength | None = None  # Control strength, for painters that have one
    # uint8 [*, *, 3] input and output of the painter at its steps, where these are kept
    strip: UInt8[np.ndarray, "_ _ 3"] | None = None
    # uint8 [h, w, 3] what the paint is laid over, such as the crop without its old hands; None: the crop
    behind: UInt8[np.ndarray, "h w 3"] | None = None


class HandPainter(Protocol):
    """A painter of the user's own: anything that can paint hands."""

    def paint(self, job: PaintJob) -> PaintResult:
        """Paint the hands of a job; what it leaves alone has ``alpha`` 0."""
        ...


class Painter(HandPainter, Protocol):
    """A painter of the package."""

    @property
    def together(self) -> bool:
        """Whether hands that meet should come in one job."""
        ...

    @property
    def side_by_side(self) -> bool:
        """Whether hands that lie apart may be painted at the same time, in threads."""
        ...

    @property
    def varied(self) -> bool:
        """Whether another seed gives another hand, and not the same one in other grain."""
        ...
