"""``--via handiffuser`` and ``base``: a picture by text and hand parameters at once, or by text alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from handwright.body import pose_body
from handwright.errors import DiffusionError
from handwright.hand.depth import depth_control
from handwright.handiffuser.pipeline import ENCODER, HanDiffuserPipeline
from handwright.two_stage.diffusion_engine import PredictedSteps
from handwright.two_stage.engine import GeneratedPicture, PoseRequest, fit_hands, hands_of
from handwright.two_stage.settings import TwoStageSettings


@dataclass(frozen=True, eq=False)
class TextEngine:
    """``HanDiffuserPipeline`` behind the engines' contract; without an encoder it follows the text alone."""

    pipeline: HanDiffuserPipeline

    @classmethod
    def load(cls, settings: TwoStageSettings) -> Self:
        """Load the model that the settings name.

        Raises:
            DiffusionError: It is missing or damaged, or has no Text+Hand encoder though it is to use one.
            UsageError: The device is not here.
        """
        pipeline = HanDiffuserPipeline.from_pretrained(
            settings.model, dtype=settings.dtype, device=settings.device, offload=settings.offload
        )
        if settings.via == "base":
            return cls(HanDiffuserPipeline(pipeline.base, None))
        if pipeline.text_hand_encoder is None:
            raise DiffusionError(
                f"{settings.model} cannot paint hands by their parameters",
                f"it has no folder {ENCODER}",
                "give --model DIR with model/ of `handwright train handiffuser`, or another --via",
            )
        return cls(pipeline)

    def make(self, request: PoseRequest) -> GeneratedPicture:
        """Make one picture; see ``Engine``."""
        settings, (width, height) = request.settings, (request.width, request.height)
        if request.body is not None:
            hands = pose_body(request.body).hands
        else:
            hands = hands_of(fit_hands(request.completed, width, height))
        kept = PredictedSteps(self.pipeline.base) if settings.keep_steps else None
        painted = self.pipeline(
            settings.prompt, width, height, hands=hands, seed=request.seed, on_step=kept,
            negative_prompt=settings.negative or "", **settings.painting,
        )  # fmt: skip
        depth = depth_control(list(hands.values()), height, width)
        return GeneratedPicture(
            painted.image,
            canvas=np.repeat(depth.depth[..., None], 3, 2),
            mask=depth.hand_id >= 0,
            hands=(),
            strip=None if kept is None else kept.strip(),
        )
