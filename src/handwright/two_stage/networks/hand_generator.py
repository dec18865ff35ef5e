"""Stage I's network: a UNet that paints a hand and predicts its mask (Pelykh et al. 2024, §III-B)."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self, cast

import numpy as np
import torch
from diffusers.configuration_utils import ConfigMixin, FrozenDict, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from jaxtyping import Bool, Float, UInt8
from torch import Tensor, nn
from torch.nn import functional

from handwright.diffusion.inflation import NewWeights, chosen, inflate
from handwright.diffusion.loading.libraries import UNet2DConditionModel, quiet
from handwright.errors import InvalidValueError
from handwright.two_stage.networks.finger_heatmaps import CHANNELS

CONDITION_CHANNELS = CHANNELS + 1  # K = 11: the finger heatmaps, and the hands' mask
WITH_DEPTH = CONDITION_CHANNELS + 1  # And the depth of the fitted hand, which gives the order of fingers

_DOUBLINGS = 4  # 'a stack of 4 transposed convolutional layers'


@dataclass(frozen=True, eq=False)
class HandGeneratorOutput:
    """What both heads give."""

    sample: Float[Tensor, "b c h w"]  # The prediction of the UNet: noise, or a flow's velocity
    # Logits of the hands' mask at the picture's size, a sigmoid gives probabilities; None without that head
    mask_logits: Float[Tensor, "b 1 H W"] | None


class MaskHead(nn.Module):
    """Four transposed convolutions on the decoder's last features, SiLU between; then the picture's size.

    Args:
        in_channels: Channels of those features.
        channels: Channels of the first layer; each further one has half as many, the last one 1.
    """

    def __init__(self, in_channels: int, channels: int = 32) -> None:
        super().__init__()
        widths = [in_channels, *(max(channels >> k, 1) for k in range(_DOUBLINGS - 1)), 1]
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.ConvTranspose2d(before, after, 2, stride=2), nn.SiLU()]
        self.layers = nn.Sequential(*layers[:-1])

    def forward(self, features: Float[Tensor, "b c h w"], size_px: tuple[int, int]) -> Tensor:
        """Logits [B, 1, *size_px]: four doublings of 64 latents are 1024, which is brought to 512 by area."""
        return functional.interpolate(self.layers(features), size_px, mode="area")


def at_latent_size(condition: Float[Tensor, "b k H W"], cells: Sequence[int]) -> Float[Tensor, "b k h w"]:
    """'Downsized to the latent dimension with bilinear interpolation', h, w ``cells``, float32 (§III-B)."""
    if condition.shape[2:] == tuple(cells):
        return condition.float()
    # In float32: on CPUs torch shrinks with antialiasing in no half precision
    return functional.interpolate(
        condition.float(), tuple(cells), mode="bilinear", antialias=True, align_corners=False
    )


class HandGenerator(ModelMixin, ConfigMixin):
    """A UNet whose first convolution also reads finger heatmaps and a mask, with a second head for the mask.

    Args:
        unet_config: Configuration of the inner ``UNet2DConditionModel``, whose ``in_channels`` are those of
            the base and ``condition_channels`` more.
        condition_channels: K of the paper; 12 with the fitted hand's depth as a further channel.
        mask_channels: Channels of the mask head's first layer.
        with_mask_head: False leaves the second head out (an ablation).
    """

    config_name = "config.json"

    @register_to_config
    def __init__(
        self,
        unet_config: dict[str, Any],
        condition_channels: int = CONDITION_CHANNELS,
        mask_channels: int = 32,
        with_mask_head: bool = True,
    ) -> None:
        super().__init__()
        self.unet = cast("UNet2DConditionModel", UNet2DConditionModel.from_config(unet_config))
        self.mask_head = MaskHead(self._last.num_channels, mask_channels) if with_mask_head else None

    @classmethod
    def from_unet(
        cls,
        unet: UNet2DConditionModel,
        *,
        new_weights: NewWeights = "random",
        condition_channels: int = CONDITION_CHANNELS,
        mask_channels: int = 32,
        with_mask_head: bool = True,
    ) -> Self:
        """Begin from a trained base of any SD 1.x or SDXL layout: its weights are kept, new ones are fresh.

        Args:
            unet: The base, plain or inpainting.
            new_weights: Of the further channels of ``conv_in``: 'random' as published, or 'zero'.
            condition_channels: As of the class.
            mask_channels: As of the class.
            with_mask_head: As of the class.

        Raises:
            InvalidValueError: ``condition_channels`` is less than 1.
        """
        inflated = inflate(unet, condition_channels, new_weights)
        network = cls(chosen(inflated), condition_channels, mask_channels, with_mask_head)
        network.unet.load_state_dict(inflated.state_dict())
        with quiet():
            return cast("Any", network).to(unet.dtype)

    @property
    def _last(self) -> nn.GroupNorm:
        """The layer that the decoder's last features go into."""
        return cast("nn.GroupNorm", self.unet.conv_norm_out)

    @property
    def reads_depth(self) -> bool:
        """Whether the condition's last channel is the depth of the hands."""
        return int(self.config["condition_channels"]) >= WITH_DEPTH

    @property
    def latent_channels(self) -> int:
        """Channels that the base reads, before the condition."""
        return self.unet.conv_in.in_channels - int(self.config["condition_channels"])

    def forward(
        self,
        sample: Float[Tensor, "b c h w"],
        timestep: Tensor | float,
        encoder_hidden_states: Float[Tensor, "b l d"],
        condition: Float[Tensor, "b k H W"],
        mask_size_px: tuple[int, int] | None = None,
        **further: Any,  # noqa: ANN401
    ) -> HandGeneratorOutput:
        """Predict noise (or velocity) and mask.

        Args:
            sample: Noisy latents, as the base reads them (an inpainting base: with mask and masked latents).
            timestep: As of ``UNet2DConditionModel``.
            encoder_hidden_states: Text features, as of ``UNet2DConditionModel``.
            condition: Finger heatmaps and mask at the picture's size, or already at the latents'
                (``at_latent_size``).
            mask_size_px: Size of the mask's logits, h, w; None: the condition's.
            **further: Further arguments of ``UNet2DConditionModel`` (SDXL's ``added_cond_kwargs``, …).

        Raises:
            InvalidValueError: The condition has another number of channels.
        """
        wanted = int(self.config["condition_channels"])
        if condition.shape[1] != wanted:
            raise InvalidValueError(
                f"the condition has {condition.shape[1]} channels",
                f"this network reads {wanted}",
                "give those",
            )
        small = at_latent_size(condition.to(sample.device), sample.shape[2:]).to(sample.dtype)
        features: list[Tensor] = []
        handle = self._last.register_forward_pre_hook(lambda _, seen: features.append(seen[0]))
        try:
            predicted = self.unet(torch.cat([sample, small], 1), timestep, encoder_hidden_states, **further)
        finally:
            handle.remove()
        size_px = mask_size_px or (condition.shape[2], condition.shape[3])
        logits = None if self.mask_head is None else self.mask_head(features[0], size_px)
        return HandGeneratorOutput(predicted.sample, logits)

    def under(self, condition: Float[Tensor, "1 k H W"]) -> UnetUnderCondition:
        """A stand-in for the base's UNet in any of diffusers' pipelines, with the condition laid in."""
        return UnetUnderCondition(self, condition)

    @contextmanager
    def in_place_of_unet(
        self,
        pipe: Any,  # noqa: ANN401
        maps: Float[np.ndarray, "10 H W"],
        depth: UInt8[np.ndarray, "H W"] | None = None,
    ) -> Generator[UnetUnderCondition]:
        """Let one of diffusers' pipelines, built around the base, paint with this network for a while.

        Args:
            pipe: The pipeline; afterwards it has its own UNet again.
            maps: Finger heatmaps at the picture's size; the mask's channel is zero ('mask-free inference').
            depth: The depth control image of the hands; a network that reads none takes no notice of it.
        """
        condition = torch.zeros(1, int(self.config["condition_channels"]), *maps.shape[1:])
        condition[0, :CHANNELS] = torch.from_numpy(maps)
        if self.reads_depth and depth is not None:
            condition[0, WITH_DEPTH - 1] = torch.from_numpy(depth.astype(np.float32) / 255)
        own, pipe.unet = pipe.unet, self.under(condition)
        try:
            yield pipe.unet
        finally:
            pipe.unet = own


class UnetUnderCondition(nn.Module):
    """Called as a ``UNet2DConditionModel`` is; keeps the mask that the last step predicted."""

    def __init__(self, generator: HandGenerator, condition: Float[Tensor, "1 k H W"]) -> None:
        super().__init__()
        self.generator, self.condition = generator, condition
        inner = generator.unet.config
        self.config = FrozenDict({**inner, "in_channels": generator.latent_channels})
        self.mask: Float[Tensor, "b 1 H W"] | None = None  # Probabilities, of the last call

    @property
    def hand_mask(self) -> Bool[np.ndarray, "H W"] | None:
        """Where the last step saw the hands of its last sample, the one with the prompt; None: nowhere."""
        return None if self.mask is None else (self.mask[-1, 0] >= 0.5).cpu().numpy()

    @property
    def dtype(self) -> torch.dtype:
        """Of the weights."""
        return self.generator.dtype

    @property
    def device(self) -> torch.device:
        """Of the weights."""
        return self.generator.device

    @property
    def add_embedding(self) -> nn.Module:
        """SDXL's pipelines look at it for the width of the micro-conditioning."""
        return cast("Any", self.generator.unet).add_embedding

    def forward(
        self,
        sample: Tensor,
        timestep: Tensor | float,
        encoder_hidden_states: Tensor,
        return_dict: bool = True,
        **further: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """As of ``UNet2DConditionModel``; one condition serves the whole batch, guidance included."""
        condition = self.condition.to(sample).expand(len(sample), -1, -1, -1)
        output = self.generator(sample, timestep, encoder_hidden_states, condition, **further)
        self.mask = None if output.mask_logits is None else output.mask_logits.sigmoid()
        return output if return_dict else (output.sample,)
