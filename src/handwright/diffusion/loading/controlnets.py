"""A ControlNet from a folder or a single file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import diffusers
import torch
from safetensors import safe_open

from handwright.diffusion.loading.components import load_network, loading, read_config
from handwright.diffusion.loading.libraries import ControlNetModel, UNet2DConditionModel
from handwright.diffusion.loading.places import refuse_pickle
from handwright.errors import DiffusionError

_SHARED = (
    "flip_sin_to_cos", "freq_shift", "down_block_types", "mid_block_type", "only_cross_attention",
    "block_out_channels", "layers_per_block", "downsample_padding", "mid_block_scale_factor", "act_fn",
    "norm_num_groups", "norm_eps", "cross_attention_dim", "transformer_layers_per_block",
    "attention_head_dim", "num_attention_heads", "use_linear_projection", "upcast_attention",
    "resnet_time_scale_shift", "addition_embed_type", "addition_time_embed_dim",
    "projection_class_embeddings_input_dim",
)  # fmt: skip
"""What a ControlNet has in common with the UNet that it steers."""

_SIGNS = ("controlnet_mid_block", "middle_block_out")
"""In a ControlNet's tensor names and no other network's: diffusers' layout, the original one."""

PUBLISHED_STRENGTH = 0.55  # Mean of the strengths that people chose for 200 pictures (HandRefiner §3.2)

OWN_FILE = "handwright.json"
"""Beside a ControlNet's config.json: its ``Traits``, those that are not the usual ones."""

_MOST_STRENGTH, _MOST_GUIDANCE, _MOST_STEPS = 2.0, 100.0, 1000

_CONDITIONING_WIDTHS = (16, 32, 96, 256)  # Of the published ControlNets' conditioning embedding


_KINDS = (
    "ControlNetModel", "ControlNetUnionModel", "SD3ControlNetModel", "FluxControlNetModel",
    "ZImageControlNetModel",
)  # fmt: skip
"""diffusers' classes of ControlNets that are read."""


def load_controlnet(place: Path, unet: UNet2DConditionModel | None, dtype: torch.dtype) -> Any:  # noqa: ANN401
    """A ControlNet for ``unet``, or for a transformer where that is None.

    A .safetensors file without a config.json beside it is read as a published ControlNet of the UNet's own
    widths.

    Raises:
        DiffusionError: A pickle, a damaged file, or weights of another width than the UNet's.
    """
    if place.is_dir() and (place / "config.json").is_file():
        return load_network(_kind(place), place, dtype)
    file = place if place.is_file() else _only_file(place)
    refuse_pickle(file)
    if file.suffix != ".safetensors":
        raise DiffusionError(
            f"{file} is no ControlNet", "it is not a .safetensors file", "give a .safetensors file"
        )
    beside = file.parent / "config.json"
    if beside.is_file() and read_config(file.parent).get("_class_name") == "ControlNetModel":
        return _from_file(file, file.parent, dtype)
    if unet is None:
        raise DiffusionError(
            f"{file} has no config.json beside it",
            "a transformer's ControlNet is read with its config",
            "give a folder in save_pretrained layout",
        )
    with TemporaryDirectory() as folder:
        (Path(folder) / "config.json").write_text(json.dumps(controlnet_config(unet)), encoding="utf-8")
        return _from_file(file, Path(folder), dtype)


def _kind(folder: Path) -> Any:  # noqa: ANN401
    """The class that a ControlNet's config names.

    Raises:
        DiffusionError: It is none of a ControlNet.
    """
    name = str(read_config(folder).get("_class_name", _KINDS[0]))
    if name not in _KINDS:
        raise DiffusionError(f"{folder} is no ControlNet", f"it is a {name}", "give a ControlNet's folder")
    return getattr(diffusers, name)


@dataclass(frozen=True)
class Traits:
    """Notes that lie beside a ControlNet's weights."""

    strength: float = PUBLISHED_STRENGTH  # The fixed strength that was found for it; else the published one
    control: str = "depth"  # Kind of control image that it reads; 'none': it changes nothing
    # From pure noise, how far beyond the prediction without control that with control is taken; 1: no
    # farther, as published
    guidance: float = 1.0
    # 'painted': what it paints around its hands is taken, as published; 'drawn': its hands alone, as what is
    # drawn and filled there looks better
    surroundings: Literal["painted", "drawn"] = "painted"
    # Guidance on the text where nearly all is painted from noise; None: what the model recommends
    text_guidance: float | None = None
    text_steps: int | None = None  # Likewise steps of the sampler


def controlnet_traits(place: Path, usual: float = PUBLISHED_STRENGTH) -> Traits:
    """What is written beside a ControlNet's weights in ``OWN_FILE``.

    Args:
        place: As for ``load_controlnet``; a file, and a folder without that file, have the default traits.
        usual: Strength where none is written.

    Raises:
        DiffusionError: The file is there and makes no sense.
    """
    if not (place / OWN_FILE).is_file():
        return Traits(usual)
    traits = read_config(place, OWN_FILE)
    strength = _number(traits, "strength", usual, _MOST_STRENGTH, place)
    guidance = _number(traits, "guidance", 1.0, _MOST_GUIDANCE, place)
    surroundings = traits.get("surroundings", "painted")
    if surroundings != "painted" and surroundings != "drawn":
        raise DiffusionError(
            f"{place / OWN_FILE} names no surroundings",
            f"its 'surroundings' is {surroundings!r}",
            "write 'painted' or 'drawn', or remove it",
        )
    text_guidance = None
    if "text_guidance" in traits:
        text_guidance = _number(traits, "text_guidance", 1.0, _MOST_GUIDANCE, place)
    text_steps = traits.get("text_steps")
    if text_steps is not None and not (type(text_steps) is int and 1 <= text_steps <= _MOST_STEPS):
        raise DiffusionError(
            f"{place / OWN_FILE} names no text_steps",
            f"its 'text_steps' is {text_steps!r}",
            f"write a whole number from 1 to {_MOST_STEPS}, or remove it",
        )
    control = str(traits.get("control", "depth"))
    return Traits(strength, control, guidance, surroundings, text_guidance, text_steps)


def _number(traits: Mapping[str, Any], name: str, usual: float, most: float, place: Path) -> float:
    value = traits.get(name, usual)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise DiffusionError(
            f"{place / OWN_FILE} names no {name}",
            f"its {name!r} is {value!r}",
            f"write a number from 0 to {most:g}, or remove it",
        )
    return float(value)


def _from_file(file: Path, config_folder: Path, dtype: torch.dtype) -> ControlNetModel:
    with loading(file), safe_open(file, "pt") as checkpoint:
        names = list(checkpoint.keys())
    if not any(sign in name for name in names for sign in _SIGNS):
        raise DiffusionError(
            f"{file} is no ControlNet", "it has no ControlNet's tensors", "give a ControlNet's checkpoint"
        )
    try:
        with loading(file):
            network = ControlNetModel.from_single_file(
                str(file), config=str(config_folder), torch_dtype=dtype, local_files_only=True
            )
    except DiffusionError as error:
        if "expected shape" not in error.why:
            raise
        raise DiffusionError(
            f"{file} does not fit the model",
            "it is of another width",
            "choose a ControlNet made for this model",
        ) from error
    if any(weights.is_meta for weights in network.parameters()):
        raise DiffusionError(f"{file} is incomplete", "weights are missing", "fetch the ControlNet again")
    return network.eval().requires_grad_(False)


def controlnet_config(unet: UNet2DConditionModel) -> dict[str, Any]:
    """The config of a published ControlNet for this UNet: it reads the bare latents, not mask and picture."""
    shared = {name: unet.config[name] for name in _SHARED if name in unet.config}
    return {
        "_class_name": "ControlNetModel",
        "in_channels": unet.config["out_channels"],
        "conditioning_embedding_out_channels": _CONDITIONING_WIDTHS,
        **shared,
    }


def controlnet_from(unet: UNet2DConditionModel, pixels_per_latent: int) -> ControlNetModel:
    """A ControlNet that starts as a copy of a UNet's encoder and changes nothing yet.

    It sees the noisy latents alone: of the UNet's first convolution it keeps those channels.

    Args:
        unet: The UNet.
        pixels_per_latent: 4 or 8.
    """
    widths = {4: (16, 32, 64), 8: (16, 32, 96, 256)}[pixels_per_latent]  # Of the control image's embedding
    config = {**controlnet_config(unet), "conditioning_embedding_out_channels": widths}
    control: Any = ControlNetModel.from_config(config)
    fresh, trained = control.state_dict(), unet.state_dict()
    shared = {name: trained[name] for name in fresh if name in trained}
    shared["conv_in.weight"] = trained["conv_in.weight"][:, : unet.config["out_channels"]]
    control.load_state_dict(fresh | shared)
    return control


def _only_file(folder: Path) -> Path:
    """The single checkpoint of a folder without config.json."""
    files = sorted(folder.glob("*.safetensors"))
    if len(files) == 1:
        return files[0]
    for path in sorted(folder.iterdir()):
        refuse_pickle(path)
    found = f"{len(files)} .safetensors files" if files else "no .safetensors file"
    raise DiffusionError(
        f"{folder} is no ControlNet",
        f"it has no config.json and {found}",
        "give the .safetensors file itself",
    )
