"""``handrefiner``: the depth ControlNet on the frozen inpainting UNet, renders only (HandRefiner eq. 4)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from handwright.diffusion.libraries import CLIPTextModel, ControlNetModel, UNet2DConditionModel
from handwright.handrefiner.objective import masked_loss
from handwright.training.recipes.base import FamilyRecipe, unet_input


class ControlLoss(nn.Module):
    """Eq. 4; only the ControlNet learns."""

    def __init__(
        self, text_encoder: CLIPTextModel, unet: UNet2DConditionModel, controlnet: ControlNetModel
    ) -> None:
        super().__init__()
        self.controlnet = controlnet.requires_grad_(True)
        for frozen in (text_encoder, unet):
            frozen.requires_grad_(False).eval()
        self._frozen = (text_encoder, unet)

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Squared error over the hand region with the control at full strength."""
        latents, timesteps = batch["latents"], batch["timesteps"]
        text_encoder, unet = self._frozen
        for frozen in self._frozen:
            cast("Any", frozen).to(latents.device)
        with torch.no_grad():
            text = text_encoder(batch["tokens"]).last_hidden_state
        control = batch["control"] * batch["controlled"][:, None, None, None]
        down, mid = self.controlnet(latents, timesteps, text, control, return_dict=False)
        prediction = unet(
            unet_input(unet, batch),
            timesteps,
            text,
            down_block_additional_residuals=down,
            mid_block_additional_residual=mid,
        ).sample.float()
        return masked_loss(prediction, batch["target"], batch["mask"], batch["weight"])


class HandRefinerRecipe(FamilyRecipe):
    """``handrefiner``."""

    loss, dropout = ControlLoss, 0.0

    def grid(self) -> np.ndarray:
        """Crops repainted under their depth at full strength."""
        return self.painted(self.controlnet)

    def save(self, folder: Path) -> None:
        """Write the ControlNet."""
        self.controlnet.save_pretrained(folder / "controlnet")
