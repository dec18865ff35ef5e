"""LoRA, textual inversion and IP adapters, by diffusers' own loaders; safetensors only."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from handwright.diffusion.loading.components import load_network, loading
from handwright.diffusion.loading.places import check_safetensors
from handwright.errors import DiffusionError, UsageError


def lora_file_and_weight(text: str) -> tuple[Path, float]:
    """'FILE' or 'FILE:0.8' as a file and its weight, 1 by default.

    Raises:
        UsageError: The weight is no number.
    """
    name, colon, weight = text.rpartition(":")
    if not colon or weight.endswith(".safetensors"):
        return Path(text), 1.0
    try:
        return Path(name), float(weight)
    except ValueError:
        raise UsageError(
            f"`lora` {text!r} names no weight", f"{weight!r} is not a number", "give FILE or FILE:0.8"
        ) from None


def load_adapters(
    pipe: Any,  # noqa: ANN401 - any diffusers pipeline
    lora: tuple[str, ...],
    textual_inversion: tuple[str, ...],
    ip_adapter: str | None,
) -> None:
    """Load what is asked for into a pipeline.

    Raises:
        UsageError: A weight is no number.
        DiffusionError: A file is missing, a pickle, damaged or of another family, or this one takes no such.
    """
    names: list[str] = []
    weights: list[float] = []
    for number, text in enumerate(lora):
        file, weight = lora_file_and_weight(text)
        _check(pipe, file, "load_lora_weights", "a LoRA")
        if find_spec("peft") is None:
            raise DiffusionError(
                f"{file} needs another library", "peft is not installed", "pip install 'handwright[lora]'"
            )
        names.append(f"lora_{number}")
        weights.append(weight)
        with loading(file):
            pipe.load_lora_weights(str(file.parent), weight_name=file.name, adapter_name=names[-1])
    if names:
        pipe.set_adapters(names, weights)
    for text in textual_inversion:
        file = Path(text)
        _check(pipe, file, "load_textual_inversion", "textual inversion")
        with loading(file):
            pipe.load_textual_inversion(str(file.parent), weight_name=file.name, token=f"<{file.stem}>")
    if ip_adapter is not None:
        file = Path(ip_adapter)
        _check(pipe, file, "load_ip_adapter", "an IP adapter")
        if pipe.image_encoder is None:
            pipe.register_modules(image_encoder=_image_encoder(file, pipe.dtype))
        with loading(file):
            pipe.load_ip_adapter(
                str(file.parent), subfolder="", weight_name=file.name, image_encoder_folder=None
            )


def _image_encoder(file: Path, dtype: torch.dtype) -> Any:  # noqa: ANN401
    """The image encoder of an IP adapter: in image_encoder/ beside it, as they are published.

    Raises:
        DiffusionError: It is missing, damaged or a pickle.
    """
    folder = file.parent / "image_encoder"
    if not folder.is_dir():
        raise DiffusionError(
            f"{file} needs its image encoder", f"there is no {folder}", "put the folder of that name there"
        )
    with loading(folder):
        from transformers import CLIPVisionModelWithProjection
    return load_network(CLIPVisionModelWithProjection, folder, dtype)


def _check(pipe: Any, file: Path, loader: str, what: str) -> None:  # noqa: ANN401
    if not hasattr(pipe, loader):
        raise DiffusionError(
            f"this family does not take {what}", f"{type(pipe).__name__} has no loader for it", "leave it out"
        )
    check_safetensors(file)
