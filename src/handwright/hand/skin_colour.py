"""Skin colour in Lab: how far a pixel is from a hand's own skin, and what its skin cannot be.

Colours are OpenCV's 8-bit Lab: L, a and b in 0 … 255, with a = b = 128 for grey.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.hand.rig import opened
from handwright.types import HandRegion

SAME_SKIN = 9.0  # Largest ``skin_distance`` of a hand's other parts and of its arm: three standard deviations

COLOURLESS = 6.0
"""Chroma of skin (``skin_chroma``) below which a picture counts as black and white (chosen by eye)."""


@dataclass(frozen=True, kw_only=True)
class SkinColourParams:
    """What a hand's skin cannot be in any light, and exceptions to it. All values were chosen by eye.

    Brightness is a pixel's L over the skin's typical L; hues are degrees in the a–b plane.

    Attributes:
        brightness_limits: Range of brightness over which the expected chroma follows brightness.
        extra_sd: Added to the standard deviations of a and b.
        max_chroma_distance: Distance from the expected chroma, in standard deviations, of what skin cannot
            be.
        min_tinted_brightness: Darker pixels have no reliable chroma.
        max_black_brightness: Pixels darker than this are black.
        shadow_radius: Radius, in spans, of a disc that fits into black or tinted objects and into no fold.
        bounced_brightness, bounced_hue, bounced_chroma: Brightness, hue and largest chroma (factor on the
        skin's
            own, addend, upper limit) of skin lit by other skin: redder and more saturated.
        bright_brightness, bright_hue, bright_chroma: Least brightness, hue, and chroma (factor for the least,
            addend for the most) of overexposed skin, which turns yellow on its way to white.
    """

    brightness_limits: tuple[float, float] = (0.15, 1.3)
    extra_sd: float = 3.5
    max_chroma_distance: float = 2.6
    min_tinted_brightness: float = 0.2
    max_black_brightness: float = 0.22
    shadow_radius: float = 0.14
    bounced_brightness: tuple[float, float] = (0.3, 0.87)
    bounced_hue: tuple[float, float] = (26.0, 63.0)
    bounced_chroma: tuple[float, float, float] = (1.3, 18.0, 50.0)
    bright_brightness: float = 1.25
    bright_hue: tuple[float, float] = (40.0, 100.0)
    bright_chroma: tuple[float, float] = (0.5, 8.0)


PARAMS = SkinColourParams()


def skin_chroma(skin_lab: Float[np.ndarray, "3"]) -> float:
    """Return the distance of a skin's colour [3] from grey, in units of a and b."""
    return float(np.hypot(*(skin_lab[1:] - 128)))


def skin_distance(crop: UInt8[np.ndarray, "h w 3"], region: HandRegion) -> Float[np.ndarray, "h w"]:
    """The squared Mahalanobis distance of each pixel's colour from the region's skin, float32 [h, w]."""
    lab = cv2.cvtColor(crop, cv2.COLOR_RGB2LAB).astype(np.float32)
    return colour_distance(lab, region.skin_lab, region.skin_covariance)


def colour_distance(
    lab: Float[np.ndarray, "h w 3"], middle: Float[np.ndarray, "3"], covariance: Float[np.ndarray, "3 3"]
) -> Float[np.ndarray, "h w"]:
    """The squared Mahalanobis distance of each colour, float32 [h, w, 3], from some; float32 [h, w]."""
    offset = lab - middle.astype(np.float32)
    return np.einsum("hwc,hwc->hw", offset @ np.linalg.inv(covariance).astype(np.float32), offset)


def not_skin(crop: UInt8[np.ndarray, "h w 3"], region: HandRegion) -> Bool[np.ndarray, "h w"]:
    """Return the pixels whose colour this hand's skin cannot take in any light, bool [h, w].

    These have another chroma for their brightness, or are black over more than the width of a fold. Shaded
    skin keeps its hue but loses chroma with brightness, so chroma is compared at equal brightness. A tint
    that skin takes where it is lit by other skin, or overexposed, counts only where it is wider than a fold,
    too.
    """
    lab = cv2.cvtColor(crop, cv2.COLOR_RGB2LAB).astype(np.float32)
    skin_l = max(float(region.skin_lab[0]), 1.0)
    brightness = np.clip(lab[..., 0] / skin_l, *PARAMS.brightness_limits)
    expected = (region.skin_lab[1:] - 128).astype(np.float32) * brightness[..., None]
    spread = np.sqrt(np.diag(region.skin_covariance)[1:]).astype(np.float32) + PARAMS.extra_sd
    offset = (lab[..., 1:] - 128 - expected) / spread
    tinted = offset[..., 0] ** 2 + offset[..., 1] ** 2 > PARAMS.max_chroma_distance**2
    tinted &= lab[..., 0] > PARAMS.min_tinted_brightness * skin_l
    likely = tinted & _lit_by_skin(lab, region.skin_lab)
    black = lab[..., 0] < PARAMS.max_black_brightness * skin_l
    scale = crop.shape[0] / region.inside.shape[0]
    radius = max(2, round(PARAMS.shadow_radius * region.span_px * scale))
    return tinted & ~likely | opened(black, radius) | opened(likely, radius)


def _lit_by_skin(
    lab: Float[np.ndarray, "h w 3"], skin_lab: Float[np.ndarray, "3"]
) -> Bool[np.ndarray, "h w"]:
    """Return the pixels with a colour that skin takes where it is lit by other skin, or overexposed."""
    a, b = lab[..., 1] - 128, lab[..., 2] - 128
    chroma, hue = np.hypot(a, b), np.degrees(np.arctan2(b, a))
    light = lab[..., 0] / max(float(skin_lab[0]), 1.0)
    own = skin_chroma(skin_lab)
    if own < COLOURLESS:
        return np.zeros(a.shape, np.bool_)
    low, high = PARAMS.bounced_brightness
    factor, addend, most = PARAMS.bounced_chroma
    bounced = (light > low) & (light < high) & _within(hue, PARAMS.bounced_hue)
    bounced &= chroma < min(factor * own + addend, most)
    bright = (light > PARAMS.bright_brightness) & _within(hue, PARAMS.bright_hue)
    bright &= (chroma > PARAMS.bright_chroma[0] * own) & (chroma < own + PARAMS.bright_chroma[1])
    return bounced | bright


def _within(values: Float[np.ndarray, "h w"], limits: tuple[float, float]) -> Bool[np.ndarray, "h w"]:
    return (values > limits[0]) & (values < limits[1])
