"""FID's own Inception-v3, from a safetensors file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, UInt8

from handwright.errors import MissingModelError, UsageError, need

if TYPE_CHECKING:
    from torch import Tensor

_CONVERT = (
    "convert the published pt_inception-2015-12-05 weights once: "
    "safetensors.torch.save_file(torch.load(FILE, weights_only=True), 'inception.safetensors')"
)
_CLASSES = 1008


class InceptionExtractor:
    """The features that FID and KID are published with; named ``inception-2015/LAYER``.

    Args:
        file: The weights as safetensors: a local file, or OWNER/NAME/FILE on the hub.
        layer: '64', '192', '768' or '2048'; the two-stage paper uses 192.

    Raises:
        UsageError: There is no such layer.
        MissingModelError: The file is missing, a pickle, or holds other weights.
        MissingPackageError: torch is not installed.
    """

    def __init__(self, file: str | Path, layer: str = "2048") -> None:
        need("torch", "safetensors")
        from handwright.metrics.extractors._inception_network import LAYERS, InceptionNetwork
        from handwright.metrics.extractors.network import best_device

        if layer not in LAYERS:
            raise UsageError(f"Inception has no layer {layer}", "", f"choose one of {', '.join(LAYERS)}")
        weights = _weights(_local(str(file)))
        network = InceptionNetwork(layer)
        wanted = network.state_dict()
        lacking = sorted(key for key in wanted if key not in weights and "num_batches" not in key)
        if lacking:
            raise MissingModelError(f"{file} is no Inception-v3", f"it lacks {lacking[0]}", _CONVERT)
        network.load_state_dict({key: weights[key] for key in wanted if key in weights}, strict=False)
        self._device = best_device()
        self._network = network.to(self._device).eval()
        self.name = f"inception-2015/{layer}"

    def __call__(self, pictures: UInt8[np.ndarray, "n h w 3"]) -> Float[np.ndarray, "n d"]:
        """Features, float32 [N, D], of pictures of any size, brought to 299 × 299 as TensorFlow 1 does."""
        import torch

        with torch.inference_mode():
            given = torch.from_numpy(np.ascontiguousarray(pictures)).to(self._device).permute(0, 3, 1, 2)
            return self._network(given).float().cpu().numpy()


def _local(file: str) -> Path:
    """The file itself, or the hub's in the cache."""
    path = Path(file)
    if path.is_file():
        return path
    parts = file.split("/")
    if len(parts) < 3 or path.is_absolute() or not file.endswith(".safetensors"):
        raise MissingModelError("there are no Inception weights", f"{file} is no file", _CONVERT)
    need("huggingface_hub")
    from huggingface_hub import hf_hub_download

    try:
        return Path(hf_hub_download("/".join(parts[:2]), "/".join(parts[2:])))
    except (OSError, ValueError) as error:
        raise MissingModelError(f"{file} could not be fetched", str(error), "give a local file") from error


def _weights(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        weights = load_file(path)
    except (SafetensorError, OSError) as error:
        raise MissingModelError(f"{path} is no safetensors file", str(error), _CONVERT) from error
    classes = weights["fc.weight"].shape[0] if "fc.weight" in weights else _CLASSES
    if classes != _CLASSES:
        raise MissingModelError(
            f"{path} holds another Inception-v3",
            f"it knows {classes} classes, FID's of 2015 knows {_CLASSES}",
            _CONVERT,
        )
    return weights
