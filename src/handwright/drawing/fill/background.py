"""Background where the old hand was: where it may be copied from, and its fill."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from handwright.drawing.fill.patch_fill import FillParams, fill_background
from handwright.drawing.photo.grain import add_grain, measure_grain
from handwright.hand.rig import dilated, opened
from handwright.hand.skin_colour import COLOURLESS, skin_chroma, skin_distance
from handwright.types import HandRegion

_MOST_HOLE_PX = 900
"""Longest side of a hole that is filled at its own size; larger ones take minutes and gain nothing
visible."""

_RING_PX = 40
"""Width of the surroundings whose grain an enlarged fill is given, pixels."""


@dataclass(frozen=True, kw_only=True)
class BackgroundParams:
    """Numbers of ``background_sources``; by eye. A span is the distance from wrist to knuckles in pixels."""

    skin: float = 7.0  # Distance from skin (``skin_distance``) up to which a colour is skin
    certain_skin: float = 1.5  # The same where the background itself is skin-coloured
    fleck: float = 0.05  # Half the width in spans of what is too narrow to be a finger, and therefore no skin
    ring: float = 0.25  # Width in spans of the surroundings of the old hand
    # Skin-coloured share of the surroundings above which colour does not tell skin from background
    skin_ring: float = 0.35
    # Share of the surroundings that must be left as sources; otherwise colour is ignored
    least_ring: float = 0.2


def fill_uncovered_background(
    crop: UInt8[np.ndarray, "h w 3"],
    hole: Bool[np.ndarray, "h w"],
    sources: Bool[np.ndarray, "h w"],
    seed: int,
    params: FillParams | None = None,
) -> UInt8[np.ndarray, "h w 3"]:
    """The crop with its hole filled from the sources; very large holes are filled smaller and enlarged.

    Args:
        crop: uint8 [h, w, 3].
        hole: bool [h, w] where background must be invented.
        sources: bool [h, w] pixels that it may be copied from.
        seed: Seed of fill and grain.
        params: Numbers of the fill.
    """
    if not hole.any():
        return crop
    _, _, width, height = cv2.boundingRect(hole.astype(np.uint8))
    factor = _MOST_HOLE_PX / max(width, height)
    if factor >= 1:
        return fill_background(crop, hole, sources, seed, params)
    size = max(1, round(crop.shape[1] * factor)), max(1, round(crop.shape[0] * factor))
    small = np.asarray(cv2.resize(crop, size, interpolation=cv2.INTER_AREA), np.uint8)
    wanted, certain = (
        cv2.resize(m.astype(np.float32), size, interpolation=cv2.INTER_AREA) for m in (hole, sources)
    )
    filled = fill_background(small, wanted > 0, certain > 0.99, seed, params)
    smooth = np.asarray(cv2.resize(filled, crop.shape[1::-1], interpolation=cv2.INTER_LINEAR), np.float32)
    return _grained(crop, smooth, hole, sources, seed)


def _grained(
    crop: UInt8[np.ndarray, "h w 3"],
    smooth: np.ndarray,
    hole: Bool[np.ndarray, "h w"],
    sources: Bool[np.ndarray, "h w"],
    seed: int,
) -> UInt8[np.ndarray, "h w 3"]:
    """The smooth fill inside the hole, with the grain of the sources that surround it."""
    x, y, width, height = cv2.boundingRect(hole.astype(np.uint8))
    near = np.s_[max(y - _RING_PX, 0) : y + height + _RING_PX, max(x - _RING_PX, 0) : x + width + _RING_PX]
    ring = np.zeros_like(sources)
    ring[near] = sources[near]
    wanted, there = measure_grain(crop, ring), measure_grain(smooth, hole)
    rng = np.random.default_rng(seed)
    grained = add_grain(smooth[near], wanted, there, hole[near].astype(np.float32), rng)
    out = crop.copy()
    out[near] = np.where(hole[near][..., None], np.clip(np.round(grained), 0, 255), crop[near]).astype(
        np.uint8
    )
    return out


def background_sources(
    crop: UInt8[np.ndarray, "h w 3"],
    old: Bool[np.ndarray, "h w"],
    region: HandRegion,
    params: BackgroundParams = BackgroundParams(),
) -> Bool[np.ndarray, "h w"]:
    """Pixels that background may be copied from: not the old hand, not skin.

    Flecks narrower than a finger are no skin: a carpet without its brown threads is another carpet. Where the
    wall itself is skin-coloured (most of what surrounds the hand would be lost) or nothing has a colour,
    colour is no guide: then only what is skin-coloured and connected to the hand or its arm is left out.

    Args:
        crop: uint8 [h, w, 3] sRGB.
        old: bool [h, w] pixels of the old hand.
        region: The old hand.
        params: Numbers of the method.
    """
    distance = skin_distance(crop, region)
    broad = opened(distance < params.skin, max(1, round(params.fleck * region.span_px)))
    skin = cv2.dilate(broad.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    reach = max(3, round(params.ring * region.span_px))
    ring = dilated(old, reach) & ~old
    colourless = skin_chroma(region.skin_lab) < COLOURLESS
    if colourless or (ring.any() and (skin & ring).sum() > params.skin_ring * ring.sum()):
        narrow = distance < params.certain_skin
        _, parts = cv2.connectedComponents((narrow | old).astype(np.uint8))
        skin = np.isin(parts, np.unique(parts[old])) & narrow
    sources = ~(old | skin)
    return sources if (sources & ring).sum() > params.least_ring * ring.sum() else ~old
