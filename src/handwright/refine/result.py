"""What a refinement returns: the picture before and after, and what was tried on each of its hands.

``Repair`` is the whole picture, ``HandRepair`` one hand in it, ``Candidate`` one painting of that hand.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool, UInt8

from handwright.handrefiner.strength import Strength, StrengthChoice
from handwright.types import Box, DepthControl, HandFit, HandObservation, Image, Mask, Side, expect_array

SIZES = ("surplus", "finger", "fingers", "hand")
"""How much of a hand is repaired, the least first: what is too much, one finger, some, the whole hand."""

FINGER_SIZES = ("finger", "fingers")
"""Sizes at which some fingers alone are painted."""


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Candidate:
    """One attempt at painting one hand: a patch of the picture and how it was judged.

    Attributes:
        seed: The seed that made it.
        pixels: uint8 [h, w, 3] the finished patch (already blended at its edges).
        inside: bool [h, w]; outside of it the patch is the picture's own pixels, bit for bit.
        origin_xy_px: Column and row of the patch's top-left pixel in the picture.
        scores: Named measures, each a plain float (``found_again`` 0/1, ``joint_error`` in hand sizes, …).
        accepted: Whether it may replace the original.
        strength: Control strength, for painters that have one.
        strip: uint8 [*, *, 3] input and output of the painter at its steps, where these are kept.
        pose_hypothesis: How the hand was interpreted: 'as found', 'as a left hand', ….
        size: How much of the hand was repaired, one of ``SIZES``.
        rejection_reasons: Why it may not replace the original, in words.
        strength_choice: How the strength came about, for painters that have one.
    """

    seed: int
    pixels: UInt8[np.ndarray, "h w 3"]
    inside: Bool[np.ndarray, "h w"]
    origin_xy_px: tuple[int, int]
    scores: Mapping[str, float]
    accepted: bool
    strength: Strength | None = None
    strip: UInt8[np.ndarray, "_ _ 3"] | None = None
    pose_hypothesis: str = "as found"
    size: str = "hand"
    rejection_reasons: tuple[str, ...] = ()
    strength_choice: StrengthChoice | None = None

    def __post_init__(self) -> None:
        expect_array(self.pixels, "Candidate.pixels", (None, None, 3), np.uint8)
        expect_array(self.inside, "Candidate.inside", self.pixels.shape[:2], np.bool_)

    def __repr__(self) -> str:
        height, width = self.inside.shape
        state = (
            "accepted" if self.accepted else f"rejected: {'; '.join(self.rejection_reasons) or 'not chosen'}"
        )
        return f"<Candidate seed {self.seed}, {width}×{height} at {self.origin_xy_px}, {state}>"


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class HandRepair:
    """What happened to one hand.

    Attributes:
        id: 1-based number of the hand in its picture: left to right as found, or in the user's own order.
        observation: The detection.
        fit: The hand that was fitted and (perhaps) painted.
        mask: Pixels that may change.
        depth: This hand's part of the depth control image.
        action: 'refined', 'kept' (attempted, the original stays) or 'skipped' (not attempted).
        reason: One sentence for the user.
        candidates: Every attempt, in the order they were painted.
        picked: Index into ``candidates`` of the one that was pasted, or None.
        best_rejected: Where none was pasted, index of the one that came nearest to it, or None.
        review_before: The review of the hand as it was: an element of ``hands[]`` in
            review-1.schema.json; None where nothing was reviewed.
        review_after: The same of the hand in the finished picture; None where nothing was repainted.
    """

    id: int
    observation: HandObservation
    fit: HandFit
    mask: Mask
    depth: DepthControl
    action: Literal["refined", "kept", "skipped"]
    reason: str
    candidates: tuple[Candidate, ...] = ()
    picked: int | None = None
    best_rejected: int | None = None
    review_before: Mapping[str, Any] | None = None
    review_after: Mapping[str, Any] | None = None

    @property
    def side(self) -> Side:
        """The hand's anatomical side in the picture as shown."""
        return self.observation.side

    @property
    def bbox_xyxy_px(self) -> Box:
        """Tight box of the detected landmarks in the picture."""
        return self.observation.bbox_xyxy_px

    def __repr__(self) -> str:
        return f"<HandRepair {self.id}, {self.side}, {self.action}: {self.reason}>"


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Repair:
    """A refined picture with the evidence of what was done to it.

    Attributes:
        before: The picture as it came.
        after: The picture as it goes; equal to ``before`` outside the masks of refined hands.
        hands: One entry per hand found.
        depth: The depth control image of all hands together.
        seconds: Wall time per stage ('find', 'fit', 'depth', 'review', 'paint', 'check').
        notes: What the user should know besides, one sentence each (a box in which no hand was found, …).
        judged_by: What the review rests on: 'geometry', and 'network' where the critic is installed; empty:
            nothing was reviewed.
        undetected: The final review of hands whose joints could not be detected, and of arms without
            a hand; none of them was attempted.
    """

    before: Image
    after: Image
    hands: tuple[HandRepair, ...]
    depth: DepthControl
    seconds: Mapping[str, float]
    notes: tuple[str, ...] = ()
    judged_by: tuple[str, ...] = ()
    undetected: tuple[Mapping[str, Any], ...] = ()

    def __repr__(self) -> str:
        hands = ", ".join(f"{hand.id} {hand.side} {hand.action}" for hand in self.hands) or "no hands"
        return f"<Repair {self.before.width}×{self.before.height}: {hands}>"

    def _repr_html_(self) -> str:
        """Before, after and a line per hand, in a notebook."""
        pictures = "".join(
            f'<img style="max-width:49%" alt="{name}" src="data:image/png;base64,'
            f'{base64.b64encode(image.png()).decode("ascii")}">'
            for name, image in (("before", self.before), ("after", self.after))
        )
        lines = "".join(
            f"<li>hand {hand.id} ({hand.side}): {hand.action}. {escape(hand.reason)}</li>"
            for hand in self.hands
        )
        return f"<div>{pictures}<ul>{lines}</ul></div>"
