"""Small models of every family of the zoo with random weights, on disk in their published layouts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import torch
from transformers import (
    CLIPTextConfig,
    CLIPTextModelWithProjection,
    Qwen2Tokenizer,
    Qwen3Config,
    Qwen3Model,
    T5Config,
    T5EncoderModel,
    T5Tokenizer,
)

from handwright.diffusion.loading.libraries import quiet
from tests.diffusion.models import (
    TOKENS,
    small_controlnet,
    small_tokenizer,
    small_unet,
    small_vae,
    text_parts,
    write_sd,
)

WIDTH = 32
SIDE = 64


def write_sdxl(folder: Path, in_channels: int = 9, *, seed: int = 0) -> Path:
    """SDXL-inpainting (9 channels) or SDXL (4): two text encoders, micro-conditioning, a depth ControlNet."""
    torch.manual_seed(seed)
    text, tokenizer = text_parts(WIDTH)
    second = clip_with_projection(2 * WIDTH, WIDTH)
    heads: dict[str, Any] = {
        "cross_attention_dim": 3 * WIDTH,
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 8,
        "projection_class_embeddings_input_dim": 6 * 8 + WIDTH,
        "transformer_layers_per_block": 1,
    }
    unet = small_unet(in_channels, **heads)
    control = small_controlnet(unet, **heads)
    kind = (
        diffusers.StableDiffusionXLInpaintPipeline
        if in_channels == 9
        else diffusers.StableDiffusionXLPipeline
    )
    with quiet():
        kind(
            vae=small_vae(scaling_factor=0.13025, force_upcast=True),
            text_encoder=text,
            text_encoder_2=second,
            tokenizer=tokenizer,
            tokenizer_2=small_tokenizer(),
            unet=unet,
            scheduler=diffusers.EulerDiscreteScheduler(
                beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", timestep_spacing="leading",
                steps_offset=1,
            ),
            add_watermarker=False,
        ).save_pretrained(folder)  # fmt: skip
        control.save_pretrained(folder / "controlnet")
    return folder


def clip_with_projection(width: int, projection: int) -> CLIPTextModelWithProjection:
    """A text encoder with a pooled output."""
    tokenizer = small_tokenizer()
    config = CLIPTextConfig(
        vocab_size=len(tokenizer), hidden_size=width, intermediate_size=2 * width, num_hidden_layers=2,
        num_attention_heads=4, max_position_embeddings=TOKENS, projection_dim=projection,
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.eos_token_id,
    )  # fmt: skip
    return CLIPTextModelWithProjection(config).eval()


def t5_parts(width: int) -> tuple[T5EncoderModel, T5Tokenizer]:
    """T5's encoder with a tokenizer of letters."""
    pieces = ["<pad>", "</s>", "<unk>", *("▁" + chr(code) for code in range(97, 123)), "▁"]
    pieces += [chr(code) for code in range(33, 127)]
    tokenizer = T5Tokenizer(
        vocab=[(piece, -float(number)) for number, piece in enumerate(pieces)], extra_ids=0
    )
    tokenizer.model_max_length = 512
    config = T5Config(
        vocab_size=len(tokenizer), d_model=width, d_kv=8, d_ff=2 * width, num_layers=1, num_heads=4,
        feed_forward_proj="gated-gelu",
    )  # fmt: skip
    return T5EncoderModel(config).eval(), tokenizer


def transformer_vae() -> diffusers.AutoencoderKL:
    """The VAE of SD 3, FLUX and Z-Image, narrow: 16 latent channels, shifted, no quantising layers."""
    return small_vae(
        latent_channels=16,
        scaling_factor=0.3611,
        shift_factor=0.1159,
        use_quant_conv=False,
        use_post_quant_conv=False,
    )


def flow(**settings: Any) -> diffusers.FlowMatchEulerDiscreteScheduler:
    """The schedule of flow-matching models."""
    return diffusers.FlowMatchEulerDiscreteScheduler(num_train_timesteps=1000, **settings)


def write_sd3(folder: Path, *, seed: int = 0) -> Path:
    """SD 3.5 with its ControlNet: three text encoders, joint attention."""
    torch.manual_seed(seed)
    t5, t5_tokenizer = t5_parts(2 * WIDTH)
    sizes: dict[str, Any] = {
        "sample_size": SIDE // 8, "patch_size": 2, "in_channels": 16, "num_layers": 2,
        "attention_head_dim": 8, "num_attention_heads": 4, "joint_attention_dim": 2 * WIDTH,
        "caption_projection_dim": 32, "pooled_projection_dim": 2 * WIDTH, "out_channels": 16,
        "pos_embed_max_size": 16,
    }  # fmt: skip
    with quiet():
        diffusers.StableDiffusion3Pipeline(
            transformer=diffusers.SD3Transformer2DModel(**sizes).eval(),
            scheduler=flow(shift=3.0),
            vae=transformer_vae(),
            text_encoder=clip_with_projection(WIDTH, WIDTH),
            tokenizer=small_tokenizer(),
            text_encoder_2=clip_with_projection(WIDTH, WIDTH),
            tokenizer_2=small_tokenizer(),
            text_encoder_3=t5,
            tokenizer_3=t5_tokenizer,
        ).save_pretrained(folder)
        control = diffusers.SD3ControlNetModel(**{**sizes, "num_layers": 1})
        awake(control.controlnet_blocks, control.pos_embed_input)
        control.save_pretrained(folder / "controlnet")
    return folder


def write_flux(folder: Path, *, seed: int = 0) -> Path:
    """FLUX.1 with a depth ControlNet: latents packed into tokens, guidance embedded."""
    torch.manual_seed(seed)
    t5, t5_tokenizer = t5_parts(2 * WIDTH)
    text, tokenizer = text_parts(WIDTH)
    sizes: dict[str, Any] = {
        "patch_size": 1, "in_channels": 64, "num_layers": 1, "num_single_layers": 1, "attention_head_dim": 16,
        "num_attention_heads": 2, "joint_attention_dim": 2 * WIDTH, "pooled_projection_dim": WIDTH,
        "guidance_embeds": True, "axes_dims_rope": (4, 4, 8),
    }  # fmt: skip
    with quiet():
        diffusers.FluxPipeline(
            scheduler=flow(use_dynamic_shifting=True),
            vae=transformer_vae(),
            text_encoder=text,
            tokenizer=tokenizer,
            text_encoder_2=t5,
            tokenizer_2=t5_tokenizer,
            transformer=diffusers.FluxTransformer2DModel(**sizes).eval(),
        ).save_pretrained(folder)
        control = diffusers.FluxControlNetModel(**sizes)
        awake(control.controlnet_blocks, control.controlnet_single_blocks, control.controlnet_x_embedder)
        control.save_pretrained(folder / "controlnet")
    return folder


def write_z_image(folder: Path, *, seed: int = 0) -> Path:
    """Z-Image with its union ControlNet, which reads mask and masked picture."""
    torch.manual_seed(seed)
    letters = [chr(code) for code in range(33, 127)] + ["Ġ", "Ċ"]
    tokenizer = Qwen2Tokenizer(
        vocab={letter: number for number, letter in enumerate([*letters, "<|endoftext|>"])}, merges=[]
    )
    tokenizer.chat_template = "{% for m in messages %}{{ m['content'] }}{% endfor %}"
    sizes: dict[str, Any] = {
        "all_patch_size": (2,), "all_f_patch_size": (1,), "dim": 32, "n_refiner_layers": 1, "n_heads": 2,
        "n_kv_heads": 2,
    }  # fmt: skip
    with quiet():
        diffusers.ZImagePipeline(
            scheduler=flow(shift=3.0),
            vae=transformer_vae(),
            text_encoder=Qwen3Model(
                Qwen3Config(
                    vocab_size=len(tokenizer),
                    hidden_size=WIDTH,
                    intermediate_size=WIDTH,
                    num_hidden_layers=2,
                    num_attention_heads=2,
                    num_key_value_heads=2,
                    head_dim=16,
                )
            ).eval(),
            tokenizer=tokenizer,
            transformer=diffusers.ZImageTransformer2DModel(
                **sizes,
                in_channels=16,
                n_layers=2,
                cap_feat_dim=WIDTH,
                axes_dims=[4, 4, 8],
                axes_lens=[256, 64, 64],
            ).eval(),
        ).save_pretrained(folder)
        control = diffusers.ZImageControlNetModel(
            control_layers_places=[0], control_refiner_layers_places=[0], control_in_dim=33,
            add_control_noise_refiner="control_noise_refiner", **sizes,
        )  # fmt: skip
        awake(
            *(
                block
                for name, block in control.named_modules()
                if name.endswith(("before_proj", "after_proj"))
            )
        )
        control.save_pretrained(folder / "controlnet")
    return folder


def awake(*layers: torch.nn.Module) -> None:
    """Give layers that begin at zero numbers of their own."""
    with torch.no_grad():
        for layer in layers:
            for weights in layer.parameters():
                torch.nn.init.normal_(weights, std=0.1)


WRITERS: dict[str, Callable[[Path], Path]] = {
    "sd15": lambda folder: write_sd(folder, 9),
    "sd15 plain": lambda folder: write_sd(folder, 4),
    "sdxl": write_sdxl,
    "sdxl plain": lambda folder: write_sdxl(folder, 4),
    "sd3": write_sd3,
    "flux": write_flux,
    "z-image": write_z_image,
}
"""Every preset, and plain bases where people have both."""
