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
from handwright.drawing.photo.finish import add_skin_detail, common_skin, measure_skin_detail
from handwright.drawing.photo.grain import Grain, measure_grain
from handwright.drawing.photo.sharpness import edge_blur_sigma
from handwright.drawing.photo.srgb import to_linear, to_srgb
from handwright.drawing.shadow import CastShadow, MovedShadow, move_shadow
from handwright.drawing.shadow_search import find_shadow
from handwright.drawing.skin.shading import shade_surface
from handwright.hand.skeleton import SAME_SKIN, not_skin, skin_distance
from handwright.image.compositing import feather
from handwright.threads import both
from handwright.types import Hand, HandRegion

_FEWEST_POINTS = 20


@dataclass(frozen=True, eq=False)
class DrawResult:
    """A painted crop.

    Attributes:
        pixels: uint8 [h, w, 3]; equal to the crop outside ``painted``.
        painted: bool [h, w] pixels that were painted.
        layers: Which layer owns which pixel.
        surface: The drawn surface.
        background: [h, w, 3] the crop with its hole filled, in the drawn hand's shadow; uint8, or float where
            there is a shadow.
        blur_sigma: Blur of the picture's edges that was matched, pixels.
        shadow: The shadow that the old hand was seen to cast; None if none was.
    """

    pixels: UInt8[np.ndarray, "h w 3"]
    painted: Bool[np.ndarray, "h w"]
    layers: Layers
    surface: Surface
    background: UInt8[np.ndarray, "h w 3"] | Float[np.ndarray, "h w 3"]
    blur_sigma: float
    shadow: CastShadow | None = None


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
        seed: Seed of texture, grain and fill.
        repair_mask: bool [h, w] pixels that may change; all by default.
        occluders: bool [h, w] pixels of things that lie in front of the hand and stay; none by default.
        align_to_arm: Draw the wrist as broad as the arm in the region, and in line with it.
        params: Numbers of the method.
    """
    params = params or DrawParams()
    work = to_working_resolution(crop, landmarks_px, region)
    hand_px = max(float(np.ptp(work.landmarks_px, axis=0).max()), 1.0)
    arm = work.region.inside if align_to_arm and params.wrist is not None else None
    surface, colours = both(
        lambda: render_surface(hand, window, hand_px, work.crop.shape[:2], arm, params.wrist),
        lambda: _colours_of(crop, work, region),
    )
    if surface.seen.sum() < _FEWEST_POINTS:
        own = _shares(surface, work, colours, hand_px)
        return DrawResult(
            crop.copy(), np.zeros(crop.shape[:2], np.bool_), own, surface, crop, colours.blur_sigma
        )
    blur = work.blur(colours.blur_sigma)
    (linear, detail), place = both(
        lambda: (
            work.enlarge(shade_surface(surface, work.crop, work.region, hand_px, blur, params.shading)),
            measure_skin_detail(crop, common_skin(work.enlarge(surface.coverage), region), params.finish),
        ),
        lambda: _place_of(
            crop, work, surface, colours, region, hand_px, seed, repair_mask, occluders, params
        ),
    )
    own, inside = place.own, (place.own.alpha > 1 / 512) | (place.own.hole_alpha > 1 / 512)
    if place.shadowed is not None:
        inside |= place.shadowed
    box = mask_box(inside, None)
    mixed = crop.astype(np.float32)
    mixed[box] = _composed(
        place.kept[box], place.background[box], linear[box], own.alpha[box], own.hole_alpha[box]
    )
    mixed = add_skin_detail(mixed, crop, own, region, detail, place.around, seed, params.finish)
    pixels = crop.copy()
    pixels[inside] = np.clip(np.round(mixed[inside]), 0, 255).astype(np.uint8)
    return DrawResult(pixels, inside, own, surface, place.background, colours.blur_sigma, place.shadow)


@dataclass(frozen=True, eq=False)
class _Colours:
    """What the crop's colours say before anything is drawn.

    Attributes:
        blur_sigma: Blur of the crop's edges, pixels.
        skin: bool [h', w'] pixels of the hand's own colour, at working size.
        strange: bool [h', w'] pixels of colours that it cannot have.
    """

    blur_sigma: float
    skin: Bool[np.ndarray, "h w"]
    strange: Bool[np.ndarray, "h w"]


def _colours_of(crop: UInt8[np.ndarray, "h w 3"], work: WorkingCrop, region: HandRegion) -> _Colours:
    return _Colours(
        edge_blur_sigma(crop, region.inside),
        skin_distance(work.crop, work.region) < SAME_SKIN,
        not_skin(work.crop, work.region),
    )


def _shares(surface: Surface, work: WorkingCrop, colours: _Colours, hand_px: float) -> Layers:
    blur = work.blur(colours.blur_sigma)
    return assign_layers(surface, work.region, work.landmarks_px, blur, hand_px, colours.skin)


@dataclass(frozen=True, eq=False)
class _Place:
    """What the drawn hand is laid into.

    Attributes:
        own: Who owns which pixel, things in front of the hand considered.
        kept: [h, w, 3] the crop where it stays, in the drawn hand's shadow.
        background: As of ``DrawResult``.
        shadowed: bool [h, w] where light changes with the shadow; None: no shadow was seen.
        shadow: As of ``DrawResult``.
        around: Grain of what neither hand covers.
    """

    own: Layers
    kept: UInt8[np.ndarray, "h w 3"] | Float[np.ndarray, "h w 3"]
    background: UInt8[np.ndarray, "h w 3"] | Float[np.ndarray, "h w 3"]
    shadowed: Bool[np.ndarray, "h w"] | None
    shadow: CastShadow | None
    around: Grain


def _place_of(
    crop: UInt8[np.ndarray, "h w 3"],
    work: WorkingCrop,
    surface: Surface,
    colours: _Colours,
    region: HandRegion,
    hand_px: float,
    seed: int,
    repair_mask: Bool[np.ndarray, "h w"] | None,
    occluders: Bool[np.ndarray, "h w"] | None,
    params: DrawParams,
) -> _Place:
    """Share out the crop; find what lies in front, what the old hand hid, and where its shadow falls now."""
    own = _shares(surface, work, colours, hand_px)
    front = np.zeros(crop.shape[:2], np.bool_) if occluders is None else occluders
    if params.occluders is not None:
        drawn = own.coverage > 0.5
        things = occluder_mask(
            work.crop,
            drawn,
            own.reach_m,
            work.region,
            colours.strange,
            work.landmarks_px,
            params.occluders,
        )
        front = front | work.enlarge_mask(things)
    sources = background_sources(work.crop, own.old, work.region)
    shadow = find_shadow(work.crop, work.region.inside, sources, hand_px) if params.shadow else None
    sources = work.enlarge_mask(sources)
    own = _confine(work.enlarge_layers(own), repair_mask, front)
    moved = _moved(shadow, own, region, sources, repair_mask, front, hand_px * work.step)
    bare = crop if moved is None else moved.lifted(crop)
    background = fill_uncovered_background(bare, own.hole & (own.alpha < 0.999), sources, seed)
    around = measure_grain(crop, ~own.old & (own.alpha < 1 / 512))
    if moved is None:
        return _Place(own, crop, background, None, None, around)
    return _Place(own, moved.kept(crop), moved.laid_on(background), moved.inside, shadow, around)


def _moved(
    shadow: CastShadow | None,
    own: Layers,
    region: HandRegion,
    sources: Bool[np.ndarray, "h w"],
    repair_mask: Bool[np.ndarray, "h w"] | None,
    front: Bool[np.ndarray, "h w"],
    hand_px: float,
) -> MovedShadow | None:
    """The old hand's shadow taken to what will be seen of the new one."""
    if shadow is None:
        return None
    old = region.inside.astype(np.float32)
    new = np.maximum(own.alpha, old * (1 - own.hole_alpha))
    allowed = ~front if repair_mask is None else repair_mask & ~front
    return move_shadow(shadow, old, new, sources | own.hole, allowed, hand_px)


def _composed(
    crop: UInt8[np.ndarray, "h w 3"] | Float[np.ndarray, "h w 3"],
    background: UInt8[np.ndarray, "h w 3"] | Float[np.ndarray, "h w 3"],
    linear: Float[np.ndarray, "h w 3"],
    alpha: Float[np.ndarray, "h w"],
    hole_alpha: Float[np.ndarray, "h w"],
) -> Float[np.ndarray, "h w 3"]:
    """Hand over background over photograph, sRGB 0…255; the hand is mixed in linear light."""
    behind = crop + hole_alpha[..., None] * (background.astype(np.float32) - crop)
    share = alpha[..., None]
    return to_srgb(linear * share + to_linear(np.round(behind).astype(np.uint8)) * (1 - share))


def _confine(
    own: Layers, repair_mask: Bool[np.ndarray, "h w"] | None, occluders: Bool[np.ndarray, "h w"] | None
) -> Layers:
    """Keep the drawing off what may not change and behind what lies in front of it, with soft rims inside."""
    share = np.ones(own.alpha.shape, np.float32)
    if repair_mask is not None:
        share = feather(repair_mask, 2.0)
    if occluders is not None and occluders.any():
        share = share * (1 - cv2.GaussianBlur(occluders.astype(np.float32), (0, 0), 1.0)) * ~occluders
    return replace(own, alpha=own.alpha * share, hole_alpha=own.hole_alpha * share)
