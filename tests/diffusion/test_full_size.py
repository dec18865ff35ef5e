"""SD 1.5-inpainting and its ControlNet in their real sizes, weights random: they load and they run."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL, ControlNetModel, StableDiffusionInpaintPipeline, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

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
