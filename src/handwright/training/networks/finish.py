"""The finishing network: from a drawn hand to the change that makes it look photographed."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from handwright.training.finish_pairs import PLANES

SHARE = 3  # Which plane of an input is the share of the hand

MULTIPLE = 8  # Height and width of an input are multiples of this


@dataclass(frozen=True)
class FinishConfig:
    """How large the network is; chosen for 120 ms at 256² on one core."""

    name: str = "finish-v1"
    widths: tuple[int, ...] = (32, 64, 96)  # Channels at 2, 4 and 8 px a cell
    detail: int = 12  # Channels at the picture's own resolution, last


class FinishNetwork(nn.Module):
    """A small U-Net on squares of 2 × 2 pixels; it begins by changing nothing.

    Args:
        config: How large it is.
    """

    def __init__(self, config: FinishConfig | None = None) -> None:
        super().__init__()
        self.config = config or FinishConfig()
        widths, detail = self.config.widths, self.config.detail
        self.inward = nn.PixelUnshuffle(2)
        self.first = _block(4 * PLANES, widths[0])
        self.down = nn.ModuleList(
            nn.Sequential(_block(a, b, stride=2), _block(b, b)) for a, b in pairwise(widths)
        )
        self.up = nn.ModuleList(
            _block(a + b, b) for b, a in zip(reversed(widths[:-1]), reversed(widths[1:]), strict=True)
        )
        self.outward = nn.Sequential(nn.Conv2d(widths[0], 4 * detail, 3, padding=1), nn.PixelShuffle(2))
        self.last = nn.Sequential(_block(detail + PLANES, detail), nn.Conv2d(detail, 3, 3, padding=1))
        nn.init.zeros_(self.last[-1].weight)  # pyright: ignore[reportArgumentType]
        nn.init.zeros_(self.last[-1].bias)  # pyright: ignore[reportArgumentType]

    def forward(self, planes: Float[Tensor, "b c h w"]) -> Float[Tensor, "b 3 h w"]:
        """What to add to the colours in [-1, 1]; 0 where the share of the hand is 0."""
        x = self.first(self.inward(planes))
        kept = [x]
        for block in self.down:
            kept.append(x := block(x))
        kept.pop()
        for block in self.up:
            x = nn.functional.interpolate(x, scale_factor=2.0, mode="nearest")
            x = block(torch.cat([x, kept.pop()], 1))
        x = self.last(torch.cat([self.outward(x), planes], 1))
        return x * planes[:, SHARE : SHARE + 1]


def _block(before: int, after: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(before, after, 3, stride, 1), nn.LeakyReLU(0.2))
