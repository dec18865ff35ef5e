"""Between sRGB values and linear light (IEC 61966-2-1)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, UInt8

_SRGB = np.arange(256) / 255.0
_TO_LINEAR = np.where(_SRGB <= 0.04045, _SRGB / 12.92, ((_SRGB + 0.055) / 1.055) ** 2.4).astype(np.float32)

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Luma of sRGB's three channels (ITU-R BT.601)."""


def to_linear(srgb: UInt8[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """Linear light 0…1 of sRGB bytes, float32 of the same shape."""
    return _TO_LINEAR[srgb]


def to_srgb(linear: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """Values 0…255 in sRGB of linear light, float32, not rounded; light outside 0…1 is clipped."""
    x = np.clip(linear, 0, 1).astype(np.float32)
    return 255 * np.where(x <= 0.0031308, 12.92 * x, 1.055 * np.power(np.maximum(x, 1e-8), 1 / 2.4) - 0.055)
