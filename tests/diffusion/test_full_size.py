"""SD 1.5 and SDXL for inpainting with ControlNets in their real sizes, weights random: they load and run."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import diffusers
import psutil
import pytest
import torch
from diffusers import AutoencoderKL, ControlNetModel, StableDiffusionInpaintPipeline, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from handwright.diffusion.loading.libraries import quiet
from handwright.diffusion.refiner_pipeline import HandRefinerPipeline
from tests.diffusion.models import sd_scheduler, small_tokenizer

WIDTHS = (320, 640, 1280, 1280)


@contextmanager
def bfloat16() -> Iterator[None]:
    """New weights in bfloat16."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def write_full_size(folder: Path) -> None:
    down = ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",)
    tokenizer = small_tokenizer()
    torch.manual_seed(0)
    with quiet(), bfloat16():
        ControlNetModel(
            block_out_channels=WIDTHS, down_block_types=down, cross_attention_dim=768, attention_head_dim=8
        ).save_pretrained(folder / "controlnet")
        StableDiffusionInpaintPipeline(
            vae=AutoencoderKL(
                block_out_channels=(128, 256, 512, 512),
                down_block_types=("DownEncoderBlock2D",) * 4,
                up_block_types=("UpDecoderBlock2D",) * 4,
                layers_per_block=2,
                sample_size=512,
            ),
            text_encoder=CLIPTextModel(
                CLIPTextConfig(
                    hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12
                )
            ),
            tokenizer=tokenizer,
            unet=UNet2DConditionModel(
                sample_size=64,
                in_channels=9,
                block_out_channels=WIDTHS,
                down_block_types=down,
                up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
                cross_attention_dim=768,
                attention_head_dim=8,
            ),
            scheduler=sd_scheduler(),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        ).save_pretrained(folder)


@pytest.mark.slow
def test_the_full_size_model_takes_two_steps_within_12_gb(tmp_path: Path) -> None:
    write_full_size(tmp_path)
    pipe = HandRefinerPipeline.from_pretrained(tmp_path, dtype="bfloat16", device="cpu")
    assert sum(weights.numel() for weights in pipe.pipe.unet.parameters()) == 859_535_364
    picture, control = torch.rand(2, 1, 3, 512, 512, generator=torch.Generator().manual_seed(0))
    mask = torch.zeros(1, 1, 512, 512)
    mask[..., 100:300, 150:380] = 1
    made = pipe(
        "a hand", picture, mask, control, num_inference_steps=2, output_type="tensor",
        generator=torch.Generator().manual_seed(0),
    ).images  # fmt: skip
    assert made.shape == (1, 3, 512, 512)
    assert made.isfinite().all()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 12e6, "kilobytes at the highest"


def full_size_sdxl() -> diffusers.StableDiffusionXLControlNetInpaintPipeline:
    """SDXL-inpainting with a depth ControlNet, in memory."""
    shared: dict[str, Any] = {
        "block_out_channels": (320, 640, 1280),
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        "cross_attention_dim": 2048,
        "attention_head_dim": (5, 10, 20),
        "transformer_layers_per_block": (1, 2, 10),
        "use_linear_projection": True,
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 256,
        "projection_class_embeddings_input_dim": 2816,
    }
    first = CLIPTextConfig(
        hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12
    )
    second = CLIPTextConfig(
        hidden_size=1280, intermediate_size=5120, num_hidden_layers=32, num_attention_heads=20,
        projection_dim=1280, hidden_act="gelu",
    )  # fmt: skip
    torch.manual_seed(0)
    with quiet(), bfloat16():
        return diffusers.StableDiffusionXLControlNetInpaintPipeline(
            vae=AutoencoderKL(
                block_out_channels=(128, 256, 512, 512),
                down_block_types=("DownEncoderBlock2D",) * 4,
                up_block_types=("UpDecoderBlock2D",) * 4,
                layers_per_block=2,
                scaling_factor=0.13025,
            ),
            text_encoder=CLIPTextModel(first),
            text_encoder_2=CLIPTextModelWithProjection(second),
            tokenizer=small_tokenizer(),
            tokenizer_2=small_tokenizer(),
            unet=UNet2DConditionModel(
                sample_size=128,
                in_channels=9,
                up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
                **shared,
            ),
            controlnet=ControlNetModel(**shared),
            scheduler=diffusers.EulerDiscreteScheduler(beta_schedule="scaled_linear"),
            add_watermarker=False,
        )


@pytest.mark.slow
@pytest.mark.skipif(
    psutil.virtual_memory().available < 12e9, reason="SDXL at full size wants 12 GB of free memory"
)
def test_sdxl_at_full_size_takes_one_step() -> None:
    pipe = HandRefinerPipeline.from_pipe(full_size_sdxl())
    assert pipe.preset.name == "sdxl"
    assert sum(weights.numel() for weights in pipe.pipe.unet.parameters()) == 2_567_478_084
    picture, control = torch.rand(2, 1, 3, 512, 512, generator=torch.Generator().manual_seed(0))
    mask = torch.zeros(1, 1, 512, 512)
    mask[..., 100:300, 150:380] = 1
    made = pipe(
        "a hand", picture, mask, control, num_inference_steps=1, guidance_scale=1.0, output_type="tensor",
        generator=torch.Generator().manual_seed(0),
    ).images  # fmt: skip
    assert made.shape == (1, 3, 512, 512)
    assert made.isfinite().all()
