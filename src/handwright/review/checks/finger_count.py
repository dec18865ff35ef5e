"""Finger count: does one regular hand explain the skin that is seen, no finger more and none less?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool

from handwright.hand.anatomy import FINGERS
from handwright.perception.analysis import HandAnalysis
from handwright.perception.fit.landmark_weights import bunched_finger_weights
from handwright.review.checklist import Check, Where, cannot_tell, sureness
from handwright.review.checks.covering import covered_share
from handwright.review.checks.joint_angles import finger_words
from handwright.review.checks.unexplained_skin import Outgrowth, bare_share, outgrowths
from handwright.types import Box, HandObservation

FINGER_LONG, FINGER_WIDE = 0.24, (0.11, 0.34)
"""Skin outside the fitted hand is a finger from this length on, at such widths (wrist-to-knuckles spans)."""

ROOT, LEAST_TIP_GAP, MOST_UNLIKE = (0.11, 0.45), 0.25, 3.0
"""How broadly a finger joins the hand, how far from other tips it begins, and its colour."""

LEAST_SOLID, THIN, LEAST_SOLID_THIN = 0.78, 0.17, 0.88
"""How solid a finger is, and a thin one: ledges and shadows in skin's colours are thin and ragged."""

MOST_BARE, MOST_BARE_BUNCHED = 0.8, 0.75
"""Share of a finger's middle line without hand under it that makes it a missing one; less is enough where its
landmarks lie in a bunch."""

LEAST_TIP_AWAY = 0.12
"""How far from the seen hand a missing finger's tip must lie, in spans: nearby, the finger may be bent."""

LEAST_OVERLAP, PLAIN_OVERLAP = 0.7, 0.8
"""Below the first overlap of the fitted with the segmented hand fingers are not counted, below the second
none is called wrong."""

MOST_COVERED = 0.15
"""Share of the hand behind other things from which on bare fingers may only be covered."""

_MOST_SURE = 0.9
"""Outlines alone are never surer."""

_BELIEVED, _OTHERS_EDGE, _PLAINLY_THERE, _MAYBE = 0.9, 0.15, 0.5, 0.8


def count_fingers(analysis: HandAnalysis, others: Sequence[HandObservation] = ()) -> Check:
    """The check; ``value`` is {"counted", "seen", "extra", "missing"}, unknown numbers None.

    Args:
        analysis: Of a hand that can be judged.
        others: The picture's other hands, whose fingers are not its own.
    """
    seen = fingers_seen(analysis)
    clear = analysis.overlap >= LEAST_OVERLAP
    maybe = [piece for piece in outgrowths(analysis) if may_be_finger(piece)] if clear else []
    maybe = [piece for piece in maybe if not _of_another(analysis.box_of(piece.inside), others)]
    plain = analysis.overlap >= PLAIN_OVERLAP
    spare = [piece for piece in maybe if plain and is_finger(piece)]
    if spare:
        value = _value(5 + len(spare), int(seen.sum()) + len(spare), extra=len(spare))
        where = Where(region_xyxy_px=analysis.box_of(spare[0].inside))
        reason = f"{_plural(len(spare), 'finger')} more than a hand has: skin that no finger of it explains."
        sure = min(sureness(spare[0].length, FINGER_LONG), _MOST_SURE)
        return Check("fail", sure, reason, where, value)
    if plain and (gone := missing_fingers(analysis)):
        value = _value(5 - len(gone), int(seen.sum()) - len(gone), missing=len(gone))
        tips = analysis.fit.landmarks_px[[4 + 4 * k for k in gone]]
        where = Where(tuple((float(x), float(y)) for x, y in tips))
        names = " and no ".join(finger_words(FINGERS[k]) for k in gone)
        reason = f"There is no {names} where it should be seen."
        return Check("fail", _MOST_SURE * float(bare_share(analysis)[gone].max()), reason, where, value)
    value = _value(None, int(seen.sum()), extra=None, missing=None)
    if not clear:
        return cannot_tell("The hand's outline cannot be told from what is around it.", value)
    if (hidden := np.flatnonzero(~seen)).size:
        names = ", ".join(finger_words(FINGERS[k]) for k in hidden)
        return cannot_tell(f"Not all fingers can be seen plainly (not: {names}).", value)
    if maybe:
        where = Where(region_xyxy_px=analysis.box_of(maybe[0].inside))
        return cannot_tell("Skin beside it may be a finger or not.", value, where)
    reason = "Five fingers, and they explain all the skin that is seen."
    return Check("pass", analysis.overlap, reason, value=_value(5, 5))


def missing_fingers(analysis: HandAnalysis) -> list[int]:
    """Fitted fingers under which no hand is seen; none where a thing covers the hand."""
    if covered_share(analysis) > MOST_COVERED:
        return []
    bare, bunched = bare_share(analysis), doubted(analysis)
    suspects = [k for k in range(5) if bare[k] > (MOST_BARE_BUNCHED if k in bunched else MOST_BARE)]
    return [k for k in suspects if _tip_away(analysis, k) > LEAST_TIP_AWAY]


def _tip_away(analysis: HandAnalysis, finger: int) -> float:
    """Distance of a fitted fingertip from the segmented hand, in spans; 0 outside the crop."""
    away = cv2.distanceTransform((~analysis.region.inside).astype(np.uint8), cv2.DIST_L2, 3)
    x, y = np.floor(analysis.fit.landmarks_px[4 + 4 * finger] - np.array(analysis.window[:2])).astype(int)
    inside = 0 <= x < away.shape[1] and 0 <= y < away.shape[0]
    return float(away[y, x] / analysis.region.span_px) if inside else 0.0


def is_finger(piece: Outgrowth) -> bool:
    """Whether skin outside the fitted hand is as long and as narrow as a finger and grows out of the hand."""
    return (
        piece.length > FINGER_LONG
        and FINGER_WIDE[0] <= piece.width <= FINGER_WIDE[1]
        and ROOT[0] <= piece.root <= ROOT[1]
        and piece.solid > (LEAST_SOLID if piece.width >= THIN else LEAST_SOLID_THIN)
        and piece.tip_gap > LEAST_TIP_GAP
        and piece.unlike < MOST_UNLIKE
    )


def may_be_finger(piece: Outgrowth) -> bool:
    """The same with more patience: enough not to call the count right, too little to call it wrong."""
    return (
        piece.length > _MAYBE * FINGER_LONG
        and _MAYBE * FINGER_WIDE[0] <= piece.width <= FINGER_WIDE[1] / _MAYBE
        and _MAYBE * ROOT[0] <= piece.root <= ROOT[1] / _MAYBE
        and piece.solid > _MAYBE * LEAST_SOLID
        and piece.tip_gap > _MAYBE * LEAST_TIP_GAP
        and piece.unlike < MOST_UNLIKE / _MAYBE
        and not piece.at_border
    )


def fingers_seen(analysis: HandAnalysis) -> Bool[np.ndarray, "5"]:
    """Fingers of the fitted hand of which enough is in view, and plainly there, to count them."""
    bare = bare_share(analysis)
    there = np.nan_to_num(bare, nan=1.0) < _PLAINLY_THERE
    there[list(doubted(analysis))] = False
    return there


def doubted(analysis: HandAnalysis) -> set[int]:
    """Fingers whose landmarks lie in a bunch, or far from where any finger could be."""
    weights = bunched_finger_weights(analysis.observation)
    return {finger for finger in range(5) if weights[3 + 4 * finger] < _BELIEVED}


def _of_another(box: Box, others: Sequence[HandObservation]) -> bool:
    """Whether the middle of a box lies within another hand."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    for other in others:
        edge = _OTHERS_EDGE * other.size_px
        x0, y0, x1, y1 = other.bbox_xyxy_px
        if x0 - edge <= x <= x1 + edge and y0 - edge <= y <= y1 + edge:
            return True
    return False


def _value(counted: int | None, seen: int, extra: int | None = 0, missing: int | None = 0) -> dict[str, Any]:
    return {"counted": counted, "seen": seen, "extra": extra, "missing": missing}


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
