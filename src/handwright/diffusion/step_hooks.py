"""What a stock pipeline's call cannot be asked for: control strength by step, guidance on control, a record.

Everything here is attached to the networks and the scheduler of one run and taken off again after it.
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from handwright.diffusion.guidance import guided
from handwright.diffusion.samplers import predicted_original, scaled_input

OnStep = Callable[[int, Tensor, Tensor, Tensor], None]
"""Called with step, timestep, noisy latents as the network sees them, and predicted clean latents."""


def denoiser_of(pipe: Any) -> Any:  # noqa: ANN401 - any diffusers pipeline
    """The network that predicts: a pipeline's UNet or transformer."""
    unet = getattr(pipe, "unet", None)
    return pipe.transformer if unet is None else unet


@contextmanager
def step_hooks(
    pipe: Any,  # noqa: ANN401
    strengths: Sequence[float] | None,
    control_guidance: float,
    on_step: OnStep | None,
    beside: Float[Tensor, "b k h w"] | None = None,
    *,
    controlled: bool = True,
) -> Generator[None]:
    """Attach what is asked for during the block.

    Args:
        pipe: A stock pipeline with a ControlNet.
        strengths: Control strength of every step that is run, in place of the call's own; None: as called.
        control_guidance: w_D of ``HandRefinerPipeline``; 1 runs nothing twice.
        on_step: Called at every step.
        beside: [b, L + 1, h, w] mask and masked picture's latents, for ``blind_networks``.
        controlled: Whether the call's control strength is above 0; if not, the ControlNet runs once.
    """
    with ExitStack() as stack:
        if beside is not None:
            for network in blind_networks(pipe):
                change = _Beside(beside, int(network.config["in_channels"]))
                stack.callback(network.register_forward_pre_hook(change, with_kwargs=True).remove)
        if strengths is not None:
            change = _StrengthByStep(pipe, strengths)
            stack.callback(pipe.controlnet.register_forward_pre_hook(change, with_kwargs=True).remove)
        if not controlled:
            stack.enter_context(_called_once(pipe.controlnet))
        if control_guidance != 1:
            change = _ControlGuidance(control_guidance)
            stack.callback(denoiser_of(pipe).register_forward_hook(change, with_kwargs=True).remove)
        if on_step is not None:
            stack.enter_context(_recorded(pipe, on_step))
        yield


def blind_networks(pipe: Any) -> list[Any]:  # noqa: ANN401
    """Networks that read latents, mask and masked picture, where the stock pipeline gives latents alone.

    It gives all to UNets of 9 channels, those of 4 latent ones; other inpainting UNets (33 channels in the
    embedded family) and ControlNets of that many channels are left to us.
    """
    if getattr(pipe, "unet", None) is None:
        return []
    whole = 2 * int(pipe.vae.config["latent_channels"]) + 1
    left_out = [*([pipe.unet] if whole != _STOCK_CHANNELS else []), pipe.controlnet]
    return [network for network in left_out if network.config.get("in_channels") == whole]


_STOCK_CHANNELS = 9  # Of the inpainting UNets that diffusers' pipelines know


class _Beside:
    """Hook before a network that reads x with x_mask, for calls with x alone."""

    def __init__(self, beside: Float[Tensor, "b k h w"], channels: int) -> None:
        self.beside, self.channels = beside, channels

    def __call__(self, network: Any, args: Any, kwargs: dict[str, Any]) -> Any:  # noqa: ANN401
        del network
        x, *others = args
        if x.shape[1] < self.channels:
            beside = self.beside.to(x).repeat(len(x) // len(self.beside), 1, 1, 1)  # branches of guidance
            x = torch.cat([x, beside], dim=1)
        return (x, *others), kwargs


class _StrengthByStep:
    """Hook before the ControlNet: its residuals' factor is that of the step."""

    def __init__(self, pipe: Any, strengths: Sequence[float]) -> None:  # noqa: ANN401
        self.pipe, self.strengths, self.calls = pipe, strengths, 0

    def __call__(self, network: Any, args: Any, kwargs: dict[str, Any]) -> Any:  # noqa: ANN401
        del network
        place = self.calls * len(self.strengths) // self.pipe.num_timesteps
        self.calls += 1
        return args, {**kwargs, "conditioning_scale": self.strengths[min(place, len(self.strengths) - 1)]}


@contextmanager
def _called_once(network: Any) -> Generator[None]:  # noqa: ANN401
    """A ControlNet at strength 0: all its residuals are zeros, so that those of one step serve for all."""
    own, forward, first = vars(network).get("forward"), network.forward, list[Any]()

    def once(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        if not first:
            first.append(forward(*args, **kwargs))
        return first[0]

    network.forward = once
    try:
        yield
    finally:
        del network.forward
        if own is not None:
            network.forward = own


class _ControlGuidance:
    """Hook after the denoiser: ε without control, and w_D times what control changes in it."""

    def __init__(self, weight: float) -> None:
        self.weight, self.inside = weight, False

    def __call__(self, network: Any, args: Any, kwargs: dict[str, Any], output: Any) -> Any:  # noqa: ANN401
        bare = {name: value for name, value in kwargs.items() if not _is_control(name)}
        if self.inside or len(bare) == len(kwargs):
            return output
        self.inside = True
        try:
            without = network(*args, **bare)
        finally:
            self.inside = False
        mixed = _mixed(output[0], without[0], self.weight)
        return (mixed, *output[1:]) if isinstance(output, tuple) else type(output)(mixed)


def _is_control(name: str) -> bool:
    return "controlnet" in name or "additional_residual" in name


def _mixed(controlled: Any, bare: Any, weight: float) -> Any:  # noqa: ANN401 - a tensor, or a list of them
    if isinstance(controlled, list):
        return [guided(one, other, weight) for one, other in zip(controlled, bare, strict=True)]
    return guided(controlled, bare, weight)


@contextmanager
def _recorded(pipe: Any, on_step: OnStep) -> Generator[None]:  # noqa: ANN401
    scheduler, step, calls = pipe.scheduler, pipe.scheduler.step, 0

    def recording(prediction: Tensor, timestep: Tensor, latents: Tensor, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        nonlocal calls
        index = len(scheduler.timesteps) - pipe.num_timesteps + calls
        clean = predicted_original(scheduler, prediction, latents, index)
        on_step(calls, timestep, scaled_input(scheduler, latents, timestep), clean)
        calls += 1
        return step(prediction, timestep, latents, *args, **kwargs)

    scheduler.step = recording
    try:
        yield
    finally:
        del scheduler.step
