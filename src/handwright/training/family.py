"""Sizes of the embedded diffusion family, and fresh members of it."""

from __future__ import annotations

import math
from typing import Any

import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from transformers import CLIPTextConfig

from handwright.diffusion.libraries import (
    CLIPTextModel,
    CLIPTokenizer,
    ControlNetModel,
    UNet2DConditionModel,
)

RESOLUTION = 128
LATENT_CHANNELS = 16
TEXT_WIDTH = 192
TEXT_LENGTH = 77
_GATES = {
    "controlnet_cond_embedding.conv_out": 1.0,
    "controlnet_down_blocks": 0.3,
    "controlnet_mid_block": 0.3,
}
"""Layers that shut a new ControlNet off, and how wide they start where they need not (1: as PyTorch's)."""

_BLOCKS: dict[str, Any] = {
    "down_block_types": ("DownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D"),
    "block_out_channels": (64, 128, 192),
    "layers_per_block": 1,
    "cross_attention_dim": TEXT_WIDTH,
    "attention_head_dim": 8,
    "norm_num_groups": 16,
}


def fresh_unet() -> UNet2DConditionModel:
    """Inpainting UNet: noisy latents, mask, latents of the masked picture."""
    return UNet2DConditionModel(
        sample_size=RESOLUTION // 4,
        in_channels=2 * LATENT_CHANNELS + 1,
        out_channels=LATENT_CHANNELS,
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
        **_BLOCKS,
    )


def controlnet_from(unet: UNet2DConditionModel) -> ControlNetModel:
    """A depth ControlNet that starts as a copy of an inpainting UNet's encoder and changes nothing yet.

    It sees the noisy latents alone: of the UNet's first convolution it keeps those channels.
    """
    control = ControlNetModel(
        in_channels=LATENT_CHANNELS,
        conditioning_channels=3,
        conditioning_embedding_out_channels=(16, 32, 64),
        **_BLOCKS,
    )
    fresh, trained = control.state_dict(), unet.state_dict()
    shared = {name: trained[name] for name in fresh if name in trained}
    shared["conv_in.weight"] = trained["conv_in.weight"][:, :LATENT_CHANNELS]
    control.load_state_dict(fresh | shared)
    return control


def general_controlnet(unet: UNet2DConditionModel) -> ControlNetModel:
    """A ControlNet to train together with its UNet from the start.

    Nothing needs protecting yet, so the two gates that a ControlNet opens slowly (the last layer of its
    embedding, the convolutions of its residuals) start open; behind two shut ones depth is long unseen.
    """
    control = controlnet_from(unet)
    for name, values in control.named_parameters():
        share = next((share for start, share in _GATES.items() if name.startswith(start)), None)
        if share is not None:
            bound = share / math.sqrt(max(values[0].numel(), 1))
            torch.nn.init.uniform_(values, -bound, bound)
    return control


def fresh_text_encoder(tokenizer: CLIPTokenizer) -> CLIPTextModel:
    """A small CLIP text transformer for this tokenizer."""
    start, *_, end = tokenizer("").input_ids
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=TEXT_WIDTH,
            intermediate_size=4 * TEXT_WIDTH,
            num_hidden_layers=3,
            num_attention_heads=6,
            max_position_embeddings=TEXT_LENGTH,
            bos_token_id=start,
            eos_token_id=end,
            pad_token_id=end,
        )
    )


def noise_schedule() -> DDIMScheduler:
    """SD's noise levels, sampled from the noisiest on (Lin et al. 2024), which few steps need.

    The network predicts v (Salimans & Ho 2022), which stays well scaled at every level.
    """
    return DDIMScheduler(
        num_train_timesteps=1000,
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        timestep_spacing="trailing",
        prediction_type="v_prediction",
    )
