"""The old hand's colours, learnt as statistics: how brightness becomes colour, how far tones spread."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.drawing.skin.illumination import LUMA, spread_sample

_SRGB = np.arange(256) / 255.0
_TO_LINEAR = np.where(_SRGB <= 0.04045, _SRGB / 12.92, ((_SRGB + 0.055) / 1.055) ** 2.4).astype(np.float32)


def to_linear(srgb: UInt8[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """Linear light 0…1 of sRGB bytes, float32."""
    return _TO_LINEAR[srgb]


def to_srgb(linear: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """Values 0…255 in sRGB of linear light, float32, not rounded; out-of-range light is clipped."""
    x = np.clip(linear, 0, 1).astype(np.float32)
    return 255 * np.where(x <= 0.0031308, 12.92 * x, 1.055 * np.power(np.maximum(x, 1e-8), 1 / 2.4) - 0.055)


@dataclass(frozen=True, eq=False)
class Tone:
    """Per channel, log colour = level + slope · (log brightness − reference).

    Attributes:
        level: float64 [3].
        slope: float64 [3], 0.7…1.4.
        reference: Median log brightness.
        floor: Small light added before every logarithm; scales with the skin, so dark skin stays dark.
    """

    level: Float[np.ndarray, "3"]
    slope: Float[np.ndarray, "3"]
    reference: float
    floor: float

    def colour(self, brightness: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n 3"]:
        """Linear-light colour of skin at a brightness."""
        steps = np.log(np.maximum(brightness, 0) + self.floor) - self.reference
        lifted = np.exp(self.level + self.slope * steps[:, None])
        return np.maximum(lifted - self.floor, 0.3 * lifted)


def fit_tone(colours: Float[np.ndarray, "n 3"]) -> Tone:
    """Learn the tone curve from old skin in linear light [N, 3].

    Slopes are least squares of log colour on log brightness, levels are medians of what is left.
    """
    brightness = (colours @ LUMA).astype(np.float64)
    floor = 0.03 * float(np.median(brightness)) + 1e-6
    log_brightness = np.log(brightness + floor)
    reference = float(np.median(log_brightness))
    steps = log_brightness - reference
    log_colour = np.log(colours.astype(np.float64) + floor)
    centred = log_colour - np.median(log_colour, 0)
    slope = np.clip((steps[:, None] * centred).sum(0) / ((steps**2).sum() + 1e-3), 0.7, 1.4)
    level = np.median(log_colour - slope * steps[:, None], 0)
    return Tone(level, slope, reference, floor)


def colour_inliers(colours: Float[np.ndarray, "n 3"]) -> Bool[np.ndarray, " n"]:
    """Which points have the hand's typical chroma: drops rings, nails, background that slipped in."""
    chroma = np.log(colours + 0.01) - np.log(colours @ LUMA + 0.01)[:, None]
    some = spread_sample(len(chroma))
    offset = chroma - np.median(chroma[some], 0)
    spread = 1.48 * np.median(np.abs(offset[some]), 0) + 0.03
    near = np.abs(offset) < 3 * spread
    return near[:, 0] & near[:, 1] & near[:, 2]


def colourfulness(colours: Float[np.ndarray, "n 3"]) -> float:
    """0 for the greys of a black-and-white picture, 1 for skin in colour."""
    some = colours[spread_sample(len(colours))]
    spread = np.median(np.ptp(some, axis=1) / np.maximum(some.max(1), 1e-3))
    return float(np.clip((spread - 0.02) / 0.13, 0, 1))


def greyed(colours: Float[np.ndarray, "n 3"], share: float) -> Float[np.ndarray, "n 3"]:
    """Colours of which only a share remains: 0 leaves grey of the same brightness."""
    grey = (colours @ LUMA)[:, None]
    return grey + share * (colours - grey)


def match_spread(
    drawn: Float[np.ndarray, "n 3"],
    reference: Float[np.ndarray, "m 3"],
    compared: Bool[np.ndarray, " n"],
    floor: float,
) -> Float[np.ndarray, "n 3"]:
    """Match chroma spread, brightness quantiles and the mean of drawn skin to the old skin's.

    Args:
        drawn: [N, 3] linear light.
        reference: [M, 3] old skin, linear light.
        compared: [N] drawn points whose pixels showed old skin.
        floor: As in ``Tone``.
    """
    if compared.sum() < 20:
        return drawn
    chroma = _chroma(drawn, floor)
    there = np.flatnonzero(compared)
    there, some = there[spread_sample(len(there))], reference[spread_sample(len(reference))]
    middle = np.median(chroma[there], 0)
    wider = np.clip(_spread(_chroma(some, floor)) / (_spread(chroma[there]) + 0.02), 1, 1.6)
    drawn = np.clip(drawn * np.exp(0.8 * (wider - 1) * (chroma - middle)), 3e-4, 1.2)
    seen = np.percentile(np.log(_grey(some) + floor), [10, 50, 90])
    brightness = np.log(_grey(drawn) + floor)
    now = np.percentile(brightness[there], [10, 50, 90])
    contrast = float(np.clip((seen[2] - seen[0]) / (now[2] - now[0] + 0.05), 0.85, 1.5))
    stretch = np.clip((contrast - 1) * (brightness - now[1]), -0.6, 0.6) + seen[1] - now[1]
    drawn = drawn * np.exp(stretch)[:, None]
    return drawn * np.clip(reference.mean(0) / np.maximum(drawn[compared].mean(0), 1e-3), 0.8, 1.25)


def illumination_ratio(
    old: Float[np.ndarray, "h w"],
    drawn: Float[np.ndarray, "h w"],
    compared: Bool[np.ndarray, "h w"],
    sigma: float,
    floor: float,
) -> Float[np.ndarray, "h w"]:
    """Low-frequency factor that the old hand's brightness has over the drawn one's.

    Args:
        old: Brightness of the picture, linear light.
        drawn: Brightness of the drawn hand.
        compared: Where both show skin.
        sigma: Blur in pixels; only what is larger than this is passed on, never the old hand's shape.
        floor: As in ``Tone``.
    """
    floor = max(floor, 1e-6)
    ratio = np.where(compared, np.clip(np.log((old + floor) / (np.maximum(drawn, 0) + floor)), -0.8, 0.8), 0)
    step = max(1, int(sigma / 6))
    height, width = old.shape
    size = max(1, width // step), max(1, height // step)

    def blurred(values: np.ndarray) -> np.ndarray:
        small = cv2.resize(values.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        return cv2.GaussianBlur(small, (0, 0), sigma / step)

    smooth = blurred(ratio) / (blurred(compared) + 0.08)
    return np.exp(cv2.resize(smooth, (width, height), interpolation=cv2.INTER_LINEAR))


def _chroma(colours: Float[np.ndarray, "n 3"], floor: float) -> Float[np.ndarray, "n 3"]:
    return np.log(colours + floor) - np.log(_grey(colours)[:, None] + floor)


def _grey(colours: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, " n"]:
    """Mean of the three channels; NumPy is slow along a short axis."""
    return (colours[:, 0] + colours[:, 1] + colours[:, 2]) / 3


def _spread(values: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "3"]:
    return np.percentile(values, 80, axis=0) - np.percentile(values, 20, axis=0)
