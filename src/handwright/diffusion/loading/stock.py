"""A stock diffusers pipeline from a preset, a folder, a single file or the hub, or around a loaded one."""

import inspect
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers

from handwright.diffusion import samplers
from handwright.diffusion.latents import pixels_per_latent
from handwright.diffusion.loading.adapters import load_adapters
from handwright.diffusion.loading.components import load_network, loading, read_config
from handwright.diffusion.loading.controlnets import (
    Traits,
    controlnet_from,
    controlnet_traits,
    load_controlnet,
)
from handwright.diffusion.loading.devices import choose_device, choose_dtype, enough_memory, laid_out
from handwright.diffusion.loading.fit import check_fit
from handwright.diffusion.loading.libraries import quiet
from handwright.diffusion.loading.places import controlnet_place, model_place, preset_place
from handwright.diffusion.loading.presets import PRESETS, Preset, preset_of
from handwright.diffusion.loading.single_file import is_single_file, open_single_file
from handwright.diffusion.samplers import FlowMatchUNetScheduler, for_unet
from handwright.errors import DiffusionError

_LIBRARIES = {
    "diffusers": diffusers, "transformers": transformers, FlowMatchUNetScheduler.__module__: samplers,
}  # fmt: skip
"""Where classes of components may come from."""

_NOT_NEEDED = ("safety_checker", "feature_extractor", "controlnet")


@dataclass(frozen=True, kw_only=True)
class PipelineChoice:
    """What a user asked for; see ``HandRefinerPipeline.from_pretrained``."""

    model: str
    controlnet: str | None = None
    control_needed: bool = True  # False: a UNet without a ControlNet gets one that changes nothing
    revision: str | None = None
    variant: str | None = None
    dtype: str = "auto"
    device: str = "auto"
    offload: bool = False
    lora: tuple[str, ...] = ()
    textual_inversion: tuple[str, ...] = ()
    ip_adapter: str | None = None


def open_stock(choice: PipelineChoice) -> tuple[Any, Preset, Traits]:
    """Load a base with its ControlNet into the stock pipeline of its family.

    Returns:
        The pipeline on its device, the row of its family, and what is stored with the ControlNet.

    Raises:
        UsageError: No such dtype or device.
        DiffusionError: Something is missing, damaged, a pickle, or does not fit.
    """
    place = choose_device(choice.device)
    dtype = choose_dtype(choice.dtype, place)
    if is_single_file(choice.model):
        parts, folder = open_single_file(Path(choice.model), dtype), None
        preset = family_of(parts, choice.model)
    else:
        folder = model_place(choice.model, choice.revision, choice.variant)
        parts = load_parts(folder, dtype, choice.variant)
        preset = _as_named(family_of(parts, choice.model), folder)
    parts["scheduler"] = _scheduler(parts["scheduler"], preset)
    where = _control_place(choice, folder, preset)
    if where is None:
        inert: Any = controlnet_from(parts["unet"], pixels_per_latent(parts["vae"]))
        with quiet():
            parts["controlnet"] = inert.to(dtype).eval().requires_grad_(False)
        traits = Traits(0.0, "none")
    else:
        parts["controlnet"] = load_controlnet(where, parts.get("unet"), dtype)
        traits = controlnet_traits(where, preset.strength)
    pipe = assemble(preset, parts, choice.model)
    load_adapters(pipe, choice.lora, choice.textual_inversion, choice.ip_adapter)
    with quiet(), enough_memory(f"moving the model to {place}"):
        if choice.offload and place.type != "cpu":
            pipe.enable_model_cpu_offload(device=place)
        else:
            pipe.to(place)
            for network in (part for part in pipe.components.values() if isinstance(part, torch.nn.Module)):
                laid_out(network, place)
    return pipe, preset, traits


def adopt(pipe: Any, controlnet: Any) -> tuple[Any, Preset]:  # noqa: ANN401 - any diffusers pipeline
    """The stock pipeline of a loaded pipeline's family around its own networks; nothing is loaded or cast.

    Raises:
        DiffusionError: The family is not known, or there is no ControlNet, or it does not fit.
    """
    parts = dict(pipe.components)
    what = f"the {type(pipe).__name__}"
    if controlnet is not None:
        parts["controlnet"] = controlnet
    return around(parts, what)


def around(parts: dict[str, Any], what: str) -> tuple[Any, Preset]:
    """The stock pipeline of a family around loaded components, and the family's row.

    Args:
        parts: The components by the names that diffusers gives them, ``controlnet`` among them.
        what: What to call them in an error.

    Raises:
        DiffusionError: The family is not known, or there is no ControlNet, or it does not fit.
    """
    preset = family_of(parts, what)
    if parts.get("controlnet") is None:
        raise DiffusionError(
            f"{what} has no ControlNet",
            "hands are painted under a depth control image",
            f"give `controlnet`, such as {preset.controlnet.hub_id}",
        )
    return assemble(preset, parts, what), preset


def family_of(parts: dict[str, Any], what: str) -> Preset:
    """The row of the zoo for these components.

    Raises:
        DiffusionError: There is none.
    """
    denoiser = parts.get("unet") or parts.get("transformer")
    encoders = [name for name in parts if name.startswith("text_encoder") and parts[name] is not None]
    return preset_of("" if denoiser is None else type(denoiser).__name__, len(encoders), what)


def _as_named(preset: Preset, folder: Path) -> Preset:
    """The row with what a model_index.json recommends under 'handwright' in place of its own settings."""
    named = read_config(folder, "model_index.json").get("handwright")
    values = named if isinstance(named, dict) else {}
    wanted = {name: values.get(name) for name in ("guidance", "steps", "text_guidance", "text_steps")}
    return replace(preset, **{name: value for name, value in wanted.items() if _is_number(value)})


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _scheduler(own: Any, preset: Preset) -> Any:  # noqa: ANN401
    """A model's own scheduler, or the row's in place of PNDM, which cannot begin midway."""
    if type(own).__name__ != "PNDMScheduler":
        return own
    with quiet():
        return getattr(diffusers, preset.scheduler).from_config(own.config, clip_sample=False)


def assemble(preset: Preset, parts: dict[str, Any], what: str) -> Any:  # noqa: ANN401
    """The family's stock pipeline around components that are checked against each other.

    Raises:
        DiffusionError: The ControlNet is of another family, or widths differ.
    """
    controlnet = parts["controlnet"]
    # a ControlNet of our own is one of diffusers'
    kinds = (kind.__name__ for kind in type(controlnet).__mro__)
    name = next((preset.pipelines[kind] for kind in kinds if kind in preset.pipelines), None)
    if name is None:
        raise DiffusionError(
            f"the ControlNet does not fit {what}",
            f"it is a {type(controlnet).__name__}, and {preset.name} takes {' or '.join(preset.pipelines)}",
            f"choose one made for this family, such as {preset.controlnet.hub_id}",
        )
    check_fit(parts)
    unet, latent = parts.get("unet"), parts["vae"].config["latent_channels"]
    if unet is not None and "Union" in name and unet.config["in_channels"] != latent:
        raise DiffusionError(
            f"a union ControlNet does not go with {what}",
            "diffusers runs it under a plain base alone, and this one is made for inpainting",
            "choose a plain base, or a ControlNet for depth alone",
        )
    if unet is not None:
        parts = {**parts, "scheduler": for_unet(parts["scheduler"])}
    with quiet():
        kind = getattr(diffusers, name)
    takes = inspect.signature(kind.__init__).parameters
    given = {key: value for key, value in parts.items() if key in takes}
    for key in ("safety_checker", "feature_extractor", "image_encoder"):
        if key in takes:
            given.setdefault(key, None)
    if "requires_safety_checker" in takes:
        given["requires_safety_checker"] = given.get("safety_checker") is not None
    with quiet():
        pipe = kind(**given)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def load_parts(folder: Path, dtype: torch.dtype, variant: str | None = None) -> dict[str, Any]:
    """Components of a pipeline in ``save_pretrained`` layout, but the ControlNet.

    Raises:
        DiffusionError: A component is missing, damaged, a pickle, or of a class that is not known.
    """
    parts: dict[str, Any] = {}
    for name, entry in read_config(folder, "model_index.json").items():
        if name.startswith("_") or name in _NOT_NEEDED or not _names_a_class(entry):
            continue
        library, class_name = entry
        kind = getattr(_LIBRARIES.get(library), class_name, None)
        if kind is None:
            raise DiffusionError(
                f"{folder} names {library}.{class_name} as its {name}",
                "no such class is known here, and no code of models is run",
                "choose a model made of diffusers' and transformers' own classes",
            )
        parts[name] = _component(kind, folder / name, dtype, variant)
    return parts


def _names_a_class(entry: Any) -> bool:  # noqa: ANN401
    return isinstance(entry, list) and len(entry) == 2 and all(isinstance(word, str) for word in entry)


def _component(kind: Any, folder: Path, dtype: torch.dtype, variant: str | None) -> Any:  # noqa: ANN401
    if not folder.is_dir():
        raise DiffusionError(
            f"{folder.parent} is incomplete", f"it has no {folder.name} folder", "fetch the model again"
        )
    if issubclass(kind, torch.nn.Module):
        named = str(read_config(folder).get("_class_name", kind.__name__))
        if named != kind.__name__:
            raise DiffusionError(
                f"{folder} is a {named}", f"the model names {kind.__name__}", "fetch the model again"
            )
        return load_network(kind, folder, dtype, variant)
    with loading(folder):
        return kind.from_pretrained(str(folder), local_files_only=True)


def _control_place(choice: PipelineChoice, folder: Path | None, preset: Preset) -> Path | None:
    """Where the ControlNet is: as asked, with the model, or the preset's; None: nowhere, and none is needed.

    Raises:
        DiffusionError: Nothing is asked for, and the model brings none.
    """
    if choice.controlnet is not None:
        return controlnet_place(choice.controlnet)
    if folder is not None and (folder / "controlnet").is_dir():
        return folder / "controlnet"
    if choice.model in PRESETS:
        return preset_place(preset.controlnet, preset.name)
    if not choice.control_needed and preset.denoiser == "UNet2DConditionModel":
        return None
    raise DiffusionError(
        f"{choice.model} comes without a ControlNet",
        "hands are painted under a depth control image",
        f"give `controlnet`, such as {preset.controlnet.hub_id}",
    )
