"""A trained family at twice its resolution: the same networks, on patches of twice the side.

The first latents of a picture are those of the picture at half its size, so the UNet, which sees as many of
them as before, goes on where it was. Some more hold what half the size loses; nothing is known of them yet.
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
from handwright.training.family import Family, noise_schedule
from handwright.training.noising import prediction_of
from handwright.training.recipes.vae import some_patches

FINE_CHANNELS = 8
_EMBEDDING = (16, 32, 64, 96)
"""Channels of a doubled ControlNet's depth embedding, which begins anew: it has a level more."""


def doubled(family: Family, pixels: UInt8[np.ndarray, "n s s 3"], seed: int) -> Family:
    """The family for pictures of twice the side, under the noise levels of new families.

    Args:
        family: With a linear patch codec.
        pixels: Pictures at the new resolution or more, to learn from what half their size loses.
        seed: Of the patches that are looked at, and of the ControlNet's new embedding.

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
        schedule=noise_schedule(prediction_of(family.schedule)),
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
    """The ControlNet with more latent channels and a new depth embedding."""
    old = int(controlnet.config["in_channels"])
    config: dict[str, Any] = {
        **controlnet.config,
        "in_channels": old + FINE_CHANNELS,
        "conditioning_embedding_out_channels": _EMBEDDING,
    }
    new = cast("ControlNetModel", ControlNetModel.from_config(config))
    for values in new.controlnet_cond_embedding.conv_out.parameters():
        bound = 1 / max(values[0].numel(), 1) ** 0.5
        torch.nn.init.uniform_(values, -bound, bound)
    known = {
        k: v for k, v in controlnet.state_dict().items() if not k.startswith("controlnet_cond_embedding")
    }
    known["conv_in.weight"] = _heard(known["conv_in.weight"], old, old + FINE_CHANNELS)
    new.load_state_dict(new.state_dict() | known)
    return new


def _heard(weight: Float[Tensor, "o i k k"], old: int, wide: int) -> Float[Tensor, "o w k k"]:
    """A first convolution's weight with places for the new channels after each lot of latents, all 0."""
    new = weight.new_zeros(len(weight), wide, *weight.shape[2:])
    new[:, :old] = weight[:, :old]
    if weight.shape[1] > old:
        new[:, old + FINE_CHANNELS : 2 * old + FINE_CHANNELS + 1] = weight[:, old:]
    return new
