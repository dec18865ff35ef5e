"""Stage I's training objective (Pelykh et al. 2024, §III-B) and stage II's (§III-C)."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

MASK_WEIGHT = 0.5  # λ: 'L = L_LDM + λ L_mask'
MASK_DROPOUT = 0.5  # p with which training hides the mask, 'to enable mask-free inference'


def hand_generator_loss(
    prediction: Float[Tensor, "b c h w"],
    target: Float[Tensor, "b c h w"],
    mask_logits: Float[Tensor, "b 1 H W"],
    mask: Float[Tensor, "b 1 H W"],
    mask_weight: float = MASK_WEIGHT,
) -> Float[Tensor, ""]:
    """L = L_LDM + λ · mean((M − m_θ)²), both squared errors."""
    latent = (prediction - target).square().mean()
    return latent + mask_weight * (mask - mask_logits.sigmoid()).square().mean()


def masks_left_out(rng: np.random.Generator, count: int, share: float = MASK_DROPOUT) -> Bool[Tensor, "n"]:
    """Which samples of a batch have their mask channel filled with zeros."""
    return torch.from_numpy(rng.random(count) < share)
