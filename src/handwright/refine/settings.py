"""What a refinement does; every field ends up in the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from handwright.errors import UsageError
from handwright.handrefiner.diffusion_settings import DiffusionSettings
from handwright.options import (
    AS_PUBLISHED,
    DEFAULTS,
    DIFFUSING,
    DIFFUSION_OPTIONS,
    OPTIONS,
    check_field,
    check_painter,
    nearest,
)
from handwright.plug_ins import METHODS, is_plug_in, name_of
from handwright.types import Box, Hand, HandObservation, Image, Mask

if TYPE_CHECKING:
    from handwright.review.checklist import Overall
    from handwright.review.critic.prediction import CriticPrediction


MALFORMED_APPEARANCE = 0.5
"""P(malformed) by appearance from which a hand is attempted of which the review cannot tell: it is likelier
malformed than not; half of the labelled malformed hands and a tenth of the good ones reach it, left out of
the fit (weights/appearance/README.md)."""

SURE_HAND = 0.9
"""P(hand) from which such an appearance counts: what is no hand looks like a malformed one. Of what looks so
in 281 pictures of *train*, 56 of 71 labelled malformed hands and 109 of 162 others stay
(docs/research/real.md); a painted rose, which had become a hand, does not."""


@dataclass(frozen=True, eq=False, kw_only=True)
class RefineSettings:
    """How to refine one picture (SPEC §1, §6)."""

    painter: str = DEFAULTS["painter"]  # 'draw', 'harmonise', 'diffuse', or the name of the user's own
    seed: int = DEFAULTS["seed"]  # Seed of the first candidate
    candidates: int = DEFAULTS["candidates"]  # Attempts per hand, ≥ 1 (``tries`` lists them)
    # No further candidate of a hand is begun once so many seconds are spent on it; 0: no limit
    budget_s: float = DEFAULTS["budget_s"]
    # User boxes x0, y0, x1, y1 in pixels; when given, only these are attempted and they always win
    boxes: tuple[Box, ...] = ()
    # Hands given by the user (an edited hands file) instead of finding and fitting
    hands: tuple[tuple[HandObservation, Hand], ...] | None = None
    mask: Mask | None = None  # Pixels that may change, given by the user, instead of the computed ones
    depth: Image | None = None  # Depth control image given by the user (grey picture of the picture's size)
    # Take the articulation from this hand instead of the fitted one (wrist and camera stay)
    hand_pose: Hand | None = None
    all_hands: bool = False  # Attempt every hand found, whatever its review
    unsure: bool = False  # Attempt also hands of which the review cannot tell
    # Leave hands alone that seem to hold a thing (``review.critic.holding``), unless they were pointed out
    leave_holding: bool = False
    hand_ids: tuple[int, ...] = ()  # Attempt only the hands with these ids; empty: no such choice
    diffusion: DiffusionSettings | None = None  # How the diffusing painters paint; None: the defaults
    # Keep input and output of a diffusing painter at its steps with every candidate
    keep_intermediates: bool = False

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if name in _CHECKED:
                check_field(name, value)
        if self.painter not in DIFFUSING and (self.diffusion is not None or self.keep_intermediates):
            raise UsageError(
                f"`painter` {self.painter} uses no diffusion model",
                "options of the diffusing painters were given",
                f"leave them out, or choose one of: {', '.join(DIFFUSING)}",
            )

    @property
    def hands_named(self) -> bool:
        """Whether the user named the hands to attempt, so that the review does not decide."""
        return self.all_hands or self.pointed_out

    @property
    def pointed_out(self) -> bool:
        """Whether the user pointed out single hands: by a box, a number, or what was brought for them."""
        return bool(self.boxes) or bool(self.hand_ids) or self._brought

    @property
    def _brought(self) -> bool:
        """Whether the user brought hands, a mask, a depth image or a pose."""
        files = (self.hands, self.mask, self.depth, self.hand_pose)
        return any(file is not None for file in files)

    @property
    def any_size(self) -> bool:
        """Whether a part of a hand may be repaired: nothing of the user's decides what is to change."""
        boxed = self.diffusion is not None and self.diffusion.box_mask
        return not boxed and not self._brought

    def left_alone(self, hand_id: int) -> bool:
        """Whether other hands were named, and this one was not."""
        return bool(self.hand_ids) and hand_id not in self.hand_ids

    def attempts(self, hand_id: int, verdict: Overall, prediction: CriticPrediction | None = None) -> bool:
        """Whether a hand is attempted.

        Args:
            hand_id: Its number.
            verdict: Of the review.
            prediction: The critic's; None without a critic.
        """
        if self.hands_named:
            return not self.left_alone(hand_id)
        if verdict == "unsure":
            return self.unsure or _appears_malformed(prediction)
        return verdict == "fail"

    @property
    def tries(self) -> tuple[tuple[int, float | str | None], ...]:
        """Seed and control strength of every candidate: ``candidates`` pairs."""
        return self.first_tries(self.candidates)

    def first_tries(self, count: int) -> tuple[tuple[int, float | str | None], ...]:
        """Seed and control strength of the first so many paintings of a hand.

        A painter without strengths gets seed, seed + 1, …; one with strengths paints every seed with the
        strength of the settings and with 1 before it goes on to the next seed. 'adaptive' tries 1 by itself:
        it decides once a seed.
        """
        strengths: tuple[float | str | None, ...] = (None,)
        if self.painter in DIFFUSING:
            strength = (self.diffusion or DiffusionSettings()).strength
            strengths = (strength,) if strength in ("adaptive", 1.0) else (strength, 1.0)
        pairs = (divmod(k, len(strengths)) for k in range(count))
        return tuple(((self.seed + step) % 2**32, strengths[which]) for step, which in pairs)


def diffusion_settings(painter: str, given: Mapping[str, Any]) -> DiffusionSettings | None:
    """Settings of a diffusing painter from options by the names of ``handwright.options``; None: not given.

    Returns:
        None for a painter that uses no diffusion model.

    Raises:
        UsageError: An option means nothing to the painter, or its value makes no sense.
    """
    options = {name: value for name, value in given.items() if value is not None}
    check_painter(painter, options)
    if painter not in DIFFUSING:
        return None
    if options.pop("as_published", False):
        options = {**AS_PUBLISHED, **options}
    return DiffusionSettings(**{OPTIONS[name].place: value for name, value in options.items()})


def refine_settings(given: Mapping[str, Any]) -> RefineSettings:
    """Settings from options by the names of ``handwright.options``; None: not given.

    Raises:
        UsageError: There is no such option, it means nothing to the painter, or its value makes no sense.
    """
    options = {name: value for name, value in given.items() if value is not None}
    for name in options:
        if name not in OPTIONS and name != "keep_intermediates":
            raise UsageError(f"there is no option `{name}`", "", nearest(name, OPTIONS))
    for kind in METHODS:  # the engine holds the user's own models
        if kind in options:
            OPTIONS[kind].check(options[kind])
            own = options.pop(kind)
            if kind == "painter":
                options[kind] = name_of(own) if is_plug_in(kind, own) else own
    painter = options.get("painter", DEFAULTS["painter"])
    diffusing = {name: options.pop(name) for name in DIFFUSION_OPTIONS if name in options}
    own = {OPTIONS[name].place if name in OPTIONS else name: value for name, value in options.items()}
    return RefineSettings(**own, diffusion=diffusion_settings(painter, diffusing))


def _appears_malformed(prediction: CriticPrediction | None) -> bool:
    """Whether the appearance of what is surely a bare hand is so malformed that it is attempted."""
    if prediction is None or not prediction.is_bare or prediction.hand < SURE_HAND:
        return False
    return prediction.appearance >= MALFORMED_APPEARANCE


_CHECKED = ("painter", "seed", "candidates", "budget_s", "boxes", "hand_ids")
