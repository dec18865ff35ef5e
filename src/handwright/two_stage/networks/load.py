"""Trained networks of both stages, onto a loaded pipeline's device and into its number format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from diffusers.models.adapter import T2IAdapter

from handwright.diffusion.loading.components import load_network
from handwright.diffusion.loading.controlnets import load_controlnet
from handwright.diffusion.loading.devices import laid_out
from handwright.diffusion.step_hooks import denoiser_of
from handwright.errors import DiffusionError
from handwright.two_stage.networks.hand_generator import HandGenerator
from handwright.two_stage.networks.outpainter import CONDITION_CHANNELS, Outpainter
from handwright.two_stage.networks.pose_baselines import PoseConcatenation, PoseNetwork


def load_pose_network(folder: Path, kind: str, pipe: Any) -> PoseNetwork:  # noqa: ANN401
    """A trained network of ``pose_baselines`` for a pipeline, by the name of its class.

    Raises:
        DiffusionError: It is missing, damaged, no safetensors, or was begun from another base.
    """
    if kind == PoseConcatenation.__name__:
        return _conditioned(PoseConcatenation, folder, pipe)
    network: Any = load_network(T2IAdapter, folder, denoiser_of(pipe).dtype)
    widths, wanted = (
        list(one) for one in (network.config["channels"], pipe.unet.config["block_out_channels"])
    )
    if widths != wanted:
        raise DiffusionError(
            f"the adapter in {folder} has features of {widths} channels", f"the model's UNet has {wanted}",
            "give the base that it was trained from with --model",
        )  # fmt: skip
    return _beside(network, pipe)


def load_hand_generator(folder: Path, pipe: Any) -> HandGenerator:  # noqa: ANN401
    """A trained hand generator for a pipeline.

    Raises:
        DiffusionError: It is missing, damaged, no safetensors, or was begun from another base.
    """
    return _conditioned(HandGenerator, folder, pipe)


def _conditioned(kind: type[HandGenerator], folder: Path, pipe: Any) -> Any:  # noqa: ANN401
    """A network that lays a condition in beside the latents that the pipeline's UNet reads."""
    network: Any = load_network(kind, folder, denoiser_of(pipe).dtype)
    reads = int(denoiser_of(pipe).config["in_channels"])
    if network.latent_channels != reads:
        raise DiffusionError(
            f"the network in {folder} reads {network.latent_channels} channels of latents",
            f"the model's UNet reads {reads}",
            "give the base that it was trained from with --model",
        )
    return _beside(network, pipe)


def load_pose_controlnet(folder: Path, pipe: Any) -> Any:  # noqa: ANN401
    """A ControlNet of any kind for a pipeline.

    Raises:
        DiffusionError: It is missing or damaged, or does not fit.
    """
    network = load_controlnet(folder, getattr(pipe, "unet", None), denoiser_of(pipe).dtype)
    return _beside(network, pipe)


def load_outpainter(folder: Path, pipe: Any) -> Outpainter:  # noqa: ANN401
    """A trained outpainter for a pipeline; whether its widths fit is checked when it is put in.

    Raises:
        DiffusionError: It is missing, damaged, no safetensors, or reads no mask beside the skeleton.
    """
    network: Any = load_network(Outpainter, folder, denoiser_of(pipe).dtype)
    reads = int(network.config["conditioning_channels"])
    if reads != CONDITION_CHANNELS:
        raise DiffusionError(
            f"{folder} holds no outpainter",
            f"its control image has {reads} channels, not skeleton and mask",
            "give it with --pose-controlnet, or train one with `handwright train outpainter`",
        )
    return _beside(network, pipe)


def _beside(network: Any, pipe: Any) -> Any:  # noqa: ANN401
    """The network where the pipeline's own are, laid out as they are."""
    place = pipe._execution_device
    return laid_out(network.to(place), place)
