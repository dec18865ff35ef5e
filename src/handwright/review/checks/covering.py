"""What lies before a hand: how much of it something else covers."""

from __future__ import annotations

from functools import lru_cache

from handwright.hand.morphology import eroded, opened
from handwright.hand.skeleton import distal_of_wrist
from handwright.hand.skin_colour import not_skin
from handwright.review.checks.hand_measurements import KEPT, HandMeasurements


@lru_cache(maxsize=KEPT)
def covered_share(evidence: HandMeasurements) -> float:
    """Share of the fitted hand beyond its wrist where something is seen that cannot be its skin."""
    height, width = evidence.region.inside.shape
    own = evidence.silhouette & distal_of_wrist(evidence.landmarks_px, height, width, 0.2)
    radius = max(1, round(0.03 * evidence.region.span_px))
    own = eroded(own, radius)
    broad = opened(own & not_skin(evidence.crop, evidence.region), radius)
    return float(broad.sum() / max(own.sum(), 1))
