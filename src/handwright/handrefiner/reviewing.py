"""The review before and after: the same hands under the same numbers, and those that nobody could read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from handwright.perception.detect.duplicates import box_iou
from handwright.review.checklist import PictureReview
from handwright.review.judge import Judge, review_picture
from handwright.types import HandObservation, Image

_SAME_PLACE = 0.5
"""Overlap of the boxes from which a hand that only the proposal network sees is the same as before."""


def review_before(
    image: Image, hands: Sequence[HandObservation], judge: Judge, search: bool
) -> PictureReview:
    """Review a picture before anything is painted.

    Args:
        image: The picture.
        hands: Those that were found.
        judge: Who reviews.
        search: Look also for hands that were overlooked, as ``handwright review`` does.

    Returns:
        The found hands numbered from 1, then those that only the proposal network found and whose joints the
        critic reads, then the rest: hands that nobody could read, and arms without one.
    """
    if not hands and not search:
        return PictureReview((), image.width, image.height)
    review = review_picture(image, judge, hands=hands, search=search)
    read = [hand for hand in review.hands if hand.observation is not None]
    ordered = [*read, *(hand for hand in review.hands if hand.observation is None)]
    return replace(review, hands=tuple(replace(hand, id=k) for k, hand in enumerate(ordered, start=1)))


def review_after(
    image: Image, before: PictureReview, found: Mapping[int, HandObservation], judge: Judge, search: bool
) -> PictureReview:
    """Review the picture again once it was painted.

    Args:
        image: The finished picture.
        before: From ``review_before``.
        found: Hands as they are known now, by their number there: found ones, and all that were repainted.
        judge: Who reviews.
        search: As for ``review_before``.

    Returns:
        Every hand under its number of ``before``; one that was not there gets a number of its own, and one
        that only the proposal network saw is missing where it sees it no more.
    """
    review = review_picture(image, judge, hands=list(found.values()), search=search)
    known = [replace(hand, id=k) for k, hand in zip(found, review.hands, strict=False)]
    lost = [hand for hand in before.hands if hand.id not in found]
    for hand in review.hands[len(found) :]:
        same = max(lost, key=lambda old: box_iou(old.bbox_xyxy_px, hand.bbox_xyxy_px), default=None)
        if same is not None and box_iou(same.bbox_xyxy_px, hand.bbox_xyxy_px) >= _SAME_PLACE:
            lost.remove(same)
            known.append(replace(hand, id=same.id))
        else:
            known.append(replace(hand, id=max(len(before.hands), *(one.id for one in known), 0) + 1))
    return replace(review, hands=tuple(sorted(known, key=lambda one: one.id)))
