"""A hand in the picture without a mesh: its span, stick figure and skin colour."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.hand.anatomy import LANDMARK_EDGES
from handwright.hand.morphology import opened
from handwright.types import HandRegion

SAME_SKIN = 9.0
"""How far from a hand's own skin the colour of its other parts and of its arm may be (``skin_distance``)."""

COLOURLESS = 6.0
"""Chroma of skin (``skin_chroma``) below which a picture has no colours."""

_CHROMA_FAR, _BLACK_SHARE, _SHADOW_RADIUS = 2.6, 0.22, 0.14
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


def distance_to_chain(
    chain: Float[np.ndarray, "k 2"], x: Float[np.ndarray, "*n"], y: Float[np.ndarray, "*n"]
) -> Float[np.ndarray, "*n"]:
    """Pixels from each place to a chain of bones."""
    nearest = np.full(x.shape, np.inf, np.float32)
    for a, b in pairwise(chain):
        way = b - a
        t = np.clip(((x - a[0]) * way[0] + (y - a[1]) * way[1]) / max(float(way @ way), 1e-6), 0, 1)
        nearest = np.minimum(nearest, np.hypot(x - a[0] - t * way[0], y - a[1] - t * way[1]))
    return nearest.astype(np.float32)


def skin_chroma(skin_lab: Float[np.ndarray, "3"]) -> float:
    """How far a skin's colour is from grey."""
    return float(np.hypot(*(skin_lab[1:] - 128)))


def skin_distance(crop: UInt8[np.ndarray, "h w 3"], region: HandRegion) -> Float[np.ndarray, "h w"]:
    """Squared Mahalanobis distance of each pixel's colour from the region's skin, float32 [h, w]."""
    offset = cv2.cvtColor(crop, cv2.COLOR_RGB2LAB).astype(np.float32) - region.skin_lab.astype(np.float32)
    inverse = np.linalg.inv(region.skin_covariance).astype(np.float32)
    return np.einsum("hwc,hwc->hw", offset @ inverse, offset)


def not_skin(crop: UInt8[np.ndarray, "h w 3"], region: HandRegion) -> Bool[np.ndarray, "h w"]:
    """Pixels whose colour this hand's skin cannot take in any light.

    That is another chroma for their brightness, or black over more than the width of a fold. A tint that skin
    takes between fingers, where the light comes from other skin, or where it is overexposed, is strange only
    where it is wider than that, too.

    Shaded skin keeps its hue but loses chroma with brightness, so chroma is compared at equal brightness.
    """
    lab = cv2.cvtColor(crop, cv2.COLOR_RGB2LAB).astype(np.float32)
    skin_l = max(float(region.skin_lab[0]), 1.0)
    brightness = np.clip(lab[..., 0] / skin_l, 0.15, 1.3)
    expected = (region.skin_lab[1:] - 128).astype(np.float32) * brightness[..., None]
    spread = np.sqrt(np.diag(region.skin_covariance)[1:]).astype(np.float32) + 3.5
    offset = (lab[..., 1:] - 128 - expected) / spread
    tinted = (offset[..., 0] ** 2 + offset[..., 1] ** 2 > _CHROMA_FAR**2) & (lab[..., 0] > 0.2 * skin_l)
    likely = tinted & _lit_by_skin(lab, region.skin_lab)
    black = lab[..., 0] < _BLACK_SHARE * skin_l
    scale = crop.shape[0] / region.inside.shape[0]
    radius = max(2, round(_SHADOW_RADIUS * region.span_px * scale))
    return tinted & ~likely | opened(black, radius) | opened(likely, radius)


def _lit_by_skin(
    lab: Float[np.ndarray, "h w 3"], skin_lab: Float[np.ndarray, "3"]
) -> Bool[np.ndarray, "h w"]:
    """Colours that skin takes where the light on it comes from other skin, or is more than the picture holds.

    Light that skin has thrown back is redder and more saturated; light beyond the brightest value loses red
    first, so that skin turns yellow on its way to white.
    """
    a, b = lab[..., 1] - 128, lab[..., 2] - 128
    chroma, hue = np.hypot(a, b), np.degrees(np.arctan2(b, a))
    light = lab[..., 0] / max(float(skin_lab[0]), 1.0)
    own = skin_chroma(skin_lab)
    if own < COLOURLESS:
        return np.zeros(a.shape, np.bool_)
    between = (light > 0.3) & (light < 0.87) & (hue > 26) & (hue < 63) & (chroma < min(1.3 * own + 18, 50))
    beyond = (light > 1.25) & (hue > 40) & (hue < 100) & (chroma > 0.5 * own) & (chroma < own + 8)
    return between | beyond


def distal_of_wrist(
    landmarks_px: Float[np.ndarray, "21 2"], height: int, width: int, share: float
) -> Bool[np.ndarray, "h w"]:
    """Pixels on the fingers' side of a line across the palm, ``share`` of the way from wrist to knuckles."""
    wrist = landmarks_px[0]
    towards = landmarks_px[[5, 9, 13, 17]].mean(0) - wrist
    y, x = np.mgrid[:height, :width]
    along = (x - wrist[0]) * towards[0] + (y - wrist[1]) * towards[1]
    return along > share * float(towards @ towards)
