"""Photographic finish of drawn skin: the picture's grain."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.drawing.geometry.layer_assignment import Layers
from handwright.drawing.geometry.working_resolution import mask_box
from handwright.drawing.photo.grain import Grain, SkinGrainParams, add_grain, measure_grain, skin_grain
from handwright.types import HandRegion

_FEWEST_PX = 60
"""Pixels of skin in both hands below which detail is measured on the drawn hand's place."""


@dataclass(frozen=True, kw_only=True)
class FinishParams:
    """Numbers of ``add_skin_grain``. A part that is None is left out."""

    # Grain of skin beside its surroundings'
    grain: SkinGrainParams | None = field(default_factory=SkinGrainParams)
    # Wrist-to-knuckles span up to which folds and edges pass for grain; full strength is reached at twice
    # that. By eye.
    small_span_px: float = 40.0
    small_grain: float = 0.4  # Share of grain that hands of that span still get. By eye.


def common_skin(coverage: Float[np.ndarray, "h w"], region: HandRegion) -> Bool[np.ndarray, "h w"]:
    """Pixels that the old hand's region and the drawn hand both cover: skin for certain."""
    return region.inside & (coverage > 0.9)


def add_skin_grain(
    mixed: Float[np.ndarray, "h w 3"],
    crop: UInt8[np.ndarray, "h w 3"],
    layers: Layers,
    region: HandRegion,
    old_grain: Grain,
    surroundings: Grain,
    seed: int,
    params: FinishParams = FinishParams(),
) -> Float[np.ndarray, "h w 3"]:
    """Give drawn skin the grain that old skin has beside the picture's.

    Args:
        mixed: float32 [h, w, 3] in 0..255, the crop with the hand drawn into it.
        crop: uint8 [h, w, 3] sRGB as it was.
        layers: Which layer owns which pixel.
        region: The old hand in the crop.
        old_grain: Of the old skin; measured anew where too little of it is visible.
        surroundings: Grain of what neither hand covers.
        seed: Of the grain.
        params: Numbers of the method.

    Returns:
        float32 [h, w, 3], not clipped.
    """
    rng = np.random.default_rng(seed)
    new = (layers.alpha > 0.9) & (layers.coverage > 0.95)
    if min(common_skin(layers.coverage, region).sum(), new.sum()) < _FEWEST_PX:
        new = layers.alpha > 0.5
        old_grain = measure_grain(crop, new)
    painted = mask_box(layers.alpha > 0, None)
    out, alpha = mixed.copy(), layers.alpha[painted]
    if params.grain is not None:
        wanted = skin_grain(old_grain, surroundings, params.grain)
        existing = measure_grain(out, new)
        out[painted] = add_grain(
            out[painted], wanted, existing, alpha * grain_share(region.span_px, params), rng
        )
    return out


def grain_share(span_px: float, params: FinishParams = FinishParams()) -> float:
    """Share of its grain that a hand of this wrist-to-knuckles span gets, in [0, 1]."""
    large = float(np.clip((span_px - params.small_span_px) / params.small_span_px, 0, 1))
    return params.small_grain + (1 - params.small_grain) * large
