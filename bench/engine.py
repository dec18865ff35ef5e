"""What HandRefiner costs over a bare diffusers call: python bench/engine.py [--side S] [--steps N] [--n N].

SD 1.5-inpainting with a ControlNet at its real size, weights random (times do not depend on them). Each of N
pairs runs diffusers' StableDiffusionControlNetInpaintPipeline and HandRefinerPipeline with the same steps, in
turn first and second; the figure is the ratio of their times, bootstrap 95 % interval over pairs. What
HandRefiner adds is one encoding of the picture (the bare call encodes the masked picture alone, and eq. 1
needs the picture itself), and a blend of latents a step: --parts times both by themselves. The share of the
encoding falls as steps grow; the default is the published 50 steps, on a CPU at a side at which N pairs take
minutes. --rows also times one denoising step under other number formats and memory layouts.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import diffusers
import numpy as np
import torch
from transformers import CLIPTextConfig, CLIPTextModel

from handwright.diffusion.known_region import KnownRegionBlend
from handwright.diffusion.loading.components import load_tokenizer
from handwright.diffusion.loading.libraries import quiet
from handwright.diffusion.loading.places import EMBEDDED
from handwright.diffusion.refiner_pipeline import HandRefinerPipeline

GOAL = 1.03
"""Ratio that is aimed at."""

WIDTHS, DOWN = (320, 640, 1280, 1280), ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",)
VAE_WIDTHS = (128, 256, 512, 512)


def pipeline(
    dtype: torch.dtype,
    device: str,
    widths: tuple[int, ...] = WIDTHS,
    vae_widths: tuple[int, ...] = VAE_WIDTHS,
    side: int = 512,
) -> Any:
    """SD 1.5-inpainting with a ControlNet, random, for squares of `side`; narrower where widths are given."""
    torch.manual_seed(0)
    torch.set_default_dtype(dtype)
    shared: dict[str, Any] = {
        "block_out_channels": widths, "down_block_types": DOWN, "cross_attention_dim": 768,
        "attention_head_dim": 8,
    }  # fmt: skip
    with quiet():
        made = diffusers.StableDiffusionControlNetInpaintPipeline(
            vae=diffusers.AutoencoderKL(
                block_out_channels=vae_widths,
                down_block_types=("DownEncoderBlock2D",) * 4, sample_size=side,
                up_block_types=("UpDecoderBlock2D",) * 4, layers_per_block=2,
            ),
            text_encoder=CLIPTextModel(
                CLIPTextConfig(
                    hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12
                )
            ),
            tokenizer=load_tokenizer(EMBEDDED["tiny"] / "tokenizer"),
            unet=diffusers.UNet2DConditionModel(
                sample_size=side // 8, in_channels=9,
                up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3, **shared,
            ),
            controlnet=diffusers.ControlNetModel(**shared),
            scheduler=diffusers.DDIMScheduler(beta_schedule="scaled_linear", clip_sample=False),
            safety_checker=None, feature_extractor=None, requires_safety_checker=False,
        )  # fmt: skip
    torch.set_default_dtype(torch.float32)
    made.set_progress_bar_config(disable=True)
    with quiet():
        return made.to(device)


def seconds(run: Callable[[], object], device: str) -> float:
    """Of one run: of the GPU's clock, or of all CPU cores together, which other work disturbs less."""
    if device == "cpu":
        begin = time.process_time()
        run()
        return time.process_time() - begin
    torch.cuda.synchronize()
    begin = time.perf_counter()
    run()
    torch.cuda.synchronize()
    return time.perf_counter() - begin


def scene(side: int) -> dict[str, Any]:
    """Picture, mask and control image in [0, 1]."""
    picture, control = torch.rand(2, 1, 3, side, side, generator=torch.Generator().manual_seed(0))
    mask = torch.zeros(1, 1, side, side)
    mask[..., side // 4 : 3 * side // 4, side // 4 : 3 * side // 4] = 1
    return {"image": picture, "mask_image": mask, "control_image": control}


def overhead(pipe: Any, side: int, steps: int, pairs: int, device: str) -> np.ndarray:
    """Ratios of the times of HandRefiner and diffusers alone, one a pair."""
    ours, ratios = HandRefinerPipeline.from_pipe(pipe), []
    options: dict[str, Any] = {
        **scene(side), "num_inference_steps": steps, "guidance_scale": 9.0, "negative_prompt": "bad",
        "controlnet_conditioning_scale": 0.55, "output_type": "pt",
    }  # fmt: skip

    def bare() -> object:
        with torch.no_grad(), quiet():
            return pipe("a hand", **options, strength=1.0, generator=torch.Generator().manual_seed(0))

    def refined() -> object:
        return ours("a hand", **options, generator=torch.Generator().manual_seed(0))

    for number in range(pairs):
        order = (bare, refined) if number % 2 else (refined, bare)
        taken = {run.__name__: seconds(run, device) for run in order}
        ratios.append(taken["refined"] / taken["bare"])
        print(f"pair {number}: bare {taken['bare']:.1f} s, refined {taken['refined']:.1f} s", flush=True)
    return np.array(ratios)


@torch.no_grad()
def parts(pipe: Any, side: int, device: str, repeats: int = 3) -> None:
    """Time of what HandRefiner adds, the fastest of some: encoding the picture, the blend after a step."""
    given = scene(side)
    picture, mask = given["image"], given["mask_image"]
    seeded = torch.Generator().manual_seed(0)

    def encoded() -> KnownRegionBlend:
        return KnownRegionBlend.from_pipe(pipe, picture, mask, seeded)

    blend = encoded()
    pipe.scheduler.set_timesteps(50)
    pipe._num_timesteps = 50
    latents = {"latents": blend.known.clone()}

    def blended() -> object:
        return blend(pipe, 0, 0, latents)

    for name, run in (("encoding the picture", encoded), ("blend after a step", blended)):
        best = min(seconds(run, device) for _ in range(repeats))
        print(f"| {name} | {best:.4f} s |", flush=True)


@torch.no_grad()
def layouts(side: int, device: str, repeats: int = 3) -> None:
    """Time of one UNet step, batch of two, by number format and memory layout, the fastest of some."""
    for dtype in (torch.float32, torch.bfloat16, *([torch.float16] if device != "cpu" else [])):
        unet = pipeline(dtype, device).unet
        x = torch.randn(2, 9, side // 8, side // 8, device=device, dtype=dtype)
        text = torch.randn(2, 77, 768, device=device, dtype=dtype)
        for layout in (torch.contiguous_format, torch.channels_last):
            unet.to(memory_format=layout)
            placed = x.contiguous(memory_format=layout)
            best = min(seconds(lambda: unet(placed, 500, text), device) for _ in range(repeats))  # noqa: B023
            print(f"| {dtype} | {layout} | {best:.2f} s |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, help="of the pictures, in pixels; default 512, on a CPU 128")
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--n", type=int, default=4, help="pairs")
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16", "float16"])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--parts", action="store_true", help="what HandRefiner adds, by itself")
    parser.add_argument("--rows", action="store_true", help="number formats and memory layouts")
    args = parser.parse_args()
    args.side = args.side or (128 if args.device == "cpu" else 512)
    if args.parts:
        parts(pipeline(getattr(torch, args.dtype), args.device), args.side, args.device)
        return
    if args.rows:
        layouts(args.side, args.device)
        return
    ratios = overhead(
        pipeline(getattr(torch, args.dtype), args.device), args.side, args.steps, args.n, args.device
    )
    draws = np.random.default_rng(0).choice(ratios, (2000, len(ratios))).mean(1)
    low, high = np.quantile(draws, (0.025, 0.975))
    print(
        f"{args.side} px, {args.steps} steps, {args.dtype}, {args.device}: ratio {ratios.mean():.3f} "
        f"[{low:.3f}, {high:.3f}], N = {len(ratios)} pairs, seed 0 (goal ≤ {GOAL:g})"
    )


if __name__ == "__main__":
    main()
