"""Networks of ours beside a base: a model's own go on learning; where it has none, new ones begin."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from handwright.diffusion.latents import pixels_per_latent
from handwright.diffusion.loading.components import load_network
from handwright.diffusion.loading.controlnets import load_controlnet
from handwright.diffusion.loading.places import controlnet_place, own_part
from handwright.diffusion.loading.zoo import DiffusionModels
from handwright.handiffuser.pipeline import ENCODER
from handwright.handiffuser.text_hand_encoder import TextHandEncoder
from handwright.training.settings import TrainSettings
from handwright.two_stage.networks.hand_generator import CONDITION_CHANNELS, WITH_DEPTH, HandGenerator
from handwright.two_stage.networks.outpainter import Outpainter


def hand_generator_of(place: Path, family: DiffusionModels, settings: TrainSettings) -> HandGenerator:
    """Stage I's network of the two-stage system.

    Args:
        place: Folder of the model.
        family: The model itself.
        settings: Which network is asked for; one that differs from the model's own begins anew.

    Raises:
        DiffusionError: The model's own is damaged.
    """
    if (folder := own_part(place, "hand_generator")) is not None:
        own = load_network(HandGenerator, folder, torch.float32)
        if _goes_on(settings, {"hand_depth": own.reads_depth, "mask_head": own.mask_head is not None}):
            return own
    return HandGenerator.from_unet(
        family.unet,
        new_weights=settings.new_weights or "random",
        condition_channels=WITH_DEPTH if settings.hand_depth else CONDITION_CHANNELS,
        with_mask_head=settings.mask_head,
    )


def outpainter_of(place: Path, family: DiffusionModels, settings: TrainSettings) -> Outpainter:
    """Stage II's network; arguments as of :func:`hand_generator_of`.

    It begins anew from the OpenPose ControlNet that the settings name, or where they ask for new weights.

    Raises:
        DiffusionError: The model's own, or the ControlNet, is missing or damaged.
    """
    begun, folder = family.controlnet, own_part(place, "outpainter")
    if settings.pose_controlnet is not None:
        begun = load_controlnet(controlnet_place(settings.pose_controlnet), family.unet, torch.float32)
    elif folder is not None and settings.new_weights is None:
        return load_network(Outpainter, folder, torch.float32)
    return Outpainter.begin(family.unet, pixels_per_latent(family.vae), begun, settings.new_weights or "zero")


def text_hand_encoder_of(place: Path, family: DiffusionModels, settings: TrainSettings) -> TextHandEncoder:
    """T-H2I's encoder; arguments as of :func:`hand_generator_of`.

    One that reads other streams than the model's own, or has fewer layers, begins with the weights that both
    have: what an ablation leaves out is all that differs.

    Raises:
        DiffusionError: The model's own is damaged.
    """
    own = None
    if (folder := own_part(place, ENCODER)) is not None:
        own = load_network(TextHandEncoder, folder, torch.float32)
        streams = ",".join(own.config["streams"]) or "none"
        known = {"streams": streams, "encoder_layers": own.config["layers"], "text": own.config["text"]}
        if _goes_on(settings, known):
            return own
    encoder = TextHandEncoder(
        text_width=int(family.unet.config["cross_attention_dim"]),
        streams=settings.stream_names,
        layers=settings.encoder_layers,
        text=settings.text,
        frequencies=0 if own is None else int(own.config["frequencies"]),
    )
    if own is not None:
        new = encoder.state_dict()
        shared = {k: v for k, v in own.state_dict().items() if k in new and new[k].shape == v.shape}
        encoder.load_state_dict({**new, **shared})
    return encoder


def _goes_on(settings: TrainSettings, own: Mapping[str, object]) -> bool:
    """Whether settings ask for what a network is (its values by their settings), or for nothing."""
    default = TrainSettings()
    return all(getattr(settings, name) in (value, getattr(default, name)) for name, value in own.items())
