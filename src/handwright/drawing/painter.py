"""The drawn hand: a fitted mesh painted into the picture with the picture's own skin, light, blur and grain.

No network. The old hand lends statistics (tone, light, blur, grain), never its pixels or its shape.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.drawing.fill.background import background_sources, fill_uncovered_background
from handwright.drawing.geometry.layer_assignment import Layers, assign_layers
from handwright.drawing.geometry.occluders import occluder_mask
from handwright.drawing.geometry.surface import Surface, render_surface
from handwright.drawing.geometry.working_resolution import WorkingCrop, mask_box, to_working_resolution
from handwright.drawing.params import DrawParams
from handwright.drawing.photo.finish import add_skin_grain, common_skin
from handwright.drawing.photo.grain import Grain, measure_grain
from handwright.drawing.photo.sharpness import edge_blur_sigma
from handwright.drawing.photo.srgb import to_linear, to_srgb
from handwright.drawing.skin.shading import shade_surface
from handwright.hand.skin_colour import SAME_SKIN, not_skin, skin_distance
from handwright.image.compositing import feather, feathered_blend
from handwright.threads import both
from handwright.types import Hand, HandRegion

_FEWEST_POINTS = 20
"""Visible points of a surface below which nothing is drawn."""

_NOTHING = 1 / 512
"""Share of a layer below which it changes no 8-bit pixel."""


@dataclass(frozen=True, eq=False, kw_only=True)
class DrawResult:
    """A painted crop.

    Attributes:
        pixels: uint8 [h, w, 3] sRGB; equal to the crop outside ``painted``.
        background: uint8 [h, w, 3] sRGB; what lies behind the drawn hand: the crop without the old one.
        painted: bool [h, w] pixels that were painted.
        layers: Which layer owns which pixel.
        surface: The drawn hand's surface, in ``work``.
        work: The crop at the size that the hand was drawn at.
    """

    pixels: UInt8[np.ndarray, "h w 3"]
    background: UInt8[np.ndarray, "h w 3"]
    painted: Bool[np.ndarray, "h w"]
    layers: Layers
    surface: Surface
    work: WorkingCrop


def draw_hand(
    crop: UInt8[np.ndarray, "h w 3"],
    window: tuple[int, int, int, int],
    hand: Hand,
    landmarks_px: Float[np.ndarray, "21 2"],
    region: HandRegion,
    *,
    seed: int,
    repair_mask: Bool[np.ndarray, "h w"] | None = None,
    occluders: Bool[np.ndarray, "h w"] | None = None,
    align_to_arm: bool = True,
    params: DrawParams | None = None,
) -> DrawResult:
    """Draw a fitted hand over the old one.

    Args:
        crop: uint8 [h, w, 3] sRGB, the picture inside ``window``.
        window: x0, y0, x1, y1 of the crop in the picture.
        hand: The fitted hand, in the picture's camera.
        landmarks_px: [21, 2] observed landmarks of the old hand, in the crop.
        region: The old hand in the crop.
        seed: Seed of grain and fill.
        repair_mask: bool [h, w] pixels that may change; all by default.
        occluders: bool [h, w] pixels of things in front of the hand that stay, beside those that are found.
        align_to_arm: Whether the drawn wrist is moved onto the arm of the region.
        params: Numbers of the method.
    """
    params = params or DrawParams()
    work = to_working_resolution(crop, landmarks_px, region, params.resolution)
    hand_px = max(float(np.ptp(work.landmarks_px, axis=0).max()), 1.0)
    arm = work.region.inside if align_to_arm else None
    surface, (blur_sigma, skin, impossible) = both(
        lambda: render_surface(hand, window, hand_px, work.crop.shape[:2], arm, params.surface),
        lambda: (
            edge_blur_sigma(crop, region.inside, params.edge_blur),
            skin_distance(work.crop, work.region) < SAME_SKIN,
            not_skin(work.crop, work.region),
        ),
    )
    job = _Job(
        crop=crop,
        region=region,
        work=work,
        surface=surface,
        blur_sigma=work.blur(blur_sigma),
        skin=skin,
        not_skin=impossible,
        hand_px=hand_px,
        seed=seed,
        params=params,
    )
    if surface.visible.sum() < _FEWEST_POINTS:
        nothing = np.zeros(crop.shape[:2], np.bool_)
        layers = _confined(work.enlarge_layers(job.layers()), nothing, nothing)
        return DrawResult(
            pixels=crop.copy(), background=crop, painted=nothing, layers=layers, surface=surface, work=work
        )
    (linear, old_grain), (layers, background, surroundings) = both(
        lambda: (
            work.enlarge(
                shade_surface(surface, work.crop, work.region, hand_px, job.blur_sigma, params.shading)
            ),
            measure_grain(crop, common_skin(work.enlarge(surface.coverage), region)),
        ),
        lambda: _prepare_backdrop(job, repair_mask, occluders),
    )
    painted = (layers.alpha > _NOTHING) | (layers.hole_alpha > _NOTHING)
    box = mask_box(painted, None)
    behind = feathered_blend(crop, background, layers.hole_alpha)
    mixed = crop.astype(np.float32)
    share = layers.alpha[box][..., None]
    mixed[box] = to_srgb(linear[box] * share + to_linear(behind[box]) * (1 - share))
    mixed = add_skin_grain(mixed, crop, layers, region, old_grain, surroundings, seed, params.finish)
    pixels = crop.copy()
    pixels[painted] = np.clip(np.round(mixed[painted]), 0, 255).astype(np.uint8)
    return DrawResult(
        pixels=pixels, background=behind, painted=painted, layers=layers, surface=surface, work=work
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class _Job:
    """What the steps of one drawing share."""

    crop: UInt8[np.ndarray, "h w 3"]  # uint8 [h, w, 3] sRGB
    region: HandRegion  # The old hand in the crop
    work: WorkingCrop  # The crop at working resolution [h', w']
    surface: Surface  # The drawn hand's surface, there
    blur_sigma: float  # Blur to draw with, pixels there
    skin: Bool[np.ndarray, "h w"]  # bool [h', w'] pixels of the old hand's colour
    not_skin: Bool[np.ndarray, "h w"]  # bool [h', w'] pixels of colours that its skin cannot take
    hand_px: float  # Hand size there
    seed: int  # Of grain and fill
    params: DrawParams  # Numbers of the method

    def layers(self) -> Layers:
        """Which layer owns which pixel, at working resolution, occluders not yet considered."""
        return assign_layers(
            self.surface,
            self.work.region,
            self.work.landmarks_px,
            self.blur_sigma,
            self.hand_px,
            self.skin,
            self.params.layers,
        )


def _prepare_backdrop(
    job: _Job,
    repair_mask: Bool[np.ndarray, "h w"] | None,
    occluders: Bool[np.ndarray, "h w"] | None,
) -> tuple[Layers, UInt8[np.ndarray, "h w 3"], Grain]:
    """Assign the layers, find occluders, and fill what the old hand uncovers.

    Returns:
        The layers within repair mask and occluders, the crop with its hole filled, and the grain of what
        neither hand covers.
    """
    crop, work, params = job.crop, job.work, job.params
    layers = job.layers()
    if occluders is None:
        occluders = np.zeros(crop.shape[:2], np.bool_)
    if params.occluders is not None:
        found = occluder_mask(
            work.crop,
            layers.coverage > 0.5,
            layers.reach_m,
            work.region,
            job.not_skin,
            work.landmarks_px,
            params.occluders,
        )
        occluders = occluders | work.enlarge_mask(found)
    sources = background_sources(work.crop, layers.old_hand, work.region, params.background)
    sources = work.enlarge_mask(sources)
    layers = _confined(work.enlarge_layers(layers), repair_mask, occluders)
    hole = layers.hole & (layers.alpha < 0.999)
    background = fill_uncovered_background(crop, hole, sources, job.seed, params.fill)
    return layers, background, measure_grain(crop, ~layers.old_hand & (layers.alpha < _NOTHING))


def _confined(
    layers: Layers, repair_mask: Bool[np.ndarray, "h w"] | None, occluders: Bool[np.ndarray, "h w"]
) -> Layers:
    """The layers inside the repair mask and behind the occluders, with soft rims inside."""
    share = np.ones(layers.alpha.shape, np.float32)
    if repair_mask is not None:
        share = feather(repair_mask, 2.0)
    if occluders.any():
        share = share * (1 - cv2.GaussianBlur(occluders.astype(np.float32), (0, 0), 1.0)) * ~occluders
    return replace(layers, alpha=layers.alpha * share, hole_alpha=layers.hole_alpha * share)
