"""The layout that ControlNets of SD 1.5 were published in, HandRefiner's among them, from diffusers' own.

``load_controlnet`` reads such files, with and without the prefix; this module writes them.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

PREFIX = "control_model."
"""Before every name in the original release; pruned files often lack it."""

_WHOLE = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_in": "input_blocks.0.0",
    "controlnet_cond_embedding.conv_in": "input_hint_block.0",
    "controlnet_cond_embedding.conv_out": "input_hint_block.14",
    "controlnet_mid_block": "middle_block_out.0",
    "mid_block.resnets.0": "middle_block.0",
    "mid_block.attentions.0": "middle_block.1",
    "mid_block.resnets.1": "middle_block.2",
}
_INSIDE = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}


def save_published(
    controlnet: Any,  # noqa: ANN401 - a diffusers ControlNet of a UNet
    file: Path,
    *,
    prefix: bool = True,
    dtype: torch.dtype = torch.float16,
) -> None:
    """Write a ControlNet as one safetensors file in the published layout, for A1111, ComfyUI and the like."""
    weights = published_layout(controlnet.state_dict(), int(controlnet.config["layers_per_block"]))
    begin = PREFIX if prefix else ""
    tensors = {f"{begin}{name}": value.to(dtype).contiguous() for name, value in weights.items()}
    save_file(tensors, file, metadata={"format": "pt"})


def published_layout(weights: Mapping[str, Tensor], layers_per_block: int) -> dict[str, Tensor]:
    """Tensors of a diffusers ControlNet, or of a UNet's encoder, under their published names."""
    return {_renamed(name, layers_per_block): value for name, value in weights.items()}


def _renamed(name: str, layers: int) -> str:
    if found := re.match(r"controlnet_down_blocks\.(\d+)\.(.*)", name):
        return f"zero_convs.{found[1]}.0.{found[2]}"
    if found := re.match(r"controlnet_cond_embedding\.blocks\.(\d+)\.(.*)", name):
        return f"input_hint_block.{2 * (int(found[1]) + 1)}.{found[2]}"
    if found := re.match(r"down_blocks\.(\d+)\.(resnets|attentions|downsamplers)\.(\d+)\.(.*)", name):
        block, kind, layer, rest = int(found[1]), found[2], int(found[3]), found[4]
        place = 1 + block * (layers + 1) + (layers if kind == "downsamplers" else layer)
        if kind == "downsamplers":
            return f"input_blocks.{place}.0.op.{rest.removeprefix('conv.')}"
        return (
            f"input_blocks.{place}.{int(kind == 'attentions')}.{_inside(rest) if kind == 'resnets' else rest}"
        )
    whole = max((key for key in _WHOLE if name.startswith(f"{key}.")), key=len)
    rest = name.removeprefix(f"{whole}.")
    return f"{_WHOLE[whole]}.{_inside(rest) if 'resnets' in whole else rest}"


def _inside(rest: str) -> str:
    layer, _, tensor = rest.partition(".")
    return f"{_INSIDE[layer]}.{tensor}"
