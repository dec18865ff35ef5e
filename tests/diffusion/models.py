"""Small models with random weights, on disk in the exact layouts of SD 1.5-inpainting and SD 1.5."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    ControlNetModel,
    PNDMScheduler,
    StableDiffusionInpaintPipeline,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from handwright.diffusion.guidance import NEGATIVE_PROMPT
from handwright.diffusion.loading.libraries import quiet

TEXT_WIDTH = 32
TOKENS = 77
RESOLUTION = 64


def small_tokenizer() -> CLIPTokenizer:
    """CLIP's tokenizer with a vocabulary of single characters and of the negative prompt's words."""
    letters = [chr(code) for code in range(33, 127)]
    pieces, merges = [*letters, *(letter + "</w>" for letter in letters)], []
    for word in dict.fromkeys(re.findall(r"[a-z]+", NEGATIVE_PROMPT.lower())):
        parts = [*word[:-1], word[-1] + "</w>"]
        for end in range(1, len(parts)):
            pair = ("".join(parts[:end]), parts[end])
            if pair not in merges:
                merges.append(pair)
                pieces.append("".join(pair))
    names = [*dict.fromkeys(pieces), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {piece: number for number, piece in enumerate(names)}
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=TOKENS)


def text_parts(width: int = TEXT_WIDTH) -> tuple[CLIPTextModel, CLIPTokenizer]:
    """A text encoder and its tokenizer."""
    tokenizer = small_tokenizer()
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=TOKENS,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.eos_token_id,
    )
    return CLIPTextModel(config).eval(), tokenizer


def small_vae(**settings: Any) -> AutoencoderKL:
    """SD's VAE, narrow: 4 latent channels, 8 pixels per latent."""
    options: dict[str, Any] = {
        "block_out_channels": (8, 8, 8, 8),
        "down_block_types": ("DownEncoderBlock2D",) * 4,
        "up_block_types": ("UpDecoderBlock2D",) * 4,
        "latent_channels": 4,
        "norm_num_groups": 4,
        "layers_per_block": 1,
        "scaling_factor": 0.18215,
    }
    return AutoencoderKL(**{**options, **settings}).eval()


def small_unet(in_channels: int, **settings: Any) -> UNet2DConditionModel:
    """SD's UNet, narrow and two levels deep."""
    options: dict[str, Any] = {
        "sample_size": RESOLUTION // 8,
        "out_channels": 4,
        "block_out_channels": (16, 32),
        "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
        "layers_per_block": 1,
        "cross_attention_dim": TEXT_WIDTH,
        "attention_head_dim": 4,
        "norm_num_groups": 8,
    }
    return UNet2DConditionModel(in_channels=in_channels, **{**options, **settings}).eval()


def small_controlnet(unet: UNet2DConditionModel, **settings: Any) -> ControlNetModel:
    """A ControlNet of the UNet's widths on bare latents, its zero convolutions no longer zero."""
    options: dict[str, Any] = {
        "in_channels": 4,
        "block_out_channels": unet.config.block_out_channels,
        "down_block_types": unet.config.down_block_types,
        "layers_per_block": unet.config.layers_per_block,
        "cross_attention_dim": unet.config.cross_attention_dim,
        "attention_head_dim": unet.config.attention_head_dim,
        "norm_num_groups": unet.config.norm_num_groups,
    }
    net = ControlNetModel(**{**options, **settings}).eval()
    with torch.no_grad():
        for zero in [
            *net.controlnet_down_blocks,
            net.controlnet_mid_block,
            net.controlnet_cond_embedding.conv_out,
        ]:
            torch.nn.init.normal_(zero.weight, std=0.1)
    return net


def sd_scheduler() -> PNDMScheduler:
    """The scheduler that SD 1.5 comes with."""
    return PNDMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        num_train_timesteps=1000,
        set_alpha_to_one=False,
        skip_prk_steps=True,
        steps_offset=1,
    )


def write_sd(folder: Path, in_channels: int, *, controlnet: bool = True, seed: int = 0) -> Path:
    """Write a pipeline of 9 (inpainting) or 4 input channels with ``save_pretrained``; returns its folder."""
    torch.manual_seed(seed)
    text_encoder, tokenizer = text_parts()
    kind = StableDiffusionInpaintPipeline if in_channels == 9 else StableDiffusionPipeline
    unet = small_unet(in_channels)
    with quiet():
        kind(
            vae=small_vae(),
            text_encoder=text_encoder,
            tokenizer=tokenizer,
            unet=unet,
            scheduler=sd_scheduler(),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        ).save_pretrained(folder, safe_serialization=True)
        if controlnet:
            small_controlnet(unet).save_pretrained(folder / "controlnet", safe_serialization=True)
    return folder
