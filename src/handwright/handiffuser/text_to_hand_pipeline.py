"""From a text to people as parameters: T2H as a diffusers pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers.schedulers.scheduling_flow_match_euler_discrete import FlowMatchEulerDiscreteScheduler
from torch import Tensor

from handwright.body.limits import excess_of, within_limits
from handwright.body.parameters import BodyParameters
from handwright.diffusion.loading.components import load_pipeline
from handwright.diffusion.loading.libraries import (
    BaseOutput,
    CLIPTextModel,
    CLIPTokenizer,
    DiffusionPipeline,
    randn_tensor,
)
from handwright.errors import UsageError
from handwright.handiffuser.objective import read_text
from handwright.handiffuser.text_to_hand import TextToHandModel
from handwright.handiffuser.tokens import decode

EMBEDDED = Path(__file__).parents[1] / "weights" / "text_to_hand"
"""T2H as the package ships it."""


@dataclass
class TextToHandOutput(BaseOutput):
    """What :class:`TextToHandPipeline` returns; one entry a sample, those of the first prompt first."""

    parameters: list[BodyParameters]  # Within anatomical limits
    beyond_limits: list[bool]  # Whether a sample was outside them before it was put inside


class TextToHandPipeline(DiffusionPipeline):
    """Text → body and hands (HanDiffuser §3.1), independent of any picture model.

    Args:
        text_encoder: Learnt with the denoiser.
        tokenizer: Its tokenizer.
        denoiser: T2H.
        scheduler: Of rectified flow.
    """

    def __init__(
        self,
        text_encoder: CLIPTextModel,
        tokenizer: CLIPTokenizer,
        denoiser: TextToHandModel,
        scheduler: FlowMatchEulerDiscreteScheduler,
    ) -> None:
        super().__init__()
        self.register_modules(
            text_encoder=text_encoder, tokenizer=tokenizer, denoiser=denoiser, scheduler=scheduler
        )

    @torch.no_grad()
    def __call__(
        self,
        prompt: str | Sequence[str],
        *,
        num_samples_per_prompt: int = 1,
        num_inference_steps: int = 10,
        guidance_scale: float = 1.5,
        generator: torch.Generator | None = None,
        size_px: tuple[int, int] = (256, 256),
    ) -> TextToHandOutput:
        """Draw people as texts describe them.

        Args:
            prompt: One text or several.
            num_samples_per_prompt: People a text.
            num_inference_steps: Steps of the sampler, at least 1.
            guidance_scale: Classifier-free guidance; 1: none.
            generator: Of the noise.
            size_px: Width and height of the picture that the people are framed for.

        Raises:
            UsageError: There is no prompt, or a number is out of range.
        """
        prompts = [prompt] if isinstance(prompt, str) else list(prompt)
        if not prompts or num_samples_per_prompt < 1 or num_inference_steps < 1:
            raise UsageError(
                "nothing to draw",
                f"{len(prompts)} prompts, {num_samples_per_prompt} samples, {num_inference_steps} steps",
                "give at least one of each",
            )
        count = len(prompts) * num_samples_per_prompt
        guided = guidance_scale != 1
        text, mask = self._encode([*prompts, *[""] * len(prompts)] if guided else prompts)
        config = self.denoiser.config
        shape = (count, config["tokens"], config["width"])
        sample = randn_tensor(shape, generator=generator, device=self.device, dtype=self.denoiser.dtype)
        self.scheduler.set_timesteps(num_inference_steps)
        for step in self.scheduler.timesteps:
            twice = torch.cat([sample, sample]) if guided else sample
            velocity = self.denoiser(twice, step.expand(len(twice)).to(self.device), text, mask)
            if guided:
                given, without = velocity.chunk(2)
                velocity = without + guidance_scale * (given - without)
            sample = self.scheduler.step(velocity, step, sample).prev_sample
        numbers = self.denoiser.restored(sample).cpu().double().numpy()
        people = [decode(row, size_px) for row in numbers]
        return TextToHandOutput(
            parameters=[within_limits(person) for person in people],
            beyond_limits=[excess_of(person).beyond() for person in people],
        )

    def _encode(self, texts: list[str]) -> tuple[Tensor, Tensor]:
        """Features [N, L, C] and mask [N, L]; texts beyond the encoder's length are cut."""
        read = self.tokenizer(texts, padding=True, truncation=True, return_tensors="pt").to(self.device)
        mask = read.attention_mask.bool()
        return read_text(self.text_encoder, read.input_ids, mask), mask


def open_text_to_hand(folder: Path = EMBEDDED) -> TextToHandPipeline:
    """Load T2H: the embedded one, or ``model/`` of a run of ``handwright train text_to_hand``.

    Raises:
        DiffusionError: There is none, or it cannot be loaded.
    """
    return load_pipeline(TextToHandPipeline, folder, "T2H")
