"""A diffusers ControlNet's weights under the names of the original ControlNet release."""

from __future__ import annotations

import re

import torch

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


def to_original_layout(weights: dict[str, torch.Tensor], layers_per_block: int) -> dict[str, torch.Tensor]:
    """Rename every tensor as lllyasviel's checkpoints do."""
    return {f"control_model.{_renamed(name, layers_per_block)}": value for name, value in weights.items()}


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
