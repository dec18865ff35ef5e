"""The contract between the diffusing painters and a network: NumPy in, NumPy out, no torch in sight."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.errors import DiffusionError
from handwright.handrefiner.diffusion_settings import DiffusionSettings
from handwright.handrefiner.strength import Strength


@dataclass(frozen=True, eq=False)
class Inpainting:
    """One square to inpaint, at the network's resolution R.

    Attributes:
        picture: uint8 [R, R, 3] sRGB, the picture with the old hands in it.
        mask: bool [R, R] True where it is to be painted.
        control: uint8 [R, R] depth control image.
        landmarks_px: [N, 21, 2] of the hands to paint, for networks that are steered by other controls.
        settings: Prompt, steps and the like; of the strength nothing but ``strength`` counts.
        strength: Control strength: one number, or one for each of ``settings.steps``.
        seed: Same seed, same bytes.
        start: uint8 [R, R, 3] picture to set out from; None: pure noise.
        keep: Keep what was made at the steps.
    """

    picture: UInt8[np.ndarray, "r r 3"]
    mask: Bool[np.ndarray, "r r"]
    control: UInt8[np.ndarray, "r r"]
    landmarks_px: Float[np.ndarray, "n 21 2"]
    settings: DiffusionSettings
    strength: Strength
    seed: int
    start: UInt8[np.ndarray, "r r 3"] | None = None
    keep: bool = False


@dataclass(frozen=True, eq=False)
class Step:
    """What went into one step of the sampler, and what the network took it for.

    Attributes:
        timestep: Of the model's schedule.
        noisy: uint8 [R, R, 3] the noisy latents, decoded.
        predicted: uint8 [R, R, 3] the picture that the network predicted from them.
    """

    timestep: float
    noisy: UInt8[np.ndarray, "r r 3"]
    predicted: UInt8[np.ndarray, "r r 3"]


@dataclass(frozen=True, eq=False)
class Inpainted:
    """An inpainted square.

    Attributes:
        picture: float32 [R, R, 3] sRGB in 0 … 255, not rounded.
        steps: Some of the steps, evenly chosen from first to last, when they were to be kept.
    """

    picture: Float[np.ndarray, "r r 3"]
    steps: tuple[Step, ...] = ()


class Inpainter(Protocol):
    """A network that inpaints."""

    @property
    def resolution(self) -> int:
        """R, the side of its pictures in pixels."""
        ...

    @property
    def fixed_strength(self) -> float:
        """The control strength that is stored with its ControlNet."""
        ...

    @property
    def guidance(self) -> float:
        """The w of eq. 3 that suits it."""
        ...

    def inpaint(self, asked: Inpainting) -> Inpainted:
        """Paint inside the mask.

        Raises:
            DiffusionError: It does not fit into memory.
            UsageError: A setting does not go with the model.
        """
        ...

    def as_coded(self, picture: UInt8[np.ndarray, "r r 3"]) -> Float[np.ndarray, "r r 3"]:
        """A picture through the network's own encoder and decoder, float32 in 0 … 255."""
        ...


EXTRA = ("torch", "diffusers", "transformers", "accelerate", "safetensors")
"""What ``handwright[diffusion]`` brings."""

Wanted = tuple[str, str | None, str, str]
OpenInpainter = Callable[[DiffusionSettings], Inpainter]


def open_torch_inpainter(settings: DiffusionSettings) -> Inpainter:
    """Load the models that the settings name.

    Raises:
        DiffusionError: The extra is not installed, or the models are missing or damaged or do not fit.
    """
    check_installed()
    from handwright.handrefiner.torch_network import TorchInpainter

    return TorchInpainter.load(settings)


def check_installed() -> None:
    """Raise in one line when the diffusion extra is not installed; nothing is imported.

    Raises:
        DiffusionError: A library is missing.
    """
    from importlib.util import find_spec

    missing = [name for name in EXTRA if find_spec(name) is None]
    if missing:
        raise DiffusionError(
            "this painter needs diffusion models",
            f"{', '.join(missing)} not installed",
            "pip install 'handwright[diffusion]', or choose --painter draw",
        )


@dataclass
class Inpainters:
    """Opens models when they are first needed and keeps the last ones.

    Attributes:
        open_inpainter: Opens them.
    """

    open_inpainter: OpenInpainter = open_torch_inpainter
    _open: dict[Wanted, Inpainter] = field(default_factory=dict[Wanted, Inpainter])

    def __call__(self, settings: DiffusionSettings) -> Inpainter:
        """The models that the settings name."""
        wanted = settings.model, settings.controlnet, settings.dtype, settings.device
        if wanted not in self._open:
            self._open.clear()
            self._open[wanted] = self.open_inpainter(settings)
        return self._open[wanted]
