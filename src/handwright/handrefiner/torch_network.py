"""The only door from the core to torch and diffusers: HandRefiner's pipeline behind the NumPy contract."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from handwright.diffusion.denoiser import negative_prompt
from handwright.diffusion.latents import control_tensor, decode, encode, picture_array, picture_tensor
from handwright.diffusion.loading.devices import enough_memory
from handwright.diffusion.loading.places import is_of_own_engine
from handwright.diffusion.loading.zoo import DiffusionModels, load_models
from handwright.diffusion.pipeline import HandInpaintPipeline
from handwright.errors import DiffusionError
from handwright.handrefiner.controls import KINDS, control_picture
from handwright.handrefiner.diffusion_settings import DiffusionSettings
from handwright.handrefiner.network import DenoisingStep, InpaintNetwork, InpaintRequest, InpaintResult
from handwright.handrefiner.steps_strip import chosen_steps
from handwright.threads import available_cpus


@dataclass(frozen=True, eq=False)
class TorchNetwork:
    """``HandInpaintPipeline`` on loaded models."""

    models: DiffusionModels  # The networks
    resolution: int  # Side of the pictures that they were trained on, in pixels

    @property
    def fixed_strength(self) -> float:
        """The control strength that is stored with the ControlNet."""
        return self.models.traits.strength

    @property
    def guidance(self) -> float:
        """The w of eq. 3 that suits the models."""
        return self.models.guidance

    @classmethod
    def load(cls, settings: DiffusionSettings) -> Self:
        """Load the models that the settings name.

        Raises:
            DiffusionError: They are missing, damaged, do not fit each other or the memory.
            UsageError: The device is not here.
        """
        models = load_models(
            settings.model, settings.controlnet, dtype=settings.dtype, device=settings.device
        )
        _check_kind(models)
        return cls(models, models.resolution)

    def inpaint(self, request: InpaintRequest) -> InpaintResult:
        """Run the pipeline on one square; see ``InpaintNetwork``."""
        settings = request.settings
        pipeline = HandInpaintPipeline.from_models(self.models, settings.sampler)
        recorded: list[tuple[float, Tensor, Tensor]] = []

        def keep_steps(step: int, timestep: Tensor, noisy: Tensor, predicted: Tensor) -> None:
            recorded.append((float(timestep), noisy.clone(), predicted.clone()))

        with _all_cores():
            result = pipeline(
                picture_tensor(request.picture[None]),
                _mask_tensor(request.mask),
                control_tensor(
                    control_picture(self.models.traits.control, request.control, request.landmarks_px)[None]
                ),
                prompt=settings.prompt,
                negative=negative_prompt(settings.negative, settings.synthetic_negative),
                steps=settings.steps,
                guidance=self.guidance if settings.guidance is None else settings.guidance,
                control_strength=request.strength,
                control_guidance=self.models.traits.guidance if request.start is None else 1.0,
                start=None if request.start is None else picture_tensor(request.start[None]),
                start_level=1.0 if request.start is None else settings.start_level,
                generator=torch.Generator("cpu").manual_seed(request.seed),
                on_step=keep_steps if request.keep_steps else None,
            )
        chosen = [recorded[k] for k in chosen_steps(len(recorded))] if recorded else []
        steps = tuple(
            DenoisingStep(at, self._shown(noisy), self._shown(clean)) for at, noisy, clean in chosen
        )
        return InpaintResult(picture_array(result.pictures)[0], steps)

    def autoencode(self, picture: UInt8[np.ndarray, "r r 3"]) -> Float[np.ndarray, "r r 3"]:
        """A picture through the VAE's encoder and decoder; see ``InpaintNetwork``."""
        vae = self.models.vae
        with torch.no_grad(), _all_cores(), enough_memory("encoding the drawn hand"):
            return picture_array(decode(vae, encode(vae, picture_tensor(picture[None]).to(vae.device))))[0]

    def _shown(self, latents: Tensor) -> UInt8[np.ndarray, "r r 3"]:
        with torch.no_grad(), _all_cores(), enough_memory("decoding the steps"):
            picture = picture_array(decode(self.models.vae, latents))[0]
        return np.rint(picture).astype(np.uint8)


def _check_kind(models: DiffusionModels) -> None:
    """Raise unless the ControlNet reads a kind of control image that is known."""
    kind = models.traits.control
    if kind not in KINDS:
        raise DiffusionError(
            f"the ControlNet of {models.name} reads {kind!r}",
            "no such control image is known",
            f"choose one that reads {', '.join(KINDS)}",
        )


def open_network(settings: DiffusionSettings) -> InpaintNetwork:
    """The network that the settings name: of the embedded family's layout, or a stock pipeline of the zoo.

    Raises:
        DiffusionError: It is missing, damaged, does not fit its partners or the memory.
        UsageError: The device is not here.
    """
    adapted = (settings.lora, settings.textual_inversion, settings.ip_adapter, settings.offload)
    if is_of_own_engine(settings.model, settings.revision, settings.variant) and not any(adapted):
        return TorchNetwork.load(settings)
    from handwright.handrefiner.stock_network import StockNetwork

    return StockNetwork.load(settings)


@contextmanager
def _all_cores() -> Generator[None]:
    """Use every CPU during the block: the last bits of torch's sums depend on the number of threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(available_cpus())
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _mask_tensor(mask: Bool[np.ndarray, "r r"]) -> Float[Tensor, "1 1 r r"]:
    return torch.from_numpy(mask.astype(np.float32))[None, None]
