"""How much fine detail skin shows, and paint that is brought to it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.drawing.photo.srgb import LUMA

_RIM = np.ones((5, 5), np.uint8)
"""What is taken off a region before it is measured: its outline is an edge, no detail."""

_FEWEST_PX = 25
"""Pixels below which a region is too small to measure."""

_HALVINGS = 8
"""Of the interval in which the gain is found: to a sixtieth."""

_TO_DEVIATION = 1.4826
"""Standard deviation of a normal over the median of its size."""


@dataclass(frozen=True, kw_only=True)
class DetailParams:
    """Numbers of ``match_detail``; chosen by eye on 38 training pictures (docs/research/painters.md)."""

    band_px: float = 2.0  # Sigma in pixels of the Gaussian whose remainder is fine detail
    strong: float = 4.0  # Levels of 0..255 from which on it counts as a fold or an edge, which stay
    most: float = 4.0  # Greatest gain


def fine_detail(
    pixels: UInt8[np.ndarray, "h w 3"] | Float[np.ndarray, "h w 3"], region: Bool[np.ndarray, "h w"]
) -> float | None:
    """Robust deviation of the Laplacian of luminance within a region, in levels of 0..255.

    As a median it is hardly moved by edges and folds: it tells how crisp the surface is.

    Returns:
        None where less than 25 pixels are left of the region without its rim.
    """
    inner = _inner(region)
    return None if inner is None else _detail(np.asarray(pixels, np.float32) @ LUMA, inner)


def match_detail(
    pixels: Float[np.ndarray, "h w 3"],
    region: Bool[np.ndarray, "h w"],
    wanted: float,
    params: DetailParams = DetailParams(),
) -> Float[np.ndarray, "h w 3"]:
    """Paint whose faint detail is strengthened, or weakened, until a region shows as much as is wanted.

    Args:
        pixels: [h, w, 3] in 0..255.
        region: bool [h, w], where it is measured; the gain holds for all pixels.
        wanted: As :func:`fine_detail` measures it.
        params: Numbers of the method.

    Returns:
        [h, w, 3], not clipped; as they came where the region is too small to measure.
    """
    inner = _inner(region)
    if inner is None:
        return pixels
    light = np.asarray(pixels, np.float32) @ LUMA
    fine = light - cv2.GaussianBlur(light, (0, 0), params.band_px)
    faint = fine * np.exp(-((fine / params.strong) ** 2))
    least, most = 0.0, params.most
    for _ in range(_HALVINGS):
        gain = (least + most) / 2
        enough = _detail(light + (gain - 1) * faint, inner) >= wanted
        least, most = (least, gain) if enough else (gain, most)
    return pixels + ((least + most) / 2 - 1) * faint[..., None]


def _inner(region: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"] | None:
    """A region without its rim; None where it is too small to measure."""
    inner = cv2.erode(region.astype(np.uint8), _RIM, borderType=cv2.BORDER_CONSTANT, borderValue=0) > 0
    return inner if inner.sum() >= _FEWEST_PX else None


def _detail(light: Float[np.ndarray, "h w"], inner: Bool[np.ndarray, "h w"]) -> float:
    return _TO_DEVIATION * float(np.median(np.abs(cv2.Laplacian(light, cv2.CV_32F)[inner])))
