"""``--engine harmonise`` and ``diffuse``: ``TwoStagePipeline`` behind the engines' contract."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isqrt
from typing import Any, Self

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image as PILImage
from torch import Tensor

from handwright.diffusion.guidance import negative_prompt
from handwright.diffusion.latents import pixels_per_token
from handwright.diffusion.refiner_pipeline import HandRefinerPipeline
from handwright.errors import MissingPackageError
from handwright.handrefiner.steps_strip import chosen_steps
from handwright.two_stage.canvas import lay_things
from handwright.two_stage.engine import GeneratedPicture, HeldThings, PoseRequest, fit_hands
from handwright.two_stage.hand_crops import holds_middle
from handwright.two_stage.pipeline import TwoStagePipeline
from handwright.two_stage.render_engine import RenderEngine
from handwright.two_stage.settings import TwoStageSettings
from handwright.types import Box, Side

_STRIP_PX = 192  # Height of the strip of steps

_MENDING = 5  # First part of the noise that failing hands are painted from; the call has those before it


@dataclass(frozen=True, eq=False)
class DiffusionEngine:
    """Both stages by networks: from pure noise, or from what the renderer makes of the pose."""

    pipeline: TwoStagePipeline
    render: RenderEngine = field(default_factory=RenderEngine)

    @classmethod
    def load(cls, settings: TwoStageSettings) -> Self:
        """Load the models that the settings name.

        Raises:
            DiffusionError: They are missing, damaged, do not fit each other or the memory.
            UsageError: The device is not here, or stage II has two networks.
        """
        return cls(
            TwoStagePipeline.from_pretrained(
                settings.model,
                controlnet=settings.controlnet,
                pose_controlnet=settings.pose_controlnet,
                hand_generator=settings.hand_generator,
                outpainter=settings.outpainter,
                dtype=settings.dtype,
                device=settings.device,
                offload=settings.offload,
            )
        )

    def make(self, request: PoseRequest) -> GeneratedPicture:
        """Make one picture; see ``Engine``."""
        settings = request.settings
        drawn = self.render.make(request) if settings.engine == "harmonise" else None
        held, notes = self._held(request) if drawn is None else (drawn.held, drawn.notes)
        kept = PredictedSteps(self.pipeline.body) if settings.keep_steps else None
        output = self.pipeline(
            settings.prompt,
            request.completed.pose,
            request.width,
            request.height,
            person=request.body,
            seed=request.seed,
            blend=settings.blend,
            shared_latents=settings.shared_latents,
            second_pass=settings.second_pass,
            held=held,
            start_image=None if drawn is None else drawn.pixels,
            strength=1.0 if drawn is None else settings.start_level,
            on_step=kept,
            **_given(settings),
        )
        if not self.pipeline.pose_controlled:
            notes = (*notes, _NO_POSE)
        if output.repainted:
            notes = (*notes, f"Painted once more, being small: {' and '.join(output.repainted)} hand.")
        return GeneratedPicture(
            output.image,
            output.canvas,
            output.mask,
            output.hands,
            words="" if drawn is None else drawn.words,
            notes=notes,
            strip=None if kept is None else kept.strip(),
            held=held,
        )

    def _held(self, request: PoseRequest) -> tuple[HeldThings | None, tuple[str, ...]]:
        """Things that the prompt puts into hands, drawn as ``render`` draws them, and what to know of it."""
        from handwright.data.people.in_pose.held_things import held_things

        named = held_things(request.settings.prompt, request.seed)
        if not named:
            return None, ()
        try:
            drawn = self.render.make(request)
        except MissingPackageError:
            words = " and ".join(thing.thing.words for thing in named.values())
            return None, (f"{words} is not drawn: that needs `pip install 'handwright[synth]'`",)
        return drawn.held, drawn.notes

    def repaint(
        self, request: PoseRequest, pixels: np.ndarray, boxes: Sequence[Box]
    ) -> tuple[np.ndarray, tuple[Side, ...]]:
        """Stage I once more, from noise level .5; see ``RepaintingEngine``. Things stay in the hands."""
        held = self._held(request)[0]
        painted, sides = self.pipeline.repaint_hands(
            request.settings.prompt,
            pixels,
            fit_hands(request.completed, request.width, request.height, request.body),
            lambda crop: any(holds_middle(crop, box) for box in boxes),
            noise=(request.seed, _MENDING),
            **_given(request.settings),
        )
        return painted if held is None or not sides else lay_things(painted, held), sides


@dataclass(frozen=True, eq=False)
class PredictedSteps:
    """What a base takes the picture for at each of its steps; it is given to the call as ``on_step``."""

    base: HandRefinerPipeline
    clean: list[Tensor] = field(default_factory=list[Tensor])

    def __call__(self, _step: int, _timestep: Tensor, _noisy: Tensor, clean: Tensor) -> None:
        """Keep what is predicted; see ``OnStep``."""
        self.clean.append(clean.clone())

    def strip(self) -> UInt8[np.ndarray, "192 w 3"] | None:
        """The predicted pictures of at most ten of the steps side by side, sRGB; None without a step."""
        shown: list[UInt8[np.ndarray, "192 192 3"]] = []
        for number in chosen_steps(len(self.clean)):
            picture = _decoded(self.base, self.clean[number])
            pixels = ((picture.permute(1, 2, 0).cpu().numpy() + 1) * 127.5).round().astype(np.uint8)
            shown.append(np.asarray(PILImage.fromarray(pixels).resize((_STRIP_PX, _STRIP_PX))))
        return np.concatenate(shown, 1) if shown else None


def _decoded(base: HandRefinerPipeline, latents: Tensor) -> Float[Tensor, "3 n n"]:
    """The square picture of latents, whatever its size."""
    side = base.resolution if latents.ndim == 4 else isqrt(latents.shape[1]) * pixels_per_token(base.pipe)
    return base.decode(latents, side, side)[0]


_NO_POSE = (
    "Stage II had no OpenPose ControlNet: the person follows the prompt and the hands, not the pose. "
    "Give one with --pose-controlnet, or an outpainter with --outpainter."
)


def _given(settings: TwoStageSettings) -> dict[str, Any]:
    """Arguments of both stages that were given, and the negative words."""
    return {**settings.painting, "negative_prompt": negative_prompt(settings.negative or "", False)}
