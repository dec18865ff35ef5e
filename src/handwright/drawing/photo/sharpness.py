"""How sharp the picture is: the Gaussian blur of its edges."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import erf, sqrt

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

SHARPEST_PX, SOFTEST_PX = 0.3, 3.0
UNKNOWN_PX = 0.8
"""What a picture without a single usable edge is taken to have."""

_APERTURE_VARIANCE = 1.0 / 12.0
"""Variance in squared pixels of a pixel's own square aperture."""

_SIGMAS = np.geomspace(SHARPEST_PX, SOFTEST_PX, 40)


@dataclass(frozen=True, kw_only=True)
class EdgeBlurParams:
    """Numbers of ``edge_blur_sigma``; by eye."""

    most_edges: int = 300  # Profiles that are measured, evenly spread
    lowest_contrast: float = 18.0  # Least contrast of a profile, levels of 0..255
    search_px: int = 3  # How far from the boundary the picture's edge is looked for
    worst_fit: float = 0.03  # Share of a profile's variance that a blurred step may leave unexplained
    percentile: float = 50.0  # Percentile of the profiles' sigmas that stands for the picture


def edge_blur_sigma(
    crop: UInt8[np.ndarray, "h w 3"], mask: Bool[np.ndarray, "h w"], params: EdgeBlurParams = EdgeBlurParams()
) -> float:
    """Blur of the edges along the mask's boundary, as the sigma of a Gaussian over ideal, box-sampled edges.

    Args:
        crop: uint8 [H, W, 3] sRGB.
        mask: bool [H, W]; its boundary need only be within 3 px of the picture's edge.
        params: Numbers of the method.

    Returns:
        Sigma in pixels, ``SHARPEST_PX``..``SOFTEST_PX``. When the boundary shows no edge, that of the
        strongest edges of the whole crop; ``UNKNOWN_PX`` when there are none either.
    """
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float32)
    smooth = cv2.GaussianBlur(grey, (0, 0), 1.0)
    slope = np.stack([cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)], -1) / 8.0
    steepness = np.hypot(slope[..., 0], slope[..., 1])
    for points in (_boundary_edges(mask, steepness, params), _strongest_edges(steepness, params)):
        sigmas = _profile_sigmas(grey, points, slope, params)
        if len(sigmas):
            return float(np.percentile(sigmas, params.percentile))
    return UNKNOWN_PX


def _boundary_edges(mask: np.ndarray, steepness: np.ndarray, params: EdgeBlurParams) -> np.ndarray:
    """Rows and columns [N, 2] of the steepest pixel near each pixel of the mask's boundary."""
    binary = mask.astype(np.uint8)
    rim = np.argwhere(binary != cv2.erode(binary, np.ones((3, 3), np.uint8), borderValue=1))
    rim = rim[:: max(1, len(rim) // params.most_edges)]
    reach = np.arange(-params.search_px, params.search_px + 1)
    near = rim[:, None] + np.stack(np.meshgrid(reach, reach, indexing="ij"), -1).reshape(1, -1, 2)
    near = np.clip(near, 0, np.array(mask.shape) - 1)
    steepest = steepness[near[..., 0], near[..., 1]].argmax(1)
    return np.unique(near[np.arange(len(rim)), steepest], axis=0)


def _strongest_edges(steepness: np.ndarray, params: EdgeBlurParams) -> np.ndarray:
    """Rows and columns [N, 2] of the crop's steepest pixels, each the steepest of its 5 × 5 neighbours."""
    crests = steepness >= cv2.dilate(steepness, np.ones((5, 5), np.uint8))
    points = np.argwhere(crests & (steepness > 1.0))
    order = np.argsort(-steepness[points[:, 0], points[:, 1]], kind="stable")
    return points[order[: params.most_edges]]


def _profile_sigmas(
    grey: np.ndarray, points: np.ndarray, slope: np.ndarray, params: EdgeBlurParams
) -> np.ndarray:
    """Sigma of every edge point whose profile across the edge fits a blurred step."""
    if not len(points):
        return np.zeros(0)
    across = slope[points[:, 0], points[:, 1]]
    across = across / np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-6)
    short = _fit_steps(grey, points, across, reach=4.0, params=params)
    long = _fit_steps(grey, points, across, reach=8.0, params=params)
    sigmas = np.where(
        np.isfinite(short) & (short < 1.3), short, np.fmax(long, np.where(long > 1.1, long, np.nan))
    )
    return sigmas[np.isfinite(sigmas)]


def _fit_steps(
    grey: np.ndarray, points: np.ndarray, across: np.ndarray, *, reach: float, params: EdgeBlurParams
) -> np.ndarray:
    """Least-squares sigma of a blurred step for each profile; NaN where it is too faint or no step."""
    t = _samples(reach)
    x = (points[:, 1:] + across[:, :1] * t).astype(np.float32)
    y = (points[:, :1] + across[:, 1:] * t).astype(np.float32)
    profiles = cv2.remap(grey, x, y, cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REPLICATE)
    steps, sigma_of_step = _unit_steps(reach)
    centred = profiles - profiles.mean(1, keepdims=True)
    along = centred @ steps.T
    best = along.argmax(1)
    strength = along[np.arange(len(points)), best]
    left = 1.0 - strength**2 / np.maximum((centred**2).sum(1), 1e-6)
    contrast = np.ptp(profiles, axis=1)
    inside = (x.min(1) >= 0) & (y.min(1) >= 0) & (x.max(1) < grey.shape[1]) & (y.max(1) < grey.shape[0])
    step = inside & (left < params.worst_fit) & (contrast > params.lowest_contrast)
    return np.where(step, sigma_of_step[best], np.nan)


def _samples(reach: float) -> Float[np.ndarray, " t"]:
    return np.arange(-reach, reach + 0.25, 0.5, dtype=np.float32)


@cache
def _unit_steps(reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Blurred steps [K, T] of zero mean and unit norm for every sigma and shift, and each one's sigma [K]."""
    shifts = np.arange(-1.0, 1.01, 0.125)
    widths = np.sqrt(_SIGMAS**2 + _APERTURE_VARIANCE)
    at = (_samples(reach) - shifts[None, :, None]) / widths[:, None, None]
    steps = np.vectorize(erf)(at / sqrt(2.0)).reshape(at.shape[0] * at.shape[1], -1)
    steps = steps - steps.mean(1, keepdims=True)
    return steps / np.linalg.norm(steps, axis=1, keepdims=True), np.repeat(_SIGMAS, len(shifts))
