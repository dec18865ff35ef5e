"""``few_steps``: a text-to-image base that needs four steps, taught by one that needs many and guidance.

The student learns where the teacher's guided path leads (``noising``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from handwright.diffusion.guidance import guided
from handwright.diffusion.loading.libraries import CLIPTextModel, UNet2DConditionModel
from handwright.training.networks.family import save_family, token_ids
from handwright.training.noising import TeacherPaths, at_level, straight_velocity
from handwright.training.recipes.base import repeated, unet_input
from handwright.training.recipes.text_to_image import TextToImageParams, TextToImageRecipe
from handwright.training.streams.latent_shards import LatentSamples, LatentStream


@dataclass(frozen=True, kw_only=True)
class FewStepsParams:
    """What is distilled, and how."""

    steps: int = 4  # Of the student
    teacher_steps: int = 3  # Of the teacher in place of each: twelve in all, as ``text_to_image`` paints
    guidance: float = 2.0  # Of the teacher; that of the prompt sheet of ``text_to_image``


class StepLoss(nn.Module):
    """Mean squared error of the velocity that leads straight to where the teacher arrives.

    Only the student learns.

    Args:
        text_encoder: Of both.
        teacher: The base.
        student: A UNet that began as the base.
        params: The teacher's guidance.
    """

    def __init__(
        self,
        text_encoder: CLIPTextModel,
        teacher: UNet2DConditionModel,
        student: UNet2DConditionModel,
        params: FewStepsParams,
    ) -> None:
        super().__init__()
        self.student, self.params = student.requires_grad_(True), params
        self._frozen = tuple(part.requires_grad_(False).eval() for part in (text_encoder, teacher))

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Loss of a batch of ``FewStepsRecipe``."""
        encoder, teacher = (cast("Any", part).to(batch["latents"].device) for part in self._frozen)
        with torch.no_grad():
            both = encoder(torch.cat([batch["tokens"], batch["empty"][:1]])).last_hidden_state
            text, empty = both[:-1], both[-1:].expand(len(both) - 1, -1, -1)

            def guided_velocity(here: Mapping[str, Tensor]) -> Tensor:
                twice = {name: torch.cat([values, values]) for name, values in here.items()}
                worded, unworded = _velocity(teacher, twice, torch.cat([text, empty])).chunk(2)
                return guided(worded, unworded, self.params.guidance)

            wanted = straight_velocity(batch, guided_velocity)
        return (_velocity(self.student, at_level(batch, 0), text) - wanted).square().mean()


def _velocity(
    unet: Any,  # noqa: ANN401
    batch: Mapping[str, Tensor],
    text: Float[Tensor, "b t d"],
) -> Float[Tensor, "b c h w"]:
    noisy = unet_input(int(unet.config["in_channels"]), batch)
    return unet(noisy, batch["timesteps"], text).sample.float()


class FewStepsRecipe(TextToImageRecipe):
    """``few_steps``; see :class:`handwright.training.loop.Recipe`.

    Args:
        teacher: The UNet of a finished base.
        student: One that began as the same.
        text_encoder: Of both; it stays as it is.
        stream: Latents and captions.
        scheduler_config: Of the teacher, a flow.
        params: What is learnt, and how.
    """

    def __init__(
        self,
        teacher: UNet2DConditionModel,
        student: UNet2DConditionModel,
        text_encoder: CLIPTextModel,
        stream: LatentStream,
        scheduler_config: Mapping[str, Any],
        params: FewStepsParams,
    ) -> None:
        self.few = params
        self.paths = TeacherPaths(scheduler_config, params.steps, params.teacher_steps)
        sheet = TextToImageParams(steps=params.steps, guidance=1.0)
        super().__init__(student, text_encoder, stream, sheet)
        self.family = replace(self.family, scheduler_config=scheduler_config, name="few_steps")
        self.trained = StepLoss(text_encoder, teacher, student, params)

    def _noised(self, rng: np.random.Generator, drawn: LatentSamples, empty: float) -> dict[str, Tensor]:
        """Latents where one of the student's steps begins, and the teacher's levels in its place.

        No caption is left out: a student without guidance never sees an empty one.
        """
        del empty
        count = len(drawn.captions)
        step = torch.from_numpy(rng.integers(0, self.few.steps, count))
        noise = torch.from_numpy(rng.standard_normal(drawn.latents.shape, np.float32))
        return {
            **self.paths.noised(torch.from_numpy(drawn.latents), noise, step),
            "tokens": token_ids(self.stream.tokenizer, drawn.captions),
            "empty": token_ids(self.stream.tokenizer, [""] * count),
            **repeated(self.unknown, count),
        }

    def save(self, folder: Path) -> None:
        """Write autoencoder, text encoder, tokenizer, the student and its scheduler."""
        save_family(self.family, folder, steps=self.few.steps)
