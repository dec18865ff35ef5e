"""``few_steps``: a text-to-image base that needs four steps, taught by one that needs many and guidance.

Latent consistency distillation (Luo et al. 2023, §4) of a flow. From a point x_σ of a path the student
predicts where the path ends, x_σ − σ v, which at σ = 0 is x_σ itself, as consistency asks. Its prediction at
one level of noise is compared with the one at the next level, to which the teacher's guided velocity leads;
so guidance is learnt, and costs nothing any more.
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

from handwright.diffusion.loading.libraries import CLIPTextModel, UNet2DConditionModel
from handwright.diffusion.samplers import CONSISTENCY
from handwright.training.networks.family import save_family, token_ids
from handwright.training.noising import noise_levels, noise_to
from handwright.training.recipes.text_to_image import TextToImageParams, TextToImageRecipe
from handwright.training.streams.latent_shards import LatentSamples, LatentStream


@dataclass(frozen=True, kw_only=True)
class FewStepsParams:
    """What is distilled, and how."""

    levels: int = 50  # Levels of noise that it learns at: every 20th of 1,000; Luo et al. 2023, §4.3
    guidance: float = 2.0  # Of the teacher; that of the prompt sheet of ``text_to_image``
    steps: int = 4  # Of the student's own prompt sheet, and recommended with it
    # Where the loss turns from squares into distances, over the square root of the numbers in a latent; Song
    # and Dhariwal 2023, §3.3
    knee: float = 0.00054


class ConsistencyLoss(nn.Module):
    """Only the student learns.

    Args:
        text_encoder: Of both.
        teacher: The base.
        student: A UNet that began as the base.
        params: Guidance and loss.
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
        """Distance of the prediction at ``noise`` from that at ``next_noise``, both shares in [0, 1]."""
        latents, noise, onward_noise = (batch[name] for name in ("latents", "noise", "next_noise"))
        encoder, teacher = (cast("Any", part).to(latents.device) for part in self._frozen)
        with torch.no_grad():
            text = encoder(torch.cat([batch["tokens"], batch["empty"][:1]])).last_hidden_state
            text, empty = text[:-1], text[-1:].expand(len(latents), -1, -1)
            twice = torch.cat([latents, latents]), torch.cat([batch["timesteps"]] * 2)
            conditional, unconditional = teacher(*twice, torch.cat([text, empty])).sample.float().chunk(2)
            velocity = unconditional + self.params.guidance * (conditional - unconditional)
            onward = latents + _each(onward_noise - noise) * velocity
            wanted = self.ends(onward, onward_noise, batch["next_timesteps"], text)
        predicted = self.ends(latents, noise, batch["timesteps"], text)
        return _pseudo_huber(predicted - wanted, self.params.knee).mean()

    def ends(
        self,
        latents: Float[Tensor, "b c h w"],
        noise: Float[Tensor, "b"],
        timesteps: Float[Tensor, "b"],
        text: Float[Tensor, "b t d"],
    ) -> Float[Tensor, "b c h w"]:
        """The ends that the student predicts of the paths through these points."""
        return latents - _each(noise) * self.student(latents, timesteps, text).sample.float()


def _each(values: Float[Tensor, "b"]) -> Float[Tensor, "b 1 1 1"]:
    return values.view(-1, 1, 1, 1)


def _pseudo_huber(apart: Float[Tensor, "b c h w"], knee: float) -> Float[Tensor, "b"]:
    """√(‖apart‖² + c²) − c of each latent, c = knee · √numbers."""
    c = knee * apart[0].numel() ** 0.5
    return (apart.square().sum((1, 2, 3)) + c**2).sqrt() - c


class FewStepsRecipe(TextToImageRecipe):
    """``few_steps``; see :class:`handwright.training.loop.Recipe`.

    Args:
        teacher: The UNet of a finished base.
        student: One that began as the same.
        text_encoder: Of both; it stays as it is.
        stream: Latents and captions.
        params: What is learnt, and how.
    """

    def __init__(
        self,
        teacher: UNet2DConditionModel,
        student: UNet2DConditionModel,
        text_encoder: CLIPTextModel,
        stream: LatentStream,
        params: FewStepsParams,
    ) -> None:
        self.few = params
        sheet = TextToImageParams(steps=params.steps, guidance=1.0)
        super().__init__(student, text_encoder, stream, sheet)
        named = {**self.family.scheduler_config, "_class_name": CONSISTENCY}
        self.family = replace(self.family, scheduler_config=named, name="few_steps")
        self.trained = ConsistencyLoss(text_encoder, teacher, student, params)

    def _noised(self, rng: np.random.Generator, drawn: LatentSamples, empty: float) -> dict[str, Tensor]:
        """Latents at one of the levels, and how much noise there is here and at the level below.

        No caption is left out: a student without guidance never sees an empty one.
        """
        del empty
        count, total = len(drawn.captions), int(self.schedule.config["num_train_timesteps"])
        level = torch.from_numpy(rng.integers(1, self.few.levels + 1, count))
        steps, below = (number * total // self.few.levels - 1 for number in (level, level - 1))
        clean = torch.from_numpy(drawn.latents)
        noise = torch.from_numpy(rng.standard_normal(drawn.latents.shape, np.float32))
        noised = noise_to(self.schedule, clean, noise, steps)
        here, there = (noise_levels(self.schedule, place)[1].float() for place in (steps, below))
        return {
            "latents": noised.latents,
            "timesteps": noised.timesteps,
            "noise": here,
            "next_timesteps": there * total,
            "next_noise": there,
            "tokens": token_ids(self.stream.tokenizer, drawn.captions),
            "empty": token_ids(self.stream.tokenizer, [""] * count),
        }

    def save(self, folder: Path) -> None:
        """Write autoencoder, text encoder, tokenizer, the student and its scheduler."""
        save_family(self.family, folder, steps=self.few.steps)
