"""Ground under the feet of those who are seen whole."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from jaxtyping import Float

from handwright.data.world.places import KINDS, Place
from handwright.data.world.scenery import noise

_OWN_GROUND = ("landscape", "garden", "street")


def on_floor(rng: np.random.Generator, place: Place, soles_px: Float[np.ndarray, "2 2"]) -> Place:
    """The place with a floor that meets the wall behind the feet [2, 2] px, and their shadows on it."""
    linear = place.linear.copy()
    side = linear.shape[0]
    y, x = np.mgrid[:side, :side].astype(np.float32) + 0.5
    edge = float(soles_px[:, 1].min() - rng.uniform(0.03, 0.16) * side)
    below = np.clip((y - edge) / (0.006 * side) + 0.5, 0, 1)[..., None]
    if place.name in KINDS and place.name not in _OWN_GROUND:
        colour = np.exp(rng.uniform(np.log(0.07), np.log(0.4))) * np.exp(rng.normal(0, 0.14, 3))
        grain = 1 + 0.07 * noise(rng, side, 24, 4, stretch=float(rng.uniform(1, 4)))
        far = np.clip((y - edge) / (side - edge + 1), 0, 1)
        floor = colour * (grain * (0.85 + 0.3 * far))[..., None]
        seam = np.exp(-(((y - edge) / (0.008 * side)) ** 2))[..., None]
        linear = linear * (1 - below) + floor * below
        linear *= 1 - 0.45 * seam
    else:
        blurred = cv2.GaussianBlur(linear, (0, 0), 0.02 * side)
        linear = linear * (1 - below) + (0.5 * blurred.mean((0, 1)) + 0.5 * blurred) * below * 0.9
    left = np.ones((side, side), np.float32)
    for at in (*soles_px, soles_px.mean(0)):
        reach = np.hypot((x - at[0]) / (0.075 * side), (y - at[1]) / (0.022 * side))
        left *= 1 - 0.5 * np.exp(-(reach**2))
    linear *= np.where(below[..., 0] > 0, left, 1)[..., None]
    return replace(place, linear=linear.astype(np.float32), near=False)
