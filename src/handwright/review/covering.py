"""What lies before a hand: how much of it something else covers."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from handwright.hand.skeleton import beyond_wrist, not_skin
from handwright.review.evidence import HandEvidence


@lru_cache(maxsize=1)
def covered_share(evidence: HandEvidence) -> float:
    """Share of the fitted hand beyond its wrist where something is seen that cannot be its skin."""
    height, width = evidence.region.inside.shape
    own = evidence.silhouette & beyond_wrist(evidence.landmarks_px, height, width, 0.2)
    radius = max(1, round(0.03 * evidence.region.span_px))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    own = cv2.erode(own.astype(np.uint8), disc) > 0
    strange = own & not_skin(evidence.crop, evidence.region)
    broad = cv2.morphologyEx(strange.astype(np.uint8), cv2.MORPH_OPEN, disc) > 0
    return float(broad.sum() / max(own.sum(), 1))
