"""Photographic finish of drawn skin: the old skin's fine texture and the picture's grain."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.drawing.geometry.layer_assignment import Layers
from handwright.drawing.geometry.working_resolution import mask_box
from handwright.drawing.photo.grain import Grain, SkinGrainParams, add_grain, measure_grain, skin_grain
from handwright.drawing.photo.texture import TextureParams, add_texture, band_energies
from handwright.types import HandRegion

_FEWEST_PX = 60
"""Pixels of skin in both hands below which detail is measured on the drawn hand's place."""

_SAMPLE_PX = 500
"""Longest side of the part of a region in which texture is measured."""


@dataclass(frozen=True, kw_only=True)
class FinishParams:
    """Numbers of ``add_skin_detail``. A part that is None is left out.

    Attributes:
        texture: Bands of fine texture.
        texture_share: Share of the old skin's texture that is given to drawn skin, per band; the rest of it
            is folds. Larger shares made real skin look speckled (docs/research/drawn-hand.md).
        grain: Grain of skin beside its surroundings'.
        small_span_px: Wrist-to-knuckles span up to which folds and edges pass for texture and grain; full
            strength is reached at twice that. By eye.
        small_grain: Share of grain that hands of that span still get. By eye.
    """

    texture: TextureParams | None = field(default_factory=TextureParams)
    texture_share: tuple[float, ...] = (0.45, 0.3)
    grain: SkinGrainParams | None = field(default_factory=SkinGrainParams)
    small_span_px: float = 40.0
    small_grain: float = 0.4


@dataclass(frozen=True, eq=False)
class SkinDetail:
    """Fine detail of skin in a photograph.

    Attributes:
        texture: float64 [b] energy of its texture per band; NaN where it was not measured.
        grain: Its grain.
    """

    texture: Float[np.ndarray, " b"]
    grain: Grain


def measure_skin_detail(
    crop: UInt8[np.ndarray, "h w 3"], skin: Bool[np.ndarray, "h w"], params: FinishParams | None = None
) -> SkinDetail:
    """Measure texture and grain of skin.

    Args:
        crop: uint8 [h, w, 3] sRGB.
        skin: bool [h, w] the skin, of which at most 500 × 500 pixels are used.
        params: Numbers of the method.
    """
    params = params or FinishParams()
    box = mask_box(skin, _SAMPLE_PX)
    return SkinDetail(band_energies(crop[box], skin[box], params.texture), measure_grain(crop, skin))


def common_skin(coverage: Float[np.ndarray, "h w"], region: HandRegion) -> Bool[np.ndarray, "h w"]:
    """Pixels that the old hand's region and the drawn hand both cover: skin for certain."""
    return region.inside & (coverage > 0.9)


def add_skin_detail(
    mixed: Float[np.ndarray, "h w 3"],
    crop: UInt8[np.ndarray, "h w 3"],
    layers: Layers,
    region: HandRegion,
    detail: SkinDetail,
    surroundings: Grain,
    seed: int,
    params: FinishParams | None = None,
) -> Float[np.ndarray, "h w 3"]:
    """Give drawn skin the old skin's fine texture and the picture's grain.

    Args:
        mixed: float32 [h, w, 3] in 0..255, the crop with the hand drawn into it.
        crop: uint8 [h, w, 3] sRGB as it was.
        layers: Which layer owns which pixel.
        region: The old hand in the crop.
        detail: Of the old skin; measured anew where too little of it is visible.
        surroundings: Grain of what neither hand covers.
        seed: Of texture and grain.
        params: Numbers of the method.

    Returns:
        float32 [h, w, 3], not clipped.
    """
    params = params or FinishParams()
    rng = np.random.default_rng(seed)
    new = (layers.alpha > 0.9) & (layers.coverage > 0.95)
    if min(common_skin(layers.coverage, region).sum(), new.sum()) < _FEWEST_PX:
        new = layers.alpha > 0.5
        detail = measure_skin_detail(crop, new, params)
    painted, drawn = mask_box(layers.alpha > 0, None), mask_box(new, _SAMPLE_PX)
    out, alpha = mixed.copy(), layers.alpha[painted]
    large = float(np.clip((region.span_px - params.small_span_px) / params.small_span_px, 0, 1))
    if params.texture is not None:
        existing = band_energies(mixed[drawn], new[drawn], params.texture)
        target = detail.texture * (np.array(params.texture_share) * large)
        out[painted] = add_texture(mixed[painted], target, existing, alpha, rng, params.texture)
    if params.grain is not None:
        wanted = skin_grain(detail.grain, surroundings, params.grain)
        existing = measure_grain(out, new)
        share = alpha * (params.small_grain + (1 - params.small_grain) * large)
        out[painted] = add_grain(out[painted], wanted, existing, share, rng)
    return out
