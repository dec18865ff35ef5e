"""The picture's own hand: which pixels of a crop belong to the (perhaps malformed) hand and its arm.

GrabCut, seeded with the landmarks' skeleton and a robust skin-colour model learnt from under it, at a bounded
resolution. What touches neither the skeleton nor skin colour is left out.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.hand.morphology import opened
from handwright.hand.skeleton import not_skin, palm_span_px, skeleton_masks, skin_distance
from handwright.types import HandRegion

_USUAL_SKIN_AB, _USUAL_SPREAD_AB = np.array([143.0, 148.0]), np.array([8.0, 12.0])
_LOOKED_AT = 0.45
"""GrabCut sees this much around the thick stick figure, in wrist-to-knuckles spans."""

_THING_RADIUS = 0.045
_SURE_SKIN, _BROAD_RADIUS = 5.0, 0.14
_PALM_SPAN_PX = 110.0
"""Work at a resolution where wrist to knuckles spans this many pixels."""


def hand_region(
    crop: UInt8[np.ndarray, "h w 3"],
    landmarks_px: Float[np.ndarray, "21 2"],
    worked_px: float = _PALM_SPAN_PX,
    rounds: int = 2,
) -> HandRegion:
    """Segment the picture's own hand.

    Args:
        crop: uint8 [h, w, 3] around the hand.
        landmarks_px: [21, 2] in the crop.
        worked_px: Wrist to knuckles at the resolution worked at: less is faster and coarser.
        rounds: Of GrabCut.
    """
    span = palm_span_px(landmarks_px)
    scale = float(np.clip(worked_px / span, 0.1, 3.0))
    height, width = crop.shape[:2]
    size = max(8, round(width * scale)), max(8, round(height * scale))
    small = cv2.resize(crop, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    points = landmarks_px * np.array([size[0] / width, size[1] / height])
    thin, thick = skeleton_masks(points, size[1], size[0])
    mean, spread = _skin_model(small, thin)
    region = HandRegion(
        inside=np.zeros((height, width), np.bool_), skin_lab=mean, skin_covariance=spread, span_px=span
    )
    distance = skin_distance(small, region)
    inside = _grab_cut(small, thin, thick, distance, palm_span_px(points), rounds)
    inside |= _spare_fingers(inside, distance, palm_span_px(points))
    inside = _without_things(inside, not_skin(small, region), palm_span_px(points))
    resized = cv2.resize(inside.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR) > 0.5
    return HandRegion(inside=resized, skin_lab=mean, skin_covariance=spread, span_px=span)


def _skin_model(
    small: UInt8[np.ndarray, "h w 3"], thin: Bool[np.ndarray, "h w"]
) -> tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3 3"]]:
    """Mean and covariance in Lab of the skin under the skeleton, trimmed of nails, rings and objects."""
    values = cv2.cvtColor(small, cv2.COLOR_RGB2LAB)[thin].astype(np.float64)
    if len(values) < 20:
        values = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).reshape(-1, 3).astype(np.float64)
    mean = np.median(values, 0)
    if _near(values, mean).mean() < 0.6 or _usual(mean) < 0.1:
        mean = _skin_mode(values)
    kept = values
    for _ in range(3):
        near = _near(values, mean)
        kept = values[near] if near.sum() > 20 else values
        mean = kept.mean(0)
    return mean, np.cov(kept.T) + np.diag([60.0, 6.0, 6.0])


def _near(values: Float[np.ndarray, "n 3"], mean: Float[np.ndarray, "3"]) -> Bool[np.ndarray, " n"]:
    return (np.abs(values - mean) / np.array([45.0, 12.0, 12.0])).max(1) < 1


def _usual(mean: Float[np.ndarray, "3"]) -> float:
    """How usual a colour is for skin under usual light, 0…1."""
    off = (mean[1:] - _USUAL_SKIN_AB) / _USUAL_SPREAD_AB
    return float(np.exp(-0.5 * (off**2).sum()))


def _skin_mode(values: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "3"]:
    """Of the colours under the skeleton, the group that is large and looks most like skin."""
    cv2.setRNGSeed(0)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 0.5)
    chroma = np.ascontiguousarray(values[:, 1:], np.float32)
    groups = min(3, len(chroma))
    _, labels, _ = cv2.kmeans(chroma, groups, None, stop, 2, cv2.KMEANS_PP_CENTERS)  # type: ignore[call-overload]
    best, mean = -1.0, np.median(values, 0)
    for group in range(groups):
        members = values[labels[:, 0] == group]
        if len(members) < 0.08 * len(values):
            continue
        middle = np.median(members, 0)
        score = len(members) / len(values) * (_usual(middle) + 0.02)
        if score > best:
            best, mean = score, middle
    return mean


def _grab_cut(
    small: UInt8[np.ndarray, "h w 3"],
    thin: Bool[np.ndarray, "h w"],
    thick: Bool[np.ndarray, "h w"],
    skin_distance: Float[np.ndarray, "h w"],
    span_px: float,
    rounds: int,
) -> Bool[np.ndarray, "h w"]:
    far = cv2.distanceTransform((~thick).astype(np.uint8), cv2.DIST_L2, 3)
    labels = np.full(thick.shape, cv2.GC_PR_BGD, np.uint8)
    labels[far > span_px * 0.36] = cv2.GC_BGD
    labels[thick] = cv2.GC_PR_FGD
    labels[(far < span_px * 0.12) & (skin_distance < 9)] = cv2.GC_PR_FGD
    labels[thin & (skin_distance < 30)] = cv2.GC_FGD
    foreground = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))
    if foreground.any() and not foreground.all():
        cv2.setRNGSeed(0)
        models = np.zeros((1, 65)), np.zeros((1, 65))
        rows, columns = (np.flatnonzero((far < _LOOKED_AT * span_px).any(axis)) for axis in (1, 0))
        near = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        bgr = cv2.cvtColor(np.ascontiguousarray(small[near]), cv2.COLOR_RGB2BGR)
        decided = np.ascontiguousarray(labels[near])
        cv2.grabCut(bgr, decided, (0, 0, 0, 0), *models, rounds, cv2.GC_INIT_WITH_MASK)
        foreground[near] = np.isin(decided, (cv2.GC_FGD, cv2.GC_PR_FGD))
    _, parts = cv2.connectedComponents(foreground.astype(np.uint8))
    keep = np.unique(parts[thin & foreground])
    kept = np.isin(parts, keep[keep > 0]).astype(np.uint8)
    return cv2.morphologyEx(kept, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)) > 0


def _spare_fingers(
    inside: Bool[np.ndarray, "h w"], distance: Float[np.ndarray, "h w"], span_px: float
) -> Bool[np.ndarray, "h w"]:
    """Finger-like skin that grows out of the hand farther than its skeleton reaches: a sixth finger's tip.

    Broad skin (a face, an arm) is not taken along, nor anything farther than two finger lengths.
    """
    skin = distance < _SURE_SKIN
    radius = max(2, round(_BROAD_RADIUS * span_px))
    broad = opened(skin, radius)
    away = cv2.distanceTransform((~inside).astype(np.uint8), cv2.DIST_L2, 3)
    narrow = skin & ~broad & ~inside & (away < 0.8 * span_px)
    _, parts = cv2.connectedComponents(narrow.astype(np.uint8))
    border = set(np.unique(np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]])).tolist())
    fingers: list[int] = []
    for k in set(np.unique(parts[narrow & (away < 2)]).tolist()) - border - {0}:
        mine = parts == k
        contact = int((mine & (away < 2)).sum())
        if away[mine].max() > 0.04 * span_px and contact < 0.4 * span_px:
            fingers.append(k)
    return np.isin(parts, fingers)


def _without_things(
    inside: Bool[np.ndarray, "h w"], strange: Bool[np.ndarray, "h w"], span_px: float
) -> Bool[np.ndarray, "h w"]:
    """Take out what is broad and cannot be skin; nails, rings and creases are too narrow to count."""
    radius = max(1, round(_THING_RADIUS * span_px))
    core = opened(inside & strange, radius)
    grown = cv2.dilate(core.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return inside & ~(grown & strange)
