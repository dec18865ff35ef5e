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

_RARE = 0.01  # How likely a hand's middle is at first: focal losses start calmly from there


@dataclass(frozen=True)
class ProposalConfig:
    """What defines a proposal network; its ``config.json``."""

    name: str  # A new training gets a new name
    size_px: int = 256  # Side of the square pictures that it sees; a multiple of 32
    stride: int = 8  # Pixels a cell of its maps; always 8
    widths: tuple[int, int, int, int] = (32, 64, 80, 96)  # Channels at 1/4, 1/8, 1/16 and 1/32 of the picture
    blocks: tuple[int, int, int, int] = (1, 2, 2, 2)  # Residual blocks at each
    joined: int = 64  # Channels of the maps at 1/8, where all levels meet


class ProposalMaps(NamedTuple):
    """The prediction for B pictures; cells of 8 × 8 pixels."""

    heat: Tensor  # [B, S/8, S/8] logits: a hand's middle is here
    log_size: Tensor  # [B, S/8, S/8] log of that hand's size in sides of the picture
    direction: Tensor  # [B, 2, S/8, S/8] cosine and sine from its wrist to its middle knuckle, y down
    offset: Tensor  # [B, 2, S/8, S/8] from the cell's middle to the hand's, x and y in cells


class ProposalNetwork(nn.Module):
    """Pictures [B, 3, S, S] in [-1, 1] → :class:`ProposalMaps`.

    A hand is a point with a size (CenterNet, Zhou et al. 2019), read off residual stages whose coarse levels,
    which see the whole picture, are added to the fine ones (an FPN, Lin et al. 2017).
    """

    def __init__(self, config: ProposalConfig) -> None:
        super().__init__()
        self.config = config
        first, *widths = config.widths
        self.stem = convolution(3, first, 7, stride=4)
        before, stages = first, [nn.Sequential(*(_Residual(first) for _ in range(config.blocks[0])))]
        for width, blocks in zip(widths, config.blocks[1:], strict=True):
            residuals = (_Residual(width) for _ in range(blocks))
            stages.append(nn.Sequential(convolution(before, width, stride=2), *residuals))
            before = width
        self.stages = nn.ModuleList(stages)
        self.laterals = nn.ModuleList(nn.Conv2d(width, config.joined, 1) for width in widths)
        self.smooth = convolution(config.joined, config.joined)
        self.head = nn.Conv2d(config.joined, 6, 1)
        with torch.no_grad():
            bias = torch.tensor([math.log(_RARE / (1 - _RARE)), math.log(0.4), 0.0, 0.0, 0.0, 0.0])
            nn.init.normal_(self.head.weight, std=0.01)
            self.head.bias.copy_(bias) if self.head.bias is not None else None

    def forward(self, pictures: Float[Tensor, "b 3 s s"]) -> ProposalMaps:
        """Where hands are."""
        maps, levels = self.stem(pictures), list[Tensor]()
        for stage in self.stages:
            maps = stage(maps)
            levels.append(maps)
        eighth, sixteenth, coarsest = (
            lateral(level) for lateral, level in zip(self.laterals, levels[1:], strict=True)
        )
        above = sixteenth + f.interpolate(coarsest, scale_factor=2.0)
        maps = self.head(self.smooth(eighth + f.interpolate(above, scale_factor=2.0)))
        return ProposalMaps(maps[:, 0], maps[:, 1], maps[:, 2:4], maps[:, 4:6])


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = convolution(width, width)
        self.second = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(width)
        nn.init.zeros_(self.norm.weight)

    def forward(self, maps: Tensor) -> Tensor:
        return f.relu(maps + self.norm(self.second(self.first(maps))))


def load_proposals(folder: Path, size_px: int | None = None) -> ProposalNetwork:
    """A proposal network from its folder, which goes on with pictures of side ``size_px`` if that is given.

    Raises:
        MissingModelError: The folder is missing, incomplete or damaged.
    """
    changed: dict[str, Any] = {} if size_px is None else {"size_px": size_px}
    return load_network(
        folder, "proposal network", lambda config: ProposalNetwork(ProposalConfig(**config | changed))
    )
