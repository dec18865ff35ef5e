"""HandRefiner (§3.1–3.3) on diffusers' own pipelines, every family in one way."""

import inspect
import math
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch
from jaxtyping import Float
from torch import Tensor

from handwright.diffusion.guidance import negative_prompt as standard_negative
from handwright.diffusion.known_region import KnownRegionBlend, inserted, masked_beside
from handwright.diffusion.latents import decode, exact, pixels_per_latent, pixels_per_token, unpacked
from handwright.diffusion.loading.controlnets import Traits
from handwright.diffusion.loading.devices import enough_memory
from handwright.diffusion.loading.libraries import BaseOutput, quiet
from handwright.diffusion.loading.presets import Preset
from handwright.diffusion.loading.stock import PipelineChoice, adopt, open_stock
from handwright.diffusion.long_prompts import prompt_arguments
from handwright.diffusion.partial_start import partial_start, takes_part_of
from handwright.diffusion.request import check_options, check_schedule, picture_size
from handwright.diffusion.samplers import steps_left
from handwright.diffusion.step_hooks import OnStep, blind_networks, denoiser_of, step_hooks
from handwright.errors import DiffusionError


@dataclass
class HandRefinerPipelineOutput(BaseOutput):
    """What a run gives."""

    images: Any  # Pillow images, arrays or tensors, as ``output_type`` asks


class HandRefinerPipeline:
    """Repaint a hand region under a depth control image, everything else held by equations 1 and 2.

    A stock diffusers pipeline does the work; ``KnownRegionBlend`` is its ``callback_on_step_end``. Names are
    those of diffusers.

    >>> pipe = HandRefinerPipeline.from_pretrained("sd15")  # doctest: +SKIP
    >>> pipe("a waving hand", photo, mask, depth).images[0].save("refined.png")  # doctest: +SKIP
    """

    def __init__(self, pipe: Any, preset: Preset, traits: Traits) -> None:  # noqa: ANN401
        self.pipe = pipe  # The stock pipeline: load adapters, move and offload it as ever
        self.preset = preset  # The row of the zoo that its family has
        self.traits = traits  # What is stored with its ControlNet

    @classmethod
    def from_pretrained(
        cls,
        model: str | Path = "sd15",
        *,
        controlnet: str | Path | None = None,
        control_needed: bool = True,
        revision: str | None = None,
        variant: str | None = None,
        dtype: str = "auto",
        device: str = "auto",
        offload: bool = False,
        lora: Sequence[str] = (),
        textual_inversion: Sequence[str | Path] = (),
        ip_adapter: str | Path | None = None,
    ) -> Self:
        """Load a base and its ControlNet; safetensors only, no remote code.

        Args:
            model: A preset, a folder in ``save_pretrained`` layout, one .safetensors file, or a hub id.
            controlnet: A folder, one .safetensors file or a hub id; None: the model's own, or the preset's.
            control_needed: False: a UNet that comes without a ControlNet paints without one.
            revision: Of the base on the hub.
            variant: Such as 'fp16'; None: what is there.
            dtype: 'auto', 'float32', 'bfloat16' or 'float16'.
            device: 'auto', 'cpu', 'cuda' or 'mps'.
            offload: Keep networks in main memory and move each to the device when it runs.
            lora: Files, each with an optional weight: 'style.safetensors:0.8'.
            textual_inversion: Files of learnt words.
            ip_adapter: A file; the picture itself is then the image prompt.

        Raises:
            UsageError: No such dtype or device.
            DiffusionError: Something is missing, damaged, a pickle, or does not fit.
        """
        choice = PipelineChoice(
            model=str(model),
            controlnet=None if controlnet is None else str(controlnet),
            control_needed=control_needed,
            revision=revision,
            variant=variant,
            dtype=dtype,
            device=device,
            offload=offload,
            lora=tuple(lora),
            textual_inversion=tuple(map(str, textual_inversion)),
            ip_adapter=None if ip_adapter is None else str(ip_adapter),
        )
        return cls(*open_stock(choice))

    @classmethod
    def from_pipe(cls, pipe: Any, controlnet: Any = None) -> Self:  # noqa: ANN401
        """HandRefiner on a pipeline that is loaded already; its networks are shared, nothing is loaded twice.

        Args:
            pipe: A diffusers pipeline of one of the families.
            controlnet: A loaded ControlNet; None: the pipeline's own.

        Raises:
            DiffusionError: The family is not known, or there is no ControlNet, or it does not fit.
        """
        return cls(*adopt(pipe, controlnet), Traits())

    @property
    def resolution(self) -> int:
        """Side of the squares that the base was trained on, in pixels."""
        latents = denoiser_of(self.pipe).config.get("sample_size")
        return self.preset.resolution if latents is None else int(latents) * pixels_per_latent(self.pipe.vae)

    def save_pretrained(self, folder: str | Path) -> None:
        """Write everything, the ControlNet included, as diffusers does; ``from_pretrained`` reads it."""
        with quiet():
            self.pipe.save_pretrained(folder, safe_serialization=True)

    @torch.no_grad()
    def __call__(
        self,
        prompt: str | list[str] = "",
        image: Any = None,  # noqa: ANN401 - every form of picture that diffusers takes
        mask_image: Any = None,  # noqa: ANN401
        control_image: Any = None,  # noqa: ANN401
        *,
        negative_prompt: str | None = None,
        num_inference_steps: int | None = None,
        guidance_scale: float | None = None,
        controlnet_conditioning_scale: float | Sequence[float] | None = None,
        strength: float = 1.0,
        generator: torch.Generator | list[torch.Generator] | None = None,
        blend: Any = True,  # noqa: ANN401 - a bool, or a callback by diffusers' protocol
        start_image: Any = None,  # noqa: ANN401
        control_guidance: float = 1.0,
        output_type: str = "pil",
        callback_on_step_end: Any = None,  # noqa: ANN401 - diffusers' own protocol
        on_step: OnStep | None = None,
        **further: Any,  # noqa: ANN401
    ) -> HandRefinerPipelineOutput:
        """Repaint the region inside ``mask_image`` (HandRefiner §3.1).

        Args:
            prompt: c_p of eq. 3; a list of them, with as many pictures, masks, control images and
                generators, is painted in one batch, every picture as it would be alone (but for noise that
                SD 3 adds to a control image).
            image: The picture; sides divisible by 8 pixels, by 16 for transformers.
            mask_image: White inside the hand region.
            control_image: The depth control image.
            negative_prompt: c_n0 + c_n of eq. 3; None: the published words, where the family takes any.
            num_inference_steps: None: the preset's.
            guidance_scale: w of eq. 3, with the meaning of the family's stock pipeline; None: the preset's.
            controlnet_conditioning_scale: Control strength, one number or one a step, the noisiest first;
                None: what is stored with the ControlNet.
            strength: Noise level to start from; 1 is pure noise.
            generator: Source of all noise; same seed, same result.
            blend: Whether equations 1 and 2 hold the known region; False: the stock pipeline as it is; a
                ``callback_on_step_end``, such as ``two_stage.mask_expansion.HandBlend``: that holds it.
            start_image: Picture to start from, inside the mask and below ``strength`` 1; None: ``image``.
            control_guidance: w_D: every prediction is that without control and w_D times what control changes
                in it (Ho & Salimans 2022); 1, as published, is the prediction under control alone, and runs
                no other.
            output_type: As in diffusers; also 'tensor': float32 [1, 3, H, W] in [-1, 1].
            callback_on_step_end: As in diffusers, after the blend.
            on_step: Called after every step.
            **further: Further arguments of the stock pipeline's call; ``prompt_embeds`` and those that
                belong with it take the place of the prompts.

        Raises:
            UsageError: A number out of range, a picture missing or of a size that the family does not take.
            DiffusionError: Out of memory, or the model's numbers overflowed.
        """
        steps = self.preset.steps if num_inference_steps is None else num_inference_steps
        guidance = self.preset.guidance if guidance_scale is None else guidance_scale
        scale = (
            self.traits.strength if controlnet_conditioning_scale is None else controlnet_conditioning_scale
        )
        strengths = check_options(steps, guidance, scale, strength, control_guidance)
        check_schedule(self.pipe.scheduler, steps, strength)
        negative = self._negative(negative_prompt)
        height, width = picture_size(image, mask_image, control_image, pixels_per_token(self.pipe))
        left = steps_left(steps, strength)
        by_step = strengths[steps - left :] if isinstance(scale, Sequence) else None
        begun = image if start_image is None or strength == 1 else inserted(start_image, mask_image, image)
        if not takes_part_of(self.pipe) and strength < 1:
            further |= partial_start(self.pipe, begun, steps, left, generator)
        callbacks = [callback_on_step_end] if callback_on_step_end is not None else []
        if blend is True:
            blend = KnownRegionBlend.from_pipe(self.pipe, image, mask_image, generator)
        if blend is not False:
            callbacks.insert(0, blend)
        wants = getattr(callback_on_step_end, "tensor_inputs", ("latents",))
        shown = mask_image if reads_mask(self.pipe) or blend is False else torch.ones(1, 1, height, width)
        words = {}  # embeddings that are given stand for them
        if "prompt_embeds" not in further:
            words = prompt_arguments(self.pipe, prompt, negative, further.get("max_sequence_length"))
        arguments = {
            **words,
            "image": begun,
            "mask_image": shown,
            "control_image": control_image,
            "height": height,
            "width": width,
            "num_inference_steps": steps,
            "guidance_scale": guidance,
            "controlnet_conditioning_scale": 1.0 if by_step is not None else scale,
            "strength": exact_share(left, steps, skips=getattr(self.pipe, "unet", None) is None),
            "generator": generator,
            "control_mode": self._depth_mode(),
            **self.preset.calls,
            **further,
            "output_type": "latent" if output_type == "tensor" else output_type,
            "callback_on_step_end": _Chain(callbacks) if callbacks else None,
            "callback_on_step_end_tensor_inputs": list(dict.fromkeys(("latents", *wants))),
        }
        known = inspect.signature(self.pipe.__call__).parameters
        given = {name: value for name, value in arguments.items() if name in known or name in further}
        with (
            quiet(),
            enough_memory("painting"),
            seeded_everywhere(generator),
        ):
            beside = masked_beside(self.pipe, image, mask_image) if blind_networks(self.pipe) else None
            with step_hooks(self.pipe, by_step, control_guidance, on_step, beside, controlled=scale != 0):
                images = self.pipe(**given).images
        if output_type == "tensor":
            images = self.decode(images, height, width)
        return HandRefinerPipelineOutput(images=images)

    @torch.no_grad()
    def decode(self, latents: Tensor, height: int, width: int) -> Float[Tensor, "b 3 h w"]:
        """Pictures of the pipeline's own latents: float32 [b, 3, H, W] in [-1, 1].

        Raises:
            DiffusionError: Out of memory, or the model's numbers overflowed.
        """
        with exact(self.pipe.vae), enough_memory("decoding"):
            pictures = decode(self.pipe.vae, unpacked(self.pipe, latents, height, width).float())
        if not pictures.isfinite().all():
            dtype = denoiser_of(self.pipe).dtype
            raise DiffusionError(
                "the model's numbers overflowed", f"it runs in {dtype}", "use --dtype float32"
            )
        return pictures

    def _negative(self, words: str | None) -> str | None:
        if not self.preset.negative:
            return None
        return standard_negative() if words is None else words

    def _depth_mode(self) -> int | None:
        """Under which number a union ControlNet reads depth; None of a ControlNet for depth alone."""
        config = self.pipe.controlnet.config
        modes = config.get("num_mode") or config.get("num_control_type")
        return self.preset.depth_mode if modes else None


def reads_mask(pipe: Any) -> bool:  # noqa: ANN401
    """Whether the mask goes into a network of the pipeline.

    Where it does not, stock inpainting pipelines blend latents by themselves; given a mask of ones they leave
    that to the callback, so that it happens once.
    """
    latent = int(pipe.vae.config["latent_channels"])
    takes = int(denoiser_of(pipe).config["in_channels"])
    beside = pipe.controlnet.config.get("control_in_dim") or 0
    return takes not in (latent, 4 * latent) or beside > latent


def exact_share(left: int, steps: int, skips: bool = False) -> float:
    """The ``strength`` under which diffusers' pipelines run exactly ``left`` of ``steps`` steps.

    Those of UNets round the number of steps that they run down; with ``skips``, those of transformers that of
    the steps that they leave out.
    """
    share = left / steps
    if skips:
        while steps - steps * share < steps - left:
            share = math.nextafter(share, 0.0)
    else:
        while share < 1 and int(share * steps) < left:
            share = math.nextafter(share, 1.0)
    return share


@contextmanager
def seeded_everywhere(generator: torch.Generator | list[torch.Generator] | None) -> Generator[None]:
    """Torch's global source of noise seeded as ``generator``, or the first, was, and as before afterwards.

    Some stock pipelines draw from it when they encode a control image.
    """
    if isinstance(generator, list):
        generator = generator[0]
    if generator is None:
        yield
        return
    with torch.random.fork_rng():
        torch.manual_seed(generator.initial_seed())
        yield


class _Chain:
    """Several ``callback_on_step_end`` in turn, as one."""

    def __init__(self, callbacks: Sequence[Any]) -> None:
        self.callbacks = callbacks

    def __call__(self, pipe: Any, step: int, timestep: Any, tensors: dict[str, Tensor]) -> dict[str, Tensor]:  # noqa: ANN401
        """Run them; the signature is that of diffusers."""
        for callback in self.callbacks:
            tensors = {**tensors, **callback(pipe, step, timestep, tensors)}
        return tensors
