"""``guided_outpainter``: an outpainter with guidance in itself, so that a step takes one pass, not four.

The first stage of Meng et al. 2023 (On Distillation of Guided Diffusion Models, §3.1), on the ControlNet
alone: with the frozen UNet it learns what a teacher predicts that is guided by the text and by the pose.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np
import torch
from torch import Tensor

from handwright.diffusion.guidance import NEGATIVE_PROMPT, guided
from handwright.diffusion.loading.controlnets import OWN_FILE
from handwright.diffusion.loading.zoo import DiffusionModels
from handwright.training.frozen_text import FrozenText
from handwright.training.people_pictures import PeopleStream
from handwright.training.recipes.handrefiner import ControlLoss
from handwright.training.recipes.outpainter import OutpainterRecipe
from handwright.training.settings import TrainSettings
from handwright.two_stage.networks.outpainter import Outpainter

_FIXED = 16  # Samples whose loss is measured at fixed noise
_RANDOM_STREAM = 23  # Keeps their random numbers apart from other recipes' of the same seed


@dataclass(frozen=True, kw_only=True)
class GuidanceParams:
    """Guidance of the teacher: what `generate` has in stage II of the embedded family."""

    text: float = 2.0  # w of HandRefiner eq. 3, against ``NEGATIVE_PROMPT``
    pose: float = 2.0  # ``control_guidance`` of ``HandRefinerPipeline``


class GuidanceLoss(ControlLoss):
    """Mean squared error of the student's one prediction from the teacher's guided one.

    Args:
        family: The base.
        student: What learns; it began as the teacher.
        teacher: An outpainter.
        params: The teacher's guidance.
    """

    def __init__(
        self, family: DiffusionModels, student: Outpainter, teacher: Outpainter, params: GuidanceParams
    ) -> None:
        super().__init__(FrozenText(family), family.unet, student)
        self.params, self._taught_by = params, (teacher.requires_grad_(False).eval(),)

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Loss of ``latents``, ``timesteps``, ``tokens``, ``negative`` and ``condition``."""
        return (self.predicted(batch, batch["condition"]) - self.wanted(batch)).square().mean()

    @torch.no_grad()
    def wanted(self, batch: Mapping[str, Tensor]) -> Tensor:
        """The teacher's prediction, guided by the pose and then by the text."""
        read = ("latents", "timesteps", "condition", "mask", "masked_latents")
        both = {name: torch.cat([batch[name]] * 2) for name in read}
        both["tokens"] = torch.cat([batch["tokens"], batch["negative"]])
        conditioning, condition = self.conditioning(both), both["condition"]
        teacher = cast("Any", self._taught_by[0]).to(condition.device)
        posed, free = (self.denoised(both, conditioning, one, condition) for one in (teacher, None))
        worded, unworded = guided(posed, free, self.params.pose).chunk(2)
        return guided(worded, unworded, self.params.text)


class GuidedOutpainterRecipe(OutpainterRecipe):
    """``guided_outpainter``; see :class:`handwright.training.loop.Recipe`.

    Args:
        people: What to learn from.
        family: The base.
        outpainter: What learns; it began as the teacher.
        teacher: The outpainter whose guided predictions are learnt.
        params: Their guidance.
    """

    shown_guidance: ClassVar = 1.0

    def __init__(
        self,
        people: PeopleStream,
        family: DiffusionModels,
        outpainter: Outpainter,
        teacher: Outpainter,
        params: GuidanceParams,
    ) -> None:
        super().__init__(people, family, outpainter, GuidanceLoss(family, outpainter, teacher, params))
        settings = TrainSettings(train_batch_size=_FIXED, seed=_RANDOM_STREAM)
        self.fixed = self.batch(0, 0, settings)

    def drawn(self, rng: np.random.Generator, count: int, settings: TrainSettings) -> dict[str, Tensor]:
        """As of ``outpainter``, with the negative prompt's tokens."""
        drawn = super().drawn(rng, count, settings)
        return {**drawn, "negative": self.tokens([NEGATIVE_PROMPT] * count, [False] * count)}

    def measures(self) -> dict[str, float]:
        """Loss of the same samples at the same noise."""
        device = self.family.unet.device
        with torch.no_grad():
            placed = {name: values.to(device) for name, values in self.fixed.items()}
            return {"fixed_noise_loss": float(self.trained(placed))}

    def save(self, folder: Path) -> None:
        """Write the outpainter, and beside it that nothing need guide it."""
        super().save(folder)
        traits = json.dumps({"control": "pose", "guidance": 1.0, "text_guidance": 1.0}) + "\n"
        (folder / "outpainter" / OWN_FILE).write_text(traits, "utf-8")
