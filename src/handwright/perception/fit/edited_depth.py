"""Relative depth of landmarks from a depth control image that the user edited."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import UInt8

from handwright.errors import HandsFileError
from handwright.hand.depth import FAR_SHARE, NEAR, hand_window, render_hand
from handwright.types import HandFit, HandObservation

MIN_LANDMARKS = 6  # Least number of a hand's 21 landmarks that must lie on the depth image (chosen by eye)


def with_depth(
    observation: HandObservation, fit: HandFit, depth: UInt8[np.ndarray, "h w"]
) -> HandObservation:
    """Return the observation with its landmarks' relative depth taken from a depth control image.

    The image holds 255 · (1 − 0.8 · (d − d_min)/(d_max − d_min)) (``hand.depth``); the range in metres is not
    in it and is taken from the hand's first fit. Landmarks on background keep their depth, shifted to the
    rest.

    Args:
        observation: The observed hand.
        fit: A first fit to it.
        depth: uint8 [H, W], of the picture's size.

    Raises:
        HandsFileError: The image is empty where this hand is.
    """
    height, width = depth.shape
    at = np.floor(observation.landmarks_px).astype(int)
    inside = (at >= 0).all(1) & (at[:, 0] < width) & (at[:, 1] < height)
    values = np.zeros(21)
    for k in np.flatnonzero(inside):
        x, y = at[k]
        values[k] = depth[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2].max()
    on_hand = values > 0
    window = hand_window(fit.hand, height, width)
    if on_hand.sum() < MIN_LANDMARKS or window is None:
        raise HandsFileError(
            "the depth image is empty where a hand is",
            f"only {int(on_hand.sum())} of its 21 landmarks lie on it",
            "edit the depth image that `handwright hands` writes for this picture",
        )
    drawn = render_hand(fit.hand, height, width, window=window).depth_m
    metres = drawn[np.isfinite(drawn)]
    pixels_per_m = fit.hand.camera.focal_px / float(np.median(metres))
    away = (1 - values / NEAR) / FAR_SHARE * float(np.ptp(metres)) * pixels_per_m
    shift = float(np.median((away - observation.depth_px)[on_hand]))
    return replace(observation, depth_px=np.where(on_hand, away, observation.depth_px + shift))
