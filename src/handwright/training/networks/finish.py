"""The finishing network: from a malformed hand and a drawn one to what keeps of either, and a change."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from handwright.training.finish_planes import OLD, PAINTED, PLANES

MULTIPLE = 16  # Height and width of an input are multiples of this

_KEPT_AT_FIRST = -2.0  # Log odds of the old pixels' share before training


@dataclass(frozen=True)
class FinishConfig:
    """How large the network is; chosen for 120 ms at 256² on one core."""

    name: str = "finish-v2"
    widths: tuple[int, ...] = (24, 48, 80, 112)  # Channels at 2, 4, 8 and 16 px a cell
    detail: int = 12  # Channels at the picture's own resolution, last


class Finish(NamedTuple):
    """The answer for every pixel: kept · old + (1 − kept) · (drawn + change)."""

    kept: Float[Tensor, "b 1 h w"]  # Share of the old pixels that stays, in 0 … 1
    change: Float[Tensor, "b 3 h w"]  # What the drawn colours in [-1, 1] lack


class FinishNetwork(nn.Module):
    """A small U-Net on squares of 2 × 2 pixels; it begins by leaving the drawn hand nearly as it is.

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
        self.last = nn.Sequential(_block(detail + PLANES, detail), nn.Conv2d(detail, 4, 3, padding=1))
        nn.init.zeros_(self.last[-1].weight)  # pyright: ignore[reportArgumentType]
        nn.init.zeros_(self.last[-1].bias)  # pyright: ignore[reportArgumentType]

    def forward(self, planes: Float[Tensor, "b c h w"]) -> Finish:
        """What stays and what changes; see :func:`finished_picture`."""
        x = self.first(self.inward(planes))
        kept = [x]
        for block in self.down:
            kept.append(x := block(x))
        kept.pop()
        for block in self.up:
            x = nn.functional.interpolate(x, scale_factor=2.0, mode="nearest")
            x = block(torch.cat([x, kept.pop()], 1))
        x = self.last(torch.cat([self.outward(x), planes], 1))
        return Finish(torch.sigmoid(x[:, 3:] + _KEPT_AT_FIRST), x[:, :3])


def chosen(finish: Finish) -> Finish:
    """What is used of an answer: either old or new pixels, with soft borders between them.

    Mixtures of two hands are ghosts. Gradients are those of the shares before the choice.
    """
    firm = (finish.kept > 0.5).to(finish.kept.dtype)
    soft = nn.functional.avg_pool2d(nn.functional.pad(firm, (1, 1, 1, 1), mode="replicate"), 3, 1)
    return Finish(finish.kept + (soft - finish.kept).detach(), finish.change)


def finished_picture(planes: Float[Tensor, "b c h w"], finish: Finish) -> Float[Tensor, "b 3 h w"]:
    """The finished picture in about [-1, 1]: the old one wherever the drawing had changed nothing."""
    kept = 1 - planes[:, PAINTED : PAINTED + 1] * (1 - finish.kept)
    return kept * planes[:, OLD] + (1 - kept) * (planes[:, :3] + finish.change)


def _block(before: int, after: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(before, after, 3, stride, 1), nn.LeakyReLU(0.2))
