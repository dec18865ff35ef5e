"""Stage II's network: a ControlNet on the skeleton and the hands' mask (Pelykh et al. 2024, §III-C)."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from handwright.diffusion.inflation import NewWeights, chosen, widened
from handwright.diffusion.latents import control_tensor
from handwright.diffusion.loading.controlnets import controlnet_from
from handwright.diffusion.loading.libraries import ControlNetModel, UNet2DConditionModel, quiet
from handwright.errors import InvalidValueError

SKELETON_CHANNELS = 3
CONDITION_CHANNELS = SKELETON_CHANNELS + 1  # The skeleton's colours, and the hands' mask

_FIRST = "controlnet_cond_embedding.conv_in.weight"  # The convolution that reads the condition


class Outpainter(ControlNetModel):
    """A ControlNet that reads a skeleton picture and, as a fourth channel, where the hands are.

    It is saved and loaded as any model of diffusers, and goes where a ``ControlNetModel`` goes.
    """

    @classmethod
    def from_controlnet(cls, controlnet: ControlNetModel, new_weights: NewWeights = "zero") -> Self:
        """Begin from a ControlNet on pictures: its weights are kept, those that read the mask are new.

        Args:
            controlnet: Such as an OpenPose ControlNet, with which the paper begins.
            new_weights: Of the mask's channel: 'zero' takes no notice of it at first, 'random' is a fresh
                convolution's own draw from torch's global generator.

        Raises:
            InvalidValueError: It reads no picture of three channels.
        """
        reads = int(controlnet.config["conditioning_channels"])
        if reads != SKELETON_CHANNELS:
            raise InvalidValueError(
                f"the ControlNet reads control images of {reads} channels",
                f"a skeleton picture has {SKELETON_CHANNELS}",
                "give a ControlNet on pictures",
            )
        state, order = controlnet.state_dict(), "controlnet_conditioning_channel_order"
        if controlnet.config[order] == "bgr":
            state[_FIRST] = state[_FIRST].flip(1)
        config = {**chosen(controlnet), order: "rgb", "conditioning_channels": CONDITION_CHANNELS}
        network: Any = cls.from_config(config)
        state[_FIRST] = widened(state[_FIRST], CONDITION_CHANNELS - SKELETON_CHANNELS, new_weights)
        network.load_state_dict(state)
        with quiet():  # diffusers remarks on any cast
            return network.to(controlnet.dtype).train(controlnet.training)

    @classmethod
    def begin(
        cls,
        unet: UNet2DConditionModel,
        pixels_per_latent: int,
        controlnet: ControlNetModel | None = None,
        new_weights: NewWeights = "zero",
    ) -> Self:
        """Begin from a base of SD 1.x's or SDXL's layout.

        Args:
            unet: The base.
            pixels_per_latent: 4 or 8.
            controlnet: The base's OpenPose ControlNet; where it has none its depth ControlNet; where it has
                none either, None: the encoder of the base itself.
            new_weights: As of :meth:`from_controlnet`.

        Raises:
            InvalidValueError: As of :meth:`from_controlnet`.
        """
        known = controlnet_from(unet, pixels_per_latent) if controlnet is None else controlnet
        return cls.from_controlnet(known, new_weights)


def outpainting_condition(
    skeleton: UInt8[np.ndarray, "h w 3"], hands: Bool[np.ndarray, "h w"]
) -> Float[Tensor, "1 4 h w"]:
    """What the outpainter reads: the skeleton picture / 255 and 1 where the hands of the canvas are."""
    mask = torch.from_numpy(hands.astype(np.float32))[None, None]
    return torch.cat([control_tensor(skeleton[None]), mask], 1)
