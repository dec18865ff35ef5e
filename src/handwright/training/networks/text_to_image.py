"""Networks of the text-to-image base: a UNet that attends to text at every level, and its text encoder."""

from __future__ import annotations

from typing import Any

from handwright.diffusion.loading.libraries import CLIPTextModel, CLIPTokenizer, UNet2DConditionModel
from handwright.training.networks.family import fresh_text_encoder

TEXT_WIDTH, TEXT_LAYERS = 256, 4
"""Channels and layers of the text encoder: about a tenth of the UNet's weights."""

WIDTHS = (96, 128, 192)
"""Channels of the levels: at 128 px of 16×16, 8×8 and 4×4 cells, at 256 px of 32×32, 16×16 and 8×8.
12.7 M weights: siblings of the same size must fit into the wheel beside it."""

_CHANNELS_PER_HEAD = 32


def fresh_base_unet(
    latent_channels: int, cells: int, widths: tuple[int, ...] = WIDTHS, text_width: int = TEXT_WIDTH
) -> UNet2DConditionModel:
    """An untrained UNet on latents alone, with cross-attention at every level.

    Args:
        latent_channels: Channels of a latent.
        cells: Side of the latents that it will first learn from.
        widths: Channels of the levels, multiples of 32.
        text_width: Channels of the text encoder.
    """
    options: dict[str, Any] = {
        "down_block_types": ("CrossAttnDownBlock2D",) * len(widths),
        "up_block_types": ("CrossAttnUpBlock2D",) * len(widths),
        "block_out_channels": widths,
        # diffusers reads this name as the number of heads
        "attention_head_dim": tuple(width // _CHANNELS_PER_HEAD for width in widths),
    }
    return UNet2DConditionModel(
        sample_size=cells,
        in_channels=latent_channels,
        out_channels=latent_channels,
        layers_per_block=1,
        cross_attention_dim=text_width,
        norm_num_groups=32,
        **options,
    )


def fresh_base_text_encoder(tokenizer: CLIPTokenizer) -> CLIPTextModel:
    """An untrained CLIP text transformer that learns together with the UNet."""
    return fresh_text_encoder(tokenizer, TEXT_WIDTH, TEXT_LAYERS)
