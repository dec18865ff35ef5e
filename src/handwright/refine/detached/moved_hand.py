"""A hand that lies beside the end of its arm: moved in front of it, and skin across the gap."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.drawing.fill.background import background_sources, fill_uncovered_background
from handwright.hand.rig import dilated
from handwright.perception.fit.hand_fit import fit_of_given_hand
from handwright.refine.compositing.repair_mask import compute_repair_mask
from handwright.refine.detached.gap import Gap
from handwright.refine.detached.joined_arm import PARAMS, between, with_skin
from handwright.refine.hand_task import HandTask, Underlay
from handwright.types import Hand, HandRegion

MIN_SHIFT = 0.35  # How far aside of its arm a hand lies that is moved, in widths of its wrist; chosen by eye


def moved_to_arm(
    pixels: UInt8[np.ndarray, "H W 3"], task: HandTask, gap: Gap, seed: int = 0
) -> HandTask | None:
    """The hand moved sideways into line with its arm; None where it is in line already.

    The old hand's pixels go with it, so that what is drawn is lit and coloured as it was.
    """
    shift = _aside(gap)
    if gap.arm is None or np.linalg.norm(shift) < MIN_SHIFT * gap.start.width:
        return None
    crop = task.cut(pixels)
    ends = between(gap, task.region)
    clean = _moved_pixels(crop, task, gap.hand, gap.arm, ends, shift, seed)
    laid, skin = with_skin(clean, gap.start.shifted(shift), gap.end, seed=seed)
    moved = replace(task.observation, landmarks_px=task.observation.landmarks_px + shift)
    fit = fit_of_given_hand(moved, _moved_hand(task.fit.hand, shift), task.fit.landmark_weights)
    region = _moved_region(task.region, ends, skin, shift)
    changed = (laid != crop).any(-1)
    allowed = compute_repair_mask(fit.hand, task.window, task.landmarks_px + shift, region) | changed
    return replace(
        task,
        observation=moved,
        fit=fit,
        region=region,
        repair_mask=allowed,
        surplus=None,
        underlay=Underlay(laid, changed),
        pose_hypothesis="moved to its arm",
    )


def _aside(gap: Gap) -> Float[np.ndarray, "2"]:
    """How far the hand has to go across the arm's direction, in whole pixels."""
    across = gap.end.across
    return np.round(((gap.end.ends - gap.start.ends).mean(0) @ across) * across)


def _moved_pixels(
    crop: UInt8[np.ndarray, "h w 3"],
    task: HandTask,
    hand: Bool[np.ndarray, "h w"],
    arm: Bool[np.ndarray, "h w"],
    ends: Bool[np.ndarray, "h w"],
    shift: Float[np.ndarray, "2"],
    seed: int,
) -> UInt8[np.ndarray, "h w 3"]:
    """The crop with the hand moved up to its cut, and background where it was."""
    known = hand if task.region.certain is None else task.region.certain
    rim_px = max(2, round(PARAMS.rim * task.region.span_px))
    old = (hand | known | task.region.inside) & ~ends & ~dilated(arm, rim_px)
    hole = (dilated(old, rim_px) & ~arm) | ends
    limb = hole | dilated(arm, rim_px)
    clean = fill_uncovered_background(crop, hole, background_sources(crop, limb, task.region), seed)
    alpha = cv2.GaussianBlur(old.astype(np.float32), (0, 0), 1.0)
    there, alpha = _shifted(crop.astype(np.float32), shift), _shifted(alpha, shift)[..., None]
    return np.clip(clean + alpha * (there - clean) + 0.5, 0, 255).astype(np.uint8)


def _moved_hand(hand: Hand, shift: Float[np.ndarray, "2"]) -> Hand:
    """The hand so many pixels farther in the picture, at its own distance."""
    x, y, z = hand.translation_m
    dx, dy = shift * z / hand.camera.focal_px
    return replace(hand, translation_m=np.array([x + dx, y + dy, z]))


def _moved_region(
    region: HandRegion,
    ends: Bool[np.ndarray, "h w"],
    skin: Bool[np.ndarray, "h w"],
    shift: Float[np.ndarray, "2"],
) -> HandRegion:
    known = None if region.certain is None else _moved_mask(region.certain & ~ends, shift)
    seen = None if region.probability is None else _shifted(region.probability * ~ends, shift)
    inside = _moved_mask(region.inside & ~ends, shift) | skin
    return replace(region, inside=inside, certain=known, probability=seen)


def _moved_mask(mask: Bool[np.ndarray, "h w"], shift: Float[np.ndarray, "2"]) -> Bool[np.ndarray, "h w"]:
    return _shifted(mask.astype(np.uint8), shift) > 0


def _shifted(plane: np.ndarray, shift: Float[np.ndarray, "2"]) -> np.ndarray:
    """A plane moved by whole pixels; nothing comes in from beyond."""
    matrix = np.array([[1.0, 0.0, shift[0]], [0.0, 1.0, shift[1]]])
    return cv2.warpAffine(plane, matrix, plane.shape[1::-1], flags=cv2.INTER_NEAREST)
