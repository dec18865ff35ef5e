"""Sequential mask expansion (§III-D), and the two ways that the paper compares with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d, max_pool2d

from handwright.diffusion.known_region import known_after_step, known_region_blend
from handwright.diffusion.latents import encode, exact, packed, pixels_per_latent
from handwright.diffusion.loading.libraries import VaeImageProcessor

MaskAt = Callable[[Tensor, int, int], Tensor]
"""The blend mask of one masked step: from the hand's mask, the step from 0, and how many steps are masked."""


def box_mask(mask: Float[Tensor, "b 1 h w"], step: int, steps: int) -> Float[Tensor, "b 1 h w"]:
    """Bounding box blending: at every step the smallest box around the hand; nothing where it is empty."""
    del step, steps
    rows, columns = mask.amax(3, keepdim=True), mask.amax(2, keepdim=True)
    return _between(rows, 2) * _between(columns, 3)


def naive_mask(mask: Float[Tensor, "b 1 h w"], step: int, steps: int) -> Float[Tensor, "b 1 h w"]:
    """Naive blending: at every step the hand's own mask."""
    del step, steps
    return mask


WIDEST = 1 / 16
"""Most that sequential expansion dilates a hand's mask by, in sides of the picture. Chosen by eye on six
training poses of 1, 1/8, 1/16 and 0: dilated further, the grey of the canvas stays in the picture."""


def expanded_mask(mask: Float[Tensor, "b 1 h w"], step: int, steps: int) -> Float[Tensor, "b 1 h w"]:
    """Sequential mask expansion: the mask is largest at first and the hand's own at the last masked step.

    It is dilated as ``published_mask`` has it, but by ``WIDEST`` at most: with few latents and few steps, the
    paper's would cover the person.
    """
    left, last = steps - 1 - step, max(steps - 1, 1)
    return _dilated(mask, round(left * min(1.0, WIDEST * min(mask.shape[2:]) / last)))


def published_mask(mask: Float[Tensor, "b 1 h w"], step: int, steps: int) -> Float[Tensor, "b 1 h w"]:
    """Sequential mask expansion as printed: dilated once, by 3 × 3 latents, for each masked step left."""
    return _dilated(mask, steps - 1 - step)


def _dilated(mask: Float[Tensor, "b 1 h w"], radius: int) -> Float[Tensor, "b 1 h w"]:
    return max_pool2d(mask, 2 * radius + 1, stride=1, padding=radius)


MASKS: dict[str, MaskAt] = {
    "box": box_mask, "naive": naive_mask, "sequential": expanded_mask, "published": published_mask
}  # fmt: skip


def hand_latents(hand: Float[Tensor, "b 1 h w"], scale: int) -> Float[Tensor, "b 1 h/s w/s"]:
    """The hands' mask m at latent size (eq. 10): a latent is the hand's if half of its pixels are."""
    return (avg_pool2d(hand, scale) >= 0.5).to(hand)


@dataclass(eq=False)
class HandBlend:
    """Equation 11 as a diffusers ``callback_on_step_end``: the canvas inside the mask of the step.

    After a step, x_t = m ⊙ x_c + (1 − m) ⊙ x_t, with x_c at the noise level that the next step expects,
    fresh noise each time. The network never sees m: give it the exact mask.
    """

    canvas: Tensor  # Latents of the canvas with the hand, scaled as the pipeline keeps its own: [b, c, h, w]
    mask: Tensor  # 1 in latents of the hand, [b, 1, h, w]
    mask_at: MaskAt = expanded_mask
    generator: torch.Generator | list[torch.Generator] | None = None  # Where the noise comes from
    free_steps: int = 2  # Last steps that are not masked
    literal: bool = False  # Equation 11 as it is printed: the canvas without noise; an ablation
    tensor_inputs: tuple[str, ...] = ("latents",)  # Read by diffusers: the tensors it hands over

    @classmethod
    def from_pipe(
        cls,
        pipe: Any,  # noqa: ANN401 - any diffusers pipeline
        canvas: Any,  # noqa: ANN401 - every form of picture that diffusers takes
        hand: Any,  # noqa: ANN401
        mask_at: MaskAt = expanded_mask,
        generator: torch.Generator | list[torch.Generator] | None = None,
        latents: Float[Tensor, "b c h w"] | None = None,
        **further: Any,  # noqa: ANN401
    ) -> Self:
        """The blend for a loaded diffusers pipeline of any family.

        Args:
            pipe: The pipeline; its VAE encodes the canvas.
            canvas: The picture with the hand; its sides are divisible by 8 or 16 pixels.
            hand: Of its size, white where the hand is; a latent is the hand's if half of its pixels are.
            mask_at: The blend mask of a step.
            generator: Where the noise comes from; a list of them: one a picture.
            latents: Those of the canvas where they are known already; then nothing is encoded.
            **further: ``free_steps`` and ``literal``.
        """
        scale = pixels_per_latent(pipe.vae)
        plain = VaeImageProcessor(
            vae_scale_factor=scale, do_normalize=False, do_binarize=True, do_convert_grayscale=True
        )
        known = latents
        if known is None:
            picture = VaeImageProcessor(vae_scale_factor=scale).preprocess(canvas)
            with torch.no_grad(), exact(pipe.vae):
                known = encode(pipe.vae, picture.to(pipe._execution_device))
        mask = hand_latents(plain.preprocess(hand), scale).to(known)
        return cls(packed(pipe, known), mask, mask_at, generator, **further)

    def __call__(
        self,
        pipeline: Any,  # noqa: ANN401 - any diffusers pipeline
        step: int,
        timestep: Tensor | float,
        tensors: dict[str, Tensor],
    ) -> dict[str, Tensor]:
        """Blend after one step; the signature is diffusers'."""
        del timestep
        masked = pipeline.num_timesteps - max(self.free_steps, 1)
        if step >= masked:
            return {}
        latents = tensors["latents"]
        known = self.canvas.to(latents)
        if not self.literal:
            known = known_after_step(pipeline, known, step, self.generator)
        kept = self.mask_at(self.mask.to(latents), step, masked)
        if latents.ndim == 3:  # Tokens of 2 × 2 latents
            channels = latents.shape[-1] // 4
            kept = packed(pipeline, kept.expand(-1, channels, -1, -1))
        return {"latents": known_region_blend(latents, known, 1 - kept)}  # eq. 11


def _between(line: Float[Tensor, "b 1 h w"], axis: int) -> Float[Tensor, "b 1 h w"]:
    """Ones from the first to the last positive value along an axis."""
    before = line.cummax(axis).values
    after = line.flip(axis).cummax(axis).values.flip(axis)
    return torch.minimum(before, after)
