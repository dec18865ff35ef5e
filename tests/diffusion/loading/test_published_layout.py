"""Single files as they are published: HandRefiner's ControlNet both ways, and a whole SD 1.5-inpainting."""

from __future__ import annotations

import shutil
from pathlib import Path

import diffusers
import pytest
import torch
from safetensors.torch import load_file, save_file

from handwright.diffusion.loading.controlnets import load_controlnet
from handwright.diffusion.loading.libraries import quiet
from handwright.diffusion.loading.published_layout import PREFIX, published_layout, save_published
from handwright.diffusion.refiner_pipeline import HandRefinerPipeline
from tests.diffusion.models import (
    TEXT_WIDTH,
    sd_scheduler,
    small_controlnet,
    small_unet,
    small_vae,
    text_parts,
)

LEVELS = {
    "block_out_channels": (32, 64, 96, 96),
    "down_block_types": ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
    "layers_per_block": 2,
    "attention_head_dim": 8,
    "norm_num_groups": 32,
}
UP = ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3


def both(*names: str) -> set[str]:
    return {f"{name}.{kind}" for name in names for kind in ("weight", "bias")}


def published_names() -> set[str]:
    """Every tensor of a ControlNet of the original release for SD 1.5, from its architecture."""
    names = both("time_embed.0", "time_embed.2", "input_blocks.0.0", "middle_block_out.0")
    names |= both(
        *(f"zero_convs.{k}.0" for k in range(12)), *(f"input_hint_block.{k}" for k in range(0, 16, 2))
    )
    names |= both(*(f"input_blocks.{k}.0.op" for k in (3, 6, 9)))
    residual = [f"input_blocks.{k}.0" for k in (1, 2, 4, 5, 7, 8, 10, 11)] + [
        "middle_block.0",
        "middle_block.2",
    ]
    for place in residual:
        inner = ("in_layers.0", "in_layers.2", "emb_layers.1", "out_layers.0", "out_layers.3")
        names |= both(*(f"{place}.{layer}" for layer in inner))
    names |= both("input_blocks.4.0.skip_connection", "input_blocks.7.0.skip_connection")
    for place in [*(f"input_blocks.{k}.1" for k in (1, 2, 4, 5, 7, 8)), "middle_block.1"]:
        block = f"{place}.transformer_blocks.0"
        names |= both(f"{place}.norm", f"{place}.proj_in", f"{place}.proj_out", f"{block}.ff.net.0.proj")
        names |= both(f"{block}.ff.net.2", *(f"{block}.norm{k}" for k in (1, 2, 3)))
        for attention in ("attn1", "attn2"):
            names |= {f"{block}.{attention}.to_{kind}.weight" for kind in "qkv"}
            names |= both(f"{block}.{attention}.to_out.0")
    return names


@pytest.fixture(scope="module")
def unet() -> diffusers.UNet2DConditionModel:
    torch.manual_seed(3)
    return small_unet(9, up_block_types=UP, **LEVELS)


@pytest.mark.parametrize("prefix", [True, False])
def test_a_file_with_the_full_published_key_set_is_converted_both_ways(
    prefix: bool, unet: diffusers.UNet2DConditionModel, tmp_path: Path
) -> None:
    torch.manual_seed(4)
    network = small_controlnet(unet)
    file, again = (
        tmp_path / "control_sd15_inpaint_depth_hand_fp16.safetensors",
        tmp_path / "again.safetensors",
    )
    save_published(network, file, prefix=prefix)
    begin = PREFIX if prefix else ""
    tensors = load_file(file)
    assert set(tensors) == {begin + name for name in published_names()}
    assert len(tensors) == 340
    assert {value.dtype for value in tensors.values()} == {torch.float16}
    read = load_controlnet(file, unet, torch.float32)
    for name, value in network.state_dict().items():
        assert torch.equal(read.state_dict()[name], value.half().float()), name
    save_published(read, again, prefix=prefix)
    assert again.read_bytes() == file.read_bytes()


def test_a_whole_model_in_one_file_with_the_published_controlnet_paints_as_its_folder_does(
    unet: diffusers.UNet2DConditionModel, tmp_path: Path
) -> None:
    torch.manual_seed(5)
    text_encoder, tokenizer = text_parts(TEXT_WIDTH)
    vae, network, folder = small_vae(), small_controlnet(unet), tmp_path / "model"
    with quiet():
        diffusers.StableDiffusionInpaintPipeline(
            vae=vae, text_encoder=text_encoder, tokenizer=tokenizer, unet=unet, scheduler=sd_scheduler(),
            safety_checker=None, feature_extractor=None, requires_safety_checker=False,
        ).save_pretrained(folder)  # fmt: skip
    control, file = tmp_path / "control.safetensors", tmp_path / "model.safetensors"
    save_published(network, control, dtype=torch.float32)
    tensors = {f"model.diffusion_model.{name}": value for name, value in ldm_unet(unet).items()}
    tensors |= {f"first_stage_model.{name}": value for name, value in ldm_vae(vae).items()}
    prefix = "cond_stage_model.transformer."
    for name, value in text_encoder.state_dict().items():
        tensors[prefix + (name if name.startswith("text_model.") else f"text_model.{name}")] = value
    save_file({name: value.contiguous() for name, value in tensors.items()}, file)
    whole = HandRefinerPipeline.from_pretrained(folder, controlnet=control, dtype="float32", device="cpu")
    for weights in folder.rglob("*.safetensors"):
        weights.unlink()  # what is left is the configs and the tokenizer
    single = HandRefinerPipeline.from_pretrained(file, controlnet=control, dtype="float32", device="cpu")
    for part in ("unet", "vae", "text_encoder", "controlnet"):
        one, other = getattr(whole.pipe, part).state_dict(), getattr(single.pipe, part).state_dict()
        assert set(one) == set(other)
        assert all(torch.equal(one[name], other[name]) for name in one), part
    shutil.rmtree(folder)


def ldm_unet(unet: diffusers.UNet2DConditionModel) -> dict[str, torch.Tensor]:
    """A UNet's tensors under the names of the original release."""
    weights = unet.state_dict()
    up = {name: weights.pop(name) for name in list(weights) if name.startswith("up_blocks.")}
    out = {"conv_norm_out": "out.0", "conv_out": "out.2"}
    last = {name: weights.pop(name) for name in list(weights) if name.split(".")[0] in out}
    made = published_layout(weights, 2)
    for name, value in last.items():
        head, _, tail = name.partition(".")
        made[f"{out[head]}.{tail}"] = value
    inside = {
        "norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1",
        "norm2": "out_layers.0", "conv2": "out_layers.3", "conv_shortcut": "skip_connection",
    }  # fmt: skip
    for name, value in up.items():
        _, block, kind, layer, rest = name.split(".", 4)
        place = 3 * int(block) + (2 if kind == "upsamplers" else int(layer))
        if kind == "resnets":
            head, _, tail = rest.partition(".")
            made[f"output_blocks.{place}.0.{inside[head]}.{tail}"] = value
        elif kind == "attentions":
            made[f"output_blocks.{place}.1.{rest}"] = value
        else:
            made[f"output_blocks.{place}.{1 if block == '0' else 2}.{rest}"] = value
    return made


def ldm_vae(vae: diffusers.AutoencoderKL) -> dict[str, torch.Tensor]:
    """A VAE's tensors under the names of the original release."""
    levels = len(vae.config.block_out_channels)
    made: dict[str, torch.Tensor] = {}
    for name, value in vae.state_dict().items():
        renamed = name.replace("conv_shortcut", "nin_shortcut").replace("conv_norm_out", "norm_out")
        parts = renamed.split(".")
        if "down_blocks" in parts:
            kind = {"resnets": f"block.{parts[4]}", "downsamplers": "downsample"}[parts[3]]
            renamed = ".".join([parts[0], "down", parts[2], kind, *parts[5:]])
        elif "up_blocks" in parts:
            kind = {"resnets": f"block.{parts[4]}", "upsamplers": "upsample"}[parts[3]]
            renamed = ".".join([parts[0], "up", str(levels - 1 - int(parts[2])), kind, *parts[5:]])
        elif "mid_block" in parts:
            attention = parts[2] == "attentions"
            place = "attn_1" if attention else f"block_{int(parts[3]) + 1}"
            names = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out": "proj_out"}
            rest = [names.get(part, part) for part in parts[4:] if not (attention and part == "0")]
            if attention and value.ndim == 2:
                value = value[..., None, None]
            renamed = ".".join([parts[0], "mid", place, *rest])
        made[renamed] = value
    return made
