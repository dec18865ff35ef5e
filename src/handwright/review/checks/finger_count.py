"""The finger-count check: does one regular hand explain the skin, no finger more and none fewer?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool

from handwright.hand.anatomy import FINGERS
from handwright.perception.analysis import HandAnalysis
from handwright.perception.fit.landmark_weights import bunched_finger_weights
from handwright.review.checklist import Check, Where, cannot_tell, decision_confidence
from handwright.review.checks.joint_bending import finger_words
from handwright.review.checks.unexplained_skin import Outgrowth, bare_share, covered_share, outgrowths
from handwright.types import Box, HandObservation


@dataclass(frozen=True, kw_only=True)
class FingerCountParams:
    """When skin is a sixth finger and when a finger is missing; lengths in wrist-to-knuckles spans.

    Set on rendered hands and training photographs (bench/review.py).
    """

    min_length: float = 0.24  # Length from which on skin outside the fitted hand is a finger
    width: tuple[float, float] = (0.11, 0.34)  # Least and greatest width of a finger
    root: tuple[float, float] = (0.11, 0.45)  # Least and greatest length of its border with the hand
    min_tip_gap: float = 0.25  # Least distance of its root from other fingertips
    # Largest squared distance of its colour from the hand's skin, in standard deviations
    max_unlike_skin: float = 3.0
    min_solidity: float = 0.78  # Least area over that of its convex hull
    # Width below which ``min_solidity_thin`` holds: ledges and shadows in skin's colours are thin and ragged
    thin: float = 0.17
    min_solidity_thin: float = 0.88  # Least solidity of a thin finger
    # Factor on all of these for skin that may be a finger: too much to pass, too little to fail. By eye.
    patience: float = 0.8
    max_bare: float = 0.8  # Share of a finger's middle line without hand under it from which on it is missing
    max_bare_bunched: float = 0.75  # The same of a finger whose landmarks lie in a bunch
    max_bare_counted: float = 0.5  # The same up to which a finger is plainly there. By eye.
    # Least distance of a missing finger's tip from the segmented hand; nearby, the finger may be bent
    min_tip_away: float = 0.12
    min_overlap: float = 0.7  # Overlap of fitted and segmented hand below which fingers are not counted
    min_overlap_to_fail: float = 0.8  # Overlap below which the count does not fail
    # Share of the hand behind other things from which on bare fingers may only be covered
    max_covered: float = 0.15
    max_confidence: float = 0.9  # Outlines alone are never surer. By eye.
    # Weight of a finger's landmarks below which they are not trusted. By eye.
    min_landmark_weight: float = 0.9
    # Margin around another hand, in its sizes, in which skin is that hand's. By eye.
    margin_of_others: float = 0.15


PARAMS = FingerCountParams()


def count_fingers(analysis: HandAnalysis, others: Sequence[HandObservation] = ()) -> Check:
    """Check the number of fingers; ``value`` is {"counted", "seen", "extra", "missing"}, None if unknown."""
    visible = visible_fingers(analysis)
    countable = analysis.overlap >= PARAMS.min_overlap
    candidates = [piece for piece in outgrowths(analysis) if may_be_finger(piece)] if countable else []
    candidates = [piece for piece in candidates if not _of_another(analysis.box_of(piece.inside), others)]
    may_fail = analysis.overlap >= PARAMS.min_overlap_to_fail
    surplus = [piece for piece in candidates if may_fail and is_finger(piece)]
    if surplus:
        value = _value(5 + len(surplus), int(visible.sum()) + len(surplus), extra=len(surplus))
        where = Where(region_xyxy_px=analysis.box_of(surplus[0].inside))
        reason = (
            f"{_plural(len(surplus), 'finger')} more than a hand has: skin that none of its fingers explains."
        )
        confidence = min(decision_confidence(surplus[0].length, PARAMS.min_length), PARAMS.max_confidence)
        return Check("fail", confidence, reason, where, value)
    if may_fail and (gone := missing_fingers(analysis)):
        value = _value(5 - len(gone), int(visible.sum()) - len(gone), missing=len(gone))
        tips = analysis.fit.landmarks_px[[4 + 4 * k for k in gone]]
        where = Where(tuple((float(x), float(y)) for x, y in tips))
        names = " and no ".join(finger_words(FINGERS[k]) for k in gone)
        reason = f"There is no {names} where it should be in view."
        return Check(
            "fail", PARAMS.max_confidence * float(bare_share(analysis)[gone].max()), reason, where, value
        )
    value = _value(None, int(visible.sum()), extra=None, missing=None)
    if not countable:
        return cannot_tell("The hand's outline does not stand out from what is around it.", value)
    if (hidden := np.flatnonzero(~visible)).size:
        names = ", ".join(finger_words(FINGERS[k]) for k in hidden)
        return cannot_tell(f"Not all fingers are in plain view (not: {names}).", value)
    if candidates:
        where = Where(region_xyxy_px=analysis.box_of(candidates[0].inside))
        return cannot_tell("Skin beside it may be a finger or not.", value, where)
    reason = "Five fingers, and they explain all of its skin."
    return Check("pass", analysis.overlap, reason, value=_value(5, 5))


def missing_fingers(analysis: HandAnalysis) -> list[int]:
    """Fitted fingers under which no hand is seen; none where a thing covers the hand."""
    if covered_share(analysis) > PARAMS.max_covered:
        return []
    bare, bunched = bare_share(analysis), untrusted_fingers(analysis)
    suspects = [
        k for k in range(5) if bare[k] > (PARAMS.max_bare_bunched if k in bunched else PARAMS.max_bare)
    ]
    return [k for k in suspects if _tip_away(analysis, k) > PARAMS.min_tip_away]


def _tip_away(analysis: HandAnalysis, finger: int) -> float:
    """Distance of a fitted fingertip from the segmented hand, in spans; 0 outside the crop."""
    away = cv2.distanceTransform((~analysis.coarse_region.inside).astype(np.uint8), cv2.DIST_L2, 3)
    x, y = np.floor(analysis.fit.landmarks_px[4 + 4 * finger] - np.array(analysis.window[:2])).astype(int)
    inside = 0 <= x < away.shape[1] and 0 <= y < away.shape[0]
    return float(away[y, x] / analysis.coarse_region.span_px) if inside else 0.0


def is_finger(piece: Outgrowth) -> bool:
    """Whether skin outside the fitted hand is as long and as narrow as a finger and grows out of the hand."""
    least = PARAMS.min_solidity if piece.width >= PARAMS.thin else PARAMS.min_solidity_thin
    return _is_like_finger(piece, 1.0) and piece.solidity > least


def may_be_finger(piece: Outgrowth) -> bool:
    """The same with more patience: enough not to pass the count, too little to fail it."""
    return _is_like_finger(piece, PARAMS.patience) and not piece.at_border


def _is_like_finger(piece: Outgrowth, patience: float) -> bool:
    return (
        piece.length > patience * PARAMS.min_length
        and patience * PARAMS.width[0] <= piece.width <= PARAMS.width[1] / patience
        and patience * PARAMS.root[0] <= piece.root <= PARAMS.root[1] / patience
        and piece.solidity > patience * PARAMS.min_solidity
        and piece.tip_gap > patience * PARAMS.min_tip_gap
        and piece.unlike_skin < PARAMS.max_unlike_skin / patience
    )


def visible_fingers(analysis: HandAnalysis) -> Bool[np.ndarray, "5"]:
    """Per finger of the fitted hand whether it is in view and plainly there: bool [5]."""
    bare = bare_share(analysis)
    there = np.nan_to_num(bare, nan=1.0) < PARAMS.max_bare_counted
    there[list(untrusted_fingers(analysis))] = False
    return there


def untrusted_fingers(analysis: HandAnalysis) -> set[int]:
    """Indices of fingers whose landmarks lie in a bunch, or far from where any finger could be."""
    weights = bunched_finger_weights(analysis.observation)
    return {finger for finger in range(5) if weights[3 + 4 * finger] < PARAMS.min_landmark_weight}


def _of_another(box: Box, others: Sequence[HandObservation]) -> bool:
    """Whether the middle of a box lies within another hand."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    for other in others:
        edge = PARAMS.margin_of_others * other.size_px
        x0, y0, x1, y1 = other.bbox_xyxy_px
        if x0 - edge <= x <= x1 + edge and y0 - edge <= y <= y1 + edge:
            return True
    return False


def _value(
    counted: int | None, visible: int, extra: int | None = 0, missing: int | None = 0
) -> dict[str, Any]:
    return {"counted": counted, "seen": visible, "extra": extra, "missing": missing}


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
