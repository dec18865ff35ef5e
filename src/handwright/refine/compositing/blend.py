"""Compositing of every painter's result: match the colours, feather the rim, blend."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.drawing.photo.srgb import LUMA, to_linear, to_srgb
from handwright.image.compositing import feather, feathered_blend, match_colour_ramp
from handwright.refine.painters.contract import PaintJob, PaintResult


@dataclass(frozen=True, kw_only=True)
class BlendParams:
    """Colour match and rim of a repainted hand; chosen by eye. Lengths are in hand sizes unless in px."""

    rim: float = 0.025  # Width of the feathered rim …
    min_rim_px: float = 2.0  # … and its least
    band: float = 0.03  # Width of the bands on either side of the rim whose colours are matched …
    min_band_px: float = 3.0  # … and its least
    reach: float = 0.3  # How far inwards that match fades out
    min_pixels: int = 60  # Fewest pixels of skin whose light is compared
    max_gain: float = 6.0  # Greatest gain of a channel; the least is its inverse
    fade: float = 0.007  # Sigma of the gain's edge: half a pixel of a network that has the hand at 64 px …
    min_fade_px: float = 0.7  # … and its least
    # Spread of the three channels, of 255, that 99 % of the pixels of a picture without colour stay below;
    # lossy compression leaves some
    max_grey: float = 6.0


PARAMS = BlendParams()


def rim(inside: Bool[np.ndarray, "h w"], hand_px: float) -> Float[np.ndarray, "h w"]:
    """Share of fresh paint in a mask: 0 outside, rising to 1 across a rim in proportion to the hand."""
    return feather(inside, max(PARAMS.min_rim_px, PARAMS.rim * hand_px))


def composite_paint(
    job: PaintJob, painted: PaintResult
) -> tuple[UInt8[np.ndarray, "h w 3"], Bool[np.ndarray, "h w"]]:
    """The crop with the paint on it.

    Returns:
        uint8 [h, w, 3], the picture's own pixels bit for bit outside the second value, bool [h, w], which is
        a part of ``job.repair_mask``.
    """
    crop, behind = job.crop, painted.behind
    counting = np.where(job.repair_mask, _counting(job), 0.0)
    alpha = np.nan_to_num(painted.alpha, nan=0.0)
    inside = counting * alpha > 0
    if behind is not None:
        inside |= (counting > 0) & (behind != crop).any(2)
    if not inside.any():
        return crop, inside
    pixels = painted.pixels if painted.toned else _toned(job, painted, inside)
    if behind is None:
        return feathered_blend(crop, pixels, counting * alpha), inside
    return feathered_blend(crop, feathered_blend(behind, pixels, alpha), counting), inside


def _counting(job: PaintJob) -> Float[np.ndarray, "h w"]:
    """How much of the painting counts at each pixel: all of it, but for hands that are repaired in part."""
    counting = np.zeros(job.repair_mask.shape, np.float32)
    for task in job.tasks:
        place = job.place(task)
        share = task.repair_mask if task.share is None else task.share * task.repair_mask
        counting[place] = np.maximum(counting[place], share)
    return counting


def _toned(
    job: PaintJob, painted: PaintResult, inside: Bool[np.ndarray, "h w"]
) -> Float[np.ndarray, "h w 3"]:
    """The paint with the picture's colours at its rim: skin meets skin there, and background background.

    In a picture without colour it has none. Where outlines are ``soft``, what lies beside the hand is not
    compared: it has the colour of neither hand nor background. Paint with a picture behind it is skin alone.
    """
    old, hand, alone = job.old_hands, job.new_hands, painted.behind is not None
    arm = old & inside & proximal_of_wrist(job)
    skin = np.where(inside, (hand | arm) & (painted.alpha > 0), old)
    light = np.clip(np.nan_to_num(painted.pixels), 0.0, 255.0).astype(np.float32)
    toned = _as_light_as(light, skin & inside, job.crop, old & inside, job.hand_px, everywhere=alone)
    band_px = max(PARAMS.min_band_px, PARAMS.band * job.hand_px)
    going_on = near(arm, 3 * band_px) & ~inside
    mixed = near(hand, 2 * band_px) if painted.soft else hand
    materials = ((skin, skin), (~skin, ~skin & ~going_on & ~mixed))
    for material, compared in ((np.ones_like(skin), skin),) if alone else materials:
        matched = match_colour_ramp(
            toned, job.crop, inside, compared, band_px=band_px, reach_px=PARAMS.reach * job.hand_px
        )
        toned = np.where(material[..., None], matched, toned)
    if np.percentile(np.ptp(job.crop, axis=2), 99) < PARAMS.max_grey:
        toned = np.repeat((toned @ LUMA)[..., None], 3, 2)
    return toned


def proximal_of_wrist(job: PaintJob) -> Bool[np.ndarray, "h w"]:
    """Pixels on the arm's side of every fitted wrist: no mesh covers the arm, yet it keeps its skin."""
    x0, y0, x1, y1 = job.window
    rows, columns = np.mgrid[y0:y1, x0:x1] + 0.5
    beyond = np.ones(rows.shape, np.bool_)
    for task in job.tasks:
        wrist, knuckle = task.fit.landmarks_px[0], task.fit.landmarks_px[9]
        along = (columns - wrist[0]) * (knuckle[0] - wrist[0]) + (rows - wrist[1]) * (knuckle[1] - wrist[1])
        beyond &= along < 0
    return beyond


def near(mask: Bool[np.ndarray, "h w"], reach_px: float) -> Bool[np.ndarray, "h w"]:
    """Pixels within a reach of a mask."""
    if not mask.any():
        return mask
    return cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5) <= reach_px


def _as_light_as(
    pixels: Float[np.ndarray, "h w 3"],
    new: Bool[np.ndarray, "h w"],
    crop: UInt8[np.ndarray, "h w 3"],
    old: Bool[np.ndarray, "h w"],
    hand_px: float,
    *,
    everywhere: bool = False,
) -> Float[np.ndarray, "h w 3"]:
    """Fresh skin with the colour that the old hand's skin had: one gain per channel of its median light.

    Unless it holds everywhere, the gain fades out around the skin, where a network mixes it with background.
    """
    if min(new.sum(), old.sum()) < PARAMS.min_pixels:
        return pixels
    light = to_linear(np.rint(pixels).astype(np.uint8))
    had, has = np.median(to_linear(crop[old]), axis=0), np.median(light[new], axis=0)
    gain = np.clip(had / np.maximum(has, np.finfo(float).eps), 1 / PARAMS.max_gain, PARAMS.max_gain)
    if everywhere:
        return to_srgb(np.minimum(light * gain, 1.0))
    soft = max(PARAMS.min_fade_px, PARAMS.fade * hand_px)
    grown = cv2.dilate(new.astype(np.float32), np.ones((2 * round(soft) + 1,) * 2, np.uint8))
    share = cv2.GaussianBlur(grown, (0, 0), soft)[..., None]
    return to_srgb(np.minimum(light * gain**share, 1.0))
