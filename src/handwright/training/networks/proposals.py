"""The proposal network: a whole picture in, where hands are; of any shape, size and crop."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as f

from handwright.metrics.extractors.network import load_network
from handwright.training.networks.critic import convolution
from handwright.training.networks.perceptual import imagenet_network, lite0

_RARE = 0.01  # How likely a hand's middle is at first: focal losses start calmly from there

_LEVELS = (4, 10, 15)  # Blocks whose maps are read: 8, 16 and 32 px a cell

_FROZEN = 5
"""Blocks that keep their weights, those up to 8 px a cell: edges and textures, and most of a step's time."""


@dataclass(frozen=True)
class ProposalConfig:
    """What defines a proposal network; its ``config.json``."""

    name: str  # A new training gets a new name
    size_px: int = 256  # Side of the square pictures that it sees; a multiple of 32
    stride: int = 8  # Pixels a cell of its maps; always 8
    joined: int = 64  # Channels of the maps at 1/8, where all levels meet


class ProposalMaps(NamedTuple):
    """The prediction for B pictures; cells of 8 × 8 pixels."""

    heat: Tensor  # [B, S/8, S/8] logits: a hand's middle is here
    log_size: Tensor  # [B, S/8, S/8] log of that hand's size in sides of the picture
    direction: Tensor  # [B, 2, S/8, S/8] cosine and sine from its wrist to its middle knuckle, y down
    offset: Tensor  # [B, 2, S/8, S/8] from the cell's middle to the hand's, x and y in cells


class ProposalNetwork(nn.Module):
    """Pictures [B, 3, S, S] in [-1, 1] → :class:`ProposalMaps`.

    A hand is a point with a size (CenterNet, Zhou et al. 2019), read off EfficientNet-Lite0's maps at 1/8,
    1/16 and 1/32, of which the coarse ones, which see the whole picture, are added to the fine ones (an FPN,
    Lin et al. 2017). Stem and first blocks, and the statistics of every norm, stay as they were given.

    Args:
        config: What defines it.
        backbone: The network with its weights, of which this one takes stem and blocks; None: at random.
    """

    def __init__(self, config: ProposalConfig, backbone: nn.Module | None = None) -> None:
        super().__init__()
        self.config = config
        given: Any = lite0() if backbone is None else backbone
        self.stem = nn.Sequential(given._conv_stem, given._bn0, given._swish)
        self.blocks = nn.ModuleList(given._blocks)
        for part in (self.stem, *self.blocks[:_FROZEN]):
            part.requires_grad_(False)
        self.laterals = nn.ModuleList(
            nn.Conv2d(given._blocks[k]._project_conv.out_channels, config.joined, 1) for k in _LEVELS
        )
        self.smooth = nn.Sequential(
            convolution(config.joined, config.joined), convolution(config.joined, config.joined)
        )
        self.head = nn.Conv2d(config.joined, 6, 1)
        with torch.no_grad():
            bias = torch.tensor([math.log(_RARE / (1 - _RARE)), math.log(0.4), 0.0, 0.0, 0.0, 0.0])
            nn.init.normal_(self.head.weight, std=0.01)
            self.head.bias.copy_(bias) if self.head.bias is not None else None

    @classmethod
    def from_imagenet(cls, config: ProposalConfig) -> ProposalNetwork:
        """A network to be trained, on the weights that EfficientNet-Lite0 learnt on ImageNet.

        Raises:
            UsageError: The packages that hold them are not installed.
        """
        return cls(config, imagenet_network())

    def train(self, mode: bool = True) -> ProposalNetwork:
        """As of modules; the backbone's norms keep their statistics: windows are no photographs."""
        super().train(mode)
        for part in (self.stem, self.blocks):
            part.eval()
        return self

    def forward(self, pictures: Float[Tensor, "b 3 s s"]) -> ProposalMaps:
        """Where hands are."""
        with torch.no_grad():
            maps = self.stem(pictures)
            for block in self.blocks[:_FROZEN]:
                maps = block(maps)
        levels = {_FROZEN - 1: maps}
        for number in range(_FROZEN, len(self.blocks)):
            levels[number] = maps = self.blocks[number](maps)
        eighth, sixteenth, coarsest = (
            lateral(levels[k]) for lateral, k in zip(self.laterals, _LEVELS, strict=True)
        )
        above = sixteenth + f.interpolate(coarsest, scale_factor=2.0)
        maps = self.head(self.smooth(eighth + f.interpolate(above, scale_factor=2.0)))
        return ProposalMaps(maps[:, 0], maps[:, 1], maps[:, 2:4], maps[:, 4:6])


def load_proposals(folder: Path, size_px: int | None = None) -> ProposalNetwork:
    """A proposal network from its folder, which goes on with pictures of side ``size_px`` if that is given.

    Raises:
        MissingModelError: The folder is missing, incomplete or damaged.
    """
    changed: dict[str, Any] = {} if size_px is None else {"size_px": size_px}
    return load_network(
        folder, "proposal network", lambda config: ProposalNetwork(ProposalConfig(**config | changed))
    )
