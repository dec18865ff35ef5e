"""Pictures made worse by a known amount: what a judge of pictures must see, and must not be misled by."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float, UInt8

KINDS = ("none", "blur", "noise", "jpeg", "melt", "coarse")
"""What may have been done to a picture; ``coarse`` lost its resolution."""


def corrupted(
    rng: np.random.Generator, pixels: UInt8[np.ndarray, "s s 3"], kind: str, strength: float
) -> UInt8[np.ndarray, "s s 3"]:
    """The picture, worse.

    Args:
        rng: Of noise and place.
        pixels: Not changed.
        kind: One of ``KINDS``.
        strength: 0 (hardly to be seen) … 1 (spoilt).
    """
    side = pixels.shape[0]
    if kind == "blur":
        return cv2.GaussianBlur(pixels, (0, 0), side / 128 * (0.4 + 2.6 * strength))
    if kind == "noise":
        noise = rng.normal(0, 4 + 36 * strength, pixels.shape)
        return np.clip(pixels + noise + 0.5, 0, 255).astype(np.uint8)
    if kind == "jpeg":
        return _compressed(pixels, round(50 - 45 * strength))
    if kind == "melt":
        return _melted(rng, pixels, strength)
    if kind == "coarse":
        small = round(side / (1.3 + 2.7 * strength))
        lost = cv2.resize(pixels, (small, small), interpolation=cv2.INTER_AREA)
        return cv2.resize(lost, (side, side), interpolation=cv2.INTER_CUBIC)
    return pixels.copy()


def _compressed(pixels: UInt8[np.ndarray, "s s 3"], quality: int) -> UInt8[np.ndarray, "s s 3"]:
    _, data = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.ascontiguousarray(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))[..., ::-1])


def _melted(
    rng: np.random.Generator, pixels: UInt8[np.ndarray, "s s 3"], strength: float
) -> UInt8[np.ndarray, "s s 3"]:
    """Every place of a round patch takes its colour from somewhere near, as if it had run."""
    side = pixels.shape[0]
    rows, columns = np.mgrid[0:side, 0:side].astype(np.float32)
    y, x = rng.uniform(0.3, 0.7, 2) * side
    radius = side * rng.uniform(0.15, 0.35)
    inside = np.exp(-((((rows - y) ** 2 + (columns - x) ** 2) / radius**2) ** 2))
    field = cv2.GaussianBlur(rng.normal(size=(side, side, 2)), (0, 0), side * rng.uniform(0.02, 0.06))
    reach = side * (0.015 + 0.055 * strength)
    return displaced(pixels, reach * inside[..., None] * field / field.std())


def displaced(
    pixels: UInt8[np.ndarray, "s s 3"], shift_px: Float[np.ndarray, "s s 2"]
) -> UInt8[np.ndarray, "s s 3"]:
    """Every place takes its colour from so far beside it (x, y)."""
    rows, columns = np.mgrid[0 : pixels.shape[0], 0 : pixels.shape[1]].astype(np.float32)
    x, y = columns + shift_px[..., 0].astype(np.float32), rows + shift_px[..., 1].astype(np.float32)
    return cv2.remap(pixels, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
