"""A picture from noise by the base alone: everything is to be painted, nothing controls it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image as PILImage

from handwright.diffusion.refiner_pipeline import HandRefinerPipeline

_GREY = 127  # Of the picture that a base made for inpainting is shown; all of it is masked


def paint_freely(
    pipeline: HandRefinerPipeline,
    prompt: str,
    width: int,
    height: int,
    generator: torch.Generator,
    **further: Any,  # noqa: ANN401
) -> UInt8[np.ndarray, "h w 3"]:
    """Paint a picture by its prompt.

    The base paints a square of the side that it was trained on; the picture is its upper left part.

    Args:
        pipeline: The base; its ControlNet counts for nothing.
        prompt: What the picture shows.
        width: Width of the picture, pixels.
        height: Height of the picture, pixels.
        generator: Source of all noise.
        **further: Further arguments of the pipeline's call, before what the model recommends for its text.

    Raises:
        DiffusionError: Out of memory, or the model's numbers overflowed.
    """
    side, square = pipeline.resolution, max(width, height)
    painted = pipeline(
        prompt,
        PILImage.new("RGB", (side, side), (_GREY,) * 3),
        PILImage.new("L", (side, side), 255),
        PILImage.new("RGB", (side, side)),
        blend=False,
        controlnet_conditioning_scale=0.0,
        generator=generator,
        **{**_from_text(pipeline), **further},
    ).images[0]
    sized = painted.convert("RGB").resize((square, square), PILImage.Resampling.LANCZOS)
    return np.asarray(sized)[:height, :width]


def free_settings(pipeline: HandRefinerPipeline) -> dict[str, Any]:
    """Steps and guidance that a model recommends where a picture, or all but its hands, comes from noise.

    A ControlNet that has its guidance in itself, or needs fewer steps, recommends its own.
    """
    traits = pipeline.traits
    own = {"num_inference_steps": traits.text_steps, "guidance_scale": traits.text_guidance}
    return _from_text(pipeline) | {name: value for name, value in own.items() if value is not None}


def _from_text(pipeline: HandRefinerPipeline) -> dict[str, Any]:
    preset = pipeline.preset
    return {"num_inference_steps": preset.text_steps, "guidance_scale": preset.text_guidance}


def noise_source(seed: int, part: int) -> torch.Generator:
    """The source of noise of one part of a picture."""
    number = int(np.random.SeedSequence([seed, part]).generate_state(1)[0])
    return torch.Generator("cpu").manual_seed(number)
