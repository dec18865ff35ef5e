"""Samplers by name, on top of a model's own noise schedule. diffusers has the algorithms."""

from collections.abc import Mapping
from typing import Any, cast

import diffusers
import torch
from diffusers.schedulers.scheduling_flow_match_euler_discrete import FlowMatchEulerDiscreteScheduler
from jaxtyping import Float
from torch import Tensor

from handwright.diffusion.known_region import noised
from handwright.diffusion.loading.libraries import quiet
from handwright.errors import DiffusionError, UsageError

SAMPLERS: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "ddim": ("DDIMScheduler", {}),
    "dpm++": ("DPMSolverMultistepScheduler", {"algorithm_type": "dpmsolver++", "solver_order": 2}),
    "euler": ("EulerDiscreteScheduler", {}),
    "euler-a": ("EulerAncestralDiscreteScheduler", {}),
    "unipc": ("UniPCMultistepScheduler", {}),
    "flow": ("FlowMatchEulerDiscreteScheduler", {}),
}
"""Name → diffusers class and the settings that make it that sampler; 'auto' is the model's own."""


class FlowMatchUNetScheduler(FlowMatchEulerDiscreteScheduler):
    """Flow matching with what stock pipelines of UNets ask of a scheduler.

    Noise levels σ are even from 1 to 1 / steps, so that the last, unmasked step has work to do.
    """

    init_noise_sigma = 1.0

    def scale_model_input(self, sample: Tensor, timestep: Tensor | None = None) -> Tensor:
        """The sample: levels of a flow keep their variance."""
        del timestep
        return sample

    def add_noise(self, original_samples: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
        """(1 − σ) · clean + σ · noise."""
        return cast("Any", self).scale_noise(original_samples, timesteps, noise)

    def set_timesteps(
        self,
        num_inference_steps: int | None = None,
        device: Any = None,  # noqa: ANN401
        sigmas: list[float] | None = None,
        mu: float | None = None,
        timesteps: list[float] | None = None,
    ) -> None:
        """As in diffusers, with the levels above unless others are given."""
        if num_inference_steps is not None and sigmas is None and timesteps is None:
            sigmas = torch.linspace(1.0, 1.0 / num_inference_steps, num_inference_steps).tolist()
        cast("Any", super()).set_timesteps(num_inference_steps, device, sigmas, mu, timesteps)


def for_unet(scheduler: Any) -> Any:  # noqa: ANN401
    """The scheduler, or where it is a flow's, one that stock pipelines of UNets can work with."""
    if type(scheduler) is not FlowMatchEulerDiscreteScheduler:
        return scheduler
    return FlowMatchUNetScheduler.from_config(scheduler.config)


def open_sampler(name: str, scheduler_config: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """The diffusers scheduler of that name on a model's noise schedule.

    Raises:
        UsageError: There is no such sampler, or it does not go with what the model predicts.
        DiffusionError: The model's own scheduler is unknown to diffusers.
    """
    own = str(scheduler_config.get("_class_name", ""))
    if name == "auto":
        class_name, settings = own, {"skip_prk_steps": True} if own == "PNDMScheduler" else {}
    elif name in SAMPLERS:
        class_name, settings = SAMPLERS[name]
        class_name = own if is_flow_name(class_name) and is_flow_name(own) else class_name
    else:
        names = ", ".join(["auto", *SAMPLERS])
        raise UsageError(f"there is no sampler {name!r}", "", f"choose one of: {names}")
    _check_kind(name, class_name, own)
    scheduler = getattr(diffusers, class_name, None) if class_name.endswith("Scheduler") else None
    if class_name == FlowMatchUNetScheduler.__name__:
        scheduler = FlowMatchUNetScheduler
    if scheduler is None:
        raise DiffusionError(
            f"the model names {own!r} as its scheduler",
            "diffusers has none of that name",
            "choose a --sampler",
        )
    config = {"clip_sample": False, **scheduler_config}  # latents reach beyond [-1, 1]
    config.pop("_use_default_values", None)  # a config in memory then counts as much as one on disk
    with quiet():
        return scheduler.from_config({**config, **settings})


def steps_left(steps: int, level: float) -> int:
    """How many of ``steps`` are run from a noise level in (0, 1] on: round(steps · level), at least one."""
    return max(1, round(steps * level))


def is_flow(scheduler: Any) -> bool:  # noqa: ANN401
    """Whether the scheduler belongs to a flow-matching model."""
    return is_flow_name(type(scheduler).__name__)


def is_flow_name(class_name: str) -> bool:
    """Whether a scheduler class is of the flow-matching kind."""
    return class_name.startswith("FlowMatch")


def scaled_input(
    scheduler: Any,  # noqa: ANN401
    latents: Float[Tensor, "b c h w"],
    timestep: Tensor,
) -> Float[Tensor, "b c h w"]:
    """The latents as the network wants them: of unit variance under schedulers that keep them unscaled."""
    if hasattr(scheduler, "scale_model_input"):
        return scheduler.scale_model_input(latents, timestep)
    return latents


def predicted_original(
    scheduler: Any,  # noqa: ANN401
    prediction: Float[Tensor, "b c h w"],
    latents: Float[Tensor, "b c h w"],
    index: int,
) -> Float[Tensor, "b c h w"]:
    """The clean latents x̂0 that a prediction at ``scheduler.timesteps[index]`` implies."""
    one, zero = torch.ones_like(latents), torch.zeros_like(latents)
    signal, noise = noised(scheduler, one, zero, index), noised(scheduler, zero, one, index)
    if is_flow(scheduler):
        return latents - noise * prediction
    kind = scheduler.config.prediction_type
    if kind == "epsilon":
        return (latents - noise * prediction) / signal
    if kind == "v_prediction":
        length = (signal**2 + noise**2).sqrt()
        return (signal / length) * (latents / length) - (noise / length) * prediction
    return prediction


def _check_kind(name: str, class_name: str, own: str) -> None:
    """Raise unless model and sampler both are, or both are not, of the flow-matching kind."""
    wants, has = is_flow_name(class_name), is_flow_name(own)
    if wants == has:
        return
    what = "predicts a flow" if has else "does not predict a flow"
    raise UsageError(
        f"the sampler {name!r} does not go with this model",
        f"the model {what} ({own})",
        "choose auto" if has else "choose auto or ddim",
    )
