"""What a refinement is asked to do; every field ends up in the report."""

from __future__ import annotations

from dataclasses import dataclass

from handwright.errors import UsageError
from handwright.types import Box, Hand, HandObservation, Image, Mask

PAINTERS = ("draw",)
"""Names that ``RefineSettings.painter`` takes."""


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
        hand_pose: Take the articulation from this hand instead of the fitted one (wrist and camera stay).
        all_hands: Attempt every hand found.
        hand_ids: Attempt only the hands with these ids; empty: no such choice.
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
    hand_ids: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.painter not in PAINTERS:
            raise UsageError(
                f"there is no painter {self.painter!r}", "", f"choose one of: {', '.join(PAINTERS)}"
            )
        if self.candidates < 1:
            raise UsageError(
                f"--candidates is {self.candidates}", "at least one attempt is needed", "give 1 or more"
            )
        if not 0 <= self.seed < 2**32:
            raise UsageError(
                f"--seed is {self.seed}", "seeds are whole numbers from 0 to 4294967295", "give such a number"
            )
        for x0, y0, x1, y1 in self.boxes:
            if not (x0 < x1 and y0 < y1):
                raise UsageError(
                    f"--box {x0:g},{y0:g},{x1:g},{y1:g} is empty",
                    "it must run from the top left (x0, y0) to the bottom right (x1, y1)",
                    "swap the corners",
                )
        for hand_id in self.hand_ids:
            if hand_id < 1:
                raise UsageError(
                    f"--hand is {hand_id}", "hands are numbered from 1", "see the report for the numbers"
                )
