"""The forward process as training needs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Noised:
    """Latents on their way to noise.

    Attributes:
        latents: [b, c, h, w] √ᾱ x0 + √(1 − ᾱ) ε.
        timesteps: [b].
        target: [b, c, h, w] what the network should say: ε or v.
        weight: [b] min-SNR weight of each sample.
    """

    latents: Float[Tensor, "b c h w"]
    timesteps: Int[Tensor, "b"]
    target: Float[Tensor, "b c h w"]
    weight: Float[Tensor, "b"]


def noise_to(
    scheduler: Any,  # noqa: ANN401 - any discrete diffusers scheduler
    clean: Float[Tensor, "b c h w"],
    noise: Float[Tensor, "b c h w"],
    timesteps: Int[Tensor, "b"],
    snr_gamma: float = 0.0,
) -> Noised:
    """Noise clean latents to their timesteps.

    Args:
        scheduler: Its schedule, with 'epsilon' or 'v_prediction'.
        clean: x0.
        noise: ε.
        timesteps: One a sample.
        snr_gamma: γ, a cap on what an error of x0 weighs at low noise (min-SNR, Hang et al. 2023):
            min(SNR, γ) / SNR for ε; for v, whose errors weigh SNR + 1, min(SNR + 1, γ) / (SNR + 1), so that
            the high noise levels where shape is decided keep their full weight. 0 weighs all alike.
    """
    velocity = scheduler.config["prediction_type"] == "v_prediction"
    target = scheduler.get_velocity(clean, noise, timesteps) if velocity else noise
    weight = torch.ones(len(clean), device=clean.device)
    if snr_gamma > 0:
        share = scheduler.alphas_cumprod.to(clean.device)[timesteps]
        snr = share / (1 - share)
        of_clean = snr + 1 if velocity else snr
        weight = of_clean.clamp(max=snr_gamma) / of_clean
    return Noised(scheduler.add_noise(clean, noise, timesteps), timesteps, target, weight)
