"""HandRefiner's inference (§3.1–3.3) as a diffusers pipeline."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import torch
from jaxtyping import Float
from torch import Tensor

# diffusers' loader finds only classes whose module is imported.
import handwright.diffusion.codec  # noqa: F401  # pyright: ignore[reportUnusedImport]
from handwright.diffusion.denoiser import NEGATIVE_PROMPT, Denoiser
from handwright.diffusion.known_region import KnownRegionBlend, latent_mask, noised
from handwright.diffusion.latents import decode, encode, pixels_per_latent
from handwright.diffusion.loading.devices import enough_memory
from handwright.diffusion.loading.libraries import (
    BaseOutput,
    CLIPTextModel,
    CLIPTokenizer,
    ControlNetModel,
    DiffusionPipeline,
    UNet2DConditionModel,
    quiet,
    randn_tensor,
)
from handwright.diffusion.loading.zoo import DiffusionModels
from handwright.diffusion.request import check_options, check_pictures, embed_prompts
from handwright.diffusion.samplers import (
    open_sampler,
    predicted_original,
    scaled_input,
    start_schedule,
    step_options,
    steps_left,
)
from handwright.errors import DiffusionError, UsageError

OnStep = Callable[[int, Tensor, Tensor, Tensor], None]
"""Called with step, timestep, noisy latents as the UNet sees them, and predicted clean latents."""

OnStepEnd = Callable[[Any, int, Tensor, dict[str, Tensor]], dict[str, Tensor]]
"""diffusers' ``callback_on_step_end``."""


@dataclass
class HandInpaintOutput(BaseOutput):
    """What a run gives."""

    pictures: Float[Tensor, "1 3 r r"]  # float32 [1, 3, R, R] in [-1, 1]; every pixel went through the VAE


class HandInpaintPipeline(DiffusionPipeline):
    """Repaint a hand region under a depth control image, everything else held by equations 1 and 2.

    An inpainting UNet (2 L + 1 input channels) also sees the mask and the masked picture; a plain one (L
    channels) is held by the equations alone. The published mode is the call's defaults under the 'ddim'
    sampler.
    """

    vae: Any
    text_encoder: CLIPTextModel
    tokenizer: CLIPTokenizer
    unet: UNet2DConditionModel
    scheduler: Any
    controlnet: ControlNetModel | None
    model_cpu_offload_seq = "text_encoder->unet->vae"
    _optional_components = ["controlnet"]  # noqa: RUF012 - diffusers' own protocol

    def __init__(
        self,
        vae: Any,  # noqa: ANN401
        text_encoder: CLIPTextModel,
        tokenizer: CLIPTokenizer,
        unet: UNet2DConditionModel,
        scheduler: Any,  # noqa: ANN401
        controlnet: ControlNetModel | None = None,
    ) -> None:
        super().__init__()
        self.register_modules(
            vae=vae,
            text_encoder=text_encoder,
            tokenizer=tokenizer,
            unet=unet,
            scheduler=scheduler,
            controlnet=controlnet,
        )
        self._num_timesteps = 0

    @classmethod
    def from_models(cls, models: DiffusionModels, sampler: str = "auto") -> Self:
        """The pipeline of loaded models.

        Raises:
            UsageError: No such sampler, or one that does not go with the model.
        """
        scheduler = open_sampler(sampler, models.scheduler_config)
        with quiet():
            return cls(
                models.vae, models.text_encoder, models.tokenizer, models.unet, scheduler, models.controlnet
            )

    @property
    def num_timesteps(self) -> int:
        """Steps of the run in progress."""
        return self._num_timesteps

    @torch.no_grad()
    def __call__(
        self,
        picture: Float[Tensor, "1 3 r r"],
        mask: Float[Tensor, "1 1 r r"],
        control: Float[Tensor, "1 3 r r"],
        prompt: str = "",
        negative: str = NEGATIVE_PROMPT,
        steps: int = 50,
        guidance: float = 9.0,
        control_strength: float | Sequence[float] = 0.55,
        control_guidance: float = 1.0,
        start: Float[Tensor, "1 3 r r"] | None = None,
        start_level: float = 1.0,
        generator: torch.Generator | None = None,
        on_step: OnStep | None = None,
        callback_on_step_end: OnStepEnd | None = None,
    ) -> HandInpaintOutput:
        """Repaint the region inside ``mask`` (HandRefiner §3.1).

        Args:
            picture: [1, 3, R, R] sRGB in [-1, 1], R divisible by the VAE's scale.
            mask: [1, 1, R, R], 1 inside the hand region.
            control: [1, 3, R, R] the depth control image in [0, 1].
            prompt: c_p of eq. 3.
            negative: c_n0 + c_n of eq. 3, as :func:`~handwright.diffusion.denoiser.negative_prompt` makes it.
            steps: Steps of a run from pure noise.
            guidance: w of eq. 3; 1 needs no unconditional branch and runs none.
            control_strength: Multiplies every ControlNet residual; 0 runs no ControlNet. One number, or one
                for each of ``steps``, the noisiest first; of a run from ``start_level`` the last ones count.
            control_guidance: w_D: every prediction is that without control and w_D times what control changes
                in it, after classifier-free guidance (Ho & Salimans 2022); 1, as published, is the prediction
                under control alone, and runs no other.
            start: [1, 3, R, R] picture in [-1, 1] to start from; None: start from ``picture``.
            start_level: Noise level to start from; 1 is pure noise, whatever ``start`` is. Below that the
                last round(steps · start_level) steps are run.
            generator: Source of all noise; same seed, same result.
            on_step: Called after every step, for pictures of the intermediate latents.
            callback_on_step_end: As in diffusers, after the blend of eq. 2.

        Raises:
            UsageError: A number out of range, control without a ControlNet, a prompt too long.
            InvalidValueError: Tensors of wrong shape or with numbers that are not finite.
            DiffusionError: Out of memory, or the model's numbers overflowed.
        """
        strengths = check_options(steps, guidance, control_strength, start_level, control_guidance)
        check_pictures(picture, mask, control, start, pixels_per_latent(self.vae))
        if max(strengths) > 0 and self.controlnet is None:
            raise UsageError(
                f"the control strength is {max(strengths):g} but the model has no ControlNet",
                "",
                "give `controlnet`, or a control strength of 0",
            )
        prompts = [prompt] if guidance == 1 else [negative, prompt]
        with quiet(), enough_memory("painting"):
            device = self._execution_device
            picture, mask, control = picture.to(device), (mask.to(device) > 0.5).float(), control.to(device)
            known, beside, begun = self._encode(picture, mask, start)
            denoise = Denoiser(
                self.unet,
                self.controlnet,
                embed_prompts(self.tokenizer, self.text_encoder, prompts),
                beside,
                control,
                guidance,
                control_guidance,
            )
            blend = KnownRegionBlend(known, latent_mask(mask, pixels_per_latent(self.vae)), generator)
            first = start_schedule(self.scheduler, steps, start_level, device)
            latents = self._first_latents(begun, first, start_level, generator)
            left = strengths[steps - steps_left(steps, start_level) :]
            latents = self._run(
                denoise, blend, latents, first, left, generator, on_step, callback_on_step_end
            )
            pictures = decode(self.vae, latents)
        if not pictures.isfinite().all():
            raise DiffusionError(
                "the model's numbers overflowed", f"it runs in {self.unet.dtype}", "use --dtype float32"
            )
        return HandInpaintOutput(pictures=pictures)

    def _encode(
        self, picture: Tensor, mask: Tensor, start: Tensor | None
    ) -> tuple[Tensor, Tensor | None, Tensor]:
        """Latents x0 of the picture, mask with the masked picture's latents or None, x0 to start from."""
        known = encode(self.vae, picture)
        begun = known if start is None else encode(self.vae, start.to(picture))
        if self.unet.config["in_channels"] == self.vae.config["latent_channels"]:
            return known, None, begun
        masked = encode(self.vae, picture * (1 - mask))
        return known, torch.cat([latent_mask(mask, pixels_per_latent(self.vae)), masked], dim=1), begun

    def _first_latents(
        self, begun: Tensor, first: int, level: float, generator: torch.Generator | None
    ) -> Tensor:
        """Pure noise at level 1, else ``begun`` at the first step's noise level."""
        noise = randn_tensor(begun.shape, generator=generator, device=begun.device, dtype=begun.dtype)
        if level < 1:
            return noised(self.scheduler, begun, noise, first)
        return noise * getattr(self.scheduler, "init_noise_sigma", 1.0)

    def _run(
        self,
        denoise: Denoiser,
        blend: KnownRegionBlend,
        latents: Tensor,
        first: int,
        strengths: Sequence[float],
        generator: torch.Generator | None,
        on_step: OnStep | None,
        callback_on_step_end: OnStepEnd | None,
    ) -> Tensor:
        """The reverse steps i = T … 1, blended by eq. 2 after all but the last."""
        timesteps = self.scheduler.timesteps[first:]
        self._num_timesteps = len(timesteps)
        options = step_options(self.scheduler, generator)
        for step, timestep in enumerate(timesteps):
            scaled = scaled_input(self.scheduler, latents, timestep)
            strength = strengths[step * len(strengths) // len(timesteps)]
            prediction = denoise(scaled, timestep, strength)
            if on_step is not None:
                clean = predicted_original(self.scheduler, prediction, latents, first + step)
                on_step(step, timestep, scaled, clean)
            latents = self.scheduler.step(prediction, timestep, latents, **options).prev_sample
            for after in (blend, callback_on_step_end):
                if after is not None:
                    latents = after(self, step, timestep, {"latents": latents}).get("latents", latents)
        return latents
