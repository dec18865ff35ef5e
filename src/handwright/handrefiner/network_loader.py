"""Opens networks behind the contract, the last ones kept."""

from dataclasses import dataclass, field

from handwright.errors import DiffusionError
from handwright.handrefiner.diffusion_settings import DiffusionSettings
from handwright.handrefiner.network import LOADED_BY, InpaintNetwork, OpenInpainter

EXTRA = ("torch", "diffusers", "transformers", "accelerate", "safetensors")
"""What ``handwright[diffusion]`` brings."""


def open_torch_network(settings: DiffusionSettings) -> InpaintNetwork:
    """Load the models that the settings name.

    Raises:
        DiffusionError: The extra is not installed, or the models are missing or damaged or do not fit.
    """
    check_installed()
    from handwright.handrefiner.torch_network import TorchNetwork

    return TorchNetwork.load(settings)


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
            "pip install 'handwright[diffusion]', or choose `painter` draw",
        )


@dataclass
class NetworkLoader:
    """Opens models when they are first needed and keeps the last ones."""

    open_network: OpenInpainter = open_torch_network  # Opens them
    _open: dict[tuple[object, ...], InpaintNetwork] = field(
        default_factory=dict[tuple[object, ...], InpaintNetwork]
    )

    def __call__(self, settings: DiffusionSettings) -> InpaintNetwork:
        """The models that the settings name."""
        wanted = tuple(getattr(settings, name) for name in LOADED_BY)
        if wanted not in self._open:
            self._open.clear()
            self._open[wanted] = self.open_network(settings)
        return self._open[wanted]
