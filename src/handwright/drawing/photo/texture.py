"""Skin texture finer than shading and coarser than grain, matched in energy band by band in log luminance."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import sqrt

import cv2
import numpy as np
from jaxtyping import Bool, Float

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Weights of sRGB red, green and blue in luma (ITU-R BT.601)."""

_STEPS = 40
"""Multiplicative steps of ``_amplitudes``; 40 bring two overlapping bands to equality within rounding."""


@dataclass(frozen=True, kw_only=True)
class TextureParams:
    """Numbers of ``band_energies`` and ``add_texture``; chosen by eye.

    Attributes:
        bands_px: Inner and outer sigma in pixels of each difference of Gaussians. Coarser texture is the old
            hand's folds, which noise of their energy turns into blotches.
        most_added: Most texture added in one band, as a deviation of log luminance.
        quantile: Quantile of local energies that stands for a region: below the median, so that objects,
            rings and folds do not count as texture.
        floor: Levels of 0..255 added to luma before its logarithm.
        fewest_px: Pixels below which a region's texture is not measured.
        rim_px: Width of the region's rim that is left out of the measure.
    """

    bands_px: tuple[tuple[float, float], ...] = ((1.0, 2.0), (2.0, 4.0))
    most_added: float = 0.04
    quantile: float = 0.45
    floor: float = 4.0
    fewest_px: int = 100
    rim_px: int = 2


def band_energies(
    pixels: Float[np.ndarray, "h w 3"],
    region: Bool[np.ndarray, "h w"],
    params: TextureParams | None = None,
) -> Float[np.ndarray, " b"]:
    """Energy of the luminance texture inside a region, in each of B bands.

    Each band is filtered within the region alone (normalised convolution), so that the outline does not
    count.

    Args:
        pixels: uint8 or float32 [H, W, 3] in 0..255.
        region: bool [H, W].
        params: Numbers of the method.

    Returns:
        float64 [B] deviation of log luminance; NaN for bands too coarse for the region.
    """
    params = params or TextureParams()
    return _energies(_log_luminance(pixels, params.floor), region, params)


def add_texture(
    pixels: Float[np.ndarray, "h w 3"],
    target: Float[np.ndarray, " b"],
    existing: Float[np.ndarray, " b"],
    alpha: Float[np.ndarray, "h w"],
    rng: np.random.Generator,
    params: TextureParams | None = None,
) -> Float[np.ndarray, "h w 3"]:
    """Lighten and darken the pixels with filtered noise until each band holds the energy that is wanted.

    Args:
        pixels: float32 [H, W, 3] in 0..255.
        target: Energies that are wanted, from ``band_energies``; NaN leaves a band as it is.
        existing: Energies that ``pixels`` already have.
        alpha: float32 [H, W] in [0, 1]: where, and how much of it.
        rng: Same state, same texture.
        params: Numbers of the method.

    Returns:
        float32 [H, W, 3]; hue is kept, no band gains more than ``most_added``, none is ever smoothed.
    """
    params = params or TextureParams()
    missing = np.sqrt(np.maximum(np.nan_to_num(target) ** 2 - np.nan_to_num(existing) ** 2, 0.0))
    missing = np.where(np.isnan(target) | np.isnan(existing), 0.0, missing).clip(max=params.most_added)
    if not missing.any():
        return pixels.copy()
    noises = _band_noises(pixels.shape[:2], rng, params)
    texture = np.tensordot(_amplitudes(missing, params), noises, 1) * alpha
    return pixels * np.exp(texture)[..., None].astype(np.float32)


def _log_luminance(pixels: np.ndarray, floor: float) -> np.ndarray:
    return np.log(np.maximum(pixels.astype(np.float32) @ _LUMA, 0.0) + floor)


def _energies(log_luminance: np.ndarray, region: np.ndarray, params: TextureParams) -> np.ndarray:
    side = 2 * params.rim_px + 1
    inner = cv2.erode(region.astype(np.uint8), np.ones((side, side), np.uint8)) > 0
    energies = np.full(len(params.bands_px), np.nan)
    bands = [band for band in params.bands_px if inner.sum() >= max(params.fewest_px, 40.0 * band[1] ** 2)]
    smooth = {sigma: _smoothed(log_luminance, region, sigma) for sigma in {s for band in bands for s in band}}
    for k, (fine, coarse) in enumerate(bands):
        band = smooth[fine] - smooth[coarse]
        local = _smoothed(band * band, inner, 2.0 * coarse)[inner]
        energies[k] = sqrt(max(float(np.quantile(local, params.quantile)), 0.0))
    return energies


def _smoothed(values: np.ndarray, region: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian mean of the region's own pixels."""
    weights = region.astype(np.float32)
    total = np.maximum(cv2.GaussianBlur(weights, (0, 0), sigma), 1e-4)
    return cv2.GaussianBlur(values * weights, (0, 0), sigma) / total


def _band_noises(
    shape: tuple[int, int], rng: np.random.Generator, params: TextureParams
) -> Float[np.ndarray, "b h w"]:
    """White noise through each band's filter."""
    white = rng.standard_normal((len(params.bands_px), *shape), np.float32)
    return np.stack(
        [
            cv2.GaussianBlur(noise, (0, 0), fine) - cv2.GaussianBlur(noise, (0, 0), coarse)
            for noise, (fine, coarse) in zip(white, params.bands_px, strict=True)
        ]
    )


def _amplitudes(missing: np.ndarray, params: TextureParams) -> np.ndarray:
    """Factor of each band's noise so that together they measure as the missing energies.

    The bands overlap, so noise in one also counts in its neighbours: energy = response @ amplitude², solved
    for amplitudes that are not negative by multiplicative steps (Richardson 1972, Lucy 1974).
    """
    response = _band_response(params)
    wanted = missing**2
    amplitude = wanted / np.diag(response)
    for _ in range(_STEPS):
        reached = response @ amplitude
        ratio = np.divide(wanted, reached, out=np.zeros_like(wanted), where=reached > 0)
        amplitude *= (response.T @ ratio) / response.sum(0)
    return np.sqrt(amplitude)


@cache
def _band_response(params: TextureParams) -> np.ndarray:
    """Energy [measured band, noise band] that unit noise of one band shows in each."""
    shape = (192, 192)
    noises = _band_noises(shape, np.random.default_rng(0), params)
    return np.stack([_energies(noise, np.ones(shape, bool), params) ** 2 for noise in noises], axis=1)
