"""Keeping what is known: equations 1 and 2 of HandRefiner §3.1, for any pipeline and any scheduler."""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import adaptive_max_pool2d

from handwright.diffusion.loading.libraries import randn_tensor


def latent_mask(mask: Float[Tensor, "b 1 h w"], scale: int) -> Float[Tensor, "b 1 h/s w/s"]:
    """The mask m at latent size: a latent is inside when any of its pixels is.

    So nothing of the old hand hides in a latent that counts as known.
    """
    height, width = mask.shape[-2:]
    return adaptive_max_pool2d((mask > 0.5).float(), (height // scale, width // scale))


def noised(
    scheduler: Any,  # noqa: ANN401 - schedulers share methods, not a base class
    clean: Float[Tensor, "b c h w"],
    noise: Float[Tensor, "b c h w"],
    index: int,
) -> Float[Tensor, "b c h w"]:
    """A clean latent brought to the noise level of ``scheduler.timesteps[index]``.

    √ᾱ · clean + √(1 − ᾱ) · noise for DDIM and its kin, clean + σ · noise for Euler's, which keep latents
    unscaled, (1 − σ) · clean + σ · noise for flow matching.

    A scheduler that counts its steps must be about to take step ``index``: timesteps may repeat, its own
    count does not.
    """
    if getattr(scheduler, "begin_index", 0) is None and scheduler.step_index is not None:
        scheduler.set_begin_index(0)  # from here on the scheduler goes by its count of steps
    timestep = scheduler.timesteps[index : index + 1].to(clean.device)
    if hasattr(scheduler, "scale_noise"):
        return scheduler.scale_noise(clean, timestep, noise)
    return scheduler.add_noise(clean, noise, timestep)


def known_region_blend(
    denoised: Float[Tensor, "b c h w"], known: Float[Tensor, "b c h w"], mask: Float[Tensor, "b 1 h w"]
) -> Float[Tensor, "b c h w"]:
    """Inside the mask what was denoised, outside the known region (HandRefiner eq. 2)."""
    return mask * denoised + (1 - mask) * known  # eq. 2


@dataclass(eq=False)
class KnownRegionBlend:
    """Equations 1 and 2 as a diffusers ``callback_on_step_end``; the last step stays unmasked.

    After every step but the last, latents outside the mask become the picture's own at the noise level that
    the next step expects: x_known ~ N(√ᾱ · x0, (1 − ᾱ) I) (eq. 1), fresh noise each time.
    """

    # [b, c, h, w] the picture's latents x0, scaled and laid out as the pipeline keeps its own
    known: Float[Tensor, "b c h w"]
    mask: Float[Tensor, "b 1 h w"]  # [b, 1, h, w] m at latent size, 1 inside the hand region
    generator: torch.Generator | None = None  # Where the noise comes from
    tensor_inputs: tuple[str, ...] = ("latents",)  # Read by diffusers: the tensors it hands over

    def __call__(
        self,
        pipeline: Any,  # noqa: ANN401 - any diffusers pipeline
        step: int,
        timestep: Tensor | float,
        tensors: dict[str, Tensor],
    ) -> dict[str, Tensor]:
        """Blend after one step; the signature is diffusers'."""
        del timestep
        if step == pipeline.num_timesteps - 1:
            return {}
        scheduler, latents = pipeline.scheduler, tensors["latents"]
        upcoming = len(scheduler.timesteps) - pipeline.num_timesteps + step + 1
        clean = self.known.to(latents)
        noise = randn_tensor(clean.shape, generator=self.generator, device=clean.device, dtype=clean.dtype)
        known = noised(scheduler, clean, noise, upcoming)  # eq. 1
        return {"latents": known_region_blend(latents, known, self.mask.to(latents))}
