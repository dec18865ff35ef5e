"""Our own features: the small network that ships in ``weights/features``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, UInt8

from handwright.errors import MissingModelError, need

if TYPE_CHECKING:
    from handwright.metrics.extractors.network import FeatureNetwork

FOLDER = Path(__file__).parents[2] / "weights" / "features"
"""Where the package keeps it: config.json and model.safetensors."""

_CONFIG, _WEIGHTS = "config.json", "model.safetensors"


class EmbeddedExtractor:
    """A trained feature network; its name is the one in its config.

    Raises:
        MissingModelError: The folder is missing, incomplete or damaged.
        MissingPackageError: torch is not installed.
    """

    def __init__(self, folder: Path = FOLDER) -> None:
        need("torch", "safetensors")
        from handwright.metrics.extractors.network import best_device

        self._device = best_device()
        self._network = load_network(folder).to(self._device).eval()
        self.name = self._network.config.name

    def __call__(self, pictures: UInt8[np.ndarray, "n h w 3"]) -> Float[np.ndarray, "n d"]:
        """Features, float32 [N, D], of pictures of any size."""
        import torch

        from handwright.metrics.extractors.network import to_network_input

        with torch.inference_mode():
            given = torch.from_numpy(np.ascontiguousarray(pictures)).to(self._device)
            return self._network(to_network_input(given, self._network.config.size_px)).float().cpu().numpy()


def load_network(folder: Path) -> FeatureNetwork:
    """A feature network from its folder.

    Raises:
        MissingModelError: The folder is missing, incomplete or damaged.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from handwright.metrics.extractors.network import FeatureConfig, FeatureNetwork

    for file in (_CONFIG, _WEIGHTS):
        if not (folder / file).is_file():
            raise MissingModelError(
                "there is no feature network",
                f"{folder / file} is missing",
                "choose another --extractor: inception:FILE, clip:DIR or rand-v1",
            )
    try:
        stored: dict[str, Any] = json.loads((folder / _CONFIG).read_text("utf-8"))
        stored["widths"] = tuple(stored["widths"])
        config = FeatureConfig(**stored)
        network = FeatureNetwork(config)
        network.load_state_dict(load_file(folder / _WEIGHTS))
    except (ValueError, TypeError, KeyError, RuntimeError, SafetensorError) as error:
        raise MissingModelError(
            f"the feature network in {folder} does not load", str(error), "fetch or train it again"
        ) from error
    return network


def save_network(network: FeatureNetwork, folder: Path) -> None:
    """Write config.json and model.safetensors, the layout that :func:`load_network` reads."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: value.contiguous() for name, value in network.state_dict().items()}, folder / _WEIGHTS)
    text = json.dumps(asdict(network.config), indent=1) + "\n"
    (folder / _CONFIG).write_text(text, "utf-8")
