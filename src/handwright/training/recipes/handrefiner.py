"""``handrefiner``: the depth ControlNet on the frozen inpainting UNet, renders only (HandRefiner eq. 4)."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from handwright.diffusion.loading.controlnets import OWN_FILE
from handwright.diffusion.loading.libraries import ControlNetModel, UNet2DConditionModel
from handwright.diffusion.loading.zoo import DiffusionModels
from handwright.handrefiner.objective import masked_loss
from handwright.training.frozen_text import Conditioning, FrozenText
from handwright.training.recipes.base import CropRecipe, unet_input
from handwright.training.samples import sample_grid
from handwright.training.settings import TrainSettings
from handwright.training.streams.crops import Crops


class ControlLoss(nn.Module):
    """Eq. 4; only the ControlNet learns."""

    def __init__(self, text: FrozenText, unet: UNet2DConditionModel, controlnet: ControlNetModel) -> None:
        super().__init__()
        self.controlnet = controlnet.requires_grad_(True)
        self._frozen = (text, unet.requires_grad_(False).eval())

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Squared error over the region that counts, with the control at full strength."""
        control = batch["control"] * batch["controlled"][:, None, None, None]
        prediction = self.predicted(batch, control)
        return masked_loss(prediction, batch["target"], batch["region"], batch["weight"])

    def predicted(self, batch: Mapping[str, Tensor], control: Tensor) -> Tensor:
        """What the frozen UNet predicts of a batch under the ControlNet at full strength."""
        return self.denoised(batch, self.conditioning(batch), self.controlnet, control)

    def conditioning(self, batch: Mapping[str, Tensor]) -> Conditioning:
        """What UNet and ControlNet read of a batch's ``tokens``."""
        encode, unet = self._frozen
        device = batch["latents"].device
        cast("Any", unet).to(device)
        return encode(batch["tokens"], device)

    def denoised(
        self,
        batch: Mapping[str, Tensor],
        conditioning: Conditioning,
        controlnet: ControlNetModel | None,
        control: Tensor,
    ) -> Tensor:
        """What the frozen UNet predicts under a ControlNet at full strength, or under none."""
        latents, timesteps = batch["latents"], batch["timesteps"]
        (text, added), (_, unet) = conditioning, self._frozen
        residuals: dict[str, Any] = {}
        if controlnet is not None:
            down, mid = controlnet(latents, timesteps, text, control, return_dict=False, **added)
            residuals = {"down_block_additional_residuals": down, "mid_block_additional_residual": mid}
        noisy = unet_input(unet.config["in_channels"], batch)
        return unet(noisy, timesteps, text, **residuals, **added).sample.float()


class HandRefinerRecipe(CropRecipe):
    """``handrefiner``; ``control`` is the kind of control image that is learnt."""

    dropout = 0.0

    def __init__(
        self, crops: Crops, family: DiffusionModels, controlnet: ControlNetModel, control: str = "depth"
    ) -> None:
        trained = ControlLoss(FrozenText(family), family.unet, controlnet)
        super().__init__(crops, family, trained, photograph_share=0.0)
        self.controlnet, self.control = controlnet, control

    def drawn(self, rng: np.random.Generator, count: int, settings: TrainSettings) -> dict[str, Tensor]:
        """As of every recipe on crops, and whether the hand alone counts, or all of the picture."""
        drawn = super().drawn(rng, count, settings)
        return {**drawn, "masked": torch.full((count,), settings.masked_loss)}

    def samples(self, drawn: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """As of every recipe on crops, and the region that counts."""
        further = super().samples(drawn)
        region = torch.where(further.pop("masked").view(-1, 1, 1, 1), further["mask"], 1.0)
        return {**further, "region": region}

    def grid(self) -> np.ndarray:
        """Crops repainted under their control image at full strength."""
        return sample_grid(self.shown, self.family, self.controlnet, self.control)

    def save(self, folder: Path) -> None:
        """Write the ControlNet, and beside it what it reads unless that is depth."""
        self.controlnet.save_pretrained(folder / "controlnet")
        if self.control != "depth":
            traits = json.dumps({"control": self.control}) + "\n"
            (folder / "controlnet" / OWN_FILE).write_text(traits, "utf-8")
