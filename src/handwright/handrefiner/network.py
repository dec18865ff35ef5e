"""The contract between the diffusing painters and a network: NumPy in, NumPy out, no torch in sight."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.handrefiner.diffusion_settings import DiffusionSettings
from handwright.handrefiner.strength import Strength

Surroundings = Literal["painted", "drawn"]
"""What lies around repaired hands: what the network painted there, or what is drawn, filled or was there."""


@dataclass(frozen=True, eq=False, kw_only=True)
class InpaintRequest:
    """One square to inpaint, at the network's resolution R."""

    picture: UInt8[np.ndarray, "r r 3"]  # sRGB, the picture with the old hands in it
    mask: Bool[np.ndarray, "r r"]  # True where it is to be painted
    control: UInt8[np.ndarray, "r r"]  # depth control image
    # [N, 21, 2] of the hands to paint, for networks that are steered by other controls
    landmarks_px: Float[np.ndarray, "n 21 2"]
    settings: DiffusionSettings  # Prompt, steps and the like; its own strength is not used
    strength: Strength  # Control strength: one number, or one for each of ``settings.steps``
    seed: int  # Same seed, same bytes
    start: UInt8[np.ndarray, "r r 3"] | None = None  # picture to start from; None: pure noise
    keep_steps: bool = False  # Keep input and output of the network at its steps

    @property
    def hands(self) -> Bool[np.ndarray, "r r"]:
        """Where hands are to be painted: others' lie in the control image, too."""
        return (self.control > 0) & self.mask


@dataclass(frozen=True, eq=False)
class DenoisingStep:
    """What went into one step of the sampler, and what the network took it for."""

    timestep: float  # Of the model's schedule
    noisy: UInt8[np.ndarray, "r r 3"]  # the noisy latents, decoded
    predicted: UInt8[np.ndarray, "r r 3"]  # the picture that the network predicted from them


@dataclass(frozen=True, eq=False)
class InpaintResult:
    """An inpainted square."""

    picture: Float[np.ndarray, "r r 3"]  # float32 [R, R, 3] sRGB in 0 … 255, not rounded
    # Some of the steps, evenly chosen from first to last, when they were to be kept
    steps: tuple[DenoisingStep, ...] = ()


class InpaintNetwork(Protocol):
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
    def surroundings(self) -> Surroundings:
        """'painted' where what it paints around its hands is to be taken, 'drawn' where hands alone are."""
        ...

    @property
    def guidance(self) -> float:
        """The w of eq. 3 that suits it."""
        ...

    @property
    def default_steps(self) -> int:
        """The number of steps that suits it."""
        ...

    def inpaint(self, request: InpaintRequest) -> InpaintResult:
        """Paint inside the mask.

        Raises:
            DiffusionError: It does not fit into memory.
            UsageError: A setting does not go with the model.
        """
        ...

    def inpaint_batch(self, requests: Sequence[InpaintRequest]) -> list[InpaintResult]:
        """Paint several squares, in one batch where they and the model allow it, each as it would be alone.

        Sums of floating-point numbers may end otherwise in their last bits than they do alone.

        Raises:
            DiffusionError: They do not fit into memory.
            UsageError: A setting does not go with the model.
        """
        ...

    def autoencode(self, picture: UInt8[np.ndarray, "r r 3"]) -> Float[np.ndarray, "r r 3"]:
        """A picture through the network's own encoder and decoder, float32 in 0 … 255."""
        ...


LOADED_BY = (
    "model", "controlnet", "dtype", "device", "offload", "revision", "variant", "lora", "textual_inversion",
    "ip_adapter",
)  # fmt: skip
"""Settings under which a network is loaded; another value of one is another network."""

OpenInpainter = Callable[[DiffusionSettings], InpaintNetwork]
