"""Starting from a middle noise level where a stock pipeline has no ``strength`` of its own."""

import inspect
from typing import Any

import torch
from torch import Tensor

from handwright.diffusion.known_region import noised
from handwright.diffusion.latents import encode, exact, packed, pixels_per_token
from handwright.diffusion.loading.libraries import VaeImageProcessor, quiet, randn_tensor


def takes_part_of(pipe: Any) -> bool:  # noqa: ANN401 - any diffusers pipeline
    """Whether the pipeline's call has a ``strength``."""
    return "strength" in inspect.signature(pipe.__call__).parameters


def partial_start(
    pipe: Any,  # noqa: ANN401
    start_image: Any,  # noqa: ANN401
    steps: int,
    left: int,
    generator: torch.Generator | list[torch.Generator] | None,
) -> dict[str, Any]:
    """Arguments that make a flow-matching pipeline run the last ``left`` of ``steps`` steps on a picture.

    Args:
        pipe: A stock pipeline whose call takes ``sigmas`` and ``latents``.
        start_image: The picture to start from, in any form that diffusers takes.
        steps: Steps of a run from pure noise; σ runs evenly from 1 to 1 / steps, before the schedule's shift.
        left: How many are run.
        generator: Where the noise comes from.
    """
    sigmas = torch.linspace(1.0, 1.0 / steps, steps).tolist()[steps - left :]
    picture = VaeImageProcessor().preprocess(start_image)
    with exact(pipe.vae):
        clean = packed(pipe, encode(pipe.vae, picture.to(pipe._execution_device)))
    noise = randn_tensor(clean.shape, generator=generator, device=clean.device, dtype=clean.dtype)
    scheduler = type(pipe.scheduler).from_config(pipe.scheduler.config)
    scheduler.set_timesteps(sigmas=sigmas, device=clean.device, **_shift(scheduler, pipe, picture))
    return {
        "latents": noised(scheduler, clean, noise, 0),
        "sigmas": sigmas,
        "num_inference_steps": left,
    }


def _shift(scheduler: Any, pipe: Any, picture: Tensor) -> dict[str, float]:  # noqa: ANN401
    """The μ of schedules that shift with the picture's size."""
    config = scheduler.config
    if not config.get("use_dynamic_shifting"):
        return {}
    with quiet():
        from diffusers.pipelines.flux.pipeline_flux import calculate_shift
    unit = pixels_per_token(pipe)
    tokens = (picture.shape[-2] // unit) * (picture.shape[-1] // unit)
    limits = (
        ("base_image_seq_len", 256),
        ("max_image_seq_len", 4096),
        ("base_shift", 0.5),
        ("max_shift", 1.15),
    )
    return {"mu": calculate_shift(tokens, *(config.get(name, usual) for name, usual in limits))}
