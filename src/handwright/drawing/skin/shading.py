"""The drawn hand's surface in the light of the picture: what colour each point of it is."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from handwright.drawing.geometry.surface import Surface
from handwright.drawing.skin.atlas import Skin, bumped_normals, skin_at
from handwright.drawing.skin.creases import crease_light
from handwright.drawing.skin.illumination import LUMA, Shading, fit_shading, highlight, spread_sample
from handwright.drawing.skin.tone import (
    colour_inliers,
    colourfulness,
    fit_tone,
    greyed,
    illumination_ratio,
    match_spread,
    to_linear,
)
from handwright.types import HandRegion

_RATIO_SIGMA = 0.1
_WRIST_M = 0.002
_SHINE = np.array([[0.9, 1.0, 1.1]], np.float32)


def lit_surface(
    surface: Surface,
    crop: UInt8[np.ndarray, "h w 3"],
    region: HandRegion,
    hand_px: float,
    blur_sigma: float,
) -> Float[np.ndarray, "h w 3"]:
    """Linear light of the drawn hand, lit and toned like the old one and blurred like the picture.

    Args:
        surface: Of the drawn hand.
        crop: uint8 [h, w, 3] sRGB.
        region: The old hand in the crop.
        hand_px: Hand size in pixels.
        blur_sigma: Blur of the picture's edges, pixels.

    Returns:
        [h, w, 3], extended a little past the silhouette.
    """
    return _shrunk(surface, _colours_of(surface, crop, region, hand_px), blur_sigma)


def _colours_of(
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
