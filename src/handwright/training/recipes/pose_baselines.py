"""``pose_concatenation`` and ``pose_adapter``: baselines of Pelykh et al. 2024, Table I."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor, nn

from handwright.diffusion.loading.zoo import DiffusionModels
from handwright.handrefiner.objective import masked_loss
from handwright.training.frozen_text import FrozenText
from handwright.training.people_pictures import PeopleStream
from handwright.training.recipes.base import FamilyRecipe, unet_input
from handwright.training.recipes.outpainter import skeleton_of
from handwright.training.samples import family_pipeline, fitting_prompt
from handwright.training.settings import TrainSettings
from handwright.two_stage.baselines import steered_alone
from handwright.two_stage.networks.pose_baselines import PoseConcatenation, PoseNetwork, drawing_for
from handwright.two_stage.pipeline import TwoStagePipeline

_SHOWN = 6  # People in the sample grid
_SAMPLED: dict[str, Any] = {"num_inference_steps": 12, "guidance_scale": 2.0}  # Of the grid; chosen by eye


class PoseLoss(nn.Module):
    """A network that tells the base of the pose; the forward pass is the squared error of all latents."""

    def __init__(self, family: DiffusionModels, network: PoseNetwork) -> None:
        super().__init__()
        self.network = network.requires_grad_(True)
        self._frozen = FrozenText(family), family.unet.requires_grad_(False).eval()

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Loss of ``latents``, ``timesteps``, ``target``, ``tokens`` and ``drawing``."""
        encode, unet = self._frozen
        at, drawing = batch["timesteps"], batch["drawing"]
        text, added = encode(batch["tokens"], batch["latents"].device)
        if isinstance(self.network, PoseConcatenation):
            noisy = unet_input(self.network.latent_channels, batch)
            prediction = self.network(noisy, at, text, drawing, **added).sample
        else:
            cast("Any", unet).to(batch["latents"].device)
            noisy = unet_input(unet.config["in_channels"], batch)
            features = self.network(drawing)
            prediction = unet(noisy, at, text, down_intrablock_additional_residuals=features, **added).sample
        return masked_loss(prediction.float(), batch["target"], batch["mask"], batch["weight"])


class PoseRecipe(FamilyRecipe):
    """Both members; see :class:`handwright.training.loop.Recipe`.

    An inpainting base is given a full mask: everything is to be painted.

    Args:
        name: Of the folder that the network is written to.
        people: What it learns from.
        family: The base; it learns only as the network's own copy.
        network: That learns.
    """

    def __init__(
        self,
        name: str,
        people: PeopleStream,
        family: DiffusionModels,
        network: PoseNetwork,
    ) -> None:
        super().__init__(family, PoseLoss(family, network))
        self.name, self.network, self.stream = name, network, people
        self.shown = people.shown(_SHOWN)

    def drawn(self, rng: np.random.Generator, count: int, settings: TrainSettings) -> dict[str, Tensor]:
        """People with their skeletons and tokens."""
        people = self.stream.draw(rng, count)
        empty = rng.random(count) < settings.proportion_empty_prompts
        return {
            "pixels": torch.from_numpy(np.stack([person.pixels for person in people])),
            "skeletons": torch.from_numpy(np.stack([skeleton_of(person) for person in people])),
            "tokens": self.tokens([person.caption for person in people], empty),
        }

    def samples(self, drawn: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Latents of the pictures, of which nothing is known, and what the network reads of the skeletons."""
        further = dict(drawn)
        whole = self.painted_whole(further.pop("pixels"))
        drawing = drawing_for(self.network, self.codec, further.pop("skeletons").numpy())
        return {**further, **whole, "drawing": drawing}

    def grid(self) -> UInt8[np.ndarray, "h w 3"]:
        """Columns of: the picture, its skeleton, and what is painted from noise."""
        hands, side = family_pipeline(self.family), self.family.resolution
        pipeline = TwoStagePipeline(hands, hands, pose_controlled=False)
        columns: list[np.ndarray] = []
        for number, person in enumerate(self.shown):
            prompt = fitting_prompt(self.family, person.caption)
            painted = steered_alone(
                pipeline, self.network, prompt, person.pose, side, side, seed=number, **_SAMPLED
            )
            columns.append(np.concatenate([person.pixels, skeleton_of(person), painted]))
        return np.concatenate(columns, 1)

    def save(self, folder: Path) -> None:
        """Write the network."""
        self.network.save_pretrained(folder / self.name)
