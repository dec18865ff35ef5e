"""A learnt autoencoder, 8 px a latent, and the patch discriminator that sharpens it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.utils.parametrizations import spectral_norm

from handwright.diffusion.loading.libraries import AutoencoderKL

WIDTHS = (32, 64, 128, 128)
"""Channels of the levels; each level but the first halves the picture. Chosen for one CPU core."""


def fresh_autoencoder(
    latent_channels: int, resolution: int, widths: tuple[int, ...] = WIDTHS
) -> AutoencoderKL:
    """An untrained ``AutoencoderKL`` of convolutions alone, so that it fits pictures of any size.

    Args:
        latent_channels: Channels of a latent.
        resolution: Side in px of the pictures that it will first learn from.
        widths: Channels of the levels; len(widths) − 1 halvings.
    """
    levels: dict[str, Any] = {
        "down_block_types": ("DownEncoderBlock2D",) * len(widths),
        "up_block_types": ("UpDecoderBlock2D",) * len(widths),
        "block_out_channels": widths,
    }
    return AutoencoderKL(
        **levels,
        layers_per_block=1,
        latent_channels=latent_channels,
        norm_num_groups=8,
        sample_size=resolution,
        scaling_factor=1.0,
        use_quant_conv=False,
        use_post_quant_conv=False,
        mid_block_add_attention=False,
    )


class PatchDiscriminator(nn.Module):
    """Tells real from decoded patches (Isola et al. 2017), with spectral norm in place of batch norm.

    Args:
        widths: Channels after each halving.
    """

    def __init__(self, widths: tuple[int, ...] = (32, 64, 96)) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in zip((3, *widths), widths, strict=False):
            layers += [spectral_norm(nn.Conv2d(before, after, 4, 2, 1)), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, spectral_norm(nn.Conv2d(widths[-1], 1, 3, 1, 1)))

    def forward(self, pictures: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 1 h/8 w/8"]:
        """Logits, one a patch: above 0 for real ones."""
        return self.layers(pictures)


@dataclass(frozen=True, kw_only=True)
class AdversarialSchedule:
    """How much a discriminator's verdict counts, and from which steps on."""

    adversarial: float = 0.02  # Of the discriminator's verdict; chosen by eye
    discriminator_from: int = 20_000  # Step from which the discriminator learns
    adversarial_from: int = 21_000  # Step from which the network that is trained heeds it


def scheduled_adversarial_loss(
    discriminator: nn.Module,
    decoded: Float[Tensor, "b 3 h w"],
    real: Float[Tensor, "b 3 h w"],
    step: int,
    params: AdversarialSchedule,
) -> Tensor:
    """The discriminator's loss and the decoder's (``adversarial_losses``), as far as they count at a step."""
    if step < params.discriminator_from:
        return decoded.new_zeros(())
    fools, hinge = adversarial_losses(discriminator, decoded, real)
    return hinge if step < params.adversarial_from else hinge + params.adversarial * fools


def adversarial_losses(
    discriminator: nn.Module, decoded: Float[Tensor, "b 3 h w"], real: Float[Tensor, "b 3 h w"]
) -> tuple[Tensor, Tensor]:
    """The decoder's loss and the discriminator's hinge loss (Lim & Ye 2017), apart from each other.

    The decoder's has no gradient to the discriminator's weights, and the hinge loss none to the pictures.
    One backward pass of their sum serves both networks, in one step of one optimiser.
    """
    frozen = {name: value.detach() for name, value in discriminator.named_parameters()}
    fools = -functional_call(discriminator, frozen, (decoded,)).float().mean()
    on_real, on_decoded = discriminator(torch.cat([real, decoded.detach()])).float().chunk(2)
    hinge = nn.functional.relu(1 - on_real).mean() + nn.functional.relu(1 + on_decoded).mean()
    return fools, hinge / 2
