"""Other readings of a hand that a second look did not confirm: the other side, or without doubtful fingers.

Malformed hands mislead the detector: it may take a palm for a back, or bend a finger to where one is.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float, UInt8

from handwright.handrefiner.mask import repair_mask
from handwright.handrefiner.task import HandTask
from handwright.perception.fit import fit_hand
from handwright.perception.silhouette import fit_with_outline
from handwright.perception.trust import misfit_fingers
from handwright.types import HandObservation, Mask


def other_readings(pixels: UInt8[np.ndarray, "h w 3"], task: HandTask, mask: Mask | None) -> list[HandTask]:
    """Alternative tasks for the same hand, best guess first.

    Args:
        pixels: The picture.
        task: The reading that failed.
        mask: The user's mask, which stays.
    """
    height, width = pixels.shape[:2]
    seen = task.observation
    mirrored = replace(seen, side="left" if seen.side == "right" else "right", depth_px=-seen.depth_px)
    readings = [_read(task, mirrored, None, (width, height), mask, f"as a {mirrored.side} hand")]
    weights = misfit_fingers(seen, task.fit)
    if weights.min() < 1:
        readings.append(_read(task, seen, weights, (width, height), mask, "without doubtful fingers"))
    return readings


def _read(
    task: HandTask,
    seen: HandObservation,
    weights: Float[np.ndarray, "21"] | None,
    size_px: tuple[int, int],
    mask: Mask | None,
    reading: str,
) -> HandTask:
    fit = fit_hand(seen, *size_px, landmark_weights=weights)
    fit = fit_with_outline(seen, fit, task.region, task.window, size_px, weights)
    allowed = (
        task.may_change
        if mask is not None
        else repair_mask(fit.hand, task.window, task.landmarks_px, task.region)
    )
    return replace(task, observation=seen, fit=fit, may_change=allowed, reading=reading)
