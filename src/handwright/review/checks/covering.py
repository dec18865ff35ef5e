"""What lies before a hand: how much of it something else covers."""

from __future__ import annotations

from handwright.hand.morphology import eroded, opened
from handwright.hand.skeleton import distal_of_wrist
from handwright.hand.skin_colour import not_skin
from handwright.perception.analysis import HandAnalysis


def covered_share(analysis: HandAnalysis) -> float:
    """Share of the fitted hand beyond its wrist where something is seen that cannot be its skin."""
    height, width = analysis.region.inside.shape
    own = analysis.silhouette & distal_of_wrist(analysis.landmarks_px, height, width, 0.2)
    radius = max(1, round(0.03 * analysis.region.span_px))
    own = eroded(own, radius)
    broad = opened(own & not_skin(analysis.crop, analysis.region), radius)
    return float(broad.sum() / max(own.sum(), 1))
