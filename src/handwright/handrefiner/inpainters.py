"""Opens networks that inpaint, when the first hand is diffused; without torch, says what to install."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from handwright.errors import DiffusionError
from handwright.handrefiner.diffusion_settings import DiffusionSettings
from handwright.handrefiner.inpainter import Inpainter

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
    from handwright.handrefiner.torch_inpainter import TorchInpainter

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
