"""The picture's grain: measured where it shows least texture, and added where paint is too clean."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import exp, sqrt

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.drawing.geometry.working_resolution import mask_box

_WINDOW = 9
"""Side of a measuring window, pixels."""

_SAMPLES = _WINDOW * _WINDOW
_QUIETEST = 0.2
"""Share of a region's windows, those of least deviation, in which grain is measured."""

_TAIL_OF_QUIETEST = 1.4
"""Mean distance below the mean of a standard normal's lowest fifth."""

_DARKEST, _BRIGHTEST = 8.0, 247.0
"""Mean levels of 0..255 outside of which light is clipped and grain with it."""

_FEWEST_PIXELS = 60
"""Windows below which a region is too small to measure."""

_SAMPLE_PX = 500
"""Longest side of the part of a region in which grain is measured: larger parts cost time and tell the
same."""

_WIDEST_PX = 1.6
"""Widest grain that is distinguished from texture, as a Gaussian's sigma in pixels."""

_MOST_ADDED = 12.0
"""Most grain that is added, as a deviation in levels of 0..255; by eye."""


@dataclass(frozen=True, kw_only=True)
class SkinGrainParams:
    """Numbers of ``skin_grain``; ``whole`` and ``strong_share`` were set on 68 training photographs."""

    # Greatest ratio of the skin's coloured grain to that of its surroundings; grain beyond it becomes grey
    # texture: pores
    most_ratio: float = 1.5
    pores_px: float = 1.1  # Sigma of that texture's correlation in pixels
    whole: float = 3.0  # Deviation of the texture, in levels of 0..255, up to which it is kept whole
    strong_share: float = 0.5  # Share that is kept of a stronger one, which would look like sand


@dataclass(frozen=True, eq=False)
class Grain:
    """Statistics of a picture's grain."""

    sigma_rgb: Float[np.ndarray, "3"]  # float64 [3] standard deviation per channel in levels of 0..255
    # Sigma in pixels of the Gaussian that blurs white noise into this grain; 0 for white
    correlation_px: float
    # Share of the variance that all three channels have in common, 0 (coloured) to 1 (grey)
    luma_share: float


def measure_grain(crop: UInt8[np.ndarray, "h w 3"], region: Bool[np.ndarray, "h w"]) -> Grain:
    """Measure the grain within a region from its quietest windows, so that texture is not taken for grain.

    Args:
        crop: uint8 or float32 [H, W, 3] in 0..255.
        region: bool [H, W], of which at most 500 × 500 pixels around its middle are looked at; when it is too
            small to measure, the whole crop is used.

    Returns:
        The grain; all zeros when the crop is smaller than a measuring window.
    """
    box = mask_box(region, _SAMPLE_PX)
    if _window_fits(region[box]).sum() >= _FEWEST_PIXELS:
        crop, region = crop[box], region[box]
    picture = crop.astype(np.float32)
    if min(picture.shape[:2]) < _WINDOW:
        return Grain(np.zeros(3), 0.0, 0.0)
    level = _box_mean(picture)
    channels = cv2.split(picture - level)
    deviation = [_box_mean(channel * channel) for channel in channels]
    quiet = np.nonzero(_quiet_windows(level, deviation[0] + deviation[1] + deviation[2], region))
    local = np.array([max(float(plane[quiet].mean()), 0.0) for plane in deviation])
    pairs = [(0, 1), (0, 2), (1, 2)]
    common = [float(_box_mean(channels[a] * channels[b])[quiet].mean()) for a, b in pairs]
    between = [sqrt(float(local[a] * local[b])) for a, b in pairs]
    beside = sum(channel[:, 1:] * channel[:, :-1] for channel in channels) / 3
    lag = float(_box_mean(np.pad(beside, ((0, 0), (0, 1)), mode="edge"))[quiet].mean())
    correlation, area = _correlation(lag / max(float(local.mean()), 1e-6))
    share = float(np.clip(sum(common) / max(sum(between), 1e-6), 0.0, 1.0))
    kept = (1.0 - area / _SAMPLES) * _kept_by_the_quietest(correlation, share)
    return Grain(np.sqrt(local / kept), correlation, share)


def add_grain(
    pixels: Float[np.ndarray, "h w 3"],
    grain: Grain,
    existing: Grain,
    alpha: Float[np.ndarray, "h w"],
    rng: np.random.Generator,
) -> Float[np.ndarray, "h w 3"]:
    """Add what is missing between the grain that is there and the grain that is wanted.

    Args:
        pixels: float32 [H, W, 3] in 0..255.
        grain: What is wanted.
        existing: What ``pixels`` already show.
        alpha: float32 [H, W] in [0, 1]: where, and how much of it.
        rng: Same state, same grain.

    Returns:
        float32 [H, W, 3], not clipped; nothing is taken away where there is too much grain already.
    """
    missing = np.sqrt(np.maximum(grain.sigma_rgb**2 - existing.sigma_rgb**2, 0.0)).clip(max=_MOST_ADDED)
    if not missing.any():
        return pixels.copy()
    shape = pixels.shape[:2]
    shared = rng.standard_normal((*shape, 1), np.float32) * sqrt(grain.luma_share)
    own = rng.standard_normal((*shape, 3), np.float32) * sqrt(1.0 - grain.luma_share)
    noise = _blurred_to_unit_variance(shared + own, grain.correlation_px)
    return pixels + (noise * missing * alpha[..., None]).astype(np.float32)


def skin_grain(skin: Grain, surroundings: Grain, params: SkinGrainParams = SkinGrainParams()) -> Grain:
    """What to add to drawn skin, given the grain of the old skin and of what is around it.

    Grain belongs to the picture: where skin shows much more than its surroundings, the rest is pores, folds
    and JPEG blocks, which coloured noise of that strength and width turns into blotches. Left out, it would
    leave skin too smooth: compression takes the grain from plain walls and leaves it on skin.

    Args:
        skin: Measured on the old skin.
        surroundings: Measured around it; may be all zeros.
        params: Numbers of the method.
    """
    most = params.most_ratio * surroundings.sigma_rgb
    if (skin.sigma_rgb <= most).all():
        return skin
    grain = np.minimum(skin.sigma_rgb, most)
    beyond = float(np.sqrt(skin.sigma_rgb**2 - grain**2).mean())
    pores = min(beyond, params.whole) + params.strong_share * max(beyond - params.whole, 0.0)
    sigma = np.sqrt(grain**2 + pores**2)
    grey = float(pores**2 / (sigma**2).mean())
    width = min(skin.correlation_px, max(surroundings.correlation_px, params.pores_px))
    shared = surroundings.luma_share + grey * (1 - surroundings.luma_share)
    return Grain(sigma, width, min(1.0, shared))


def _quiet_windows(level: np.ndarray, deviation: np.ndarray, region: np.ndarray) -> np.ndarray:
    """Centres of the quietest windows inside the region, without clipped light if possible."""
    red, green, blue = cv2.split(level)
    darkest, brightest = cv2.min(cv2.min(red, green), blue), cv2.max(cv2.max(red, green), blue)
    exposed = (darkest > _DARKEST) & (brightest < _BRIGHTEST)
    everywhere = np.ones(region.shape, bool)
    choices = (region & exposed, region, exposed, everywhere)
    inner = next(
        (w for w in map(_window_fits, choices) if w.sum() >= _FEWEST_PIXELS), _window_fits(everywhere)
    )
    return inner & (deviation <= np.quantile(deviation[inner], _QUIETEST))


def _window_fits(region: np.ndarray) -> np.ndarray:
    square = np.ones((_WINDOW, _WINDOW), np.uint8)
    return cv2.erode(region.astype(np.uint8), square, borderType=cv2.BORDER_CONSTANT, borderValue=0) > 0


def _box_mean(values: np.ndarray) -> np.ndarray:
    return cv2.blur(values, (_WINDOW, _WINDOW))


def _correlation(lag_ratio: float) -> tuple[float, float]:
    """Blur sigma of the grain, and the area in pixels over which it is alike, from neighbouring pixels.

    Taking the local mean away makes neighbours less alike by the same area; two corrections suffice.
    """
    sigma, area = 0.0, 1.0
    for _ in range(3):
        alike = lag_ratio * (1.0 - area / _SAMPLES) + area / _SAMPLES
        sigma = _sigma_of_lag(alike)
        area = min(1.0 / _power_kept(sigma), _SAMPLES / 4.0)
    return sigma, area


def _kept_by_the_quietest(correlation_px: float, share: float) -> float:
    """Expected variance in the quietest windows of even grain, as a share of the true one.

    A window's variance scatters like a chi-square's, with a degree of freedom for each unlike sample.
    """
    kernel = _kernel(correlation_px)
    alike = np.correlate(kernel, kernel, "full") / (kernel @ kernel)
    scatter = sqrt(2.0 / _SAMPLES * (1.0 + 2.0 * share**2) / 3.0) * float(alike @ alike)
    return exp(-_TAIL_OF_QUIETEST * scatter)


def _sigma_of_lag(alike: float) -> float:
    """Sigma of a sampled Gaussian whose blurred white noise has this correlation between neighbours."""
    if alike <= 0.02:
        return 0.0
    return float(np.interp(alike, *_correlations()))


@cache
def _correlations() -> tuple[np.ndarray, np.ndarray]:
    """Correlations between neighbours, and the sigmas that they belong to."""
    sigmas = np.linspace(0.2, _WIDEST_PX, 57)
    return np.array([_neighbour_correlation(float(s)) for s in sigmas]), sigmas


def _kernel(sigma: float) -> np.ndarray:
    taps = np.array([exp(-0.5 * (x / max(sigma, 1e-3)) ** 2) for x in range(-6, 7)])
    return taps / taps.sum()


def _neighbour_correlation(sigma: float) -> float:
    kernel = _kernel(sigma)
    return float(kernel[1:] @ kernel[:-1] / (kernel @ kernel))


def _power_kept(sigma: float) -> float:
    """Share of white noise's variance that is left after the blur."""
    kernel = _kernel(sigma)
    return float(kernel @ kernel) ** 2


def _blurred_to_unit_variance(noise: np.ndarray, sigma: float) -> np.ndarray:
    kernel = _kernel(sigma)
    blurred = cv2.sepFilter2D(noise, -1, kernel, kernel, borderType=cv2.BORDER_REFLECT_101)
    return blurred / sqrt(_power_kept(sigma))
