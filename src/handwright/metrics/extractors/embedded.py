"""Our own features: the small network that ships in ``weights/features``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, UInt8

from handwright.errors import need

if TYPE_CHECKING:
    from handwright.metrics.extractors.network import FeatureNetwork

FOLDER = Path(__file__).parents[2] / "weights" / "features"
"""Where the package keeps it: config.json and model.safetensors."""


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
        self._network = load_features(folder).to(self._device)
        self.name = self._network.config.name

    def __call__(self, pictures: UInt8[np.ndarray, "n h w 3"]) -> Float[np.ndarray, "n d"]:
        """Features, float32 [N, D], of pictures of any size."""
        import torch

        from handwright.metrics.extractors.network import to_network_input

        with torch.inference_mode():
            given = torch.from_numpy(np.ascontiguousarray(pictures)).to(self._device)
            return self._network(to_network_input(given, self._network.config.size_px)).float().cpu().numpy()


def load_features(folder: Path) -> FeatureNetwork:
    """A feature network from its folder.

    Raises:
        MissingModelError: The folder is missing, incomplete or damaged.
    """
    from handwright.metrics.extractors.network import FeatureConfig, FeatureNetwork, load_network

    other = "choose another --extractor: inception:FILE, clip:DIR or rand-v1"
    return load_network(
        folder, "feature network", lambda fields: FeatureNetwork(FeatureConfig(**fields)), other
    )
