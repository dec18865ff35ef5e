"""Skin texture finer than shading and coarser than grain, matched in energy band by band in log luminance."""

from __future__ import annotations

from functools import cache
from math import sqrt

import cv2
import numpy as np
from jaxtyping import Bool, Float

BANDS_PX = ((1.0, 2.0), (2.0, 4.0))
"""Inner and outer sigma in pixels of each difference of Gaussians. Coarser texture is the old hand's folds,
which noise of their energy turns into blotches."""

MOST_ADDED = 0.04
"""Cap on the texture added in one band, as a deviation in log luminance."""

_LOWER_MEDIAN = 0.45
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_FLOOR = 4.0
_FEWEST_PIXELS = 100
_RIM_PX = 2
_STEPS = 40


def luminance_bands(
    pixels: Float[np.ndarray, "h w 3"], region: Bool[np.ndarray, "h w"]
) -> Float[np.ndarray, " b"]:
    """Energy of the luminance texture inside a region, per band of ``BANDS_PX``.

    Each band is filtered within the region alone (normalised convolution), so that the outline does not
    count; the lower median of local deviations keeps objects, rings and creases from counting as texture.

    Args:
        pixels: uint8 or float32 [H, W, 3] in 0..255.
        region: bool [H, W].

    Returns:
        float64 [B] deviation in log luminance; NaN for bands too coarse for the region.
    """
    return _energies(_log_luminance(pixels), region)


def add_texture(
    pixels: Float[np.ndarray, "h w 3"],
    target: Float[np.ndarray, " b"],
    existing: Float[np.ndarray, " b"],
    alpha: Float[np.ndarray, "h w"],
    rng: np.random.Generator,
) -> Float[np.ndarray, "h w 3"]:
    """Lighten and darken the pixels with filtered noise until each band holds the energy that is wanted.

    Args:
        pixels: float32 [H, W, 3] in 0..255.
        target: Energies that are wanted, from ``luminance_bands``; NaN leaves a band as it is.
        existing: Energies that ``pixels`` already have.
        alpha: float32 [H, W] in [0, 1]: where, and how much of it.
        rng: Same state, same texture.

    Returns:
        float32 [H, W, 3]; hue is kept, no band gains more than ``MOST_ADDED``, none is ever smoothed.
    """
    missing = np.sqrt(np.maximum(np.nan_to_num(target) ** 2 - np.nan_to_num(existing) ** 2, 0.0))
    missing = np.where(np.isnan(target) | np.isnan(existing), 0.0, missing).clip(max=MOST_ADDED)
    if not missing.any():
        return pixels.copy()
    texture = np.tensordot(_amplitudes(missing), _band_noises(pixels.shape[:2], rng), 1) * alpha
    return pixels * np.exp(texture)[..., None].astype(np.float32)


def _log_luminance(pixels: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(pixels.astype(np.float32) @ _LUMA, 0.0) + _FLOOR)


def _energies(log_luminance: np.ndarray, region: np.ndarray) -> np.ndarray:
    inner = cv2.erode(region.astype(np.uint8), np.ones((2 * _RIM_PX + 1, 2 * _RIM_PX + 1), np.uint8)) > 0
    energies = np.full(len(BANDS_PX), np.nan)
    bands = [band for band in BANDS_PX if inner.sum() >= max(_FEWEST_PIXELS, 40.0 * band[1] ** 2)]
    smooth = {sigma: _smoothed(log_luminance, region, sigma) for sigma in {s for band in bands for s in band}}
    for k, (fine, coarse) in enumerate(bands):
        band = smooth[fine] - smooth[coarse]
        local = _smoothed(band * band, inner, 2.0 * coarse)[inner]
        energies[k] = sqrt(max(float(np.quantile(local, _LOWER_MEDIAN)), 0.0))
    return energies


def _smoothed(values: np.ndarray, region: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian mean of the region's own pixels."""
    weights = region.astype(np.float32)
    total = np.maximum(cv2.GaussianBlur(weights, (0, 0), sigma), 1e-4)
    return cv2.GaussianBlur(values * weights, (0, 0), sigma) / total


def _band_noises(shape: tuple[int, int], rng: np.random.Generator) -> Float[np.ndarray, "b h w"]:
    """White noise through each band's filter."""
    white = rng.standard_normal((len(BANDS_PX), *shape), np.float32)
    return np.stack(
        [
            cv2.GaussianBlur(noise, (0, 0), fine) - cv2.GaussianBlur(noise, (0, 0), coarse)
            for noise, (fine, coarse) in zip(white, BANDS_PX, strict=True)
        ]
    )


def _amplitudes(missing: np.ndarray) -> np.ndarray:
    """Factor of each band's noise so that together they measure as the missing energies.

    The bands overlap, so noise in one also counts in its neighbours: energy = seen @ amplitude², solved for
    amplitudes that are not negative by multiplicative steps (Richardson, Lucy).
    """
    seen = _energy_seen()
    wanted = missing**2
    amplitude = wanted / np.diag(seen)
    for _ in range(_STEPS):
        got = seen @ amplitude
        ratio = np.divide(wanted, got, out=np.zeros_like(wanted), where=got > 0)
        amplitude *= (seen.T @ ratio) / seen.sum(0)
    return np.sqrt(amplitude)


@cache
def _energy_seen() -> np.ndarray:
    """Energy [measured band, noise band] that unit noise of one band shows in each."""
    shape = (192, 192)
    noises = _band_noises(shape, np.random.default_rng(0))
    return np.stack([_energies(noise, np.ones(shape, bool)) ** 2 for noise in noises], axis=1)
