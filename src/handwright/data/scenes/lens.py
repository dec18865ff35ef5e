"""What a camera and a file do to a picture: defocus, grain, tone curve, JPEG."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8


@dataclass(frozen=True)
class Lens:
    """A camera.

    Attributes:
        blur_px: Sigma over the whole picture.
        grain: Deviation in levels of 0…255.
        grain_px: Sigma of the grain's correlation.
        vignette: Darkening of the corners.
        contrast: Of the tone curve, 1 is sRGB's own.
        jpeg: Quality; 0 for none.
        seed: Of the grain.
    """

    blur_px: float
    grain: float
    grain_px: float
    vignette: float
    contrast: float
    jpeg: int
    seed: int


def develop(linear: Float[np.ndarray, "h w 3"], lens: Lens) -> UInt8[np.ndarray, "h w 3"]:
    """Linear light → sRGB bytes as they come out of a file."""
    side = linear.shape[0]
    picture = (
        cv2.GaussianBlur(linear.astype(np.float32), (0, 0), lens.blur_px) if lens.blur_px > 0.2 else linear
    )
    y, x = (np.mgrid[:side, : linear.shape[1]] + 0.5) / side - 0.5
    picture = picture * (1 - lens.vignette * 2 * (x * x + y * y))[..., None]
    picture = picture / (1 + np.maximum(picture - 0.75, 0))
    srgb = np.clip(picture, 0, 1) ** (1 / 2.2)
    srgb = srgb + (lens.contrast - 1) * (srgb - 0.5) * 4 * srgb * (1 - srgb)
    rng = np.random.default_rng(lens.seed)
    noise = 0.8 * rng.standard_normal((side, linear.shape[1], 1)) + 0.6 * rng.standard_normal(srgb.shape)
    if lens.grain_px > 0.2:
        noise = cv2.GaussianBlur(noise.astype(np.float32), (0, 0), lens.grain_px)
        noise = noise / noise.std()
    level = 255 * srgb + lens.grain * noise * (1.25 - 0.6 * srgb)
    pixels = np.clip(np.round(level), 0, 255).astype(np.uint8)
    if lens.jpeg:
        options = [cv2.IMWRITE_JPEG_QUALITY, lens.jpeg]
        data = cv2.imencode(".jpg", np.ascontiguousarray(pixels[..., ::-1]), options)[1]
        pixels = np.ascontiguousarray(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))[..., ::-1])
    return pixels
