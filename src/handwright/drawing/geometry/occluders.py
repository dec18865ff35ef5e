"""Held things that cover the place of the drawn hand and must stay in front of it.

A place inside the drawn outline that shows neither hand nor skin is either background, where a finger is
missing, or a thing in front of the hand. A thing lies across the bones and is bordered by the hand on a good
part of its rim; and it is either broader than a finger or of a colour that is rare around the hand.
Overexposed skin has an impossible colour, too, but fades into the hand where a thing has an edge; and
skin in other light is the hand to the critic, which sees more than colour.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.hand.rig import dilated, eroded, opened
from handwright.hand.skeleton import skeleton_masks
from handwright.types import HandRegion

_BIN = 24
"""Width of the bins of 8-bit L*, a* and b* in which colours are counted."""


@dataclass(frozen=True, kw_only=True)
class OccluderParams:
    """Numbers of ``occluder_mask``; by eye, those of overexposed skin on 74 hands of training photographs."""

    # Distance from the wrist along the resting hand from which things are looked for, metres
    heel_m: float = 0.03
    least_radius: float = 0.022  # Half the width of the slimmest thing, in hand sizes
    least_border: float = 0.38  # Least share of a thing's rim that is the old hand
    on_bones: float = 0.06  # Least share of a thing that lies on the hand's bones
    # Half the width of a finger, in wrist-to-knuckles spans; what is broader is a thing
    finger_radius: float = 0.13
    # Share of the surroundings that has a slim part's colours from which it is background
    common: float = 0.12
    alike: float = 30.0  # Distance in 8-bit L*a*b* of what belongs to the same thing
    # Ratio of lightness to the skin's own from which a part may be skin in bright light
    overexposed: float = 1.04
    # Step in 8-bit L*a*b* across a bright part's rim from which it is a thing nevertheless
    edge: float = 22.0
    edge_radius: float = 0.016  # Reach of that step to both sides, in hand sizes
    # Area in squared hand sizes below which a bright part is a thing: a pen's tip shines
    least_bright: float = 0.01
    # Mean probability of a part to be the hand, by the critic, from which on it is skin and no thing: of 57
    # parts on hands of generators (train) 15 reach it, all of them skin or bare nails; things reach .70
    hand: float = 0.75


def occluder_mask(
    crop: UInt8[np.ndarray, "h w 3"],
    drawn: Bool[np.ndarray, "h w"],
    reach_m: Float[np.ndarray, "h w"],
    region: HandRegion,
    not_skin: Bool[np.ndarray, "h w"],
    landmarks_px: Float[np.ndarray, "21 2"],
    params: OccluderParams = OccluderParams(),
) -> Bool[np.ndarray, "h w"]:
    """Pixels of things in front of the hand that reach into the drawn outline.

    Args:
        crop: uint8 [h, w, 3] sRGB.
        drawn: bool [h, w] the drawn hand's outline.
        reach_m: [h, w] distance from the wrist along the resting hand, metres.
        region: The old hand.
        not_skin: bool [h, w] colours that the old hand's skin cannot take.
        landmarks_px: [21, 2] observed landmarks in the crop.
        params: Numbers of the method.

    Returns:
        bool [h, w]; a thing counts as a whole, also outside the drawn outline.
    """
    hand_px = float(np.ptp(landmarks_px, axis=0).max())
    radius = max(1, round(params.least_radius * hand_px))
    bare = drawn & ~region.inside & (reach_m > params.heel_m) & not_skin
    broad = opened(bare, radius)
    if not broad.any():
        return np.zeros(drawn.shape, np.bool_)
    bones, _ = skeleton_masks(landmarks_px, *drawn.shape)
    grow = np.ones((2 * radius + 1, 2 * radius + 1), np.uint8)
    hand = drawn | region.inside
    reach = max(3, round(0.3 * region.span_px))
    wide = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    around = (cv2.dilate(hand.astype(np.uint8), wide) > 0) & ~hand
    lab = cv2.cvtColor(crop, cv2.COLOR_RGB2LAB)
    bins = (lab // _BIN).astype(np.int64) @ np.array([121, 11, 1])
    count, parts = cv2.connectedComponents(broad.astype(np.uint8))
    occluders = np.zeros(drawn.shape, np.bool_)
    for part in range(1, count):
        inside = cv2.dilate((parts == part).astype(np.uint8), grow) > 0
        inside &= bare
        rim = (cv2.dilate(inside.astype(np.uint8), grow) > 0) & ~inside
        bordered = float((rim & region.inside).sum() / max(rim.sum(), 1))
        if bordered < params.least_border or (inside & bones).sum() < params.on_bones * inside.sum():
            continue
        if _is_overexposed_skin(lab, inside, region, hand_px, params):
            continue
        if region.probability is not None and region.probability[inside].mean() >= params.hand:
            continue
        half_width = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 3).max()
        broader = half_width > params.finger_radius * region.span_px
        if broader or _share_around(bins, inside, around) < params.common:
            occluders |= _whole_thing(lab, inside, not_skin, params.alike)
    return occluders


def _is_overexposed_skin(
    lab: UInt8[np.ndarray, "h w 3"],
    part: Bool[np.ndarray, "h w"],
    region: HandRegion,
    hand_px: float,
    params: OccluderParams,
) -> bool:
    """Whether a part is brighter than the hand and fades into it."""
    dim = float(np.median(lab[..., 0][part])) < params.overexposed * float(region.skin_lab[0])
    if dim or part.sum() < params.least_bright * hand_px**2:
        return False
    radius = max(1, round(params.edge_radius * hand_px))
    within = part & ~eroded(part, radius)
    outside = dilated(part, radius) & ~part & region.inside
    if not outside.any():
        return False
    step = np.median(lab[within].astype(np.float32), 0) - np.median(lab[outside].astype(np.float32), 0)
    return float(np.linalg.norm(step)) < params.edge


def _share_around(bins: np.ndarray, part: Bool[np.ndarray, "h w"], around: Bool[np.ndarray, "h w"]) -> float:
    """Share of the surroundings that has most of the part's colours: high for background, low for a pen."""
    inside = np.bincount(bins[part], minlength=1331)
    outside = np.bincount(bins[around], minlength=1331) / max(int(around.sum()), 1)
    order = np.argsort(-inside)
    enough = int(np.searchsorted(np.cumsum(inside[order]), 0.8 * inside.sum())) + 1
    return float(outside[order[:enough]].sum())


def _whole_thing(
    lab: UInt8[np.ndarray, "h w 3"],
    part: Bool[np.ndarray, "h w"],
    not_skin: Bool[np.ndarray, "h w"],
    alike: float,
) -> Bool[np.ndarray, "h w"]:
    """The part and what is connected to it in a similar colour, inside the drawn outline or not."""
    colours = lab.astype(np.float32)
    similar = np.linalg.norm(colours - np.median(colours[part], 0), axis=-1) < alike
    _, parts = cv2.connectedComponents(((similar & not_skin) | part).astype(np.uint8))
    return np.isin(parts, np.unique(parts[part]))
