"""Measures that the benches share: colour difference, ratios of detail and grain, bootstrap intervals."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.drawing.photo.grain import measure_grain

Statistic = Callable[[np.ndarray], float]


def ciede2000(a: Float[np.ndarray, "*n 3"], b: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n"]:
    """Colour difference ΔE00 of CIE L*a*b* colours [..., 3] (Sharma, Wu and Dalal 2005, equations 2–22)."""
    (l1, a1, b1), (l2, a2, b2) = (
        np.moveaxis(np.asarray(a, float), -1, 0),
        np.moveaxis(np.asarray(b, float), -1, 0),
    )
    mean_c7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    g = 0.5 * (1 - np.sqrt(mean_c7 / (mean_c7 + 25.0**7)))
    c1, c2 = np.hypot((1 + g) * a1, b1), np.hypot((1 + g) * a2, b2)
    h1, h2 = (np.degrees(np.arctan2(y, (1 + g) * x)) % 360 for x, y in ((a1, b1), (a2, b2)))
    grey = c1 * c2 == 0
    turn = np.where(grey, 0, (h2 - h1 + 180) % 360 - 180)
    turn = np.where(np.isclose(np.abs(h2 - h1), 180), h2 - h1, turn)
    dl, dc, dh = l2 - l1, c2 - c1, 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn) / 2)
    lightness, c = (l1 + l2) / 2, (c1 + c2) / 2
    total, apart = h1 + h2, np.abs(h1 - h2)
    h = np.where(apart <= 180, total / 2, np.where(total < 360, total / 2 + 180, total / 2 - 180))
    h = np.where(grey, total, h)
    cosine = [np.cos(np.radians(k * h + o)) for k, o in ((1, -30), (2, 0), (3, 6), (4, -63))]
    t = 1 + np.array([-0.17, 0.24, 0.32, -0.20]) @ np.stack(cosine).reshape(4, -1)
    t = t.reshape(np.shape(h))
    s_l = 1 + 0.015 * (lightness - 50) ** 2 / np.sqrt(20 + (lightness - 50) ** 2)
    s_c, s_h = 1 + 0.045 * c, 1 + 0.015 * c * t
    rotation = (
        -2 * np.sqrt(c**7 / (c**7 + 25.0**7)) * np.sin(np.radians(60 * np.exp(-(((h - 275) / 25) ** 2))))
    )
    dl, dc, dh = dl / s_l, dc / s_c, dh / s_h
    return np.sqrt(dl**2 + dc**2 + dh**2 + rotation * dc * dh)


def mean_lab(pixels: UInt8[np.ndarray, "h w 3"], where: Bool[np.ndarray, "h w"]) -> Float[np.ndarray, "3"]:
    """Lab of the mean light of some pixels."""
    srgb = pixels[where].astype(np.float64) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4).mean(0)
    mean = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return cv2.cvtColor(mean[None, None].astype(np.float32), cv2.COLOR_RGB2LAB)[0, 0].astype(np.float64)


def sharpness_ratio(
    patch_a: UInt8[np.ndarray, "h w 3"],
    region_a: Bool[np.ndarray, "h w"],
    patch_b: UInt8[np.ndarray, "h2 w2 3"],
    region_b: Bool[np.ndarray, "h2 w2"],
) -> float:
    """How much more fine luminance detail region a holds than region b, leaving edges and outliers aside.

    Args:
        patch_a: uint8 [H, W, 3] sRGB.
        region_a: bool [H, W], the part of a that is measured.
        patch_b: uint8 [H, W, 3] sRGB, of any size.
        region_b: bool [H, W], the part of b that is measured.

    Returns:
        Ratio of the robust deviations of the Laplacian of luminance, ≥ 0: 1 as crisp as b, 2 twice the
        detail; NaN if a region is smaller than 25 pixels once its rim is taken off.
    """
    detail_a, detail_b = _fine_detail(patch_a, region_a), _fine_detail(patch_b, region_b)
    return float(detail_a / max(detail_b, 0.05))


def _fine_detail(patch: np.ndarray, region: np.ndarray) -> float:
    grey = cv2.cvtColor(patch.astype(np.float32), cv2.COLOR_RGB2GRAY)
    inner = cv2.erode(region.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    if inner.sum() < 25:
        return float("nan")
    return float(1.4826 * np.median(np.abs(cv2.Laplacian(grey, cv2.CV_32F)[inner])))


def grain_ratio(
    patch_a: UInt8[np.ndarray, "h w 3"],
    region_a: Bool[np.ndarray, "h w"],
    patch_b: UInt8[np.ndarray, "h2 w2 3"],
    region_b: Bool[np.ndarray, "h2 w2"],
) -> float:
    """How grainy region a is beside region b.

    Args:
        patch_a: uint8 [H, W, 3] sRGB.
        region_a: bool [H, W], the part of a that is measured.
        patch_b: uint8 [H, W, 3] sRGB, of any size.
        region_b: bool [H, W], the part of b that is measured.

    Returns:
        Ratio of the channels' mean deviations, ≥ 0; below .1 levels both count as .1.
    """
    sigma_a, sigma_b = (
        max(float(measure_grain(patch, region).sigma_rgb.mean()), 0.1)
        for patch, region in ((patch_a, region_a), (patch_b, region_b))
    )
    return sigma_a / sigma_b


def bootstrap(
    rows: Float[np.ndarray, "n c"], statistic: Statistic, rounds: int = 2000, seed: int = 0
) -> tuple[float, float, float]:
    """A statistic of the rows and its 95 % percentile interval, rows (pictures) drawn with replacement."""
    if not len(rows):
        return float("nan"), float("nan"), float("nan")
    rng = np.random.default_rng(seed)
    drawn = [statistic(rows[rng.integers(0, len(rows), len(rows))]) for _ in range(rounds)]
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return float(statistic(rows)), float(low), float(high)


def row(name: str, values: np.ndarray, statistic: Statistic, unit: str = "", scale: float = 1.0) -> str:
    """A line of a table: name, value, interval, N."""
    values = np.asarray(values, float)
    values = values[:, None] if values.ndim == 1 else values
    value, low, high = (scale * v for v in bootstrap(values, statistic))
    return f"{name:52s} {value:9.3f}{unit}   [{low:.3f}, {high:.3f}]   N {len(values)}"


def mean(rows: np.ndarray) -> float:
    """Mean of the first column, leaving NaN out."""
    return float(np.nanmean(rows[:, 0])) if np.isfinite(rows[:, 0]).any() else float("nan")


def median(rows: np.ndarray) -> float:
    """Median of the first column, leaving NaN out."""
    return float(np.nanmedian(rows[:, 0])) if np.isfinite(rows[:, 0]).any() else float("nan")


def percentile_95(rows: np.ndarray) -> float:
    """95th percentile of the first column, leaving NaN out."""
    return float(np.nanpercentile(rows[:, 0], 95)) if np.isfinite(rows[:, 0]).any() else float("nan")
