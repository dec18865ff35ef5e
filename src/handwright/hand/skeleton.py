"""A hand's stick figure in the picture: spans and masks that need no mesh."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float

from handwright.hand.anatomy import LANDMARK_EDGES

_EDGES = (*LANDMARK_EDGES, (5, 9), (9, 13), (13, 17), (0, 17))


def palm_span_px(landmarks_px: Float[np.ndarray, "21 2"]) -> float:
    """About 9 cm on the hand in pixels: the mean of several lengths that foreshorten differently."""
    p = landmarks_px
    spans = [np.linalg.norm(p[0] - p[k]) for k in (5, 9, 13, 17)]
    spans.append(2.2 * np.linalg.norm(p[5] - p[17]))
    spans += [np.linalg.norm(p[k + 1] - p[k]) + 1.2 * np.linalg.norm(p[k + 2] - p[k + 1]) for k in (5, 9, 13)]
    return float(max(np.mean(spans), 4.0))


def skeleton_masks(
    landmarks_px: Float[np.ndarray, "21 2"], height: int, width: int
) -> tuple[Bool[np.ndarray, "h w"], Bool[np.ndarray, "h w"]]:
    """Surely inside (thin bones, inner palm) and about a hand's thickness (thick bones, whole palm)."""
    finger = palm_span_px(landmarks_px) * 0.2
    thin, thick = np.zeros((height, width), np.uint8), np.zeros((height, width), np.uint8)
    points = np.round(np.clip(landmarks_px, -8192, 8192)).astype(np.int32)
    for a, b in _EDGES:
        ends = tuple(map(int, points[a])), tuple(map(int, points[b]))
        cv2.line(thin, *ends, 1, max(1, int(finger * 0.35)))
        cv2.line(thick, *ends, 1, max(2, int(finger * 1.25)))
    palm = points[[0, 1, 2, 5, 9, 13, 17]]
    inner = np.round(palm.mean(0) + 0.75 * (palm - palm.mean(0))).astype(np.int32)
    cv2.fillConvexPoly(thin, cv2.convexHull(inner), 1)
    cv2.fillConvexPoly(thick, cv2.convexHull(palm), 1)
    return thin > 0, thick > 0
