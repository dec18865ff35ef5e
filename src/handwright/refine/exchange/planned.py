"""The hands of a picture that somebody else is to paint: found, reviewed if need be, fitted and masked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool

from handwright.hand.depth import depth_control
from handwright.perception.analysis import analyse_hand
from handwright.refine.hand_task import HandTask, plan_hand, with_part_maps
from handwright.refine.pipeline import Engine, inspect_picture
from handwright.refine.settings import RefineSettings
from handwright.review.checklist import HandReview, Overall, PictureReview
from handwright.review.judge import review_picture
from handwright.types import DepthControl, HandFit, HandObservation, Image, Mask

WHICH = ("all", "failed", "failed or unsure")
"""Hands to paint: every one that is found, or by the verdict of the review."""

_VERDICTS: dict[str, tuple[Overall, ...]] = {"failed": ("fail",), "failed or unsure": ("fail", "unsure")}


@dataclass(frozen=True, eq=False, kw_only=True)
class PlannedHand:
    """One hand to paint."""

    id: int  # 1-based number in its picture
    observation: HandObservation  # The detection
    fit: HandFit  # The regular hand to paint
    mask: Mask  # Pixels of the picture that may change


@dataclass(frozen=True, eq=False)
class PlannedHands:
    """The hands of a picture to paint, and what they are painted by."""

    hands: tuple[PlannedHand, ...]
    depth: DepthControl  # Depth control image of these hands


def plan_hands(image: Image, engine: Engine, settings: RefineSettings, which: str = WHICH[0]) -> PlannedHands:
    """Find the hands to paint; those that the settings name are taken whatever the review finds.

    Args:
        image: The picture.
        engine: The loaded models.
        settings: Boxes, hands and pose of the user's own; nothing else of them counts.
        which: One of ``WHICH``.
    """
    if which == WHICH[0] or settings.boxes or settings.hands is not None:
        found = inspect_picture(image, settings, engine)
        hands = (
            PlannedHand(id=hand.id, observation=hand.observation, fit=hand.fit, mask=hand.mask)
            for hand in found.hands
        )
        return PlannedHands(tuple(hands), found.depth)
    review = review_picture(image, engine.judge)
    return plan_reviewed(image, review, _VERDICTS[which], settings)


def plan_reviewed(
    image: Image, review: PictureReview, verdicts: Sequence[Overall], settings: RefineSettings
) -> PlannedHands:
    """The hands of a review with one of these verdicts; hands without landmarks cannot be painted."""
    tasks = [_task(image, hand, settings) for hand in review.hands if hand.verdict in verdicts]
    hands = tuple(
        PlannedHand(id=task.id, observation=task.observation, fit=task.fit, mask=task.full_mask(image))
        for task in tasks
        if task is not None
    )
    return PlannedHands(hands, depth_control([hand.fit.hand for hand in hands], image.height, image.width))


def failed_mask(image: Image, review: PictureReview, verdicts: Sequence[Overall] = ("fail",)) -> Mask:
    """Pixels of the hands with one of these verdicts: their repair masks, a box where no joints are known."""
    planned = plan_reviewed(image, review, verdicts, RefineSettings())
    inside = joined(planned.hands, image)
    for hand in review.hands:
        if hand.observation is None and hand.verdict in verdicts:
            x0, y0, x1, y1 = (max(0, round(value)) for value in hand.bbox_xyxy_px)
            inside[y0:y1, x0:x1] = True
    return Mask(inside)


def joined(hands: Sequence[PlannedHand], image: Image) -> Bool[np.ndarray, "h w"]:
    """The repair masks of hands in one, bool [H, W]."""
    inside = np.zeros((image.height, image.width), np.bool_)
    for hand in hands:
        inside |= hand.mask.inside
    return inside


def _task(image: Image, hand: HandReview, settings: RefineSettings) -> HandTask | None:
    if hand.observation is None:
        return None
    task = plan_hand(hand.id, image, analyse_hand(image, hand.observation), settings)
    prediction: Any = hand.prediction
    if prediction is None or prediction.part_maps is None or prediction.not_assessable:
        return task
    return with_part_maps(image.pixels, task, prediction.part_maps, settings.mask)
