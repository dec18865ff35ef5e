"""What a photograph does to its surfaces: the old skin's fine texture and the picture's grain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.drawing.geometry.layer_assignment import Ownership
from handwright.drawing.geometry.working_resolution import box_of
from handwright.drawing.photo.grain import Grain, add_grain, grain_statistics, skin_grain
from handwright.drawing.photo.texture import add_texture, luminance_bands
from handwright.types import HandRegion

_FEWEST_PX = 60
_SAMPLE_PX = 500
"""Texture is measured on a window of at most this side."""

_SMALL_SPAN_PX = 40.0
"""Below this wrist-to-knuckles span, folds and edges pass for texture and grain: little is believed."""

_TEXTURE_SHARE = np.array([0.45, 0.3])
"""Share of the old skin's texture per band: some of it is folds."""


@dataclass(frozen=True, eq=False)
class Look:
    """How fine the old skin is.

    Attributes:
        bands: float64 [b] energy of its texture per band.
        grain: Its grain.
    """

    bands: Float[np.ndarray, " b"]
    grain: Grain


def look_of(crop: UInt8[np.ndarray, "h w 3"], old: Bool[np.ndarray, "h w"]) -> Look:
    """Measure the old skin.

    Args:
        crop: uint8 [h, w, 3] sRGB.
        old: bool [h, w] the old hand's skin, of which at most 500 × 500 pixels are looked at.
    """
    box = box_of(old, _SAMPLE_PX)
    return Look(luminance_bands(crop[box], old[box]), grain_statistics(crop, old))


def old_skin(coverage: Float[np.ndarray, "h w"], region: HandRegion) -> Bool[np.ndarray, "h w"]:
    """What the old hand and the drawn one both cover: in the old hand's region there, skin for certain."""
    return region.inside & (coverage > 0.9)


def photographic(
    mixed: Float[np.ndarray, "h w 3"],
    crop: UInt8[np.ndarray, "h w 3"],
    own: Ownership,
    region: HandRegion,
    look: Look,
    around: Grain,
    seed: int,
) -> Float[np.ndarray, "h w 3"]:
    """Give drawn skin the old skin's fine texture and the picture's grain.

    Args:
        mixed: float32 [h, w, 3] in 0..255, the crop with the hand drawn into it.
        crop: uint8 [h, w, 3] sRGB as it was.
        own: Who owns which pixel.
        region: The old hand in the crop.
        look: Of the old skin; measured anew where too little of it is seen.
        around: Grain of what neither hand covers.
        seed: Of texture and grain.

    Returns:
        float32 [h, w, 3], not clipped.
    """
    rng = np.random.default_rng(seed)
    new = (own.alpha > 0.9) & (own.coverage > 0.95)
    if min(old_skin(own.coverage, region).sum(), new.sum()) < _FEWEST_PX:
        new = own.alpha > 0.5
        look = look_of(crop, new)
    painted, fresh = box_of(own.alpha > 0, None), box_of(new, _SAMPLE_PX)
    out, alpha = mixed.copy(), own.alpha[painted]
    large = float(np.clip((region.span_px - _SMALL_SPAN_PX) / _SMALL_SPAN_PX, 0, 1))
    there_bands = luminance_bands(mixed[fresh], new[fresh])
    wanted_bands = look.bands * (_TEXTURE_SHARE * large)
    out[painted] = add_texture(mixed[painted], wanted_bands, there_bands, alpha, rng)
    wanted, there = skin_grain(look.grain, around), grain_statistics(out, new)
    out[painted] = add_grain(out[painted], wanted, there, alpha * (0.4 + 0.6 * large), rng)
    return out
