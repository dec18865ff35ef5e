"""A fixed linear codec behind a VAE's interface: square patches onto their principal components.

No training beyond statistics, and as cheap as one convolution each way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
from diffusers.models.modeling_utils import ModelMixin
from jaxtyping import Float
from torch import Tensor, nn

PATCH = 4
"""Side of the patches unless a codec says otherwise."""


@dataclass
class Encoded:
    """What ``PatchCodec.encode`` returns; ``latent_dist`` has no spread."""

    latent_dist: DiagonalGaussianDistribution


@dataclass
class Decoded:
    """What ``PatchCodec.decode`` returns."""

    sample: Tensor


class PatchCodec(ModelMixin, ConfigMixin):
    """Linear patch codec with the interface of diffusers' ``AutoencoderKL``.

    Args:
        latent_channels: Numbers kept of a patch.
        scaling_factor: Multiplies latents, as everywhere in diffusers.
        block_out_channels: Only its length counts: patches have 2^(len − 1) pixels a side, the scale that
            pipelines read from it.
    """

    @register_to_config
    def __init__(
        self,
        latent_channels: int = 16,
        scaling_factor: float = 1.0,
        block_out_channels: tuple[int, ...] = (PATCH**2 * 3,) * 3,
    ) -> None:
        super().__init__()
        side = 2 ** (len(block_out_channels) - 1)
        self.encoder = nn.Conv2d(3, latent_channels, side, side)
        self.decoder = nn.ConvTranspose2d(latent_channels, 3, side, side)

    def encode(self, x: Float[Tensor, "b 3 h w"]) -> Encoded:
        """Latents of pictures in [-1, 1]; sides are multiples of a patch's."""
        mean = self.encoder(x)
        return Encoded(DiagonalGaussianDistribution(torch.cat([mean, torch.full_like(mean, -30.0)], 1)))

    def decode(self, z: Float[Tensor, "b c h w"], **_: Any) -> Decoded:  # noqa: ANN401 - diffusers passes more
        """Pictures of latents, about in [-1, 1]."""
        return Decoded(self.decoder(z))

    def set_maps(
        self, mean: Float[Tensor, "3"], into: Float[Tensor, "c d"], back: Float[Tensor, "c d"]
    ) -> None:
        """Make the codec encode and decode patches by linear maps.

        Args:
            mean: [3] colour whose latents are 0.
            into: [c, 3·side²] from a patch's difference to that colour, channel by channel, to its latents.
            back: [c, 3·side²] what each latent adds to the patch.
        """
        shape = self.encoder.weight.shape
        everywhere = mean.repeat_interleave(into.shape[1] // 3)
        self.encoder.load_state_dict({"weight": into.reshape(shape), "bias": -into @ everywhere})
        self.decoder.load_state_dict({"weight": back.reshape(shape), "bias": mean})
