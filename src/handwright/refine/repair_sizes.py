"""Repair sizes: of one painting what is too much may count, one or some fingers, or the whole hand.

Every painter paints the whole hand. What is sound of the old one need not go for that: palm, back, rings,
sleeve and light stay as pixels where a smaller share of the painting will do. Shares end in a ramp where the
skin of the rig passes from the palm to a finger's bones, which is along the folds of the knuckles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.hand.anatomy import FINGER_BONES
from handwright.hand.depth import render_hand
from handwright.hand.rig import dilated, load_rig, opened
from handwright.hand.skin_colour import SAME_SKIN, skin_distance
from handwright.image.compositing import smoothstep
from handwright.refine.hand_task import HandTask
from handwright.refine.pose_hypotheses import has_finger_too_many, wrong_fingers
from handwright.review.critic.prediction import CriticPrediction


@dataclass(frozen=True, kw_only=True)
class RepairSizeParams:
    """Where the share of a painting begins and ends; chosen by eye on malformed hands.

    Lengths are in spans, the distance from wrist to knuckles.
    """

    # Share of a finger's bones in the skin over which the painting fades in, from the palm on
    knuckle: tuple[float, float] = (0.25, 0.95)
    softness: float = 0.02  # Sigma of the blur of the whole map
    # Distance beside the fitted hand over which old flesh stops counting as the rim of what is kept
    beside: tuple[float, float] = (0.12, 0.2)
    # Greatest share of what the critic marks as too much that may lie on the fitted hand; where more does, it
    # is fitted as a finger
    max_surplus_on_fit: float = 0.1
    # Least share of a piece of old flesh outside the fitted hand that the critic marks as too much
    min_surplus_share: float = 0.35
    # Area of what is too much, in squared spans, least and most: more is not one finger
    surplus_area: tuple[float, float] = (0.02, 0.6)
    rim: float = 0.08  # Distance around it over which the painting fades out


PARAMS = RepairSizeParams()

MOST_FINGERS = 3
"""Fingers that are painted without the rest of the hand, at most: of more, little of it would stay."""

_THUMB_BASE = FINGER_BONES[0][0]
"""The thumb's metacarpal, which lies in the palm."""


def sized_tasks(
    pixels: UInt8[np.ndarray, "H W 3"], task: HandTask, prediction: CriticPrediction | None
) -> list[HandTask]:
    """The hand with smaller shares of its painting than all of it, the smallest first; there may be none.

    ``pixels`` is the picture with the old hand, ``prediction`` the critic's of that.
    """
    if prediction is None or prediction.not_assessable:
        return []
    smaller = surplus_task(pixels, task, prediction), finger_task(task, prediction)
    return [one for one in smaller if one is not None]


def surplus_task(
    pixels: UInt8[np.ndarray, "H W 3"], task: HandTask, prediction: CriticPrediction
) -> HandTask | None:
    """The hand with the painting of what is too much alone: behind it the background is filled.

    None where the critic sees no finger too many (``has_finger_too_many``), or what it marks lies on the
    fitted hand.
    """
    if task.surplus is None or not has_finger_too_many(prediction):
        return None
    _, _, x1, y1 = task.window
    fitted = render_hand(task.fit.hand, y1, x1, window=task.window).face >= 0
    marked = task.surplus & task.region.inside
    if (marked & fitted).sum() > PARAMS.max_surplus_on_fit * marked.sum():
        return None
    skin = task.region.inside | task.surplus | (skin_distance(task.cut(pixels), task.region) < SAME_SKIN)
    beside = skin & ~fitted & task.repair_mask
    _, pieces = cv2.connectedComponents(opened(beside, 1.0).astype(np.uint8))
    sizes = np.bincount(pieces.ravel())
    share_marked = np.bincount(pieces[task.surplus], minlength=sizes.size) / np.maximum(sizes, 1)
    gone = (pieces > 0) & np.isin(pieces, np.flatnonzero(share_marked >= PARAMS.min_surplus_share))
    gone |= _cut_off(skin & ~fitted, gone, fitted)
    span, (low, high) = task.region.span_px, PARAMS.surplus_area
    if not low * span**2 <= gone.sum() <= high * span**2 or (gone & ~task.repair_mask).any():
        return None
    away = cv2.distanceTransform((~gone).astype(np.uint8), cv2.DIST_L2, 5)
    rim = max(2.0, PARAMS.rim * span)
    share = (1 - smoothstep(rim / 2, rim, away)).astype(np.float32)
    mask = task.repair_mask & (share > 1 / 512)
    return replace(task, repair_mask=mask, share=share, size="surplus")


def _cut_off(
    skin: Bool[np.ndarray, "h w"], gone: Bool[np.ndarray, "h w"], fitted: Bool[np.ndarray, "h w"]
) -> Bool[np.ndarray, "h w"]:
    """Skin beside the fitted hand that only what goes connects with it: the rest of a finger."""
    _, pieces = cv2.connectedComponents((skin & ~gone).astype(np.uint8))
    beside_it, on_hand = (np.unique(pieces[dilated(mask, 2.0)]) for mask in (gone, fitted))
    return np.isin(pieces, np.setdiff1d(beside_it, on_hand)) & skin & ~gone


def finger_task(task: HandTask, prediction: CriticPrediction) -> HandTask | None:
    """The hand with the painting of its wrong finger alone, or of its wrong fingers.

    None where the critic's prediction of the old hand names none, more than ``MOST_FINGERS``, or none of them
    may be painted.
    """
    fingers = wrong_fingers(task.observation, prediction)
    if not 1 <= len(fingers) <= MOST_FINGERS:
        return None
    share = finger_share(task, fingers)
    mask = task.repair_mask & (share > 1 / 512)
    size = "finger" if len(fingers) == 1 else "fingers"
    return replace(task, repair_mask=mask, share=share, size=size) if mask.any() else None


def finger_share(task: HandTask, fingers: Sequence[int]) -> Float[np.ndarray, "h w"]:
    """Share of the painting that counts where some fingers alone may change, float32 [h, w] in 0 … 1.

    1 on these fingers of the fitted hand, 0 on its palm and its other fingers; beside the fitted hand, as at
    its nearest place, and 1 farther off: what is there no sound finger reaches. ``fingers`` are indices, the
    thumb's is 0.
    """
    _, _, x1, y1 = task.window
    seen = render_hand(task.fit.hand, y1, x1, window=task.window)
    visible = seen.face >= 0
    if not visible.any():
        return np.ones(visible.shape, np.float32)
    corners = load_rig().faces[seen.face[visible]]
    weights = _finger_weights()[:, list(fingers)].sum(1)
    on_fingers = (weights[corners] * seen.bary[visible]).sum(1)
    outside = (~visible).astype(np.uint8)
    away, nearest = cv2.distanceTransformWithLabels(outside, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    label, span = nearest.astype(np.int64), task.region.span_px
    of_label = np.zeros(int(label.max()) + 1, np.float32)
    of_label[label[visible]] = smoothstep(*PARAMS.knuckle, on_fingers)
    low, high = PARAMS.beside
    share = np.maximum(of_label[label], smoothstep(low * span, high * span, away)).astype(np.float32)
    return cv2.GaussianBlur(share, (0, 0), max(1.0, PARAMS.softness * span))


@cache
def _finger_weights() -> Float[np.ndarray, "v 5"]:
    """How much each vertex of the rig hangs on the bones of each finger beyond the palm, 0 … 1."""
    rig = load_rig()
    weights = np.zeros((len(rig.vertices_m), len(FINGER_BONES)), np.float32)
    for finger, bones in enumerate(FINGER_BONES):
        own = [bone for bone in bones if bone != _THUMB_BASE]
        weights[:, finger] = (rig.weights * np.isin(rig.weight_bones, own)).sum(1)
    return weights
