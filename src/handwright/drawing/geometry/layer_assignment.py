"""Which layer owns which pixel: drawn hand, kept photograph, or filled background.

Distal of the palm's heel the drawn hand replaces the old one; proximal of it the photograph stays. Where the
old hand is left uncovered near its skeleton there is a hole to fill; the rest of the old region (arm, sleeve,
other skin) stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float

from handwright.drawing.geometry.surface import Surface
from handwright.hand.rig import dilated, eroded, opened
from handwright.hand.skeleton import skeleton_masks
from handwright.image.compositing import smoothstep
from handwright.types import HandRegion


@dataclass(frozen=True, kw_only=True)
class LayerParams:
    """Numbers of ``assign_layers``. Reach is the distance from the wrist along the resting hand, metres.

    A span is the distance from wrist to knuckles in pixels. All numbers were chosen by eye on malformed
    renders and training photographs.
    """

    fade_m: tuple[float, float] = (-0.009, 0.016)  # Reach over which the drawn hand fades in across the wrist
    heel_m: float = 0.030  # Reach of the palm's heel
    # How far beyond the heel the drawn outline may leave the old one, metres per metre of reach: no notch
    taper: float = 0.35
    hole_from_m: float = 0.025  # Reach from which uncovered parts of the old hand are holes
    hole_taper_m: float = 0.03  # Reach beyond the heel over which the old outline comes in to the drawn one
    # As ``hole_from_m`` where the drawn wrist is aligned with the arm: what then lies beside it is no arm
    aligned_hole_from_m: float = 0.008
    aligned_taper: float = 0.06  # As ``taper``, for the old outline, where the wrist is aligned
    # Reach up to which a leftover of the old hand is arm, if it is broad or touches the drawn hand
    arm_below_m: float = 0.032
    touch_px: int = 2  # How near to the drawn hand counts as touching
    seam: float = 0.1  # Width in spans of the seam between the heel and an arm that is kept; 0: none
    seam_below_m: float = 0.055  # Reach up to which there is such a seam
    smoothing: float = 0.035  # Blur in spans that removes the steps of the segmented outline; 0: none
    strip: float = 0.05  # Half the width in spans that skin beside the region needs to pass for an arm
    limb: float = 0.03  # Half the width in spans from which certain surplus is a limb and not a rim
    blur_reach: float = 3.0  # Rim of the old hand that is taken away, in sigmas of the picture's blur
    rim: float = 0.015  # The same in spans: bright rims and ringing
    rim_px: float = 1.2  # The same in pixels
    # The same for the resolution of the segmentation, pixels of a hand with a span of 110 or more
    coarse_px: float = 1.2
    near_bone: float = 0.22  # Greatest distance from the old skeleton in spans of what is removed
    # Distance from the skeleton in spans from which broad skin may be other than the hand's
    far_from_bone: tuple[float, float] = (0.05, 0.07)
    broad: float = 0.075  # Half the width in spans of what is too broad for a finger


@dataclass(frozen=True, eq=False, kw_only=True)
class Layers:
    """Shares of the final picture."""

    alpha: Float[np.ndarray, "h w"]  # float32 [h, w] share of the drawn hand, 0…1
    # float32 [h, w] how much of each pixel the drawn hand's silhouette covers, sharp
    coverage: Float[np.ndarray, "h w"]
    hole: Bool[np.ndarray, "h w"]  # bool [h, w] where background must be invented
    # float32 [h, w] share of the invented background beneath the drawn hand, 0…1
    hole_alpha: Float[np.ndarray, "h w"]
    # bool [h, w] all pixels of the old hand, dilated: never a source of background
    old_hand: Bool[np.ndarray, "h w"]
    # float32 [h, w] distance from the wrist along the resting hand, extended outside of the hand
    reach_m: Float[np.ndarray, "h w"]


def assign_layers(
    surface: Surface,
    region: HandRegion,
    landmarks_px: Float[np.ndarray, "21 2"],
    blur_sigma: float,
    hand_px: float,
    skin: Bool[np.ndarray, "h w"] | None = None,
    params: LayerParams = LayerParams(),
) -> Layers:
    """Decide which layer owns which pixel.

    Args:
        surface: The drawn hand's surface in the crop.
        region: The picture's own hand.
        landmarks_px: [21, 2] observed landmarks in the crop.
        blur_sigma: Blur of the picture's edges in pixels.
        hand_px: Hand size in pixels.
        skin: bool [h, w] pixels of skin colour: the heel is drawn on over an arm that the region leaves out;
            without it the heel ends where the region does.
        params: Numbers of the method.
    """
    coverage, drawn = surface.coverage, surface.coverage > 0.5
    reach = _extended_reach(surface, hand_px)
    fading = coverage * smoothstep(*params.fade_m, reach)
    soft = float(np.sqrt(max(blur_sigma**2 - 0.09, 0.0)))
    if soft > 0.2:
        fading = cv2.GaussianBlur(fading, (0, 0), soft)
    old_skin = _smoothed(region, params)
    if skin is not None:
        old_skin |= _arm(skin & drawn, region, params)
    aligned = surface.wrist_aligned
    pixels_per_m = surface.pixels_per_m / surface.scale
    softness_px = 1.0 + blur_sigma
    allowed = _near_outline(~old_skin, reach, params.heel_m, params.taper, pixels_per_m, softness_px)
    hole, old_hand = _uncovered(drawn, region, landmarks_px, reach, blur_sigma, aligned, params)
    allowed = allowed * _seam_ramp(drawn, hole, region, reach, params)
    alpha = np.clip(fading * allowed, 0, 1).astype(np.float32)
    core = cv2.erode(hole.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.float32)
    taper = params.aligned_taper if aligned else params.taper
    backwards = 2 * params.heel_m + params.hole_taper_m - reach
    kept = _near_outline(coverage < 0.5, backwards, params.heel_m, taper, pixels_per_m, softness_px)
    removed = np.maximum(1 - kept, _limb_roots(hole & (coverage <= 0.5), region, pixels_per_m, params))
    removed = np.where(reach > params.heel_m + params.hole_taper_m, 1, removed)
    hole_alpha = np.clip(cv2.GaussianBlur(core, (0, 0), 1.2) * removed, 0, 1).astype(np.float32)
    return Layers(
        alpha=alpha, coverage=coverage, hole=hole, hole_alpha=hole_alpha, old_hand=old_hand, reach_m=reach
    )


def _smoothed(region: HandRegion, params: LayerParams) -> Bool[np.ndarray, "h w"]:
    """The old hand without the steps of its segmentation, which the drawn outline would follow."""
    sigma = max(1.0, params.smoothing * region.span_px)
    return cv2.GaussianBlur(region.inside.astype(np.float32), (0, 0), sigma) > 0.5


def _arm(skin: Bool[np.ndarray, "h w"], region: HandRegion, params: LayerParams) -> Bool[np.ndarray, "h w"]:
    """Skin outside the region that is too broad for a strip of wall of its colour beside the wrist."""
    return opened(skin & ~region.inside, max(1, round(params.strip * region.span_px)))


def _near_outline(
    outside: Bool[np.ndarray, "h w"],
    reach_m: Float[np.ndarray, "h w"],
    heel_m: float,
    taper: float,
    pixels_per_m: float,
    softness_px: float,
) -> Float[np.ndarray, "h w"]:
    """1 where a pixel is no farther outside an outline than its reach beyond the heel allows, softly.

    Args:
        outside: bool [h, w] pixels outside of the outline.
        reach_m: [h, w] distance from the wrist along the resting hand.
        heel_m: Reach up to which nothing is allowed outside.
        taper: Distance in metres that is allowed per metre of reach beyond the heel.
        pixels_per_m: Pixels per metre at the hand's distance.
        softness_px: Width of the ramp from 1 to 0, pixels.
    """
    away = cv2.distanceTransform(outside.astype(np.uint8), cv2.DIST_L2, 3)
    allowance = taper * np.maximum(reach_m - heel_m, 0) * pixels_per_m
    return 1 - smoothstep(0, 1, (away - allowance) / softness_px)


def _limb_roots(
    uncovered: Bool[np.ndarray, "h w"], region: HandRegion, pixels_per_m: float, params: LayerParams
) -> Float[np.ndarray, "h w"]:
    """1 where surplus skin that goes grows out of the hand: no stump of it stays beside the heel."""
    if region.certain is None:
        return np.zeros(uncovered.shape, np.float32)
    limb = opened(uncovered & region.certain, max(2, round(params.limb * region.span_px)))
    reach_px = round(params.taper * (params.heel_m + params.hole_taper_m) * pixels_per_m)
    return (dilated(limb, reach_px) & uncovered).astype(np.float32)


def _seam_ramp(
    drawn: Bool[np.ndarray, "h w"],
    hole: Bool[np.ndarray, "h w"],
    region: HandRegion,
    reach_m: Float[np.ndarray, "h w"],
    params: LayerParams,
) -> Float[np.ndarray, "h w"]:
    """Rises from 0 where drawn skin of the heel borders on skin of the arm that is kept: skin runs on there.

    A hand that is seen along its arm, or bent at the wrist, ends in an outline and not in the fade of its
    wrist.
    """
    width = params.seam * region.span_px
    kept = region.inside & ~drawn & ~hole & (reach_m < params.seam_below_m)
    core = eroded(kept, max(1, round(params.seam / 3 * region.span_px)))
    if not core.any():
        return np.ones(drawn.shape, np.float32)
    kept &= dilated(core, max(1, round(width)))
    away = cv2.distanceTransform((~kept).astype(np.uint8), cv2.DIST_L2, 3)
    return smoothstep(0, width, away).astype(np.float32)


def _extended_reach(surface: Surface, hand_px: float) -> Float[np.ndarray, "h w"]:
    """Rest distance from the wrist at every pixel; outside the silhouette, the nearest inner pixel's."""
    total = surface.shrink(surface.place(surface.rest_m[:, 1:2]))[..., 0]
    coverage = surface.shrink(surface.visible.astype(np.float32)[..., None])[..., 0]
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
    aligned: bool,
    params: LayerParams,
) -> tuple[Bool[np.ndarray, "h w"], Bool[np.ndarray, "h w"]]:
    """The hole, and the whole old hand dilated by the blur and by the error of its segmentation."""
    height, width = drawn.shape
    thin, thick = skeleton_masks(landmarks_px, height, width)
    span = region.span_px
    coarse_px = params.coarse_px / min(3.0, 110 / span)
    radius = max(3, round(params.blur_reach * blur_sigma + params.rim_px + coarse_px + params.rim * span))
    certain = np.zeros(thin.shape, np.bool_) if region.certain is None else region.certain
    old = region.inside | thin | certain
    grown = dilated(old, radius)
    far = cv2.distanceTransform((~thick).astype(np.uint8), cv2.DIST_L2, 3)
    rim = max(2, int(params.broad * span))
    grown_from, broad_from = params.far_from_bone
    broad = opened(region.inside & (far > broad_from * span) & ~certain, rim)
    other_skin = dilated(broad, rim // 2) & (far > grown_from * span) & ~certain
    near = (far < params.near_bone * span) | dilated(certain, radius)
    hole_from_m = params.aligned_hole_from_m if aligned else params.hole_from_m
    hole = grown & near & ~other_skin & (reach_m > hole_from_m)
    if region.certain is not None:
        limb = opened(hole & certain & ~drawn, max(2, round(params.limb * span)))
        hole |= dilated(limb, radius) & grown & ~drawn & (certain | ~region.inside)
    left_over = old & ~hole & ~drawn
    count, parts = cv2.connectedComponents(left_over.astype(np.uint8))
    border = np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]])
    low = reach_m < params.arm_below_m
    arm = low & (opened(left_over, rim) | dilated(drawn & low, params.touch_px))
    attached = np.union1d(border, parts[left_over & arm])
    loose = np.isin(parts, np.setdiff1d(np.arange(1, count), attached))
    return hole | (dilated(loose, radius) & grown), grown
