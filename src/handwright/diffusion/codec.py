"""A linear codec behind a VAE's interface: square patches onto their principal components.

Encoding needs no training beyond statistics and is as cheap as one convolution. What linear maps cannot give
back, a small network may add when latents are decoded; latents are the same with and without it.
"""

from itertools import pairwise
from typing import Any, cast

from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTinyOutput
from diffusers.models.autoencoders.vae import DecoderOutput
from diffusers.models.modeling_utils import ModelMixin
from diffusers.utils.accelerate_utils import apply_forward_hook
from jaxtyping import Float
from torch import Tensor, nn

PATCH = 4  # Side of the patches unless a codec's config has another


class PatchCodec(ModelMixin, ConfigMixin):
    """Linear patch codec with the interface of diffusers' autoencoders; its latents have no spread.

    Args:
        latent_channels: Numbers kept of a patch.
        scaling_factor: Multiplies latents, as everywhere in diffusers.
        block_out_channels: Only its length counts: patches have 2^(len − 1) pixels a side, the scale that
            pipelines read from it.
        detail_widths: Channels of the network that adds detail, one number a halving of the picture, the
            coarsest first; none, no network.
    """

    @register_to_config
    def __init__(
        self,
        latent_channels: int = 16,
        scaling_factor: float = 1.0,
        block_out_channels: tuple[int, ...] = (PATCH**2 * 3,) * 3,
        detail_widths: tuple[int, ...] = (),
    ) -> None:
        super().__init__()
        side = 2 ** (len(block_out_channels) - 1)
        self.encoder = nn.Conv2d(3, latent_channels, side, side)
        self.decoder = nn.ConvTranspose2d(latent_channels, 3, side, side)
        self.detail = _detail(latent_channels, tuple(detail_widths)) if detail_widths else None

    @apply_forward_hook
    def encode(self, x: Float[Tensor, "b 3 h w"]) -> AutoencoderTinyOutput:
        """Latents of pictures in [-1, 1], in their number format; sides are multiples of a patch's."""
        return AutoencoderTinyOutput(latents=self.encoder(x.to(self.dtype)).to(x.dtype))

    @apply_forward_hook
    def decode(self, z: Float[Tensor, "b c h w"], **_: Any) -> DecoderOutput:  # noqa: ANN401
        """Pictures of latents, about in [-1, 1]."""
        z = z.to(self.dtype)
        linear = self.decoder(z)
        return DecoderOutput(sample=linear if self.detail is None else linear + self.detail(z))


def _detail(channels: int, widths: tuple[int, ...]) -> nn.Sequential:
    """From latents to what is added to their picture: twice the side after every width; nothing at first."""
    layers: list[nn.Module] = [nn.Conv2d(channels, widths[0], 3, padding=1), _Residual(widths[0])]
    for width, finer in pairwise(widths):
        layers += [_Residual(width), nn.Conv2d(width, 4 * finer, 1), nn.PixelShuffle(2)]
    last = nn.Conv2d(widths[-1], 12, 3, padding=1)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(cast("Tensor", last.bias))
    return nn.Sequential(*layers, _Residual(widths[-1]), last, nn.PixelShuffle(2))


class _Residual(nn.Module):
    """Two convolutions beside the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            nn.SiLU(), nn.Conv2d(width, width, 3, padding=1), nn.SiLU(), nn.Conv2d(width, width, 3, padding=1)
        )

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        return x + self.inner(x)
