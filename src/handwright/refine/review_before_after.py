"""The review before and after: the same hands under the same numbers, undetected ones included."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from handwright.perception.analysis import HandAnalysis
from handwright.perception.detect.landmarker import Person
from handwright.perception.detect.views import box_iou
from handwright.refine.attempt import Attempt
from handwright.refine.engine import Engine
from handwright.refine.hand_task import HandTask
from handwright.refine.settings import RefineSettings
from handwright.review.checklist import CHECKS, HandReview, PictureReview
from handwright.review.critic.holding import Holding
from handwright.review.critic.upright_crops import OrientedSquare
from handwright.review.judge import Judge, review_picture
from handwright.review.review_json import picture_json
from handwright.types import Box, Image


@dataclass(frozen=True, kw_only=True)
class RematchParams:
    """How hands of the finished picture are related to those of the picture before; chosen by eye."""

    # Intersection over union of the boxes from which a hand that only the proposal network finds is the same
    min_overlap: float = 0.5
    near: float = (
        0.5  # How far from a hand paint may break it, in sizes of its box: the critic's crop is as wide
    )


PARAMS = RematchParams()


def review_before(
    image: Image,
    hands: Sequence[HandAnalysis],
    judge: Judge,
    search: bool,
    people: Callable[[], list[Person]] | None = None,
) -> PictureReview:
    """Review a picture before anything is painted; ``people`` returns its people, where they are known.

    Returns:
        The detected hands numbered from 1, then those that only the proposal network found and whose joints
        the critic predicts, then the rest: hands without landmarks, and arms without a hand.
    """
    if not hands and not search:
        return PictureReview((), image.width, image.height)
    review = review_picture(image, judge, hands=hands, search=search, people=people)
    with_joints = [hand for hand in review.hands if hand.observation is not None]
    ordered = [*with_joints, *(hand for hand in review.hands if hand.observation is None)]
    return replace(review, hands=tuple(replace(hand, id=k) for k, hand in enumerate(ordered, start=1)))


def review_after(
    image: Image, before: PictureReview, found: Mapping[int, HandAnalysis], judge: Judge, search: bool
) -> PictureReview:
    """Review the picture again once it was painted.

    Returns:
        Every hand under its number of ``before``; one that was not there gets a number of its own, and one
        that only the proposal network found is missing where it finds it no more.

    ``found`` holds the hands of the finished picture by their number there: those that were detected before,
    and all that were repainted.
    """
    review = review_picture(image, judge, hands=list(found.values()), search=search)
    known = [replace(hand, id=k) for k, hand in zip(found, review.hands, strict=False)]
    lost = [hand for hand in before.hands if hand.id not in found]
    for hand in review.hands[len(found) :]:
        same = max(lost, key=lambda old: box_iou(old.bbox_xyxy_px, hand.bbox_xyxy_px), default=None)
        if same is not None and box_iou(same.bbox_xyxy_px, hand.bbox_xyxy_px) >= PARAMS.min_overlap:
            lost.remove(same)
            known.append(replace(hand, id=same.id))
        else:
            known.append(replace(hand, id=max(len(before.hands), *(one.id for one in known), 0) + 1))
    return replace(review, hands=tuple(sorted(known, key=lambda one: one.id)))


def review_json_by_id(review: PictureReview) -> dict[int, Mapping[str, Any]]:
    """The review of each hand, by its id, as review-1.schema.json has it."""
    return {hand["id"]: hand for hand in picture_json("", review)["hands"]}


def is_attempted(review: HandReview, settings: RefineSettings) -> bool:
    """Whether a hand is attempted."""
    return settings.attempts(review.id, review.verdict, review.prediction)


def chosen_to_attempt(
    image: Image,
    tasks: Sequence[HandTask],
    reviews: Mapping[int, HandReview],
    settings: RefineSettings,
    engine: Engine,
) -> tuple[list[HandTask], dict[int, str]]:
    """The hands that are attempted, and by number of each other one why it is not, in words.

    One that seems to hold a thing is left alone where the settings ask for that and the user did not point it
    out.
    """
    wanted = [task for task in tasks if is_attempted(reviews[task.id], settings)]
    rest = {task.id for task in tasks} - {task.id for task in wanted}
    others = {number: _reason_not_attempted(reviews[number], settings) for number in sorted(rest)}
    if not settings.leave_holding or settings.pointed_out or not wanted:
        return wanted, others
    holding = Holding.load(None if engine.comparison is None else engine.comparison.features)
    for task in wanted:
        probability = holding.probability(image.pixels, OrientedSquare.of(task.observation.landmarks_px))
        if probability >= holding.limit:
            others[task.id] = (
                f"it may hold a thing (probability {probability:.2f}), and such hands are left alone"
            )
    return [task for task in wanted if task.id not in others], others


def _reason_not_attempted(review: HandReview, settings: RefineSettings) -> str:
    if settings.left_alone(review.id):
        return "not among the hands that were named"
    if review.verdict == "pass":
        return "passes the review"
    return f"cannot tell: {_first_reason(review, 'cannot tell')}; give `unsure` to attempt it"


def rejections_in_review(
    attempts: Sequence[Attempt], before: PictureReview, after: PictureReview
) -> dict[int, str]:
    """Why a winner is rejected after all, by the number of its hand, with the reason for the user.

    It is where its hand fails in the finished picture, unless it was accepted although the critic predicts it
    malformed (``acceptance``); where a hand that was painted in one go with it is rejected; and where it
    breaks a hand nearby, which did not fail before.
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
    """Whether a winner's paint lies on a hand, or near it (``RematchParams.near``)."""
    assert attempt.winner is not None
    (x, y), inside = attempt.winner.origin_xy_px, attempt.winner.inside
    near = PARAMS.near * max(box[2] - box[0], box[3] - box[1])
    x0, y0 = (max(0, math.floor(low - near) - at) for low, at in zip(box[:2], (x, y), strict=True))
    x1, y1 = (max(0, math.ceil(high + near) - at) for high, at in zip(box[2:], (x, y), strict=True))
    return bool(inside[y0:y1, x0:x1].any())


def _first_reason(review: HandReview, verdict: str) -> str:
    """The first check of this verdict in its own words, to go on within a sentence."""
    reason = next(review.checks[name].reason for name in CHECKS if review.checks[name].verdict == verdict)
    return reason[:1].lower() + reason[1:].rstrip(".")
