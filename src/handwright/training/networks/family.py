"""Sizes of the embedded diffusion family, and fresh members of it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from diffusers.schedulers.scheduling_flow_match_euler_discrete import FlowMatchEulerDiscreteScheduler
from transformers import CLIPTextConfig

from handwright.diffusion.loading.components import read_config
from handwright.diffusion.loading.controlnets import controlnet_from
from handwright.diffusion.loading.libraries import (
    CLIPTextModel,
    CLIPTokenizer,
    ControlNetModel,
    UNet2DConditionModel,
    quiet,
)
from handwright.diffusion.loading.zoo import DiffusionModels, load_models
from handwright.diffusion.samplers import is_flow_name
from handwright.errors import UsageError

_EMBEDDING_GATE = "controlnet_cond_embedding.conv_out"
_GATES = {
    _EMBEDDING_GATE: 1.0,
    "controlnet_down_blocks": 0.3,
    "controlnet_mid_block": 0.3,
}
"""Layers that shut a new ControlNet off, and how wide they start where they need not (1: as PyTorch's)."""

BASE_WIDTHS = (96, 128, 192)
"""Channels of the base's levels: at 128 px of 16×16, 8×8 and 4×4 cells, at 256 px of 32×32, 16×16 and 8×8.
12.7 M weights: siblings of the same size must fit into the wheel beside it."""

BASE_TEXT_WIDTH, BASE_TEXT_LAYERS = 256, 4
"""Channels and layers of its text encoder: about a tenth of the UNet's weights."""

_CHANNELS_PER_HEAD = 32

Schedule = DDIMScheduler | FlowMatchEulerDiscreteScheduler


def fresh_base_unet(
    latent_channels: int, cells: int, widths: tuple[int, ...] = BASE_WIDTHS, text_width: int = BASE_TEXT_WIDTH
) -> UNet2DConditionModel:
    """An untrained UNet on latents alone, with cross-attention at every level.

    Args:
        latent_channels: Channels of a latent.
        cells: Side of the latents that it will first learn from.
        widths: Channels of the levels, multiples of 32.
        text_width: Channels of the text encoder.
    """
    options: dict[str, Any] = {
        "down_block_types": ("CrossAttnDownBlock2D",) * len(widths),
        "up_block_types": ("CrossAttnUpBlock2D",) * len(widths),
        "block_out_channels": widths,
        # diffusers reads this name as the number of heads
        "attention_head_dim": tuple(width // _CHANNELS_PER_HEAD for width in widths),
    }
    return UNet2DConditionModel(
        sample_size=cells,
        in_channels=latent_channels,
        out_channels=latent_channels,
        layers_per_block=1,
        cross_attention_dim=text_width,
        norm_num_groups=32,
        **options,
    )


def general_controlnet(unet: UNet2DConditionModel, pixels_per_latent: int) -> ControlNetModel:
    """A ControlNet to train together with its UNet from the start; arguments as of ``controlnet_from``.

    Nothing needs protecting yet, so the two gates that a ControlNet opens slowly (the last layer of its
    embedding, the convolutions of its residuals) start open; behind two shut ones depth is long unseen.
    """
    control = controlnet_from(unet, pixels_per_latent)
    _open_gates(control, _GATES)
    return control


def with_new_embedding(control: ControlNetModel) -> ControlNetModel:
    """A ControlNet that keeps all but how it reads control images: that it has to learn anew.

    Whatever kinds of image several such ones learn from, they start level.
    """
    fresh = cast("ControlNetModel", ControlNetModel.from_config(dict(control.config)))
    own = _EMBEDDING_GATE.split(".")[0]
    embedding = {name: values for name, values in fresh.state_dict().items() if name.startswith(own)}
    fresh.load_state_dict(control.state_dict() | embedding)
    _open_gates(fresh, (_EMBEDDING_GATE,))
    return fresh


def _open_gates(control: ControlNetModel, gates: Iterable[str]) -> None:
    for name, values in control.named_parameters():
        gate = next((gate for gate in gates if name.startswith(gate)), None)
        if gate is not None:
            bound = _GATES[gate] / math.sqrt(max(values[0].numel(), 1))
            torch.nn.init.uniform_(values, -bound, bound)


def fresh_text_encoder(tokenizer: CLIPTokenizer, width: int, layers: int) -> CLIPTextModel:
    """A small CLIP text transformer for this tokenizer."""
    start, *_, end = tokenizer("").input_ids
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=width,
            intermediate_size=4 * width,
            num_hidden_layers=layers,
            num_attention_heads=width // 32,
            max_position_embeddings=tokenizer.model_max_length,
            bos_token_id=start,
            eos_token_id=end,
            pad_token_id=end,
        )
    )


def flow_schedule(resolution: int) -> FlowMatchEulerDiscreteScheduler:
    """Straight lines from pictures of so many pixels a side to noise (rectified flow).

    Levels shift towards noise as the side grows, being even at 128 px: the same noise hides less of a larger
    picture (Esser et al. 2024, §5.3.2, eq. 23).
    """
    return FlowMatchEulerDiscreteScheduler(shift=resolution / 128)


def open_family(folder: Path) -> DiffusionModels:
    """A family from disk: the embedded one, a run's ``model/``, or any of SD 1.x's or SDXL's layout.

    Raises:
        DiffusionError: It is missing, incomplete, damaged, or its parts do not fit each other.
    """
    return load_models(str(folder), dtype="float32", device="cpu")


def schedule_of(family: DiffusionModels) -> Schedule:
    """What it is trained on: a flow's schedule, or the noise levels that DDIM and its kin share."""
    config = dict(family.scheduler_config)
    name = str(config.get("_class_name"))
    kind = FlowMatchEulerDiscreteScheduler if is_flow_name(name) else DDIMScheduler
    return cast("Schedule", kind.from_config(config))


def flow_of_teacher(model: Path, member: str, steps: int) -> dict[str, Any]:
    """The scheduler's settings of a model that can teach a member that needs so few ``steps``.

    Raises:
        UsageError: It is no flow, or needs no more steps itself.
    """
    recommended = read_config(model, "model_index.json").get("handwright") or {}
    if recommended.get("text_steps", recommended.get("steps", steps + 1)) <= steps:
        raise UsageError(
            f"{model} cannot teach {member}", "it needs few steps already",
            "give the one that it was taught by",
        )  # fmt: skip
    config = read_config(model / "scheduler", "scheduler_config.json")
    if config.get("_class_name") != "FlowMatchEulerDiscreteScheduler":
        raise UsageError(
            f"{model} cannot teach {member}", "it is no flow",
            "give one that `handwright train` made of text_to_image, or tiny",
        )  # fmt: skip
    return dict(config)


def schedule_config(schedule: Schedule) -> dict[str, Any]:
    """The schedule's settings under the name of its class, as ``open_sampler`` reads them."""
    return {**schedule.config, "_class_name": type(schedule).__name__}


def token_ids(tokenizer: CLIPTokenizer, captions: list[str]) -> torch.Tensor:
    """Token ids [N, T] of captions, cut or filled to what is read."""
    return tokenizer(captions, padding="max_length", truncation=True, return_tensors="pt").input_ids


def save_family(
    family: DiffusionModels,
    folder: Path,
    guidance: float = 1.0,
    steps: int = 10,
    from_text: tuple[float, int] | None = None,
) -> None:
    """Write a family as a pipeline in ``save_pretrained`` layout.

    Args:
        family: The networks.
        folder: Where they go.
        guidance: Weight of the prompt that is recommended with them.
        steps: Steps of the sampler that are recommended with them.
        from_text: Guidance and steps that are recommended where the text alone controls a picture; None: the
            same.
    """
    recommended: dict[str, Any] = {"guidance": guidance, "steps": steps}
    if from_text is not None:
        recommended |= dict(zip(("text_guidance", "text_steps"), from_text, strict=True))
    parts: dict[str, Any] = {
        "vae": family.vae,
        "text_encoder": family.text_encoder,
        "tokenizer": family.tokenizer,
        "text_encoder_2": family.text_encoder_2,
        "tokenizer_2": family.tokenizer_2,
        "unet": family.unet,
        "controlnet": family.controlnet,
        "scheduler": schedule_of(family),
    }
    index: dict[str, Any] = {
        "_class_name": f"StableDiffusion{'XL' if family.text_encoder_2 else ''}ControlNetInpaintPipeline",
        "handwright": recommended,
    }
    for name, part in parts.items():
        if part is not None:
            with quiet():
                part.save_pretrained(folder / name)
            module = type(part).__module__
            library = module if module.startswith("handwright.") else module.split(".")[0]
            index[name] = [library, type(part).__name__]
    (folder / "model_index.json").write_text(json.dumps(index, indent=2) + "\n", "utf-8")
