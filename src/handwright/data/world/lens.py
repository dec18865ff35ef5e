"""What a camera and a file do to linear light: motion, focus, tone, noise, sharpening, JPEG."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8


@dataclass(frozen=True)
class Shot:
    """How a picture was taken."""

    motion_px: float  # Length of the streak that moving hands leave
    motion_angle: float  # Its direction, radians
    defocus_px: float  # Radius of the blur over the hands
    softness_px: float  # Sigma of the lens's own blur
    noise: float  # Deviation at mid grey in levels of 0 … 255
    sharpen: float  # Strength of the camera's unsharp mask
    contrast: float  # 0 plain sRGB, 1 filmic
    saturation: float  # 1 leaves colours alone
    balance: tuple[float, float, float]  # [3] colour cast that white balance left
    vignette: float  # Darkening of the corners
    jpeg: int  # Quality; 0 for none
    seed: int  # Of the noise


def draw_shot(rng: np.random.Generator, side_px: int) -> Shot:
    """Mostly phones in fair light; one in ten moved, one in eight out of focus."""
    cast = np.exp(rng.normal(0, 0.03, 3))
    return Shot(
        motion_px=float(rng.uniform(0.012, 0.05) * side_px) if rng.random() < 0.09 else 0.0,
        motion_angle=float(rng.uniform(0, np.pi)),
        defocus_px=float(rng.uniform(0.003, 0.010) * side_px) if rng.random() < 0.12 else 0.0,
        softness_px=float(rng.uniform(0.3, 0.65)),
        noise=float(rng.gamma(2.0, 1.3)),
        sharpen=float(rng.choice([0.0, rng.uniform(0.1, 0.7)])),
        contrast=float(rng.uniform(0.1, 0.95)),
        saturation=float(np.clip(rng.normal(1.02, 0.12), 0.65, 1.35)),
        balance=(float(cast[0]), float(cast[1]), float(cast[2])),
        vignette=float(rng.uniform(0, 0.25)),
        jpeg=int(rng.integers(72, 97)),
        seed=int(rng.integers(1 << 30)),
    )


def smear(layer: Float[np.ndarray, "h w c"], shot: Shot) -> Float[np.ndarray, "h w c"]:
    """Motion and defocus of premultiplied light, so that edges mix with what is behind."""
    if shot.motion_px > 1:
        reach = int(np.ceil(shot.motion_px / 2))
        kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
        step = shot.motion_px / 2 * np.array([np.cos(shot.motion_angle), np.sin(shot.motion_angle)])
        ends = [tuple(int(v) for v in np.round((reach + sign * step) * 16)) for sign in (-1, 1)]
        cv2.line(kernel, ends[0], ends[1], 1.0, 1, cv2.LINE_AA, 4)
        layer = cv2.filter2D(layer, -1, kernel / kernel.sum())
    if shot.defocus_px > 0.5:
        layer = cv2.GaussianBlur(layer, (0, 0), 0.6 * shot.defocus_px)
    return layer


def develop(linear: Float[np.ndarray, "h w 3"], shot: Shot) -> tuple[UInt8[np.ndarray, "h w 3"], bytes]:
    """Linear light, exposed so that 0.18 is mid grey, → sRGB pixels, and the JPEG that they come out of.

    The second value is empty for ``jpeg`` 0.
    """
    height, width = linear.shape[:2]
    light = cv2.GaussianBlur(linear.astype(np.float32), (0, 0), shot.softness_px)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    far = ((x / width - 0.5) ** 2 + (y / height - 0.5) ** 2)[..., None]
    light = np.maximum(light * np.array(shot.balance, np.float32) * (1 - 1.6 * shot.vignette * far), 0)
    light = np.maximum(light + _noise(light, shot), 0)
    tone = _tone(light, shot.contrast)
    grey = tone @ np.array([0.3, 0.59, 0.11], np.float32)
    tone = grey[..., None] + shot.saturation * (tone - grey[..., None])
    if shot.sharpen > 0:
        tone = tone + shot.sharpen * (tone - cv2.GaussianBlur(tone, (0, 0), 1.1))
    pixels = np.clip(np.round(255 * tone), 0, 255).astype(np.uint8)
    if not shot.jpeg:
        return pixels, b""
    options = [cv2.IMWRITE_JPEG_QUALITY, shot.jpeg]
    data = cv2.imencode(".jpg", np.ascontiguousarray(pixels[..., ::-1]), options)[1]
    return np.ascontiguousarray(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))[..., ::-1]), data.tobytes()


def _tone(light: Float[np.ndarray, "h w 3"], contrast: float) -> Float[np.ndarray, "h w 3"]:
    """Between sRGB with a soft shoulder and a filmic curve (Narkowicz's fit of ACES), both in 0 … 1."""
    over = np.maximum(light - 0.7, 0)
    rolled = np.minimum(light, 0.7) + over / (1 + 2.2 * over)
    plain = np.clip(rolled, 0, 1) ** np.float32(1 / 2.2)
    x = 0.72 * light
    filmic = np.clip(x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14), 0, 1) ** np.float32(1 / 2.2)
    return (plain * (1 - contrast) + filmic * contrast).astype(np.float32)


def _noise(light: Float[np.ndarray, "h w 3"], shot: Shot) -> Float[np.ndarray, "h w 3"]:
    """Shot noise that grows with the root of light, mostly luminance, slightly blotched by the demosaic."""
    rng = np.random.default_rng(shot.seed)
    shape = light.shape
    grain = 0.8 * rng.standard_normal((*shape[:2], 1), np.float32) + 0.6 * rng.standard_normal(
        shape, np.float32
    )
    grain = 1.25 * cv2.GaussianBlur(grain, (0, 0), 0.55)
    return shot.noise / 255 * 1.1 * np.sqrt(0.35 * light + 0.006) * grain
