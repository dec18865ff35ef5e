"""More input channels for a trained convolution.

A UNet's first: 4 → 9 for inpainting, 4 → 15 for finger heatmaps and a mask; a ControlNet's control image:
3 → 4 for a mask beside the picture.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn

from handwright.diffusion.loading.libraries import UNet2DConditionModel, quiet
from handwright.errors import InvalidValueError

NewWeights = Literal["random", "zero"]


def widened(weight: Tensor, extra_channels: int, new_weights: NewWeights = "zero") -> Tensor:
    """A convolution's weight [o, i, k, k] that reads further channels behind its own: [o, i + extra, k, k].

    Args:
        weight: Trained; it is kept.
        extra_channels: How many channels it reads more; at least 1.
        new_weights: As of :func:`inflate`.

    Raises:
        InvalidValueError: ``extra_channels`` is less than 1.
    """
    if extra_channels < 1:
        raise InvalidValueError(f"{extra_channels} further channels", "", "give 1 or more")
    width, known, side = weight.shape[0], weight.shape[1], weight.shape[2]
    if new_weights == "zero":
        further = weight.new_zeros(width, extra_channels, side, side)
    else:
        fresh = nn.Conv2d(known + extra_channels, width, side)
        further = fresh.weight.detach()[:, known:].to(weight)
    return torch.cat([weight, further], 1)


def chosen(network: Any) -> dict[str, Any]:  # noqa: ANN401 - any network of diffusers
    """A network's settings without diffusers' own notes, one of which keeps defaults from being changed."""
    return {name: value for name, value in network.config.items() if not name.startswith("_")}


def inflate(
    unet: UNet2DConditionModel, extra_channels: int, new_weights: NewWeights = "zero"
) -> UNet2DConditionModel:
    """A copy of a UNet whose first convolution reads further channels behind those that it knows.

    Args:
        unet: Trained, of any layout of ``UNet2DConditionModel``.
        extra_channels: How many channels it reads more; at least 1.
        new_weights: Of the new channels: 'zero' takes no notice of them at first, as Stable Diffusion's
            inpainting model was begun (Rombach et al. 2022); 'random' is a fresh convolution's own draw from
            torch's global generator (Pelykh et al. 2024, §III-B).

    Raises:
        InvalidValueError: ``extra_channels`` is less than 1.
    """
    known = unet.conv_in.in_channels + extra_channels
    new: Any = UNet2DConditionModel.from_config({**chosen(unet), "in_channels": known})
    state = unet.state_dict()
    state["conv_in.weight"] = widened(state["conv_in.weight"], extra_channels, new_weights)
    new.load_state_dict(state)
    with quiet():  # diffusers remarks on any cast
        return new.to(unet.dtype).train(unet.training)
