"""A trained family at twice its resolution: the same networks, on patches of twice the side.

The first latents of a picture are those of the picture at half its size, and the ControlNet sees the control
image at half its size, so both go on where they were. Some more latents hold what half the size loses;
nothing is known of them yet.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from handwright.diffusion.codec import PatchCodec
from handwright.diffusion.latents import pixels_per_latent
from handwright.diffusion.libraries import ControlNetModel, UNet2DConditionModel
from handwright.errors import UsageError
from handwright.training.family import Family
from handwright.training.recipes.vae import some_patches

FINE_CHANNELS = 8
_SCALE = 64.0
"""Of activations that SiLU should let pass: it takes .28 from them at most."""


def doubled(family: Family, pixels: UInt8[np.ndarray, "n s s 3"], seed: int) -> Family:
    """The family for pictures of twice the side, under its own noise levels: others it would not know.

    Args:
        family: With a linear patch codec.
        pixels: Pictures at the new resolution or more, to learn from what half their size loses.
        seed: Of the patches that are looked at, and of the weights that nothing uses yet.

    Raises:
        UsageError: The family has another autoencoder.
    """
    if not isinstance(family.vae, PatchCodec):
        kind = type(family.vae).__name__
        raise UsageError(f"a family with a {kind} cannot be doubled", "", "give one with a PatchCodec")
    torch.manual_seed(seed)
    controlnet = None if family.controlnet is None else _widened_controlnet(family.controlnet)
    return replace(
        family,
        vae=double_codec(family.vae, pixels, seed),
        unet=_widened_unet(family.unet),
        controlnet=controlnet,
        resolution=2 * family.resolution,
    )


def double_codec(codec: PatchCodec, pixels: UInt8[np.ndarray, "n s s 3"], seed: int) -> PatchCodec:
    """A codec on patches of twice the side.

    Its first latents are the old codec's, of the picture at half its size. The others are the principal
    components of what these leave, divided by the root of their standard deviation as in ``fit_codec``. The
    way back is the linear map that comes nearest to the pictures.
    """
    side = 2 * pixels_per_latent(codec)
    into, out = (part.weight.detach().double().numpy() for part in (codec.encoder, codec.decoder))
    mean = codec.decoder.bias.detach().double().numpy()  # type: ignore[union-attr]
    flat = some_patches(pixels, side, seed) - np.repeat(mean, side**2)
    coarse = into.repeat(2, 2).repeat(2, 3).reshape(len(into), -1) / 4
    seen = flat @ coarse.T
    back = np.linalg.lstsq(seen, flat, rcond=None)[0]
    variances, vectors = np.linalg.eigh(np.cov((flat - seen @ back).T))
    fine, spread = vectors[:, ::-1][:, :FINE_CHANNELS].T, np.sqrt(variances[::-1][:FINE_CHANNELS])
    usual = 2 * (seen.std(0) * np.linalg.norm(out.reshape(len(out), -1), axis=1)).mean()
    scale = np.sqrt(spread * usual)[:, None]
    rest = np.eye(flat.shape[1]) - back.T @ coarse
    weight, decode = np.concatenate([coarse, fine @ rest / scale]), np.concatenate([back, fine * scale])
    new = PatchCodec(len(weight), 1.0, (3 * side**2,) * (len(codec.config["block_out_channels"]) + 1))
    new.set_maps(*(torch.from_numpy(array).float() for array in (mean, weight, decode)))
    return new


def _widened_unet(unet: UNet2DConditionModel) -> UNet2DConditionModel:
    """The UNet with more latent channels, of which it takes no notice and says nothing yet."""
    old = int(unet.config["out_channels"])
    paints = unet.config["in_channels"] > old
    wide = (2 * old + 2 * FINE_CHANNELS + 1) if paints else old + FINE_CHANNELS
    config = {**unet.config, "in_channels": wide, "out_channels": old + FINE_CHANNELS}
    new = cast("UNet2DConditionModel", UNet2DConditionModel.from_config(config))
    state = unet.state_dict()
    state["conv_in.weight"] = _heard(state["conv_in.weight"], old, wide)
    for name in ("conv_out.weight", "conv_out.bias"):
        state[name] = torch.cat([state[name], state[name].new_zeros(FINE_CHANNELS, *state[name].shape[1:])])
    new.load_state_dict(state)
    return new


def _widened_controlnet(controlnet: ControlNetModel) -> ControlNetModel:
    """The ControlNet with more latent channels, which sees control images at half their size."""
    old = int(controlnet.config["in_channels"])
    widths = tuple(controlnet.config["conditioning_embedding_out_channels"])
    config: dict[str, Any] = {
        **controlnet.config,
        "in_channels": old + FINE_CHANNELS,
        "conditioning_embedding_out_channels": (max(widths[0], 9), *widths),
    }
    new = cast("ControlNetModel", ControlNetModel.from_config(config))
    start = "controlnet_cond_embedding."
    state = controlnet.state_dict()
    known = {k: v for k, v in state.items() if not k.startswith(start)}
    known["conv_in.weight"] = _heard(known["conv_in.weight"], old, old + FINE_CHANNELS)
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


def _heard(weight: Float[Tensor, "o i k k"], old: int, wide: int) -> Float[Tensor, "o w k k"]:
    """A first convolution's weight with places for the new channels after each lot of latents, all 0."""
    new = weight.new_zeros(len(weight), wide, *weight.shape[2:])
    new[:, :old] = weight[:, :old]
    if weight.shape[1] > old:
        new[:, old + FINE_CHANNELS : 2 * old + FINE_CHANNELS + 1] = weight[:, old:]
    return new
