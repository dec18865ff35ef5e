"""The old hand's colours as statistics: how brightness becomes colour, and how far tones spread."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float

from handwright.drawing.skin.illumination import LUMA, strided_sample

_FEWEST_POINTS = 20
"""Points of old skin below which colour statistics are not matched."""


@dataclass(frozen=True, kw_only=True)
class ToneParams:
    """Numbers of ``fit_tone_curve``; chosen by eye."""

    floor: float = 0.03  # Light added before every logarithm, as a share of the median brightness
    flattest: float = 0.7  # Least slope of log colour over log brightness
    steepest: float = 1.4  # Greatest slope


@dataclass(frozen=True, kw_only=True)
class InlierParams:
    """Numbers of ``chroma_inliers``; chosen by eye."""

    deviations: float = 3.0  # Robust standard deviations of log chroma within which a point is skin
    least_spread: float = 0.03  # Added to each deviation, so that skin of one flat colour keeps its points


@dataclass(frozen=True, kw_only=True)
class ColourMatchParams:
    """Numbers of ``match_colour_distribution``; chosen by eye."""

    chroma_share: float = 0.8  # Share of the missing spread of log chroma that is given
    widest: float = 1.6  # Most that the spread of log chroma is multiplied by
    contrast: tuple[float, float] = (0.85, 1.5)  # Least and greatest factor of the contrast of log brightness
    most_stretch: float = 0.6  # Most that contrast moves a log brightness
    mean: tuple[float, float] = (0.8, 1.25)  # Least and greatest factor of each channel's mean


@dataclass(frozen=True, kw_only=True)
class RelightParams:
    """Numbers of ``illumination_ratio``; chosen by eye."""

    # Blur of the ratio in hand sizes: only variation larger than this is passed on, never the old hand's
    # shape
    sigma: float = 0.1
    most: float = 0.8  # Greatest absolute log ratio of a pixel
    prior_weight: float = 0.08  # Weight of a ratio of 1 beside the blurred share of compared pixels
    floor: float = 0.02  # Light added to both sides, as a share of the observed 98th percentile


@dataclass(frozen=True, eq=False)
class ToneCurve:
    """Per channel, log colour = level + slope · (log brightness − reference)."""

    level: Float[np.ndarray, "3"]  # float64 [3]
    slope: Float[np.ndarray, "3"]  # float64 [3]
    reference: float  # Median log brightness
    floor: float  # Small light added before every logarithm; scales with the skin, so dark skin stays dark

    def colour(self, brightness: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n 3"]:
        """Linear-light colour [N, 3] of skin at N brightnesses."""
        steps = np.log(np.maximum(brightness, 0) + self.floor) - self.reference
        lifted = np.exp(self.level + self.slope * steps[:, None])
        return np.maximum(lifted - self.floor, 0.3 * lifted)


def fit_tone_curve(colours: Float[np.ndarray, "n 3"], params: ToneParams = ToneParams()) -> ToneCurve:
    """Learn the tone curve from old skin in linear light [N, 3].

    Slopes are least squares of log colour on log brightness, levels are medians of the residuals.
    """
    brightness = (colours @ LUMA).astype(np.float64)
    floor = params.floor * float(np.median(brightness)) + 1e-6
    log_brightness = np.log(brightness + floor)
    reference = float(np.median(log_brightness))
    steps = log_brightness - reference
    log_colour = np.log(colours.astype(np.float64) + floor)
    centred = log_colour - np.median(log_colour, 0)
    slope = (steps[:, None] * centred).sum(0) / ((steps**2).sum() + 1e-3)
    slope = np.clip(slope, params.flattest, params.steepest)
    level = np.median(log_colour - slope * steps[:, None], 0)
    return ToneCurve(level, slope, reference, floor)


def chroma_inliers(
    colours: Float[np.ndarray, "n 3"], params: InlierParams = InlierParams()
) -> Bool[np.ndarray, " n"]:
    """Which of N linear-light colours have the hand's typical chroma: no rings, nails or background."""
    chroma = np.log(colours + 0.01) - np.log(colours @ LUMA + 0.01)[:, None]
    sample = strided_sample(len(chroma))
    offset = chroma - np.median(chroma[sample], 0)
    spread = 1.48 * np.median(np.abs(offset[sample]), 0) + params.least_spread
    near = np.abs(offset) < params.deviations * spread
    return near[:, 0] & near[:, 1] & near[:, 2]


def colourfulness(colours: Float[np.ndarray, "n 3"]) -> float:
    """0 for the greys of a black-and-white picture, 1 for skin in colour; from N linear-light colours."""
    sample = colours[strided_sample(len(colours))]
    spread = np.median(np.ptp(sample, axis=1) / np.maximum(sample.max(1), 1e-3))
    return float(np.clip((spread - 0.02) / 0.13, 0, 1))


def desaturated(colours: Float[np.ndarray, "n 3"], saturation: float) -> Float[np.ndarray, "n 3"]:
    """Linear-light colours [N, 3] with their distance from grey multiplied by ``saturation``, 0…1."""
    grey = (colours @ LUMA)[:, None]
    return grey + saturation * (colours - grey)


def match_colour_distribution(
    drawn: Float[np.ndarray, "n 3"],
    reference: Float[np.ndarray, "m 3"],
    compared: Bool[np.ndarray, " n"],
    floor: float,
    params: ColourMatchParams = ColourMatchParams(),
) -> Float[np.ndarray, "n 3"]:
    """Match chroma spread, brightness quantiles and the mean of drawn skin to the old skin's.

    Args:
        drawn: [N, 3] linear light.
        reference: [M, 3] old skin, linear light.
        compared: bool [N] drawn points whose pixels showed old skin.
        floor: As in ``ToneCurve``.
        params: Numbers of the method.

    Returns:
        [N, 3] linear light; ``drawn`` itself if fewer than 20 points are compared.
    """
    if compared.sum() < _FEWEST_POINTS:
        return drawn
    chroma = _chroma(drawn, floor)
    there = np.flatnonzero(compared)
    there = there[strided_sample(len(there))]
    sample = reference[strided_sample(len(reference))]
    middle = np.median(chroma[there], 0)
    wider = np.clip(_spread(_chroma(sample, floor)) / (_spread(chroma[there]) + 0.02), 1, params.widest)
    drawn = np.clip(drawn * np.exp(params.chroma_share * (wider - 1) * (chroma - middle)), 3e-4, 1.2)
    target = np.percentile(np.log(_grey(sample) + floor), [10, 50, 90])
    brightness = np.log(_grey(drawn) + floor)
    now = np.percentile(brightness[there], [10, 50, 90])
    contrast = float(np.clip((target[2] - target[0]) / (now[2] - now[0] + 0.05), *params.contrast))
    stretch = np.clip((contrast - 1) * (brightness - now[1]), -params.most_stretch, params.most_stretch)
    drawn = drawn * np.exp(stretch + target[1] - now[1])[:, None]
    return drawn * np.clip(reference.mean(0) / np.maximum(drawn[compared].mean(0), 1e-3), *params.mean)


def illumination_ratio(
    old: Float[np.ndarray, "h w"],
    drawn: Float[np.ndarray, "h w"],
    compared: Bool[np.ndarray, "h w"],
    sigma: float,
    floor: float,
    params: RelightParams = RelightParams(),
) -> Float[np.ndarray, "h w"]:
    """Low-frequency factor that the old hand's brightness has over the drawn one's, > 0.

    Args:
        old: Brightness of the picture, linear light.
        drawn: Brightness of the drawn hand, linear light.
        compared: Where both show skin.
        sigma: Blur in pixels.
        floor: Light added to both sides of the ratio.
        params: Numbers of the method.
    """
    floor = max(floor, 1e-6)
    ratio = np.log((old + floor) / (np.maximum(drawn, 0) + floor))
    ratio = np.where(compared, np.clip(ratio, -params.most, params.most), 0)
    step = max(1, int(sigma / 6))
    height, width = old.shape
    size = max(1, width // step), max(1, height // step)

    def blurred(values: np.ndarray) -> np.ndarray:
        small = cv2.resize(values.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        return cv2.GaussianBlur(small, (0, 0), sigma / step)

    smooth = blurred(ratio) / (blurred(compared) + params.prior_weight)
    return np.exp(cv2.resize(smooth, (width, height), interpolation=cv2.INTER_LINEAR))


def _chroma(colours: Float[np.ndarray, "n 3"], floor: float) -> Float[np.ndarray, "n 3"]:
    return np.log(colours + floor) - np.log(_grey(colours)[:, None] + floor)


def _grey(colours: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, " n"]:
    """Mean of the three channels; NumPy is slow along a short axis."""
    return (colours[:, 0] + colours[:, 1] + colours[:, 2]) / 3


def _spread(values: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "3"]:
    return np.percentile(values, 80, axis=0) - np.percentile(values, 20, axis=0)
