"""The network of the grasp check: a hand's crop and its fitted silhouette in, how it holds a thing out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from handwright.metrics.extractors.network import load_network
from handwright.training.networks.critic import convolution
from handwright.training.networks.perceptual import imagenet_network, lite0

_LAST_BLOCK = 7  # Of EfficientNet-Lite0: 80 channels, 16 px a cell
_WIDTH = 80


@dataclass(frozen=True)
class GraspConfig:
    """What defines a network of holds; its ``config.json``."""

    name: str  # A new training gets a new name
    classes: tuple[str, ...]  # Values of ``hand.defects.Hold`` in the order of the logits
    size_px: int = 128  # Side of its crops; a multiple of 16
    context: float = 1.9  # Their side in hand sizes
    joined: int = 128  # Channels of the maps that are read off
    dropout: float = 0.2  # Of what is read off them


class GraspNetwork(nn.Module):
    """Crops [B, 4, S, S] in [-1, 1] (sRGB, then the fitted hand's silhouette) → logits [B, K].

    EfficientNet-Lite0 down to 1/16. A class adds the logits of the whole crop, of the mean and the maximum of
    all places, to the log-mean-exp of those of each place: a broken hold shows in few of them.
    """

    def __init__(self, config: GraspConfig, network: nn.Module | None = None) -> None:
        super().__init__()
        self.config = config
        whole: Any = network or lite0()
        self.stem, self.norm, self.act = whole._conv_stem, whole._bn0, whole._swish
        self.outline = nn.Conv2d(1, self.stem.out_channels, 3, stride=2, padding=1, bias=False)
        nn.init.zeros_(self.outline.weight)
        self.blocks = nn.ModuleList(list(whole._blocks)[: _LAST_BLOCK + 1])
        self.read = convolution(_WIDTH, config.joined, 1)
        self.places = nn.Conv2d(config.joined, len(config.classes), 1)
        self.whole = nn.Linear(2 * config.joined, len(config.classes))
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, crops: Float[Tensor, "b 4 s s"]) -> Float[Tensor, "b k"]:
        """The logits of each hold."""
        maps = self.act(self.norm(self.stem(crops[:, :3]) + self.outline(crops[:, 3:])))
        for block in self.blocks:
            maps = block(maps)
        maps = self.read(maps)
        places = self.places(maps).flatten(2)
        pooled = torch.cat([maps.mean((2, 3)), maps.amax((2, 3))], 1)
        return self.whole(self.dropout(pooled)) + places.logsumexp(2) - math.log(places.shape[2])


def fresh_grasp(classes: tuple[str, ...], size_px: int) -> GraspNetwork:
    """A network on ImageNet features that knows nothing yet of holds."""
    return GraspNetwork(GraspConfig("grasp-v3", classes, size_px), imagenet_network())


def load_grasp(folder: Path) -> GraspNetwork:
    """A network of holds from its folder.

    Raises:
        MissingModelError: The folder is missing, incomplete or damaged.
    """
    return load_network(folder, "network of holds", lambda config: GraspNetwork(GraspConfig(**config)))
