"""A text-to-image family inflated to its inpainting sibling, as SD's was (Rombach et al. 2022)."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from handwright.diffusion.loading.libraries import UNet2DConditionModel
from handwright.errors import UsageError
from handwright.training.networks.family import Family


def inflated(unet: UNet2DConditionModel) -> UNet2DConditionModel:
    """The UNet that also reads a mask and the masked picture's latents; of both it takes no notice yet.

    Args:
        unet: Reads as many channels, the noisy latents, as it predicts.

    Returns:
        A copy with 2 L + 1 input channels in place of L.

    Raises:
        UsageError: It reads more than its latents already.
    """
    latents, reads = int(unet.config["out_channels"]), int(unet.config["in_channels"])
    if reads != latents:
        raise UsageError(
            f"this UNet reads {reads} channels", f"its latents have {latents}", "give a plain one"
        )
    config = {**unet.config, "in_channels": 2 * latents + 1}
    new = cast("UNet2DConditionModel", UNet2DConditionModel.from_config(config))
    state = unet.state_dict()
    first = state["conv_in.weight"]
    state["conv_in.weight"] = first.new_zeros(len(first), 2 * latents + 1, *first.shape[2:])
    state["conv_in.weight"][:, :latents] = first
    new.load_state_dict(state)
    return new


def inflated_family(family: Family) -> Family:
    """The family with its UNet inflated; the ControlNet reads noisy latents alone and stays.

    Raises:
        UsageError: Its UNet inpaints already.
    """
    return replace(family, unet=inflated(family.unet))
