"""T2H: the transformer that denoises a person's tokens under a text (HanDiffuser §3.1)."""

from __future__ import annotations

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.attention import BasicTransformerBlock
from diffusers.models.attention_processor import Attention, AttnProcessor2_0
from diffusers.models.modeling_utils import ModelMixin
from diffusers.models.normalization import AdaLayerNormSingle
from jaxtyping import Bool, Float
from torch import Tensor, nn

from handwright.handiffuser.tokens import TOKENS, WIDTH


class SharedTextAttention(AttnProcessor2_0):
    """Cross-attention of several samples with one text, whose keys and values are computed once."""

    def __call__(
        self,
        attn: Attention,
        hidden_states: Float[Tensor, "n t c"],
        encoder_hidden_states: Float[Tensor, "k l d"] | None = None,
        attention_mask: Float[Tensor, "k 1 l"] | None = None,
        **further: Tensor,
    ) -> Float[Tensor, "n t c"]:
        """What N samples read in K texts, N / K following samples in each."""
        # diffusers' own takes the texts' count for the batch: the samples of one are rows of one sequence
        read = super().__call__(attn, hidden_states, encoder_hidden_states, attention_mask, **further)
        return read.reshape(hidden_states.shape)


class TextToHandModel(ModelMixin, ConfigMixin):
    """Velocity of a person's tokens on the straight way from data to noise, given text.

    Blocks are those of DiT with cross-attention (PixArt-α's), one token a part of the body.

    Args:
        tokens: Number of tokens.
        width: Numbers of a token.
        channels: Width of the transformer.
        heads: Attention heads.
        layers: Blocks.
        text_width: Channels of the text features.
    """

    @register_to_config
    def __init__(
        self,
        tokens: int = len(TOKENS),
        width: int = WIDTH,
        channels: int = 128,
        heads: int = 4,
        layers: int = 6,
        text_width: int = 128,
    ) -> None:
        super().__init__()
        self.read = nn.Linear(width, channels)
        self.place = nn.Parameter(torch.randn(1, tokens, channels) * 0.02)
        self.time = AdaLayerNormSingle(channels)
        self.blocks = nn.ModuleList(_block(channels, heads, text_width) for _ in range(layers))
        self.norm = nn.LayerNorm(channels, elementwise_affine=False)
        self.write = nn.Linear(channels, width)
        nn.init.zeros_(self.write.weight)
        nn.init.zeros_(self.write.bias)
        # Mean and spread of every number over the data: tokens are standardised with them
        self.register_buffer("mean", torch.zeros(tokens, width))
        self.register_buffer("spread", torch.ones(tokens, width))

    def forward(
        self,
        sample: Float[Tensor, "n t w"],
        timestep: Float[Tensor, "n"],
        encoder_hidden_states: Float[Tensor, "k l c"],
        encoder_attention_mask: Bool[Tensor, "k l"] | None = None,
    ) -> Float[Tensor, "n t w"]:
        """The velocity [N, T, W] of standardised tokens at times 0 (data) … 1000 (noise).

        Args:
            sample: Noisy tokens.
            timestep: Of each sample, 0 … 1000.
            encoder_hidden_states: Features [K, L, C] of the texts of N / K following samples each.
            encoder_attention_mask: True at the features that belong to the text; None: all.
        """
        modulation, _ = self.time(timestep, hidden_dtype=sample.dtype)
        hidden = self.read(sample) + self.place
        bias = None
        if encoder_attention_mask is not None:
            bias = (1 - encoder_attention_mask[:, None].to(sample.dtype)) * -10000.0
        for block in self.blocks:
            hidden = block(
                hidden,
                encoder_hidden_states=encoder_hidden_states,
                encoder_attention_mask=bias,
                timestep=modulation,
            )
        return self.write(self.norm(hidden))

    def standardised(self, tokens: Float[Tensor, "n t w"]) -> Float[Tensor, "n t w"]:
        """Tokens with mean 0 and spread about 1."""
        return (tokens - self.mean) / self.spread

    def restored(self, standard: Float[Tensor, "n t w"]) -> Float[Tensor, "n t w"]:
        """The inverse of :meth:`standardised`."""
        return standard * self.spread + self.mean


def _block(channels: int, heads: int, text_width: int) -> BasicTransformerBlock:
    block = BasicTransformerBlock(
        channels,
        heads,
        channels // heads,
        cross_attention_dim=text_width,
        activation_fn="gelu-approximate",
        attention_bias=True,
        norm_type="ada_norm_single",
        norm_elementwise_affine=False,
    )
    assert block.attn2 is not None
    block.attn2.set_processor(SharedTextAttention())  # pyright: ignore[reportArgumentType] - any callable
    return block
