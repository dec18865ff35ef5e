"""What follows from a review: which hands are left alone and why, and which repaints do not stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handwright.handrefiner.attempt import Attempt
from handwright.handrefiner.settings import RefineSettings
from handwright.review.as_json import picture_json
from handwright.review.checklist import CHECKS, HandReview, PictureReview


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


def without_failed(attempt: Attempt, failed: Mapping[int, HandReview]) -> Attempt:
    """The attempt less its winner where that, or a hand painted in one go with it, fails the review.

    Args:
        attempt: As it stands.
        failed: Reviews of the repainted hands that fail in the finished picture, by id.
    """
    own = failed.get(attempt.task.id)
    if own is not None:
        return attempt.without_winner(f"in the finished picture {_first_reason(own, 'fail')}")
    if attempt.winner is not None and attempt.mates & failed.keys():
        return attempt.without_winner("a hand painted in one go with it fails in the finished picture")
    return attempt


def _first_reason(review: HandReview, verdict: str) -> str:
    """The first check of this verdict in its own words, to go on within a sentence."""
    reason = next(review.checks[name].reason for name in CHECKS if review.checks[name].verdict == verdict)
    return reason[:1].lower() + reason[1:].rstrip(".")
