"""What a refinement is asked to do; every field ends up in the report."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from handwright.errors import UsageError
from handwright.handrefiner.diffusion_settings import DiffusionSettings
from handwright.types import Box, Hand, HandObservation, Image, Mask

if TYPE_CHECKING:
    from handwright.review.checklist import Overall

PAINTERS = ("draw", "harmonise", "diffuse")
"""Names that ``RefineSettings.painter`` takes."""

DIFFUSING = ("harmonise", "diffuse")
"""Those of them that need diffusion models."""


@dataclass(frozen=True, eq=False)
class RefineSettings:
    """How to refine one picture (SPEC §1, §6).

    Attributes:
        painter: Name of the painter: 'draw', 'harmonise' or 'diffuse'.
        seed: Seed of the first candidate.
        candidates: Attempts per hand, ≥ 1 (``tries`` says which).
        budget_s: No further candidate of a hand is begun once so many seconds are spent on it; 0: no limit.
        boxes: User boxes x0, y0, x1, y1 in pixels; when given, only these are attempted and they always win.
        hands: Hands given by the user (an edited hands file) instead of finding and fitting.
        mask: Pixels that may change, given by the user, instead of the computed ones.
        depth: Depth control image given by the user (grey picture of the picture's size).
        hand_pose: Take the articulation from this hand instead of the fitted one (wrist and camera stay).
        all_hands: Attempt every hand found, whatever the review says of it.
        unsure: Attempt also hands of which the review cannot tell.
        hand_ids: Attempt only the hands with these ids; empty: no such choice.
        diffusion: How the diffusing painters paint; None: the defaults.
        keep_intermediates: Keep what a diffusing painter saw and made at its steps with every candidate.
    """

    painter: str = "draw"
    seed: int = 0
    candidates: int = 1
    budget_s: float = 0.0
    boxes: tuple[Box, ...] = ()
    hands: tuple[tuple[HandObservation, Hand], ...] | None = None
    mask: Mask | None = None
    depth: Image | None = None
    hand_pose: Hand | None = None
    all_hands: bool = False
    unsure: bool = False
    hand_ids: tuple[int, ...] = ()
    diffusion: DiffusionSettings | None = None
    keep_intermediates: bool = False

    def __post_init__(self) -> None:
        if self.painter not in PAINTERS:
            raise UsageError(
                f"there is no painter {self.painter!r}", "", f"choose one of: {', '.join(PAINTERS)}"
            )
        if self.painter not in DIFFUSING and (self.diffusion is not None or self.keep_intermediates):
            raise UsageError(
                f"--painter {self.painter} uses no diffusion model",
                "options of the diffusing painters were given",
                f"leave them out, or choose one of: {', '.join(DIFFUSING)}",
            )
        if self.candidates < 1:
            raise UsageError(
                f"--candidates is {self.candidates}", "at least one attempt is needed", "give 1 or more"
            )
        if not (math.isfinite(self.budget_s) and self.budget_s >= 0):
            raise UsageError(f"--budget is {self.budget_s:g}", "", "give seconds, or 0 for no limit")
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

    @property
    def asked_for(self) -> bool:
        """Whether the user named the hands to attempt, so that the review does not decide."""
        brought = (self.hands, self.mask, self.depth, self.hand_pose)
        named = self.all_hands or bool(self.boxes) or bool(self.hand_ids)
        return named or any(file is not None for file in brought)

    def left_alone(self, hand_id: int) -> bool:
        """Whether other hands were named, and this one was not."""
        return bool(self.hand_ids) and hand_id not in self.hand_ids

    def attempts(self, hand_id: int, verdict: Overall) -> bool:
        """Whether a hand is attempted.

        Args:
            hand_id: Its number.
            verdict: What the review says of it.
        """
        if self.asked_for:
            return not self.left_alone(hand_id)
        return verdict == "fail" or (self.unsure and verdict == "unsure")

    @property
    def tries(self) -> tuple[tuple[int, float | str | None], ...]:
        """Seed and control strength of every candidate: ``candidates`` pairs.

        A painter without strengths gets seed, seed + 1, …; one with strengths paints every seed with the
        strength of the settings and with 1 before it goes on to the next seed. 'adaptive' tries 1 by itself:
        it decides once a seed.
        """
        strengths: tuple[float | str | None, ...] = (None,)
        if self.painter in DIFFUSING:
            asked = (self.diffusion or DiffusionSettings()).strength
            strengths = (asked,) if asked in ("adaptive", 1.0) else (asked, 1.0)
        pairs = (divmod(k, len(strengths)) for k in range(self.candidates))
        return tuple(((self.seed + step) % 2**32, strengths[which]) for step, which in pairs)


def diffusion_settings(painter: str, given: Mapping[str, Any]) -> DiffusionSettings | None:
    """Settings of a diffusing painter from the options that were given; the others keep their defaults.

    Args:
        painter: Name of the painter.
        given: Fields of ``DiffusionSettings``; None: not given.

    Returns:
        None for a painter that uses no diffusion model.

    Raises:
        UsageError: An option means nothing to the painter, or its value makes no sense.
    """
    asked = {name: value for name, value in given.items() if value is not None}
    foreign = [
        name for name in asked if painter not in DIFFUSING or (name == "start_level" and painter == "diffuse")
    ]
    if foreign and painter in PAINTERS:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in foreign)
        fit = DIFFUSING[:1] if foreign == ["start_level"] else DIFFUSING
        raise UsageError(
            f"--painter {painter} has no use for {options}",
            "",
            f"leave it out, or choose --painter {' or '.join(fit)}",
        )
    return DiffusionSettings(**asked) if painter in DIFFUSING else None


def refine_settings(given: Mapping[str, Any]) -> RefineSettings:
    """Settings from keywords that may name fields of ``RefineSettings`` and of ``DiffusionSettings``.

    Raises:
        UsageError: As for ``diffusion_settings`` and ``RefineSettings``.
        TypeError: There is no such field.
    """
    names = {field.name for field in fields(DiffusionSettings)}
    own = {name: value for name, value in given.items() if name not in names}
    asked = {name: value for name, value in given.items() if name in names}
    if asked or "diffusion" not in own:
        own["diffusion"] = diffusion_settings(own.get("painter", "draw"), asked)
    return RefineSettings(**own)
