"""A trained family at twice its resolution: the same networks, on patches of twice the side.

The latents of a picture are those of the picture at half its size, and the ControlNet sees the control image
at half its size, so both go on where they were. What half the size loses is the codec's to bring back: as far
as a linear map can, at once; the rest a network of the codec's own has to learn (``train vae``).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from handwright.diffusion.codec import PatchCodec
from handwright.diffusion.latents import pixels_per_latent
from handwright.diffusion.loading.libraries import ControlNetModel
from handwright.errors import UsageError
from handwright.training.networks.family import Family
from handwright.training.recipes.vae import some_patches

_DETAIL_WIDTHS = (64, 48, 24, 16)
"""Of the network for detail, from the latents' level on; finer levels have the last one's."""

_SCALE = 64.0
"""Of activations that SiLU should let pass: it takes .28 from them at most."""


def doubled(family: Family, pixels: UInt8[np.ndarray, "n s s 3"], seed: int) -> Family:
    """The family for pictures of twice the side, under its own noise levels: others it would not know.

    Args:
        family: With a linear patch codec.
        pixels: Pictures at the new resolution or more, to find the best linear way back from latents.
        seed: Of the patches that are looked at, and of the weights that change nothing yet.

    Raises:
        UsageError: The family has another autoencoder.
    """
    if not isinstance(family.vae, PatchCodec):
        kind = type(family.vae).__name__
        raise UsageError(f"a family with a {kind} cannot be doubled", "", "give one with a PatchCodec")
    torch.manual_seed(seed)
    controlnet = None if family.controlnet is None else _deeper_controlnet(family.controlnet)
    return replace(
        family,
        vae=double_codec(family.vae, pixels, seed),
        controlnet=controlnet,
        resolution=2 * family.resolution,
    )


def double_codec(codec: PatchCodec, pixels: UInt8[np.ndarray, "n s s 3"], seed: int) -> PatchCodec:
    """A codec on patches of twice the side whose latents are the old codec's of the picture at half its size.

    The way back is the linear map that comes nearest to the pictures, and a network for detail that adds
    nothing yet.
    """
    side = 2 * pixels_per_latent(codec)
    mean = cast("Tensor", codec.decoder.bias).detach().double().numpy()
    into = codec.encoder.weight.detach().double().numpy()
    flat = some_patches(pixels, side, seed) - np.repeat(mean, side**2)
    halved = into.repeat(2, 2).repeat(2, 3).reshape(len(into), -1) / 4
    back = np.linalg.lstsq(flat @ halved.T, flat, rcond=None)[0]
    levels = len(codec.config["block_out_channels"])
    widths = (_DETAIL_WIDTHS + _DETAIL_WIDTHS[-1:] * levels)[:levels]
    new = PatchCodec(len(into), 1.0, (3 * side**2,) * (levels + 1), widths)
    new.set_maps(*(torch.from_numpy(array).float() for array in (mean, halved, back)))
    return new


def _deeper_controlnet(controlnet: ControlNetModel) -> ControlNetModel:
    """The ControlNet with an embedding that sees control images at half their size."""
    widths = tuple(controlnet.config["conditioning_embedding_out_channels"])
    config: dict[str, Any] = {
        **controlnet.config,
        "conditioning_embedding_out_channels": (max(widths[0], 9), *widths),
    }
    new = cast("ControlNetModel", ControlNetModel.from_config(config))
    start = "controlnet_cond_embedding."
    state = controlnet.state_dict()
    known = {k: v for k, v in state.items() if not k.startswith(start)}
    known |= {f"{start}{k}": v for k, v in _halving(new.controlnet_cond_embedding, state, start).items()}
    new.load_state_dict(known)
    return new


def _halving(embedding: torch.nn.Module, state: dict[str, Tensor], start: str) -> dict[str, Tensor]:
    """Weights of an embedding with a level more, whose first three layers are the old first one at half size.

    The first takes means of 2 × 2 pixels, the second has them one pixel up to one pixel down, the third has
    each of these once more as far away, weighted by the old layer. They count on control images that are
    grey, or nearly so. Noise in what they do not use lets it be learnt.
    """
    fresh = {k: 0.1 * v for k, v in embedding.state_dict().items()}
    first, shifted, halved = (f"{k}.weight" for k in ("conv_in", "blocks.0", "blocks.1"))
    old, bias = state[f"{start}conv_in.weight"].sum(1), state[f"{start}conv_in.bias"]
    channels = fresh[first].shape[1]
    fresh[first][0], fresh["conv_in.bias"][0] = 0.0, 0.0
    fresh[first][0, :, 1:, 1:] = _SCALE / (4 * channels)
    fresh[shifted][:9], fresh["blocks.0.bias"][:9] = 0.0, 0.0
    fresh[halved], fresh["blocks.1.bias"] = torch.zeros_like(fresh[halved]), bias
    for k in range(9):
        row, column = divmod(k, 3)
        fresh[shifted][k, 0, row, column] = 1.0
        fresh[halved][:, k, row, column] = old[:, row, column] / _SCALE
    kept = {k.removeprefix(start): v for k, v in state.items() if k.startswith(f"{start}blocks")}
    later = {f"blocks.{int(k.split('.')[1]) + 2}.{k.split('.')[2]}": v for k, v in kept.items()}
    last = {f"conv_out.{k}": state[f"{start}conv_out.{k}"] for k in ("weight", "bias")}
    return fresh | later | last
