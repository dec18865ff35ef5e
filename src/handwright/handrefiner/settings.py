"""What a refinement is asked to do; every field ends up in the report."""

from __future__ import annotations

from dataclasses import dataclass

from handwright.errors import UsageError
from handwright.types import Box, Hand, HandObservation, Image, Mask


@dataclass(frozen=True, eq=False)
class RefineSettings:
    """How to refine one picture (SPEC §1, §6).

    Attributes:
        painter: Name of the painter ('draw').
        seed: Seed of the first candidate; candidate k uses ``seed + k``.
        candidates: Attempts per hand, ≥ 1.
        boxes: User boxes x0, y0, x1, y1 in pixels; when given, only these are attempted and they always win.
        hands: Hands given by the user (an edited hands file) instead of finding and fitting.
        mask: Pixels that may change, given by the user, instead of the computed ones.
        depth: Depth control image given by the user (grey picture of the picture's size).
        hand_pose: Take the articulation from this hand instead of the fitted one (wrist and camera stay fitted).
        all_hands: Attempt every hand found.
    """

    painter: str = "draw"
    seed: int = 0
    candidates: int = 1
    boxes: tuple[Box, ...] = ()
    hands: tuple[tuple[HandObservation, Hand], ...] | None = None
    mask: Mask | None = None
    depth: Image | None = None
    hand_pose: Hand | None = None
    all_hands: bool = False

    def __post_init__(self) -> None:
        if self.candidates < 1:
            raise UsageError(f"--candidates is {self.candidates}", "at least one attempt is needed", "give 1 or more")
        if not 0 <= self.seed < 2**32:
            raise UsageError(f"--seed is {self.seed}", "seeds are whole numbers from 0 to 4294967295", "give such a number")
