"""More input channels for a trained UNet: 4 → 9 for inpainting, 4 → 15 for finger heatmaps and a mask."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import nn

from handwright.diffusion.loading.libraries import UNet2DConditionModel, quiet
from handwright.errors import InvalidValueError

NewWeights = Literal["random", "zero"]


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
    if extra_channels < 1:
        raise InvalidValueError(f"{extra_channels} further channels", "", "give 1 or more")
    known, width = unet.conv_in.in_channels, unet.conv_in.out_channels
    new: Any = UNet2DConditionModel.from_config({**unet.config, "in_channels": known + extra_channels})
    state = unet.state_dict()
    first = state["conv_in.weight"]
    if new_weights == "zero":
        further = first.new_zeros(width, extra_channels, *first.shape[2:])
    else:
        fresh = nn.Conv2d(known + extra_channels, width, first.shape[2])
        further = fresh.weight.detach()[:, known:].to(first)
    state["conv_in.weight"] = torch.cat([first, further], 1)
    new.load_state_dict(state)
    with quiet():  # diffusers remarks on any cast
        return new.to(unet.dtype).train(unet.training)
