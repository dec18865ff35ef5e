"""What lies in front of the hand: held things that cover where the drawn hand would be, and must stay.

A place inside the drawn outline that shows neither hand nor skin is either background, where a finger is
missing, or a thing before the hand. A thing lies across the bones and is bordered by hand on a good part of
its rim; and it is either broader than a finger or of a colour that is rare around the hand. Skin that is lit
beyond what the picture holds is of a strange colour, too, but fades into the hand where a thing has an edge.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.hand.morphology import dilated, eroded, opened
from handwright.hand.skeleton import skeleton_masks
from handwright.types import HandRegion

_HEEL_M = 0.03
_LEAST_RADIUS = 0.022
_LEAST_BORDER = 0.38
_ON_BONE = 0.06
_ALIKE = 30.0
_FINGER_RADIUS, _COMMON = 0.13, 0.12
_OVEREXPOSED, _EDGE, _EDGE_RADIUS, _LEAST_LIT = 1.04, 22.0, 0.016, 0.01
"""Lightness over the skin's own from which it may be skin; the step in Lab across its rim, as far as the
radius in hand sizes to both sides, from which on it is a thing nevertheless; and the area in squared hand
sizes below which it is one: a pen's tip shines."""


def things_in_front(
    crop: UInt8[np.ndarray, "h w 3"],
    drawn: Bool[np.ndarray, "h w"],
    reach_m: Float[np.ndarray, "h w"],
    region: HandRegion,
    strange: Bool[np.ndarray, "h w"],
    landmarks_px: Float[np.ndarray, "21 2"],
) -> Bool[np.ndarray, "h w"]:
    """Pixels inside the drawn outline that belong to something in front of the hand.

    Args:
        crop: uint8 [h, w, 3].
        drawn: bool [h, w] the drawn hand's outline.
        reach_m: [h, w] distance from the wrist along the resting hand.
        region: The old hand.
        strange: bool [h, w] colours that the old hand's skin cannot take.
        landmarks_px: [21, 2] observed landmarks in the crop.
    """
    hand_px = float(np.ptp(landmarks_px, axis=0).max())
    radius = max(1, round(_LEAST_RADIUS * hand_px))
    bare = drawn & ~region.inside & (reach_m > _HEEL_M) & strange
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
    bins = (lab // 24).astype(np.int64) @ np.array([121, 11, 1])
    count, parts = cv2.connectedComponents(broad.astype(np.uint8))
    kept = np.zeros(drawn.shape, np.bool_)
    for part in range(1, count):
        inside = cv2.dilate((parts == part).astype(np.uint8), grow) > 0
        inside &= bare
        rim = (cv2.dilate(inside.astype(np.uint8), grow) > 0) & ~inside
        bordered = float((rim & region.inside).sum() / max(rim.sum(), 1))
        if bordered < _LEAST_BORDER or (inside & bones).sum() < _ON_BONE * inside.sum():
            continue
        if _is_overexposed(lab, inside, region, hand_px):
            continue
        half_width = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 3).max()
        if half_width > _FINGER_RADIUS * region.span_px or _rarity(bins, inside, around) < _COMMON:
            kept |= _whole_thing(crop, inside, strange)
    return kept


def _is_overexposed(
    lab: UInt8[np.ndarray, "h w 3"], part: Bool[np.ndarray, "h w"], region: HandRegion, hand_px: float
) -> bool:
    """Whether a part is brighter than the hand and fades into it."""
    dim = float(np.median(lab[..., 0][part])) < _OVEREXPOSED * float(region.skin_lab[0])
    if dim or part.sum() < _LEAST_LIT * hand_px**2:
        return False
    radius = max(1, round(_EDGE_RADIUS * hand_px))
    within = part & ~eroded(part, radius)
    beyond = dilated(part, radius) & ~part & region.inside
    if not beyond.any():
        return False
    step = np.median(lab[within].astype(np.float32), 0) - np.median(lab[beyond].astype(np.float32), 0)
    return float(np.linalg.norm(step)) < _EDGE


def _rarity(bins: np.ndarray, part: Bool[np.ndarray, "h w"], around: Bool[np.ndarray, "h w"]) -> float:
    """Share of the surroundings that has most of the part's colours: high for background, low for a pen."""
    mine = np.bincount(bins[part], minlength=1331)
    theirs = np.bincount(bins[around], minlength=1331) / max(int(around.sum()), 1)
    order = np.argsort(-mine)
    enough = int(np.searchsorted(np.cumsum(mine[order]), 0.8 * mine.sum())) + 1
    return float(theirs[order[:enough]].sum())


def _whole_thing(
    crop: UInt8[np.ndarray, "h w 3"], part: Bool[np.ndarray, "h w"], strange: Bool[np.ndarray, "h w"]
) -> Bool[np.ndarray, "h w"]:
    """The part and what is connected to it in a like colour, inside the drawn outline or not."""
    lab = cv2.cvtColor(crop, cv2.COLOR_RGB2LAB).astype(np.float32)
    alike = np.linalg.norm(lab - np.median(lab[part], 0), axis=-1) < _ALIKE
    _, parts = cv2.connectedComponents(((alike & strange) | part).astype(np.uint8))
    return np.isin(parts, np.unique(parts[part]))
