"""Keeping what is known: equations 1 and 2 of HandRefiner §3.1, for any pipeline and any scheduler."""

from dataclasses import dataclass
from typing import Any, Self

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import adaptive_max_pool2d

from handwright.diffusion.latents import encode, exact, packed, pixels_per_latent
from handwright.diffusion.loading.libraries import VaeImageProcessor, randn_tensor


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
    denoised: Float[Tensor, "b *c"], known: Float[Tensor, "b *c"], mask: Float[Tensor, "b *m"]
) -> Float[Tensor, "b *c"]:
    """Inside the mask what was denoised, outside the known region (HandRefiner eq. 2), in any layout."""
    return mask * denoised + (1 - mask) * known  # eq. 2


def known_after_step(
    pipeline: Any,  # noqa: ANN401 - any diffusers pipeline
    clean: Tensor,
    step: int,
    generator: torch.Generator | list[torch.Generator] | None,
) -> Tensor:
    """Known latents at the noise level that the step after ``step`` expects (eq. 1), with fresh noise."""
    scheduler = pipeline.scheduler
    upcoming = len(scheduler.timesteps) - pipeline.num_timesteps + step + 1
    noise = randn_tensor(clean.shape, generator=generator, device=clean.device, dtype=clean.dtype)
    return noised(scheduler, clean, noise, upcoming)  # eq. 1


@dataclass(eq=False)
class KnownRegionBlend:
    """Equations 1 and 2 as a diffusers ``callback_on_step_end``; the last step stays unmasked.

    After every step but the last, latents outside the mask become the picture's own at the noise level that
    the next step expects: x_known ~ N(√ᾱ · x0, (1 − ᾱ) I) (eq. 1), fresh noise each time; under flow
    matching (1 − σ) x0 + σ ε.
    """

    # The picture's latents x0, scaled and laid out as the pipeline keeps its own: [b, c, h, w] or [b, t, c]
    known: Tensor
    mask: Tensor  # m at latent size, 1 inside the hand region; of the same layout, or [b, 1, h, w]
    # Where the noise comes from; a list of them: one a picture
    generator: torch.Generator | list[torch.Generator] | None = None
    tensor_inputs: tuple[str, ...] = ("latents",)  # Read by diffusers: the tensors it hands over

    @classmethod
    def from_pipe(
        cls,
        pipe: Any,  # noqa: ANN401
        image: Any,  # noqa: ANN401
        mask_image: Any,  # noqa: ANN401
        generator: torch.Generator | list[torch.Generator] | None = None,
    ) -> Self:
        """The blend for a loaded diffusers pipeline of any family; give it as ``callback_on_step_end``.

        Args:
            pipe: The pipeline; its VAE encodes the picture.
            image: The picture, in any form that diffusers takes; its sides are divisible by 8 or 16 pixels.
            mask_image: Of the picture's size, white where it may change.
            generator: Where the noise comes from; a list of them: one a picture.
        """
        step = pixels_per_latent(pipe.vae)
        picture, mask = _prepared(step, image, mask_image)
        with torch.no_grad(), exact(pipe.vae):
            known = encode(pipe.vae, picture.to(pipe._execution_device))
        inside = latent_mask(mask, step).to(known).expand_as(known)
        return cls(packed(pipe, known), packed(pipe, inside), generator)

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
        latents = tensors["latents"]
        known = known_after_step(pipeline, self.known.to(latents), step, self.generator)
        return {"latents": known_region_blend(latents, known, self.mask.to(latents))}


def masked_beside(
    pipe: Any,  # noqa: ANN401
    image: Any,  # noqa: ANN401
    mask_image: Any,  # noqa: ANN401
) -> Float[Tensor, "b k h w"]:
    """x_mask: what an inpainting UNet reads beside the latents, the mask m and the masked picture's latents.

    Args:
        pipe: A loaded diffusers pipeline; its VAE encodes the picture.
        image: The picture, in any form that diffusers takes.
        mask_image: Of the picture's size, white where it may change; there the masked picture is grey.
    """
    step = pixels_per_latent(pipe.vae)
    picture, mask = _prepared(step, image, mask_image)
    with torch.no_grad(), exact(pipe.vae):
        masked = encode(pipe.vae, (picture * (1 - mask)).to(pipe._execution_device))
    return torch.cat([latent_mask(mask, step).to(masked), masked], dim=1)


def inserted(start_image: Any, mask_image: Any, image: Any) -> Float[Tensor, "b 3 h w"]:  # noqa: ANN401
    """One picture inside a mask and another around it, in [0, 1]; all in any form that diffusers takes."""
    plain = VaeImageProcessor(do_resize=False, do_normalize=False)
    inside = _mask_tensor(1, mask_image) > 0.5
    return torch.where(inside, plain.preprocess(start_image), plain.preprocess(image))


def _prepared(step: int, image: Any, mask_image: Any) -> tuple[Tensor, Tensor]:  # noqa: ANN401
    """A picture in [-1, 1] and its mask of zeros and ones."""
    return VaeImageProcessor(vae_scale_factor=step).preprocess(image), _mask_tensor(step, mask_image)


def _mask_tensor(step: int, mask_image: Any) -> Tensor:  # noqa: ANN401
    processor = VaeImageProcessor(
        vae_scale_factor=step, do_normalize=False, do_binarize=True, do_convert_grayscale=True
    )
    return processor.preprocess(mask_image)
