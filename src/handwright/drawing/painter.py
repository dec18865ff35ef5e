"""The drawn hand: a fitted mesh painted into the picture with the picture's own skin, light, blur and grain.

No network. The old hand lends statistics (tone, light, blur, grain), never its pixels or its shape.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.drawing.background import background_sources, uncovered_background
from handwright.drawing.creases import crease_light
from handwright.drawing.grain import Grain, add_grain, grain_statistics, skin_grain
from handwright.drawing.light import LUMA, Shading, fit_shading, highlight, spread_sample
from handwright.drawing.occlusion import things_in_front
from handwright.drawing.ownership import Ownership, share_pixels
from handwright.drawing.shadow import CastShadow, MovedShadow, move_shadow
from handwright.drawing.shadow_search import find_shadow
from handwright.drawing.sharpness import edge_blur_sigma
from handwright.drawing.skin import Skin, bumped_normals, skin_at
from handwright.drawing.surface import Surface, see_surface
from handwright.drawing.texture import add_texture, luminance_bands
from handwright.drawing.tone import (
    colour_inliers,
    colourfulness,
    fit_tone,
    greyed,
    illumination_ratio,
    match_spread,
    to_linear,
    to_srgb,
)
from handwright.drawing.working import Working, at_working_size, box_of
from handwright.hand.skeleton import SAME_SKIN, not_skin, skin_distance
from handwright.image.paste import feather
from handwright.threads import both
from handwright.types import Hand, HandRegion

_RATIO_SIGMA = 0.1
_WRIST_M = 0.002
_FEWEST_POINTS = 20
_SHINE = np.array([[0.9, 1.0, 1.1]], np.float32)
_SAMPLE_PX = 500
"""Texture is measured on a window of at most this side."""

_SMALL_SPAN_PX = 40.0
"""Below this wrist-to-knuckles span, folds and edges pass for texture and grain: little is believed."""

_TEXTURE_SHARE = np.array([0.45, 0.3])
"""Share of the old skin's texture per band: some of it is folds."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """A painted crop.

    Attributes:
        pixels: uint8 [h, w, 3]; equal to the crop outside ``inside``.
        inside: bool [h, w] pixels that were painted.
        ownership: Who owns which pixel.
        surface: The drawn surface.
        background: [h, w, 3] the crop with its hole filled, in the drawn hand's shadow; uint8, or float where
            there is a shadow.
        blur_sigma: Blur of the picture's edges that was matched, pixels.
        shadow: The shadow that the old hand was seen to cast; None if none was.
    """

    pixels: UInt8[np.ndarray, "h w 3"]
    inside: Bool[np.ndarray, "h w"]
    ownership: Ownership
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
    may_change: Bool[np.ndarray, "h w"] | None = None,
    in_front: Bool[np.ndarray, "h w"] | None = None,
    meet_arm: bool = True,
) -> Drawn:
    """Draw a fitted hand over the old one.

    Args:
        crop: uint8 [h, w, 3] sRGB, the picture inside ``window``.
        window: x0, y0, x1, y1 of the crop in the picture.
        hand: The fitted hand, in the picture's camera.
        landmarks_px: [21, 2] observed landmarks of the old hand, in the crop.
        region: The old hand in the crop.
        seed: Seed of texture, grain and fill.
        may_change: bool [h, w] pixels that may change; all by default.
        in_front: bool [h, w] pixels of things that lie in front of the hand and stay; none by default.
        meet_arm: Draw the wrist as broad as the arm in the region, and in line with it.
    """
    work = at_working_size(crop, landmarks_px, region)
    hand_px = max(float(np.ptp(work.landmarks_px, axis=0).max()), 1.0)
    arm = work.region.inside if meet_arm else None
    surface, colours = both(
        lambda: see_surface(hand, window, hand_px, work.crop.shape[:2], arm),
        lambda: _colours_of(crop, work, region),
    )
    if surface.seen.sum() < _FEWEST_POINTS:
        own = _shares(surface, work, colours, hand_px)
        return Drawn(crop.copy(), np.zeros(crop.shape[:2], np.bool_), own, surface, crop, colours.blur_sigma)
    (linear, look), place = both(
        lambda: (
            work.enlarge(_light_of(surface, work, colours, hand_px)),
            _look_of(crop, _old_skin(work.enlarge(surface.coverage), region)),
        ),
        lambda: _place_of(crop, work, surface, colours, region, hand_px, seed, may_change, in_front),
    )
    own, inside = place.own, (place.own.alpha > 1 / 512) | (place.own.hole_alpha > 1 / 512)
    if place.shadowed is not None:
        inside |= place.shadowed
    box = box_of(inside, None)
    mixed = crop.astype(np.float32)
    mixed[box] = _composed(
        place.kept[box], place.background[box], linear[box], own.alpha[box], own.hole_alpha[box]
    )
    mixed = _photographic(mixed, crop, place, region, look, seed)
    pixels = crop.copy()
    pixels[inside] = np.clip(np.round(mixed[inside]), 0, 255).astype(np.uint8)
    return Drawn(pixels, inside, own, surface, place.background, colours.blur_sigma, place.shadow)


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


def _colours_of(crop: UInt8[np.ndarray, "h w 3"], work: Working, region: HandRegion) -> _Colours:
    return _Colours(
        edge_blur_sigma(crop, region.inside),
        skin_distance(work.crop, work.region) < SAME_SKIN,
        not_skin(work.crop, work.region),
    )


def _shares(surface: Surface, work: Working, colours: _Colours, hand_px: float) -> Ownership:
    blur = work.blur(colours.blur_sigma)
    return share_pixels(surface, work.region, work.landmarks_px, blur, hand_px, colours.skin)


def _light_of(
    surface: Surface, work: Working, colours: _Colours, hand_px: float
) -> Float[np.ndarray, "h w 3"]:
    """Linear light of the drawn hand at working size."""
    light = paint_surface(surface, work.crop, work.region, hand_px)
    return _shrunk(surface, light, work.blur(colours.blur_sigma))


@dataclass(frozen=True, eq=False)
class _Place:
    """What the drawn hand is laid into.

    Attributes:
        own: Who owns which pixel, things in front of the hand considered.
        kept: [h, w, 3] the crop where it stays, in the drawn hand's shadow.
        background: As of ``Drawn``.
        shadowed: bool [h, w] where light changes with the shadow; None: no shadow was seen.
        shadow: As of ``Drawn``.
        around: Grain of what neither hand covers.
    """

    own: Ownership
    kept: UInt8[np.ndarray, "h w 3"] | Float[np.ndarray, "h w 3"]
    background: UInt8[np.ndarray, "h w 3"] | Float[np.ndarray, "h w 3"]
    shadowed: Bool[np.ndarray, "h w"] | None
    shadow: CastShadow | None
    around: Grain


def _place_of(
    crop: UInt8[np.ndarray, "h w 3"],
    work: Working,
    surface: Surface,
    colours: _Colours,
    region: HandRegion,
    hand_px: float,
    seed: int,
    may_change: Bool[np.ndarray, "h w"] | None,
    in_front: Bool[np.ndarray, "h w"] | None,
) -> _Place:
    """Share out the crop; find what lies in front, what the old hand hid, and where its shadow falls now."""
    own = _shares(surface, work, colours, hand_px)
    front = work.enlarge_mask(
        things_in_front(
            work.crop, own.coverage > 0.5, own.reach_m, work.region, colours.strange, work.landmarks_px
        )
    )
    front = front if in_front is None else front | in_front
    sources = background_sources(work.crop, own.old, work.region)
    shadow = find_shadow(work.crop, work.region.inside, sources, hand_px)
    sources = work.enlarge_mask(sources)
    own = _confine(work.enlarge_ownership(own), may_change, front)
    moved = _moved(shadow, own, region, sources, may_change, front, hand_px * work.step)
    bare = crop if moved is None else moved.lifted(crop)
    background = uncovered_background(bare, own.hole & (own.alpha < 0.999), sources, seed)
    around = grain_statistics(crop, ~own.old & (own.alpha < 1 / 512))
    if moved is None:
        return _Place(own, crop, background, None, None, around)
    return _Place(own, moved.kept(crop), moved.laid_on(background), moved.inside, shadow, around)


def paint_surface(
    surface: Surface,
    crop: UInt8[np.ndarray, "h w 3"],
    region: HandRegion,
    hand_px: float,
) -> Float[np.ndarray, "n 3"]:
    """Linear-light colour of every seen surface point, lit and toned like the old hand."""
    height, width = surface.seen.shape
    picture = cv2.resize(to_linear(crop), (width, height), interpolation=cv2.INTER_LINEAR)
    skin_pixels = cv2.erode(region.inside.astype(np.uint8), np.ones((3, 3), np.uint8))
    on_skin = cv2.resize(skin_pixels, (width, height), interpolation=cv2.INTER_NEAREST) > 0
    usable = on_skin[surface.seen] & (surface.rest_m[:, 1] > _WRIST_M)
    if usable.sum() < 60:
        usable = np.ones(len(usable), np.bool_)
    observed = picture[surface.seen]
    usable[usable] = colour_inliers(observed[usable])
    place = _place(surface, hand_px)
    known = observed[usable]
    shading = fit_shading(known @ LUMA, surface.normals[usable], place[usable], surface.occlusion[usable])
    skin = skin_at(surface)
    return _colour(surface, skin, shading, place, picture, known, usable, hand_px)


def _colour(
    surface: Surface,
    skin: Skin,
    shading: Shading,
    place: np.ndarray,
    picture: np.ndarray,
    known: np.ndarray,
    usable: np.ndarray,
    hand_px: float,
) -> Float[np.ndarray, "n 3"]:
    tone = fit_tone(known[spread_sample(len(known))])
    normals = bumped_normals(surface, skin.height, 1.6 / surface.scale)
    brightness = shading.brightness(normals, place, surface.occlusion).astype(np.float32)
    compared = surface.place(usable[:, None].astype(np.float32))[..., 0] > 0
    ratio = illumination_ratio(
        picture @ LUMA,
        surface.place(brightness[:, None])[..., 0],
        compared,
        _RATIO_SIGMA * hand_px * surface.scale,
        0.02 * shading.high,
    )
    brightness = brightness * ratio[surface.seen]
    tint = colourfulness(known)
    albedo = greyed(skin.albedo, tint)
    colour = tone.colour(brightness) * albedo * greyed(crease_light(surface, skin.nail), tint)
    shine = highlight(normals, shading, skin.nail) * shading.high * surface.occlusion
    colour = np.clip(colour + shine[:, None] * greyed(_SHINE, tint), 3e-4, 1.2)
    return match_spread(colour, known, usable, tone.floor).astype(np.float32)


def _place(surface: Surface, hand_px: float) -> Float[np.ndarray, "n 2"]:
    """Position of seen points in hand sizes from their middle."""
    rows, columns = np.nonzero(surface.seen)
    at = np.stack([columns, rows], 1).astype(np.float32)
    return (at - np.median(at, 0)) / (hand_px * surface.scale)


def _shrunk(
    surface: Surface, light: Float[np.ndarray, "n 3"], blur_sigma: float
) -> Float[np.ndarray, "h w 3"]:
    """Linear light per pixel, blurred like the picture and extended a little past the silhouette."""
    premultiplied = surface.shrink(
        surface.place(np.concatenate([light, np.ones((len(light), 1), np.float32)], 1))
    )
    soft = float(np.sqrt(max(blur_sigma**2 - 0.09, 0.0)))
    if soft > 0.2:
        premultiplied = cv2.GaussianBlur(premultiplied, (0, 0), soft)
    beyond = cv2.GaussianBlur(premultiplied, (0, 0), max(1.0, soft))
    rim = premultiplied[..., 3:] < 0.9
    mixed = np.where(rim, beyond, premultiplied)
    return mixed[..., :3] / np.maximum(mixed[..., 3:], 1e-3)


def _moved(
    shadow: CastShadow | None,
    own: Ownership,
    region: HandRegion,
    sources: Bool[np.ndarray, "h w"],
    may_change: Bool[np.ndarray, "h w"] | None,
    front: Bool[np.ndarray, "h w"],
    hand_px: float,
) -> MovedShadow | None:
    """The old hand's shadow taken to what will be seen of the new one."""
    if shadow is None:
        return None
    old = region.inside.astype(np.float32)
    new = np.maximum(own.alpha, old * (1 - own.hole_alpha))
    allowed = ~front if may_change is None else may_change & ~front
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


@dataclass(frozen=True, eq=False)
class _Look:
    """How fine the old skin is.

    Attributes:
        bands: float64 [b] energy of its texture per band.
        grain: Its grain.
    """

    bands: Float[np.ndarray, " b"]
    grain: Grain


def _look_of(crop: UInt8[np.ndarray, "h w 3"], old: Bool[np.ndarray, "h w"]) -> _Look:
    box = box_of(old, _SAMPLE_PX)
    return _Look(luminance_bands(crop[box], old[box]), grain_statistics(crop, old))


def _old_skin(coverage: Float[np.ndarray, "h w"], region: HandRegion) -> Bool[np.ndarray, "h w"]:
    """What the old hand and the drawn one both cover: in the old hand's region there, skin for certain."""
    return region.inside & (coverage > 0.9)


def _photographic(
    mixed: Float[np.ndarray, "h w 3"],
    crop: UInt8[np.ndarray, "h w 3"],
    place: _Place,
    region: HandRegion,
    look: _Look,
    seed: int,
) -> Float[np.ndarray, "h w 3"]:
    """Give drawn skin the old skin's fine texture and the picture's grain."""
    rng, own = np.random.default_rng(seed), place.own
    new = (own.alpha > 0.9) & (own.coverage > 0.95)
    if min(_old_skin(own.coverage, region).sum(), new.sum()) < 60:
        new = own.alpha > 0.5
        look = _look_of(crop, new)
    painted, fresh = box_of(own.alpha > 0, None), box_of(new, _SAMPLE_PX)
    out, alpha = mixed.copy(), own.alpha[painted]
    large = float(np.clip((region.span_px - _SMALL_SPAN_PX) / _SMALL_SPAN_PX, 0, 1))
    there_bands = luminance_bands(mixed[fresh], new[fresh])
    wanted_bands = look.bands * (_TEXTURE_SHARE * large)
    out[painted] = add_texture(mixed[painted], wanted_bands, there_bands, alpha, rng)
    wanted, there = skin_grain(look.grain, place.around), grain_statistics(out, new)
    out[painted] = add_grain(out[painted], wanted, there, alpha * (0.4 + 0.6 * large), rng)
    return out


def _confine(
    own: Ownership, may_change: Bool[np.ndarray, "h w"] | None, in_front: Bool[np.ndarray, "h w"] | None
) -> Ownership:
    """Keep the drawing off what may not change and behind what lies in front of it, with soft rims inside."""
    share = np.ones(own.alpha.shape, np.float32)
    if may_change is not None:
        share = feather(may_change, 2.0)
    if in_front is not None and in_front.any():
        share = share * (1 - cv2.GaussianBlur(in_front.astype(np.float32), (0, 0), 1.0)) * ~in_front
    return replace(own, alpha=own.alpha * share, hole_alpha=own.hole_alpha * share)
