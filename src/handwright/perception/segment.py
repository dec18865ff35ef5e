"""Segmentation: the pixels of a crop that belong to the picture's own (perhaps malformed) hand and its arm.

GrabCut (Rother et al., 2004), seeded with the landmarks' skeleton and a robust model of the skin's colour
under it, at a bounded resolution. What touches neither the skeleton nor skin colour is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.hand.rig import opened
from handwright.hand.skeleton import palm_span_px, skeleton_masks
from handwright.hand.skin_colour import not_skin, skin_distance
from handwright.types import HandRegion


@dataclass(frozen=True, kw_only=True)
class SegmentParams:
    """GrabCut's seeds and what is added to and taken from its result. All values were chosen by eye.

    Colours are OpenCV's 8-bit Lab, squared colour distances ``skin_distance``. Lengths in spans are
    wrist-to-knuckles lengths (``palm_span_px``).
    """

    # span_px, coarse_span_px: Resolution: the span is scaled to this many pixels. Coarse takes a quarter of
    # the time and does for comparisons with a fitted hand of about that size (``OutlineParams.hand_px``)
    span_px: float = 110.0
    coarse_span_px: float = 55.0
    scale_limits: tuple[float, float] = (0.1, 3.0)  # Lowest and highest factor of that scaling
    # GrabCut's iterations; with one of them bench/quality.py finds repairs a little worse
    rounds: int = 2
    # usual_ab, usual_ab_sd: Mean a and b of skin in ordinary light, and their standard deviations
    usual_ab: tuple[float, float] = (143.0, 148.0)
    usual_ab_sd: tuple[float, float] = (8.0, 12.0)
    # Differences of L, a and b from the skin's median within which a pixel counts as skin
    near_lab: tuple[float, float, float] = (45.0, 12.0, 12.0)
    # Share of such pixels under the skeleton below which the colours are grouped first
    min_near_share: float = 0.6
    min_usualness: float = 0.1  # Usualness of the median, in [0, 1], below which they are grouped, too
    min_group_share: float = 0.08  # Least share of a group of colours under the skeleton
    # Added to the variances of L, a and b: quantisation and shading
    extra_variance: tuple[float, float, float] = (60.0, 6.0, 6.0)
    min_pixels: int = 20  # Fewest pixels of a colour sample
    # certain_background, near_hand, grabcut_margin: Distances from the thick skeleton, in spans: farther is
    # certainly background; nearer may be hand if its colour fits; GrabCut runs up to there
    certain_background: float = 0.36
    near_hand: float = 0.12
    grabcut_margin: float = 0.45
    # fitting_distance, certain_distance: Squared colour distances of such pixels, and of the thin skeleton's
    # pixels that are certainly hand
    fitting_distance: float = 9.0
    certain_distance: float = 30.0
    finger_distance: float = 5.0  # Squared colour distance of skin that an extra finger is made of
    # Radius, in spans, of a disc that fits into a face or an arm and into no finger
    broad_radius: float = 0.14
    # max_reach, min_reach: An extra finger's farthest and nearest tip beyond the segmented hand, in spans
    max_reach: float = 0.8
    min_reach: float = 0.04
    max_contact: float = 0.4  # Longest border between an extra finger and the hand, in spans
    # Radius, in spans, of a disc that fits into an object and into no nail, ring or crease
    object_radius: float = 0.045


PARAMS = SegmentParams()

T = TypeVar("T")


def hand_region(
    crop: UInt8[np.ndarray, "h w 3"],
    landmarks_px: Float[np.ndarray, "21 2"],
    *,
    coarse: bool = False,
) -> HandRegion:
    """Segment the picture's own hand.

    Args:
        crop: uint8 [h, w, 3] around the hand.
        landmarks_px: [21, 2] in pixels of the crop.
        coarse: Find its outline at the coarse resolution.
    """
    span = palm_span_px(landmarks_px)
    resolution_px = PARAMS.coarse_span_px if coarse else PARAMS.span_px
    scale = float(np.clip(resolution_px / span, *PARAMS.scale_limits))
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
    inside = _grab_cut(small, thin, thick, distance, palm_span_px(points))
    inside |= _extra_fingers(inside, distance, palm_span_px(points))
    inside = _without_objects(inside, not_skin(small, region), palm_span_px(points))
    resized = cv2.resize(inside.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR) > 0.5
    return replace(region, inside=resized)


def _skin_model(
    small: UInt8[np.ndarray, "h w 3"], thin: Bool[np.ndarray, "h w"]
) -> tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3 3"]]:
    """Return mean and covariance in Lab of the skin under the skeleton, without nails, rings and objects."""
    values = cv2.cvtColor(small, cv2.COLOR_RGB2LAB)[thin].astype(np.float64)
    if len(values) < PARAMS.min_pixels:
        values = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).reshape(-1, 3).astype(np.float64)
    mean = np.median(values, 0)
    if _near(values, mean).mean() < PARAMS.min_near_share or _usual(mean) < PARAMS.min_usualness:
        mean = _skin_mode(values)
    kept = values
    for _ in range(3):
        near = _near(values, mean)
        kept = values[near] if near.sum() > PARAMS.min_pixels else values
        mean = kept.mean(0)
    return mean, np.cov(kept.T) + np.diag(PARAMS.extra_variance)


def _near(values: Float[np.ndarray, "n 3"], mean: Float[np.ndarray, "3"]) -> Bool[np.ndarray, " n"]:
    return (np.abs(values - mean) / np.array(PARAMS.near_lab)).max(1) < 1


def _usual(mean: Float[np.ndarray, "3"]) -> float:
    """Return how usual a colour is for skin in ordinary light, in [0, 1]."""
    off = (mean[1:] - np.array(PARAMS.usual_ab)) / np.array(PARAMS.usual_ab_sd)
    return float(np.exp(-0.5 * (off**2).sum()))


def _skin_mode(values: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "3"]:
    """Return the median of the group of colours that is largest and most usual for skin."""
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 0.5)
    chroma = np.ascontiguousarray(values[:, 1:], np.float32)
    groups = min(3, len(chroma))
    _, labels, _ = _in_own_thread(
        lambda: cv2.kmeans(chroma, groups, None, stop, 2, cv2.KMEANS_PP_CENTERS)  # type: ignore[call-overload]
    )
    best, mean = -1.0, np.median(values, 0)
    for group in range(groups):
        members = values[labels[:, 0] == group]
        if len(members) < PARAMS.min_group_share * len(values):
            continue
        middle = np.median(members, 0)
        score = len(members) / len(values) * (_usual(middle) + 0.02)
        if score > best:
            best, mean = score, middle
    return mean


def _in_own_thread(call: Callable[[], T]) -> T:
    """Call k-means or GrabCut where OpenCV's random numbers begin anew: it has one generator a thread."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call).result()


def _grab_cut(
    small: UInt8[np.ndarray, "h w 3"],
    thin: Bool[np.ndarray, "h w"],
    thick: Bool[np.ndarray, "h w"],
    distance: Float[np.ndarray, "h w"],
    span_px: float,
) -> Bool[np.ndarray, "h w"]:
    away = cv2.distanceTransform((~thick).astype(np.uint8), cv2.DIST_L2, 3)
    labels = np.full(thick.shape, cv2.GC_PR_BGD, np.uint8)
    labels[away > span_px * PARAMS.certain_background] = cv2.GC_BGD
    labels[thick] = cv2.GC_PR_FGD
    labels[(away < span_px * PARAMS.near_hand) & (distance < PARAMS.fitting_distance)] = cv2.GC_PR_FGD
    labels[thin & (distance < PARAMS.certain_distance)] = cv2.GC_FGD
    foreground = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))
    if foreground.any() and not foreground.all():
        models = np.zeros((1, 65)), np.zeros((1, 65))
        around = away < PARAMS.grabcut_margin * span_px
        rows, columns = (np.flatnonzero(around.any(axis)) for axis in (1, 0))
        near = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        bgr = cv2.cvtColor(np.ascontiguousarray(small[near]), cv2.COLOR_RGB2BGR)
        decided = np.ascontiguousarray(labels[near])
        how = (0, 0, 0, 0), *models, PARAMS.rounds, cv2.GC_INIT_WITH_MASK
        _in_own_thread(lambda: cv2.grabCut(bgr, decided, *how))
        foreground[near] = np.isin(decided, (cv2.GC_FGD, cv2.GC_PR_FGD))
    _, parts = cv2.connectedComponents(foreground.astype(np.uint8))
    keep = np.unique(parts[thin & foreground])
    kept = np.isin(parts, keep[keep > 0]).astype(np.uint8)
    return cv2.morphologyEx(kept, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)) > 0


def _extra_fingers(
    inside: Bool[np.ndarray, "h w"], distance: Float[np.ndarray, "h w"], span_px: float
) -> Bool[np.ndarray, "h w"]:
    """Return finger-like skin that reaches out of the segmented hand: the tip of a sixth finger.

    Broad skin (a face, an arm) is left out, as is anything farther away than ``max_reach``.
    """
    skin = distance < PARAMS.finger_distance
    radius = max(2, round(PARAMS.broad_radius * span_px))
    broad = opened(skin, radius)
    away = cv2.distanceTransform((~inside).astype(np.uint8), cv2.DIST_L2, 3)
    narrow = skin & ~broad & ~inside & (away < PARAMS.max_reach * span_px)
    _, parts = cv2.connectedComponents(narrow.astype(np.uint8))
    border = set(np.unique(np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]])).tolist())
    fingers: list[int] = []
    for k in set(np.unique(parts[narrow & (away < 2)]).tolist()) - border - {0}:
        part = parts == k
        contact = int((part & (away < 2)).sum())
        if away[part].max() > PARAMS.min_reach * span_px and contact < PARAMS.max_contact * span_px:
            fingers.append(k)
    return np.isin(parts, fingers)


def _without_objects(
    inside: Bool[np.ndarray, "h w"], other: Bool[np.ndarray, "h w"], span_px: float
) -> Bool[np.ndarray, "h w"]:
    """Remove what is broad and cannot be skin; nails, rings and creases are too narrow to be removed."""
    radius = max(1, round(PARAMS.object_radius * span_px))
    core = opened(inside & other, radius)
    grown = cv2.dilate(core.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return inside & ~(grown & other)
