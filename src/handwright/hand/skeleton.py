"""The stick figure of a hand in the picture: its span, its bones as masks, its sides of the wrist."""

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from jaxtyping import Bool, Float

from handwright.hand.anatomy import LANDMARK_EDGES


@dataclass(frozen=True, kw_only=True)
class SkeletonParams:
    """Proportions of the stick figure, chosen by eye on rendered hands."""

    knuckle_row: float = 2.2  # Palm span over the distance of the index and pinky knuckles
    # Factor on the second bone of a finger, added to the first for a length that equals the span
    second_bone: float = 1.2
    min_span_px: float = 4.0  # Least palm span, pixels
    finger_width: float = 0.2  # A finger's width in spans
    # thin, thick: Widths of the two stick figures' lines, in finger widths
    thin: float = 0.35
    thick: float = 1.25
    inner_palm: float = 0.75  # Size of the palm that is certainly hand, over the palm between the landmarks


PARAMS = SkeletonParams()
_EDGES = (*LANDMARK_EDGES, (5, 9), (9, 13), (13, 17), (0, 17))


def palm_span_px(landmarks_px: Float[np.ndarray, "21 2"]) -> float:
    """Return the wrist-to-knuckles length (about 9 cm) in pixels, robust to foreshortening.

    It is the mean of several lengths that foreshorten differently.
    """
    p = landmarks_px
    spans = [np.linalg.norm(p[0] - p[k]) for k in (5, 9, 13, 17)]
    spans.append(PARAMS.knuckle_row * np.linalg.norm(p[5] - p[17]))
    spans += [
        np.linalg.norm(p[k + 1] - p[k]) + PARAMS.second_bone * np.linalg.norm(p[k + 2] - p[k + 1])
        for k in (5, 9, 13)
    ]
    return float(max(np.mean(spans), PARAMS.min_span_px))


def skeleton_masks(
    landmarks_px: Float[np.ndarray, "21 2"], height: int, width: int
) -> tuple[Bool[np.ndarray, "h w"], Bool[np.ndarray, "h w"]]:
    """Return two stick figures as masks: one certainly inside the hand, one about as thick as the hand.

    Bool [height, width]: thin bones with the inner palm, and thick bones with the whole palm.
    """
    finger = palm_span_px(landmarks_px) * PARAMS.finger_width
    thin, thick = np.zeros((height, width), np.uint8), np.zeros((height, width), np.uint8)
    points = np.round(np.clip(landmarks_px, -8192, 8192)).astype(np.int32)
    for a, b in _EDGES:
        ends = tuple(map(int, points[a])), tuple(map(int, points[b]))
        cv2.line(thin, *ends, 1, max(1, int(finger * PARAMS.thin)))
        cv2.line(thick, *ends, 1, max(2, int(finger * PARAMS.thick)))
    palm = points[[0, 1, 2, 5, 9, 13, 17]]
    inner = np.round(palm.mean(0) + PARAMS.inner_palm * (palm - palm.mean(0))).astype(np.int32)
    cv2.fillConvexPoly(thin, cv2.convexHull(inner), 1)
    cv2.fillConvexPoly(thick, cv2.convexHull(palm), 1)
    return thin > 0, thick > 0


def distance_to_chain(
    chain: Float[np.ndarray, "k 2"], x: Float[np.ndarray, "*n"], y: Float[np.ndarray, "*n"]
) -> Float[np.ndarray, "*n"]:
    """Return the distance in pixels from each place (x, y) to a chain of bones [k, 2], float32."""
    nearest = np.full(x.shape, np.inf, np.float32)
    for a, b in pairwise(chain):
        bone = b - a
        t = np.clip(((x - a[0]) * bone[0] + (y - a[1]) * bone[1]) / max(float(bone @ bone), 1e-6), 0, 1)
        nearest = np.minimum(nearest, np.hypot(x - a[0] - t * bone[0], y - a[1] - t * bone[1]))
    return nearest.astype(np.float32)


def distal_of_wrist(
    landmarks_px: Float[np.ndarray, "21 2"], height: int, width: int, share: float
) -> Bool[np.ndarray, "h w"]:
    """Return the pixels on the fingers' side of a line across the palm, bool [height, width].

    The line crosses at ``share`` of the way from the wrist (0) to the knuckles (1).
    """
    wrist = landmarks_px[0]
    towards = landmarks_px[[5, 9, 13, 17]].mean(0) - wrist
    y, x = np.mgrid[:height, :width]
    along = (x - wrist[0]) * towards[0] + (y - wrist[1]) * towards[1]
    return along > share * float(towards @ towards)
