"""Models of SD 1.5's and SDXL's layouts, the embedded family among them, as training takes them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from handwright.diffusion.latents import pixels_per_latent
from handwright.diffusion.loading.components import load_network, read_config
from handwright.diffusion.loading.controlnets import Traits, controlnet_traits, load_controlnet
from handwright.diffusion.loading.devices import choose_device, choose_dtype, enough_memory
from handwright.diffusion.loading.fit import check_fit
from handwright.diffusion.loading.libraries import (
    AutoencoderKL,
    AutoencoderTiny,
    CLIPTextModel,
    CLIPTokenizer,
    ControlNetModel,
    UNet2DConditionModel,
)
from handwright.diffusion.loading.places import controlnet_place, model_folder
from handwright.diffusion.loading.stock import load_parts
from handwright.errors import DiffusionError


@dataclass(frozen=True, eq=False, kw_only=True)
class DiffusionModels:
    """What a run needs, loaded and checked against each other."""

    vae: Any  # ``AutoencoderKL`` or ``AutoencoderTiny``
    text_encoder: CLIPTextModel  # CLIP's text model
    tokenizer: CLIPTokenizer  # Its tokenizer
    # Reads L latent channels, or 2 L + 1 (latents, mask, masked picture) when made for inpainting
    unet: UNet2DConditionModel
    # The depth ControlNet; None when neither the model nor the user has one
    controlnet: ControlNetModel | None
    scheduler_config: Mapping[str, Any]  # The model's own scheduler_config.json
    resolution: int  # Side in pixels of the square pictures that it was trained on
    name: str  # As asked for
    inpainting: bool  # Whether the UNet sees mask and masked picture
    # What is stored with the ControlNet: its fixed strength, the kind of control image it reads
    traits: Traits = field(default_factory=Traits)
    text_encoder_2: Any = None  # SDXL's second text encoder, ``CLIPTextModelWithProjection``; else None
    tokenizer_2: CLIPTokenizer | None = None  # And its tokenizer


def load_models(
    model: str = "tiny", controlnet: str | None = None, *, dtype: str = "auto", device: str = "auto"
) -> DiffusionModels:
    """Load a model and its ControlNet; safetensors only, no remote code.

    Args:
        model: 'tiny' (embedded), a directory, or a hub id OWNER/NAME.
        controlnet: A directory, a .safetensors file or a hub id; None: the model's own, if it has one.
        dtype: 'auto', 'float32', 'bfloat16' or 'float16'.
        device: 'auto', 'cpu', 'cuda' or 'mps'.

    Raises:
        UsageError: No such dtype or device.
        DiffusionError: The model or ControlNet is missing, incomplete, damaged, a pickle, does not fit its
            partners, or does not fit into memory.
    """
    place = choose_device(device)
    numbers = choose_dtype(dtype, place)
    folder = model_folder(model)
    parts = load_parts(folder, numbers)
    unet, vae = parts.get("unet"), parts["vae"]
    if unet is None or "text_encoder" not in parts:
        raise DiffusionError(
            f"{model} is of neither Stable Diffusion 1.x's nor SDXL's layout",
            "it has another denoiser, or lacks the first text encoder",
            "choose a model of one of them",
        )
    control_place = folder / "controlnet" if controlnet is None else controlnet_place(controlnet)
    traits = Traits()
    if control_place.exists():
        parts["controlnet"] = load_controlnet(control_place, unet, numbers)
        traits = controlnet_traits(control_place)
    check_fit(parts)
    with enough_memory(f"moving the model to {place}"):
        for network in (part for part in parts.values() if isinstance(part, torch.nn.Module)):
            network.to(place)
    return DiffusionModels(
        vae=vae,
        text_encoder=parts["text_encoder"],
        tokenizer=parts["tokenizer"],
        unet=unet,
        controlnet=parts.get("controlnet"),
        scheduler_config=read_config(folder / "scheduler", "scheduler_config.json"),
        resolution=int(unet.config["sample_size"]) * pixels_per_latent(vae),
        name=model,
        inpainting=unet.config["in_channels"] != vae.config["latent_channels"],
        traits=traits,
        text_encoder_2=parts.get("text_encoder_2"),
        tokenizer_2=parts.get("tokenizer_2"),
    )


def load_vae(folder: Path, dtype: torch.dtype) -> Any:  # noqa: ANN401 - one of two classes
    """The autoencoder whose class its config names.

    Raises:
        DiffusionError: No config, or a class that is not known here.
    """
    name = read_config(folder).get("_class_name", "AutoencoderKL")
    kinds = {"AutoencoderKL": AutoencoderKL, "AutoencoderTiny": AutoencoderTiny}
    if name not in kinds:
        raise DiffusionError(
            f"{folder} is a {name}", "no such VAE is known here", f"choose a model with {', '.join(kinds)}"
        )
    return load_network(kinds[name], folder, dtype)
