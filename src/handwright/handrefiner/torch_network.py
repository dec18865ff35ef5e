"""The only door from the core to torch and diffusers: ``HandRefinerPipeline`` behind the NumPy contract."""

from collections.abc import Generator, Hashable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image as PILImage
from torch import Tensor

from handwright.diffusion.guidance import negative_prompt
from handwright.diffusion.latents import (
    decode,
    encode,
    exact,
    picture_array,
    picture_tensor,
    pixels_per_latent,
    unpacked,
)
from handwright.diffusion.loading.devices import enough_memory
from handwright.diffusion.loading.stock import PipelineChoice, open_stock
from handwright.diffusion.refiner_pipeline import HandRefinerPipeline
from handwright.diffusion.samplers import open_sampler
from handwright.diffusion.step_hooks import OnStep, denoiser_of
from handwright.errors import DiffusionError
from handwright.handrefiner.controls import KINDS, control_picture
from handwright.handrefiner.diffusion_settings import DiffusionSettings
from handwright.handrefiner.network import (
    LOADED_BY,
    DenoisingStep,
    InpaintRequest,
    InpaintResult,
    Surroundings,
)
from handwright.handrefiner.steps_strip import chosen_steps
from handwright.threads import available_cpus


@dataclass(frozen=True, eq=False)
class TorchNetwork:
    """``HandRefinerPipeline`` as an ``InpaintNetwork``."""

    refiner: HandRefinerPipeline
    scheduler: Any  # The model's own: the sampler 'auto'
    image_prompt: bool = False  # Whether an IP adapter is loaded, which is shown the picture itself

    @property
    def resolution(self) -> int:
        """Side of the pictures that the base was trained on, in pixels."""
        pipe = self.refiner.pipe
        latents = denoiser_of(pipe).config.get("sample_size")
        return (
            self.refiner.preset.resolution if latents is None else int(latents) * pixels_per_latent(pipe.vae)
        )

    @property
    def fixed_strength(self) -> float:
        """The control strength that is stored with the ControlNet, else that of the family's row."""
        return self.refiner.traits.strength

    @property
    def surroundings(self) -> Surroundings:
        """'painted' or 'drawn', as it is stored with the ControlNet."""
        return self.refiner.traits.surroundings

    @property
    def guidance(self) -> float:
        """``guidance_scale`` of the family's row, or what the model itself recommends."""
        return self.refiner.preset.guidance

    @property
    def default_steps(self) -> int:
        """``num_inference_steps`` of the family's row, or what the model itself recommends."""
        return self.refiner.preset.steps

    @classmethod
    def load(cls, settings: DiffusionSettings) -> Self:
        """Load the models that the settings name.

        Raises:
            DiffusionError: They are missing, damaged, do not fit each other or the memory.
            UsageError: The device is not here.
        """
        choice = PipelineChoice(**{name: getattr(settings, name) for name in LOADED_BY})
        refiner = HandRefinerPipeline(*open_stock(choice))
        if refiner.traits.control not in KINDS:
            raise DiffusionError(
                f"the ControlNet of {settings.model} reads {refiner.traits.control!r}",
                "no such control image is known",
                f"choose one that reads {', '.join(KINDS)}",
            )
        return cls(refiner, refiner.pipe.scheduler, settings.ip_adapter is not None)

    def inpaint(self, request: InpaintRequest) -> InpaintResult:
        """Run the pipeline on one square; see ``InpaintNetwork``."""
        recorded: list[tuple[float, Tensor, Tensor]] = []

        def keep_steps(step: int, timestep: Tensor, noisy: Tensor, predicted: Tensor) -> None:
            recorded.append((float(timestep), noisy.clone(), predicted.clone()))

        pictures = self._painted([request], keep_steps if request.keep_steps else None)
        chosen = [recorded[k] for k in chosen_steps(len(recorded))] if recorded else []
        side = request.picture.shape[0]
        steps = tuple(
            DenoisingStep(at, self._shown(noisy, side), self._shown(clean, side))
            for at, noisy, clean in chosen
        )
        return InpaintResult(pictures[0], steps)

    def inpaint_batch(self, requests: Sequence[InpaintRequest]) -> list[InpaintResult]:
        """Run the pipeline on squares of the same settings and strength together; see ``InpaintNetwork``.

        One by one go requests whose steps are kept, those of an IP adapter, which takes several pictures for
        one subject, and those of families that do not take a batch.
        """
        alike: dict[Hashable, list[int]] = {}
        for number, request in enumerate(requests):
            alone = request.keep_steps or self.image_prompt or not self.refiner.preset.batches
            key = number if alone else (request.settings, request.strength, request.start is None)
            alike.setdefault(key, []).append(number)
        results: dict[int, InpaintResult] = {}
        for numbers in alike.values():
            if len(numbers) == 1:
                results[numbers[0]] = self.inpaint(requests[numbers[0]])
                continue
            pictures = self._painted([requests[number] for number in numbers])
            results |= {number: InpaintResult(one) for number, one in zip(numbers, pictures, strict=True)}
        return [results[number] for number in range(len(requests))]

    def _painted(
        self, requests: Sequence[InpaintRequest], on_step: OnStep | None = None
    ) -> Float[np.ndarray, "b r r 3"]:
        """Squares of the same settings, strength and kind of start through the pipeline, in one call."""
        first, traits = requests[0], self.refiner.traits
        settings = first.settings
        self.refiner.pipe.scheduler = self._sampler(settings.sampler)

        def shaped(values: list[Any]) -> Any:  # noqa: ANN401 - one, or a list of them, as the pipeline takes it
            return values if len(values) > 1 else values[0]

        pictures = [PILImage.fromarray(one.picture) for one in requests]
        masks = [PILImage.fromarray(one.mask.astype(np.uint8) * 255) for one in requests]
        controls = [control_picture(traits.control, one.control, one.landmarks_px) for one in requests]
        starts = [PILImage.fromarray(one.start) for one in requests if one.start is not None]
        further: dict[str, Any] = {"ip_adapter_image": pictures[0]} if self.image_prompt else {}
        plain = not starts and not settings.no_control_guidance
        with _all_cores():
            result = self.refiner(
                shaped([settings.prompt] * len(requests)),
                shaped(pictures),
                shaped(masks),
                shaped([PILImage.fromarray(one) for one in controls]),
                negative_prompt=negative_prompt(settings.negative, settings.synthetic_negative),
                num_inference_steps=settings.steps,
                guidance_scale=settings.guidance,
                controlnet_conditioning_scale=first.strength,
                strength=settings.start_level if starts else 1.0,
                start_image=shaped(starts) if starts else None,
                control_guidance=traits.guidance if plain else 1.0,
                generator=shaped([torch.Generator("cpu").manual_seed(one.seed) for one in requests]),
                output_type="tensor",
                on_step=on_step,
                **further,
            )
        return picture_array(result.images)

    def autoencode(self, picture: UInt8[np.ndarray, "r r 3"]) -> Float[np.ndarray, "r r 3"]:
        """A picture through the VAE's encoder and decoder; see ``InpaintNetwork``."""
        pipe = self.refiner.pipe
        with torch.no_grad(), _all_cores(), exact(pipe.vae), enough_memory("encoding the drawn hand"):
            latents = encode(pipe.vae, picture_tensor(picture[None]).to(pipe._execution_device))
            return picture_array(decode(pipe.vae, latents))[0]

    def _sampler(self, name: str) -> Any:  # noqa: ANN401 - a diffusers scheduler
        if name == "auto":
            return self.scheduler
        return open_sampler(name, {**self.scheduler.config, "_class_name": type(self.scheduler).__name__})

    def _shown(self, latents: Tensor, side: int) -> UInt8[np.ndarray, "r r 3"]:
        pipe = self.refiner.pipe
        with torch.no_grad(), _all_cores(), exact(pipe.vae), enough_memory("decoding the steps"):
            picture = picture_array(decode(pipe.vae, unpacked(pipe, latents, side, side).float()))[0]
        return np.rint(picture).astype(np.uint8)


@contextmanager
def _all_cores() -> Generator[None]:
    """Use every CPU during the block: the last bits of torch's sums depend on the number of threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(available_cpus())
    try:
        yield
    finally:
        torch.set_num_threads(before)
