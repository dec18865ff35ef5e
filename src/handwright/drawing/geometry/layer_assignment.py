"""Who owns which pixel: drawn hand, kept photograph, or filled background.

Beyond the palm's heel the drawn hand replaces the old one; below it the photograph stays. What the old hand
leaves uncovered near its skeleton is a hole to fill; the rest of it (arm, sleeve, other skin) is none of our
business.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float

from handwright.drawing.geometry.surface import Surface
from handwright.hand.morphology import dilated, eroded, opened
from handwright.hand.skeleton import skeleton_masks
from handwright.types import HandRegion

_FADE_M = (-0.009, 0.016)
_HEEL_M = 0.030
_TAPER = 0.35
"""Beyond the heel the drawn outline may leave the old one by this much per metre of reach: no notch."""
_HOLE_FROM_M = 0.025
_HOLE_TAPER_M = 0.03
"""Likewise the old outline comes in to the drawn one over this much reach beyond the heel."""
_MET_HOLE_FROM_M, _MET_TAPER = 0.008, 0.06
"""The same where the drawn wrist meets the arm: what then lies beside it is no arm."""
_ARM_BELOW_M, _TOUCH_PX = 0.032, 2
"""What is left of an old hand is arm so near to the wrist, where it is broad or as near to the drawn hand."""
_SEAM, _SEAM_BELOW_M = 0.1, 0.055
"""Width in spans of the seam between the heel and an arm that is kept, and how far from the wrist one is."""
_STEPS = 0.035
"""Size of the steps in an old hand's segmented outline, in spans."""
_STRIP = 0.05
"""Half the width in spans that skin next to the region needs to pass for an arm."""
_LIMB = 0.03
"""Half the width in spans of known surplus that is a limb and no rim."""
_RIM = 0.015
"""Rim light and ringing around the old hand, in wrist-to-knuckles spans."""


@dataclass(frozen=True, eq=False)
class Layers:
    """Shares of the final picture.

    Attributes:
        alpha: float32 [h, w] share of the drawn hand.
        coverage: float32 [h, w] how much of each pixel the drawn hand's silhouette covers, sharp.
        hole: bool [h, w] where background must be invented.
        hole_alpha: float32 [h, w] share of the invented background beneath the drawn hand.
        old: bool [h, w] all pixels of the old hand, dilated: never a source of background.
        reach_m: float32 [h, w] distance from the wrist along the resting hand, extended outside of it.
    """

    alpha: Float[np.ndarray, "h w"]
    coverage: Float[np.ndarray, "h w"]
    hole: Bool[np.ndarray, "h w"]
    hole_alpha: Float[np.ndarray, "h w"]
    old: Bool[np.ndarray, "h w"]
    reach_m: Float[np.ndarray, "h w"]


def smoothstep(low: float, high: float, x: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """Cubic ramp from 0 at ``low`` to 1 at ``high``."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def assign_layers(
    surface: Surface,
    region: HandRegion,
    landmarks_px: Float[np.ndarray, "21 2"],
    blur_sigma: float,
    hand_px: float,
    skin: Bool[np.ndarray, "h w"] | None = None,
) -> Layers:
    """Decide who owns which pixel.

    Args:
        surface: The drawn hand's surface in the crop.
        region: The picture's own hand.
        landmarks_px: [21, 2] observed landmarks in the crop.
        blur_sigma: Blur of the picture's edges in pixels.
        hand_px: Hand size in pixels.
        skin: bool [h, w] pixels of skin colour: the heel is drawn on over an arm that the region leaves
            out; without it the heel ends where the region does.
    """
    coverage = surface.coverage
    reach = _extended_reach(surface, hand_px)
    fading = coverage * smoothstep(*_FADE_M, reach)
    soft = float(np.sqrt(max(blur_sigma**2 - 0.09, 0.0)))
    if soft > 0.2:
        fading = cv2.GaussianBlur(fading, (0, 0), soft)
    flesh = _smooth(region) if skin is None else _smooth(region) | _arm(skin & (coverage > 0.5), region)
    allowed = _taper(~flesh, reach, surface, blur_sigma)
    hole_from_m, rate = (_MET_HOLE_FROM_M, _MET_TAPER) if surface.meets_arm else (_HOLE_FROM_M, _TAPER)
    hole, old = _uncovered(coverage > 0.5, region, landmarks_px, reach, blur_sigma, hole_from_m)
    allowed = allowed * _seamless(coverage > 0.5, hole, region, reach)
    alpha = np.clip(fading * allowed, 0, 1).astype(np.float32)
    core = cv2.erode(hole.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.float32)
    removed = 1 - _taper(coverage < 0.5, 2 * _HEEL_M + _HOLE_TAPER_M - reach, surface, blur_sigma, rate)
    removed = np.maximum(removed, _roots(hole & (coverage <= 0.5), region, surface))
    hole_alpha = cv2.GaussianBlur(core, (0, 0), 1.2) * np.where(reach > _HEEL_M + _HOLE_TAPER_M, 1, removed)
    return Layers(alpha, coverage, hole, np.clip(hole_alpha, 0, 1).astype(np.float32), old, reach)


def _smooth(region: HandRegion) -> Bool[np.ndarray, "h w"]:
    """The old hand with the steps of its segmentation ironed out, which the drawn outline would follow."""
    soft = cv2.GaussianBlur(region.inside.astype(np.float32), (0, 0), max(1.0, _STEPS * region.span_px))
    return soft > 0.5


def _arm(skin: Bool[np.ndarray, "h w"], region: HandRegion) -> Bool[np.ndarray, "h w"]:
    """Skin outside the region that is too broad for a strip of wall of its colour beside the wrist."""
    return opened(skin & ~region.inside, max(1, round(_STRIP * region.span_px)))


def _taper(
    outside: Bool[np.ndarray, "h w"],
    reach_m: Float[np.ndarray, "h w"],
    surface: Surface,
    blur_sigma: float,
    rate: float = _TAPER,
) -> Float[np.ndarray, "h w"]:
    """1 where a pixel is no farther outside an outline than its reach beyond the heel allows, softly."""
    pixels_per_m = surface.pixels_per_m / surface.scale
    away = cv2.distanceTransform(outside.astype(np.uint8), cv2.DIST_L2, 3)
    allowance = rate * np.maximum(reach_m - _HEEL_M, 0) * pixels_per_m
    soft = 1.0 + blur_sigma
    return 1 - smoothstep(0, 1, (away - allowance) / soft)


def _roots(
    uncovered: Bool[np.ndarray, "h w"],
    region: HandRegion,
    surface: Surface,
) -> Float[np.ndarray, "h w"]:
    """Where surplus flesh that goes grows out of the hand: nothing of it stays as a stump beside the heel."""
    if region.certain is None:
        return np.zeros(uncovered.shape, np.float32)
    limb = opened(uncovered & region.certain, max(2, round(_LIMB * region.span_px)))
    reach_px = round(_TAPER * (_HEEL_M + _HOLE_TAPER_M) * surface.pixels_per_m / surface.scale)
    return (dilated(limb, reach_px) & uncovered).astype(np.float32)


def _seamless(
    drawn: Bool[np.ndarray, "h w"],
    hole: Bool[np.ndarray, "h w"],
    region: HandRegion,
    reach_m: Float[np.ndarray, "h w"],
) -> Float[np.ndarray, "h w"]:
    """Rises from 0 where drawn skin of the heel borders on skin of the arm that is kept: skin runs on there.

    A hand seen along its arm, or bent at the wrist, ends in an outline and not in the fade of its wrist.
    """
    kept = region.inside & ~drawn & ~hole & (reach_m < _SEAM_BELOW_M)
    core = eroded(kept, max(1, round(_SEAM / 3 * region.span_px)))
    if not core.any():
        return np.ones(drawn.shape, np.float32)
    kept &= dilated(core, max(1, round(_SEAM * region.span_px)))
    away = cv2.distanceTransform((~kept).astype(np.uint8), cv2.DIST_L2, 3)
    return smoothstep(0, _SEAM * region.span_px, away).astype(np.float32)


def _extended_reach(surface: Surface, hand_px: float) -> Float[np.ndarray, "h w"]:
    """Rest distance from the wrist at every pixel; outside the silhouette, the nearest inner pixel's."""
    total = surface.shrink(surface.place(surface.rest_m[:, 1:2]))[..., 0]
    coverage = surface.shrink(surface.seen.astype(np.float32)[..., None])[..., 0]
    inside = coverage > 0.5
    if not inside.any():
        return np.full(coverage.shape, 0.09, np.float32)
    reach = total / np.maximum(coverage, 1e-3)
    outside = (~inside).astype(np.uint8)
    _, labels = cv2.distanceTransformWithLabels(outside, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    nearest = labels.astype(np.int64)
    table = np.zeros(int(nearest.max()) + 1, np.float32)
    table[nearest[inside]] = reach[inside]
    return cv2.GaussianBlur(table[nearest], (0, 0), max(1.0, 0.01 * hand_px))


def _uncovered(
    drawn: Bool[np.ndarray, "h w"],
    region: HandRegion,
    landmarks_px: Float[np.ndarray, "21 2"],
    reach_m: Float[np.ndarray, "h w"],
    blur_sigma: float,
    hole_from_m: float,
) -> tuple[Bool[np.ndarray, "h w"], Bool[np.ndarray, "h w"]]:
    """The hole, and the whole old hand dilated by the blur and by its own resolution error."""
    height, width = drawn.shape
    thin, thick = skeleton_masks(landmarks_px, height, width)
    span = region.span_px
    radius = max(3, round(3.0 * blur_sigma + 1.2 + 1.2 / min(3.0, 110 / span) + _RIM * span))
    known = np.zeros(thin.shape, np.bool_) if region.certain is None else region.certain
    old = region.inside | thin | known
    grown = dilated(old, radius)
    far = cv2.distanceTransform((~thick).astype(np.uint8), cv2.DIST_L2, 3)
    rim = max(2, int(0.075 * span))
    broad = opened(region.inside & (far > 0.07 * span) & ~known, rim)
    other_skin = dilated(broad, rim // 2) & (far > 0.05 * span) & ~known
    near = (far < 0.22 * span) | dilated(known, radius)
    hole = grown & near & ~other_skin & (reach_m > hole_from_m)
    if region.certain is not None:
        limb = opened(hole & known & ~drawn, max(2, round(_LIMB * span)))
        hole |= dilated(limb, radius) & grown & ~drawn & (known | ~region.inside)
    left_over = old & ~hole & ~drawn
    count, parts = cv2.connectedComponents(left_over.astype(np.uint8))
    border = np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]])
    low = reach_m < _ARM_BELOW_M
    arm = low & (opened(left_over, rim) | dilated(drawn & low, _TOUCH_PX))
    attached = np.union1d(border, parts[left_over & arm])
    loose = np.isin(parts, np.setdiff1d(np.arange(1, count), attached))
    return hole | (dilated(loose, radius) & grown), grown
