"""The look of hands in pictures of image generators, where about three hands in ten are malformed.

Networks that learnt defects, and geometry, see few of those; how a hand looks (``critic.appearance``) tells
them apart best. In photographs, where hardly any hand is malformed, it would cost more sound hands than it
finds malformed ones (docs/review.md), so it counts only where a picture is known to be generated.
"""

from __future__ import annotations

from dataclasses import replace

from handwright.review.checklist import CheckName, HandReview, PictureReview, cannot_tell

GENERATOR_LOOK = 0.2
"""P(looks malformed) from which on a hand of an image generator does not pass (docs/review.md)."""

EMBEDDED_LOOK = 0.5
"""The same of hands that the embedded family paints around a pose. One in ten of these is malformed by blind
eyes, of those that the look learnt from three in ten: evidence that makes .2 there makes .5 here, and hands
between the two are right as often as those below (docs/review.md)."""

_CHECK: CheckName = "joint_bending"  # The check of a hand's shape
_REASON = "Nothing is clearly wrong, but it looks as malformed hands of image generators do."


def review_as_generated(review: PictureReview, limit: float = GENERATOR_LOOK) -> PictureReview:
    """The review of a picture that is known to be generated: from the limit on a hand's look is no pass."""
    return replace(review, hands=tuple(_by_look(hand, limit) for hand in review.hands))


def _by_look(hand: HandReview, limit: float) -> HandReview:
    """The hand, its shape 'cannot tell' where it passes and looks malformed."""
    look = 0.0 if hand.prediction is None else hand.prediction.appearance
    check = hand.checks[_CHECK]
    if check.verdict != "pass" or look < limit:
        return hand
    value = {**check.value, "looks_malformed": round(look, 3)}
    return replace(hand, checks={**hand.checks, _CHECK: cannot_tell(_REASON, value, check.where)})
