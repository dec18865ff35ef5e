"""Stage I's training objective (Pelykh et al. 2024, §III-B) and stage II's (§III-C)."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from handwright.diffusion.known_region import known_region_blend
from handwright.handrefiner.objective import masked_loss

MASK_WEIGHT = 0.5  # λ: 'L = L_LDM + λ L_mask'
MASK_DROPOUT = 0.5  # p with which training hides the mask, 'to enable mask-free inference'


def hand_generator_loss(
    prediction: Float[Tensor, "b c h w"],
    target: Float[Tensor, "b c h w"],
    mask_logits: Float[Tensor, "b 1 H W"] | None,
    mask: Float[Tensor, "b 1 H W"],
    mask_weight: float = MASK_WEIGHT,
) -> Float[Tensor, ""]:
    """L = L_LDM + λ · mean((M − m_θ)²), both squared errors; the first alone where no mask is predicted."""
    latent = (prediction - target).square().mean()
    if mask_logits is None:
        return latent
    return latent + mask_weight * (mask - mask_logits.sigmoid()).square().mean()


def masks_left_out(rng: np.random.Generator, count: int, share: float = MASK_DROPOUT) -> Bool[Tensor, "n"]:
    """Which samples of a batch have their mask channel filled with zeros."""
    return torch.from_numpy(rng.random(count) < share)


def outpainter_start(
    picture: Float[Tensor, "b c h w"], canvas: Float[Tensor, "b c h w"], hands: Float[Tensor, "b 1 h w"]
) -> Float[Tensor, "b c h w"]:
    """Clean latents that stage II is trained on: m ⊙ x_c + (1 − m) ⊙ x_0, 'as described in (11)'.

    Noise comes afterwards, the same level everywhere, as the blend of inference has it.

    Args:
        picture: x_0, the latents of the picture.
        canvas: x_c, those of its hands cut out, on grey.
        hands: m, 1 in the hands' latents.
    """
    return known_region_blend(picture, canvas, 1 - hands)


def outpainter_loss(
    prediction: Float[Tensor, "b c h w"],
    target: Float[Tensor, "b c h w"],
    hands: Float[Tensor, "b 1 h w"],
    weight: Float[Tensor, "b"] | None = None,
) -> Float[Tensor, ""]:
    """The masked L2 of §III-C: mean of (1 − m) ⊙ (ε − ε_θ)², what lies outside the hands' latents m.

    Args:
        prediction: ε_θ, or whatever the schedule has predicted.
        target: ε, likewise.
        hands: m; not all of a sample may be hands.
        weight: Of each sample; None: all alike.
    """
    return masked_loss(prediction, target, 1 - hands, weight)
