"""``few_steps_outpainter``: an outpainter that needs four steps of one pass each, not twelve of four.

A ControlNet alone learns: with the frozen UNet it predicts where a teacher's path leads that is guided by the
text and by the pose (``noising``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from handwright.diffusion.guidance import NEGATIVE_PROMPT, guided
from handwright.diffusion.loading.controlnets import OWN_FILE
from handwright.diffusion.loading.zoo import DiffusionModels
from handwright.training.frozen_text import FrozenText
from handwright.training.noising import TeacherPaths, at_level, straight_velocity
from handwright.training.people_pictures import PeopleStream
from handwright.training.recipes.base import loss_of
from handwright.training.recipes.handrefiner import ControlLoss
from handwright.training.recipes.outpainter import OutpainterRecipe
from handwright.training.settings import TrainSettings
from handwright.two_stage.networks.outpainter import Outpainter

_FIXED = 16  # Samples whose loss is measured at fixed noise
_RANDOM_STREAM = 23  # Keeps their random numbers apart from other recipes' of the same seed


@dataclass(frozen=True, kw_only=True)
class FewStepsOutpainterParams:
    """Steps, and guidance of the teacher: what `generate` has in stage II of the embedded family."""

    steps: int = 4  # Of the student
    teacher_steps: int = 3  # Of the teacher in place of each: twelve in all
    text: float = 2.0  # w of HandRefiner eq. 3, against ``NEGATIVE_PROMPT``
    pose: float = 2.0  # ``control_guidance`` of ``HandRefinerPipeline``


class OutpaintingStepLoss(ControlLoss):
    """Mean squared error of the velocity that leads straight to where the teacher arrives.

    Args:
        family: The base.
        student: What learns; it began as the teacher.
        teacher: An outpainter.
        params: The teacher's guidance.
    """

    def __init__(
        self,
        family: DiffusionModels,
        student: Outpainter,
        teacher: Outpainter,
        params: FewStepsOutpainterParams,
    ) -> None:
        super().__init__(FrozenText(family), family.unet, student)
        self.params, self._taught_by = params, (teacher.requires_grad_(False).eval(),)

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Loss of a batch of ``FewStepsOutpainterRecipe``."""
        return (self.predicted(at_level(batch, 0), batch["condition"]) - self.wanted(batch)).square().mean()

    @torch.no_grad()
    def wanted(self, batch: Mapping[str, Tensor]) -> Tensor:
        """The velocity along the teacher's path, guided by the pose and then by the text."""
        condition = torch.cat([batch["condition"]] * 2)
        conditioning = self.conditioning({**batch, "tokens": torch.cat([batch["tokens"], batch["negative"]])})
        teacher = cast("Any", self._taught_by[0]).to(condition.device)

        def guided_velocity(here: Mapping[str, Tensor]) -> Tensor:
            read = ("latents", "timesteps", "mask", "masked_latents")
            both = {name: torch.cat([here[name]] * 2) for name in read}
            posed, free = (self.denoised(both, conditioning, one, condition) for one in (teacher, None))
            worded, unworded = guided(posed, free, self.params.pose).chunk(2)
            return guided(worded, unworded, self.params.text)

        return straight_velocity(batch, guided_velocity)


class FewStepsOutpainterRecipe(OutpainterRecipe):
    """``few_steps_outpainter``; see :class:`handwright.training.loop.Recipe`.

    Args:
        people: What to learn from.
        family: The base, a flow.
        outpainter: What learns; it began as the teacher.
        teacher: The outpainter whose guided predictions are learnt.
        params: Their guidance, and how many steps.
    """

    shown_guidance: ClassVar = 1.0

    def __init__(
        self,
        people: PeopleStream,
        family: DiffusionModels,
        outpainter: Outpainter,
        teacher: Outpainter,
        params: FewStepsOutpainterParams,
    ) -> None:
        super().__init__(people, family, outpainter, OutpaintingStepLoss(family, outpainter, teacher, params))
        self.shown_steps = params.steps
        self.paths = TeacherPaths(family.scheduler_config, params.steps, params.teacher_steps)
        settings = TrainSettings(train_batch_size=_FIXED, seed=_RANDOM_STREAM)
        self.fixed = self.batch(0, 0, settings)

    def timesteps(self, rng: np.random.Generator, count: int) -> Int[Tensor, "n"]:
        """Which of the student's steps each sample is at."""
        return torch.from_numpy(rng.integers(0, self.paths.steps, count))

    def noised(
        self, samples: Mapping[str, Tensor], noise: Tensor, timesteps: Tensor, snr_gamma: float
    ) -> dict[str, Tensor]:
        """Samples where a step begins, with the levels of the teacher's steps in its place."""
        del snr_gamma
        further = dict(samples)
        placed = self.paths.noised(further.pop("clean"), noise, timesteps)
        return {**further, **placed}

    def drawn(self, rng: np.random.Generator, count: int, settings: TrainSettings) -> dict[str, Tensor]:
        """As of ``outpainter``, with the negative prompt's tokens."""
        drawn = super().drawn(rng, count, settings)
        return {**drawn, "negative": self.tokens([NEGATIVE_PROMPT] * count, [False] * count)}

    def measures(self) -> dict[str, float]:
        """Loss of the same samples at the same noise."""
        return {"fixed_noise_loss": loss_of(self.trained, self.fixed, self.family.unet.device)}

    def save(self, folder: Path) -> None:
        """Write the outpainter, and beside it how many steps it takes, and that nothing need guide it."""
        super().save(folder)
        traits = {"control": "pose", "guidance": 1.0, "text_guidance": 1.0, "text_steps": self.paths.steps}
        (folder / "outpainter" / OWN_FILE).write_text(json.dumps(traits) + "\n", "utf-8")
