"""A whole model in one .safetensors file, as A1111 and ComfyUI keep them in ``models/``."""

from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers.loaders.single_file_utils import fetch_diffusers_config
from safetensors import safe_open

from handwright.diffusion.loading.components import loading, read_config
from handwright.diffusion.loading.places import cached_folder, check_safetensors
from handwright.errors import DiffusionError

_KINDS = (
    "StableDiffusionInpaintPipeline", "StableDiffusionPipeline", "StableDiffusionXLInpaintPipeline",
    "StableDiffusionXLPipeline", "StableDiffusion3Pipeline", "FluxPipeline", "ZImagePipeline",
)  # fmt: skip
"""Stock pipelines that read such files."""

_DENOISERS = ("model.diffusion_model.", "diffusion_model.", "double_blocks.", "joint_blocks.")
"""How names of a denoiser's tensors begin in the layouts that people have."""


def is_single_file(model: str) -> bool:
    """Whether a model's name is that of one file."""
    return Path(model).is_file()


def open_single_file(file: Path, dtype: torch.dtype) -> dict[str, Any]:
    """Components of a single-file model.

    Tensors say nothing of tokenizers, schedules and widths, so the family's configs are needed once: from a
    folder in ``save_pretrained`` layout of the file's own name beside it ('model/' for 'model.safetensors'),
    which may do without weights, or from the hub's cache.

    Raises:
        DiffusionError: A pickle, a damaged file, no whole model, or its configs are nowhere.
    """
    check_safetensors(file)
    with loading(file), safe_open(file, "pt") as checkpoint:
        shapes = {name: checkpoint.get_slice(name).get_shape() for name in checkpoint.keys()}  # noqa: SIM118
    if not any(name.startswith(_DENOISERS) for name in shapes):
        raise DiffusionError(
            f"{file} is no diffusion model",
            f"it has no denoiser among its {len(shapes)} tensors",
            "give a checkpoint; a ControlNet or a LoRA goes with its own option",
        )
    config = _config_folder(file, shapes)
    name = str(read_config(config, "model_index.json").get("_class_name"))
    if name not in _KINDS:
        raise DiffusionError(
            f"{config} is of a {name}", "no single file of it is read here", f"choose {', '.join(_KINDS)}"
        )
    try:
        with loading(file):
            pipe = getattr(diffusers, name).from_single_file(
                str(file), config=str(config), torch_dtype=dtype, local_files_only=True, safety_checker=None
            )
    except DiffusionError as error:
        if "shape" not in error.why:
            raise
        raise DiffusionError(
            f"{file} does not fit {config}",
            "its tensors are of other widths",
            "give the configs of its own family",
        ) from error
    parts = dict(pipe.components)
    for part in parts.values():
        if isinstance(part, torch.nn.Module):
            if any(weights.is_meta for weights in part.parameters()):
                raise DiffusionError(
                    f"{file} is incomplete",
                    f"weights of its {type(part).__name__} are missing",
                    "fetch the file again, or give a folder in save_pretrained layout",
                )
            part.eval().requires_grad_(False)
    return parts


def _config_folder(file: Path, shapes: dict[str, list[int]]) -> Path:
    beside = file.with_suffix("")
    if (beside / "model_index.json").is_file():
        return beside
    with loading(file):
        empty = {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}
        hub_id = str(fetch_diffusers_config(empty)["pretrained_model_name_or_path"])
    return cached_folder(
        hub_id,
        f"{file} needs the configs and the tokenizer of {hub_id}",
        f"put them in {beside}/, in save_pretrained layout without weights (some MB)",
    )
