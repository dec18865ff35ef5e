"""The drawn hand's surface in the light of the picture: the colour of each visible point."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.drawing.geometry.surface import Surface
from handwright.drawing.photo.srgb import to_linear
from handwright.drawing.skin.atlas import skin_at
from handwright.drawing.skin.creases import CreaseParams, crease_light
from handwright.drawing.skin.illumination import (
    LUMA,
    IlluminationParams,
    fit_shading,
    strided_sample,
)
from handwright.drawing.skin.tone import (
    ColourMatchParams,
    InlierParams,
    RelightParams,
    ToneParams,
    chroma_inliers,
    colourfulness,
    desaturated,
    fit_tone_curve,
    illumination_ratio,
    match_colour_distribution,
)
from handwright.types import HandRegion

_FEWEST_POINTS = 60
"""Points of old skin below which the light is fitted to whatever lies beneath the drawn hand."""

_LENS_VARIANCE = 0.09
"""Variance in squared pixels of the blur that averaging sub-pixels has given to the drawn hand already."""


@dataclass(frozen=True, kw_only=True)
class ShadingParams:
    """Numbers of ``shade_surface``. A part that is None is left out."""

    illumination: IlluminationParams = field(default_factory=IlluminationParams)  # The picture's light
    tone: ToneParams = field(default_factory=ToneParams)  # From brightness to colour
    # Which pixels are skin; None: all pixels of the old hand
    inliers: InlierParams | None = field(default_factory=InlierParams)
    # Low-frequency light that the fitted one misses
    relight: RelightParams | None = field(default_factory=RelightParams)
    # The same for each channel of the finished colour: light from clothes, walls and other skin
    cast: RelightParams | None = field(default_factory=lambda: RelightParams(sigma=0.06, most=0.3))
    creases: CreaseParams | None = field(default_factory=CreaseParams)  # Dark lines where skin touches skin
    # Colour statistics brought to the old skin's
    match: ColourMatchParams | None = field(default_factory=ColourMatchParams)
    grey_pictures: bool = True  # Whether paint loses its colour where the old skin has none
    # Distance from the wrist along the resting hand from which pixels count as skin of the hand, metres; by
    # eye
    wrist_m: float = 0.002


def shade_surface(
    surface: Surface,
    crop: UInt8[np.ndarray, "h w 3"],
    region: HandRegion,
    hand_px: float,
    blur_sigma: float,
    params: ShadingParams = ShadingParams(),
) -> Float[np.ndarray, "h w 3"]:
    """Linear light of the drawn hand, lit and toned like the old one and blurred like the picture.

    Args:
        surface: Of the drawn hand.
        crop: uint8 [h, w, 3] sRGB.
        region: The old hand in the crop.
        hand_px: Hand size in pixels.
        blur_sigma: Blur of the picture's edges, pixels.
        params: Numbers of the method.

    Returns:
        float32 [h, w, 3], extended a little past the silhouette.
    """
    height, width = surface.visible.shape
    picture = cv2.resize(to_linear(crop), (width, height), interpolation=cv2.INTER_LINEAR)
    usable = _old_skin(surface, region, params.wrist_m)
    observed = picture[surface.visible]
    if params.inliers is not None:
        usable[usable] = chroma_inliers(observed[usable], params.inliers)
    colours = _colours(surface, picture, observed[usable], usable, hand_px, params)
    return _to_pixels(surface, colours, blur_sigma)


def _old_skin(surface: Surface, region: HandRegion, wrist_m: float) -> Bool[np.ndarray, " n"]:
    """Visible points whose pixels show the old hand distal of the wrist; all points if those are too few."""
    height, width = surface.visible.shape
    inner = cv2.erode(region.inside.astype(np.uint8), np.ones((3, 3), np.uint8))
    on_skin = cv2.resize(inner, (width, height), interpolation=cv2.INTER_NEAREST) > 0
    usable = on_skin[surface.visible] & (surface.rest_m[:, 1] > wrist_m)
    return usable if usable.sum() >= _FEWEST_POINTS else np.ones(len(usable), np.bool_)


def _colours(
    surface: Surface,
    picture: Float[np.ndarray, "hs ws 3"],
    old_skin: Float[np.ndarray, "m 3"],
    usable: Bool[np.ndarray, " n"],
    hand_px: float,
    params: ShadingParams,
) -> Float[np.ndarray, "n 3"]:
    """Linear-light colour of every visible point.

    Args:
        surface: With N visible points.
        picture: Linear light of the crop at the surface's sub-pixels.
        old_skin: Linear light of the M usable points.
        usable: bool [N] points whose pixels show old skin.
        hand_px: Hand size in pixels.
        params: Numbers of the method.
    """
    place = _position(surface, hand_px)
    shading = fit_shading(
        old_skin @ LUMA,
        surface.normals[usable],
        place[usable],
        surface.occlusion[usable],
        params.illumination,
    )
    skin = skin_at(surface)
    tone = fit_tone_curve(old_skin[strided_sample(len(old_skin))], params.tone)
    brightness = shading.brightness(surface.normals, place, surface.occlusion).astype(np.float32)

    def light_ratio(
        old: Float[np.ndarray, "hs ws"], drawn: Float[np.ndarray, " n"], how: RelightParams
    ) -> Float[np.ndarray, " n"]:
        there = surface.place(np.stack([drawn, usable.astype(np.float32)], 1))
        ratio = illumination_ratio(
            old,
            there[..., 0],
            there[..., 1] > 0,
            how.sigma * hand_px * surface.scale,
            how.floor * shading.high,
            how,
        )
        return ratio[surface.visible]

    if params.relight is not None:
        brightness = brightness * light_ratio(picture @ LUMA, brightness, params.relight)
    saturation = colourfulness(old_skin) if params.grey_pictures else 1.0
    colour = tone.colour(brightness) * desaturated(skin.albedo, saturation)
    if params.creases is not None:
        colour = colour * desaturated(crease_light(surface, skin.nail, params.creases), saturation)
    colour = np.clip(colour, 3e-4, 1.2)
    if params.match is not None:
        colour = match_colour_distribution(colour, old_skin, usable, tone.floor, params.match)
    if params.cast is not None:
        channels = range(colour.shape[1])
        ratios = [light_ratio(picture[..., c], colour[:, c], params.cast) for c in channels]
        colour = colour * np.stack(ratios, 1)
    return colour.astype(np.float32)


def _position(surface: Surface, hand_px: float) -> Float[np.ndarray, "n 2"]:
    """Position x, y of visible points in hand sizes from their median."""
    rows, columns = np.nonzero(surface.visible)
    at = np.stack([columns, rows], 1).astype(np.float32)
    return (at - np.median(at, 0)) / (hand_px * surface.scale)


def _to_pixels(
    surface: Surface, light: Float[np.ndarray, "n 3"], blur_sigma: float
) -> Float[np.ndarray, "h w 3"]:
    """Linear light per pixel, blurred like the picture and extended a little past the silhouette."""
    premultiplied = surface.shrink(
        surface.place(np.concatenate([light, np.ones((len(light), 1), np.float32)], 1))
    )
    soft = float(np.sqrt(max(blur_sigma**2 - _LENS_VARIANCE, 0.0)))
    if soft > 0.2:
        premultiplied = cv2.GaussianBlur(premultiplied, (0, 0), soft)
    beyond = cv2.GaussianBlur(premultiplied, (0, 0), max(1.0, soft))
    rim = premultiplied[..., 3:] < 0.9
    mixed = np.where(rim, beyond, premultiplied)
    return mixed[..., :3] / np.maximum(mixed[..., 3:], 1e-3)
