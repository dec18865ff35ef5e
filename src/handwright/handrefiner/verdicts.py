"""What follows from a review: which hands are left alone and why, and which repaints do not stand."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from handwright.handrefiner.attempt import Attempt
from handwright.handrefiner.settings import RefineSettings
from handwright.review.checklist import CHECKS, HandReview, PictureReview
from handwright.review.review_json import picture_json
from handwright.types import Box

_AROUND = 0.5
"""How far from a hand paint may break it, in sizes of its box: about as far as a critic's crop reaches."""


def by_id(review: PictureReview) -> dict[int, Mapping[str, Any]]:
    """What a review says of each hand, by its id, as review-1.schema.json has it."""
    return {hand["id"]: hand for hand in picture_json("", review)["hands"]}


def why_left_alone(review: HandReview, settings: RefineSettings) -> str:
    """Why a hand was not attempted, in words."""
    if settings.left_alone(review.id):
        return "not among --hand"
    if review.verdict == "pass":
        return "passes the review"
    return f"cannot tell: {_first_reason(review, 'cannot tell')}; give --unsure to attempt it"


def refusals(attempts: Sequence[Attempt], before: PictureReview, after: PictureReview) -> dict[int, str]:
    """Why a winner does not stand in the finished picture, by the number of its hand.

    It does not where its hand fails there, unless it was taken although the critic calls it malformed
    (``beats``), or a hand that was painted in one go with it, or a hand near its paint that did not fail
    before.

    Args:
        attempts: As they stand.
        before: Of the picture as it came.
        after: Of the finished picture, under the same numbers.
    """
    winners = [attempt for attempt in attempts if attempt.winner is not None]
    painted = {attempt.task.id for attempt in winners}
    failed_before = {hand.id for hand in before.hands if hand.verdict == "fail"}
    failed = [hand for hand in after.hands if hand.verdict == "fail"]
    doubted = {one.task.id for one in winners if one.winner and one.winner.scores.get("called_malformed")}
    why = {
        hand.id: f"in the finished picture {_first_reason(hand, 'fail')}"
        for hand in failed
        if hand.id in painted - doubted
    }
    for hand in failed:
        if hand.id in painted | failed_before:
            continue
        reason = f"in the finished picture it breaks hand {hand.id}: {_first_reason(hand, 'fail')}"
        for attempt in winners:
            if _meets(attempt, hand.bbox_xyxy_px):
                why.setdefault(attempt.task.id, reason)
    for attempt in winners:
        if attempt.mates & why.keys():
            mates = "a hand painted in one go with it does not stand in the finished picture"
            why.setdefault(attempt.task.id, mates)
    return why


def _meets(attempt: Attempt, box: Box) -> bool:
    """Whether a winner's paint lies on a hand, or as near to it as a critic looks."""
    assert attempt.winner is not None
    (x, y), inside = attempt.winner.origin_xy_px, attempt.winner.inside
    near = _AROUND * max(box[2] - box[0], box[3] - box[1])
    x0, y0 = (max(0, math.floor(low - near) - at) for low, at in zip(box[:2], (x, y), strict=True))
    x1, y1 = (max(0, math.ceil(high + near) - at) for high, at in zip(box[2:], (x, y), strict=True))
    return bool(inside[y0:y1, x0:x1].any())


def _first_reason(review: HandReview, verdict: str) -> str:
    """The first check of this verdict in its own words, to go on within a sentence."""
    reason = next(review.checks[name].reason for name in CHECKS if review.checks[name].verdict == verdict)
    return reason[:1].lower() + reason[1:].rstrip(".")
