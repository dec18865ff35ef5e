"""Hands that the detector overlooks and the proposal network sees: mangled ones above all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import UInt8

from handwright.review.checklist import CHECKS, Check, CheckName, HandReview, Where, cannot_tell
from handwright.review.checks.arms import OwnArm, hand_box
from handwright.review.checks.colour import is_colourless, is_drawn
from handwright.review.critic.fusion import SURE_SIDE, fuse_prediction
from handwright.review.critic.prediction import SMALLEST_PX, Critic, CriticPrediction
from handwright.review.critic.upright_crops import OrientedSquare
from handwright.review.proposals.maps import Proposal, same_place
from handwright.types import Box, HandObservation, Image, Side

REASON = "A hand seems to be here, but its fingers could not be made out."
FOUND_BY = "critic"
NO_HAND = 0.05
"""P(hand) below which the critic is sure that the detector took something else for a hand; it gave
every one of 113 hands that the detector found in pictures kept from training .93 or more."""

_SEEN, _LEAST_SEEN = 0.5, 10

_FILLS, _FILLING_SCORE = 0.75, 0.3
"""A hand this large of the picture's longer side is cut by its borders, which the critic has hardly seen:
where the network's own score is this high its word is enough, unless the critic is sure that it is wrong. Of
43 such places without a hand, in pictures to train on, none scored more than .26."""


def undetected_proposals(
    proposals: Sequence[Proposal], found: Sequence[HandObservation], width: int, height: int
) -> list[Proposal]:
    """The proposals that are none of the found hands, left to right.

    Args:
        proposals: Of a picture.
        found: Its hands.
        width: Of the picture; middles outside are left out.
        height: Of the picture.
    """
    known = [OrientedSquare.of(hand.landmarks_px) for hand in found]
    new = [
        one
        for one in proposals
        if 0 <= one.region.center_px[0] < width
        and 0 <= one.region.center_px[1] < height
        and not any(_is_known(one.region, region) for region in known)
    ]
    return sorted(new, key=lambda one: one.region.center_px)


def confirmed_detections(
    found: Sequence[HandObservation], heard: Sequence[CriticPrediction | None]
) -> tuple[list[HandObservation], list[CriticPrediction | None]]:
    """The hands of a detector without those that the critic is sure are none.

    Args:
        found: What the detector took for hands.
        heard: What the critic says of each.

    Returns:
        The hands, and what the critic says of them.
    """
    both = list(zip(found, heard, strict=True))
    kept = [
        (hand, prediction) for hand, prediction in both if prediction is None or prediction.hand >= NO_HAND
    ]
    return [hand for hand, _ in kept], [prediction for _, prediction in kept]


def confirmed_proposals(
    pixels: UInt8[np.ndarray, "h w 3"], proposals: Sequence[Proposal], critic: Critic | None
) -> list[tuple[Proposal, CriticPrediction | None]]:
    """The proposals that are large enough to be judged and that the critic surely takes for hands.

    Of one that fills the picture it is enough that the critic does not deny it.

    Returns:
        Each with what the critic says of it; without a critic all that are large enough.
    """
    proposals = [one for one in proposals if one.region.size_px >= SMALLEST_PX]
    if critic is None:
        return [(one, None) for one in proposals]
    heard = critic.judge(pixels, [one.region for one in proposals])
    both = zip(proposals, heard, strict=True)
    return [
        (one, prediction)
        for one, prediction in both
        if prediction.is_surely_hand or (prediction.hand >= NO_HAND and _fills(one, max(pixels.shape[:2])))
    ]


def _fills(proposal: Proposal, longer_px: int) -> bool:
    """Whether it is seen well enough to be a hand that fills the picture."""
    return proposal.region.size_px >= _FILLS * longer_px and proposal.score >= _FILLING_SCORE


def review_undetected_hand(
    image: Image, proposal: Proposal, number: int, prediction: CriticPrediction | None, arm: Side | None
) -> HandReview:
    """The checklist of a hand that only the proposal network sees.

    Finger count and joints are failed where the critic sees something wrong, as for any hand, and are not
    passed: no fit stands beside the critic's word.

    Args:
        image: The picture.
        proposal: The hand.
        number: Its number there.
        prediction: What the critic says of it; None: nobody looked.
        arm: Side of the arm that ends there, if one is seen.
    """
    box = _box(proposal.region, image)
    value = {"side": arm, "arm": arm}
    checks: dict[CheckName, Check] = dict.fromkeys(CHECKS, cannot_tell(REASON, where=Where((), box)))
    checks["left_right"] = replace(checks["left_right"], value=value)
    unclear = not _is_clear(proposal.region, image) or is_drawn(image.pixels, proposal.region)
    if prediction is None or unclear:
        return HandReview(number, box, arm, checks, None)
    seen, pale = _observation(prediction, proposal), is_colourless(image.pixels, proposal.region)
    checks = _failed_only(checks, prediction, seen, pale)
    side = arm if seen is None or max(prediction.right, 1 - prediction.right) < SURE_SIDE else seen.side
    return HandReview(number, box, side, checks, seen, prediction)


def _is_clear(region: OrientedSquare, image: Image) -> bool:
    """Whether most of a region lies within the picture."""
    (x, y), reach = region.center_px, 0.35 * region.size_px
    return reach <= x <= image.width - reach and reach <= y <= image.height - reach


def _failed_only(
    checks: dict[CheckName, Check],
    prediction: CriticPrediction,
    seen: HandObservation | None,
    colourless: bool,
) -> dict[CheckName, Check]:
    """The checks that the critic fails; the others stay."""
    heard = fuse_prediction(checks, prediction, seen, ("left_right", "grasp"), colourless)
    return {name: heard[name] if heard[name].verdict == "fail" else checks[name] for name in CHECKS}


def _observation(prediction: CriticPrediction, proposal: Proposal) -> HandObservation | None:
    """The hand as the critic reads it, of the likelier side, where it sees enough of the joints."""
    if prediction.not_assessable or int((prediction.visible >= _SEEN).sum()) < _LEAST_SEEN:
        return None
    return HandObservation(
        landmarks_px=prediction.landmarks_px.astype(np.float64),
        depth_px=np.zeros(21),
        side="right" if prediction.right >= 0.5 else "left",
        score=proposal.score,
        found_by=FOUND_BY,
    )


def claimed_by(proposal: Proposal, own: OwnArm) -> bool:
    """Whether a proposal lies where an arm's hand should be."""
    x0, y0, x1, y1 = hand_box(own.arm)
    x, y = proposal.region.center_px
    return x0 <= x < x1 and y0 <= y < y1


def _is_known(new: OrientedSquare, known: OrientedSquare) -> bool:
    """Whether a proposal may be of a found hand: the same place, or its middle within that hand's box.

    What was found at less than half its size is a part of it that was taken for a hand.
    """
    if known.size_px < new.size_px / 2:
        return False
    dx, dy = (abs(a - b) for a, b in zip(new.center_px, known.center_px, strict=True))
    return same_place(new, known) or max(dx, dy) < known.size_px / 2


def _box(region: OrientedSquare, image: Image) -> Box:
    """The square around a region, as far as it lies within the picture."""
    (x, y), half = region.center_px, region.size_px / 2
    return (
        max(0.0, x - half),
        max(0.0, y - half),
        min(float(image.width), x + half),
        min(float(image.height), y + half),
    )
