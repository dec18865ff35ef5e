"""Finger count: does one regular hand explain the skin that is seen, no finger more and none less?"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from handwright.hand.anatomy import FINGERS
from handwright.perception.trust import bunched_fingers
from handwright.review.checklist import Check, Where, cannot_tell, sureness
from handwright.review.evidence import HandEvidence
from handwright.review.outgrowth import Outgrowth, bare_share, outgrowths

FINGER_LONG, FINGER_WIDE = 0.25, (0.12, 0.32)
"""Skin outside the fitted hand is a finger from this length on, at such widths (wrist-to-knuckles spans)."""

ROOT, LEAST_SOLID, LEAST_TIP_GAP, MOST_UNLIKE = (0.08, 0.45), 0.75, 0.25, 6.0
"""How broadly a finger joins the hand, how solid it is, how far from other tips it begins, and its colour."""

MOST_BARE = 0.6
"""Share of a visible finger's middle line without hand under it that makes it a missing one."""

LEAST_OVERLAP = 0.7
"""Below this overlap of the fitted with the segmented hand, fingers are not counted."""

_BELIEVED = 0.9


def count_fingers(evidence: HandEvidence) -> Check:
    """The check; ``value`` is {"counted", "seen", "extra", "missing"}, unknown numbers None.

    Args:
        evidence: Of a hand that can be judged.
    """
    seen = fingers_seen(evidence)
    bare, bunched = bare_share(evidence), doubted(evidence)
    spare = [piece for piece in outgrowths(evidence) if is_finger(piece)]
    if spare:
        value = {
            "counted": 5 + len(spare),
            "seen": int(seen.sum()) + len(spare),
            "extra": len(spare),
            "missing": 0,
        }
        where = Where(region_xyxy_px=evidence.box_of(spare[0].inside))
        reason = f"{_plural(len(spare), 'finger')} more than a hand has: skin that no finger of it explains."
        return Check("fail", sureness(spare[0].length, FINGER_LONG), reason, where, value)
    gone = [k for k in range(5) if bare[k] > MOST_BARE and k in bunched]
    if gone:
        value = {
            "counted": 5 - len(gone),
            "seen": int(seen.sum()) - len(gone),
            "extra": 0,
            "missing": len(gone),
        }
        tips = evidence.fit.landmarks_px[[4 + 4 * k for k in gone]]
        where = Where(tuple((float(x), float(y)) for x, y in tips))
        names = " and ".join(FINGERS[k] for k in gone)
        return Check(
            "fail",
            float(np.nanmax(bare[gone])),
            f"There is no {names} finger where it should be seen.",
            where,
            value,
        )
    value = {"counted": None, "seen": int(seen.sum()), "extra": None, "missing": None}
    if evidence.overlap < LEAST_OVERLAP:
        return cannot_tell("The hand's outline cannot be told from what is around it.", value)
    if (hidden := np.flatnonzero(~seen)).size:
        names = ", ".join(FINGERS[k] for k in hidden)
        return cannot_tell(f"Not all fingers can be seen (hidden: {names}).", value)
    value = {"counted": 5, "seen": 5, "extra": 0, "missing": 0}
    reason = "Five fingers, and they explain all the skin that is seen."
    return Check("pass", evidence.overlap, reason, value=value)


def is_finger(piece: Outgrowth) -> bool:
    """Whether skin outside the fitted hand is as long and as narrow as a finger and grows out of the hand."""
    return (
        piece.length > FINGER_LONG
        and FINGER_WIDE[0] <= piece.width <= FINGER_WIDE[1]
        and ROOT[0] <= piece.root <= ROOT[1]
        and piece.solid > LEAST_SOLID
        and piece.tip_gap > LEAST_TIP_GAP
        and piece.unlike < MOST_UNLIKE
        and not piece.at_border
    )


def fingers_seen(evidence: HandEvidence) -> Float[np.ndarray, "5"]:
    """Bool [5]: fingers of the fitted hand of which enough is in view to count them."""
    bare = bare_share(evidence)
    return ~np.isnan(bare)


def doubted(evidence: HandEvidence) -> set[int]:
    """Fingers whose landmarks lie in a bunch, or far from where any finger could be."""
    weights = bunched_fingers(evidence.observation)
    return {finger for finger in range(5) if weights[3 + 4 * finger] < _BELIEVED}


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
