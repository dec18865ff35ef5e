"""Inception-v3 as TensorFlow's graph of 2015-12-05 computes it, which FID and KID have always meant.

Against the paper's network: mean pools leave padding out, the last block pools by maximum, and pictures come
in by TensorFlow 1's bilinear resize, whose grid starts at the corner and does not smooth. Parameter names are
those of the published PyTorch weights.
"""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as f

LAYERS = ("64", "192", "768", "2048")  # Where features may be taken, by their width

_SIDE_PX = 299
_Pool = Literal["mean", "max", "strided"]
_Step = tuple[str, int, int | tuple[int, int]]


class _Convolution(nn.Module):
    def __init__(
        self, before: int, width: int, kernel: int | tuple[int, int], stride: int, pad: bool
    ) -> None:
        super().__init__()
        high, wide = (kernel, kernel) if isinstance(kernel, int) else kernel
        padding = (high // 2, wide // 2) if pad else (0, 0)
        self.conv = nn.Conv2d(before, width, (high, wide), stride=stride, padding=padding, bias=False)
        self.bn = nn.BatchNorm2d(width, eps=0.001)

    def forward(self, maps: Tensor) -> Tensor:
        return f.relu(self.bn(self.conv(maps)))


class _Mixed(nn.Module):
    """Branches of convolutions side by side, and one of pooling.

    Args:
        before: Channels that come in.
        branches: Each a chain of (name, width, kernel); a list instead of a step splits the chain's end.
        pool: How the last branch pools; 'strided' halves, and so does every branch's last step.
        pooled: Width of the convolution after pooling; 0 for none.
    """

    def __init__(
        self, before: int, branches: Sequence[Sequence[_Step | list[_Step]]], pool: _Pool, pooled: int = 0
    ) -> None:
        super().__init__()
        self._pool: _Pool = pool
        self._chains: list[list[list[str]]] = []
        for branch in branches:
            width, chain = before, list[list[str]]()
            for place, step in enumerate(branch):
                halve = pool == "strided" and place == len(branch) - 1
                parallel = step if isinstance(step, list) else [step]
                for name, out, kernel in parallel:
                    self.add_module(name, _Convolution(width, out, kernel, 2 if halve else 1, not halve))
                width = parallel[-1][1]
                chain.append([name for name, _, _ in parallel])
            self._chains.append(chain)
        if pooled:
            self.branch_pool = _Convolution(before, pooled, 1, 1, True)

    def forward(self, maps: Tensor) -> Tensor:
        ends = [self._run(chain, maps) for chain in self._chains]
        pooled = _pool(maps, self._pool)
        return torch.cat([*ends, self.branch_pool(pooled) if hasattr(self, "branch_pool") else pooled], 1)

    def _run(self, chain: list[list[str]], maps: Tensor) -> Tensor:
        for names in chain:
            maps = torch.cat([self.get_submodule(name)(maps) for name in names], 1)
        return maps


class InceptionNetwork(nn.Module):
    """uint8 [N, 3, H, W] → features [N, D] of one layer, D being the layer's name."""

    def __init__(self, layer: str) -> None:
        super().__init__()
        self._last = LAYERS.index(layer)
        self.Conv2d_1a_3x3 = _Convolution(3, 32, 3, 2, False)
        self.Conv2d_2a_3x3 = _Convolution(32, 32, 3, 1, False)
        self.Conv2d_2b_3x3 = _Convolution(32, 64, 3, 1, True)
        self.Conv2d_3b_1x1 = _Convolution(64, 80, 1, 1, True)
        self.Conv2d_4a_3x3 = _Convolution(80, 192, 3, 1, False)
        self.Mixed_5b = _squares(192, 32)
        self.Mixed_5c = _squares(256, 64)
        self.Mixed_5d = _squares(288, 64)
        self.Mixed_6a = _halve_squares(288)
        self.Mixed_6b = _bars(128)
        self.Mixed_6c = _bars(160)
        self.Mixed_6d = _bars(160)
        self.Mixed_6e = _bars(192)
        self.Mixed_7a = _halve_bars(768)
        self.Mixed_7b = _crosses(1280, "mean")
        self.Mixed_7c = _crosses(2048, "max")

    def forward(self, pictures: Tensor) -> Tensor:
        """Mean over places of the layer's maps."""
        maps = (corner_bilinear(pictures.float(), _SIDE_PX) - 128) / 128
        maps = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(maps)))
        maps = f.max_pool2d(maps, 3, 2)
        if self._last >= 1:
            maps = f.max_pool2d(self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(maps)), 3, 2)
        if self._last >= 2:
            maps = self.Mixed_6a(self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(maps))))
            maps = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(maps))))
        if self._last >= 3:
            maps = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(maps)))
        return maps.mean((2, 3))


def corner_bilinear(pictures: Tensor, side: int) -> Tensor:
    """TensorFlow 1's resize of [N, C, H, W] to squares: pixel i samples at i · H / side, unsmoothed."""
    for dimension in (2, 3):
        length = pictures.shape[dimension]
        at = torch.arange(side, dtype=torch.float32, device=pictures.device) * (length / side)
        low = at.long()
        share = (at - low).view(-1, *[1] * (3 - dimension))
        first = pictures.index_select(dimension, low)
        second = pictures.index_select(dimension, (low + 1).clamp_max(length - 1))
        pictures = first + (second - first) * share
    return pictures


def _pool(maps: Tensor, how: _Pool) -> Tensor:
    if how == "mean":
        return f.avg_pool2d(maps, 3, 1, 1, count_include_pad=False)
    return f.max_pool2d(maps, 3, 2) if how == "strided" else f.max_pool2d(maps, 3, 1, 1)


def _chain(name: str, *steps: tuple[int, int | tuple[int, int]]) -> list[_Step]:
    """Steps named NAME_1, NAME_2, … of these widths and kernels."""
    return [(f"{name}_{place}", width, kernel) for place, (width, kernel) in enumerate(steps, start=1)]


def _squares(before: int, pooled: int) -> _Mixed:
    five = _chain("branch5x5", (48, 1), (64, 5))
    double = _chain("branch3x3dbl", (64, 1), (96, 3), (96, 3))
    return _Mixed(before, [[("branch1x1", 64, 1)], five, double], "mean", pooled)


def _halve_squares(before: int) -> _Mixed:
    double = _chain("branch3x3dbl", (64, 1), (96, 3), (96, 3))
    return _Mixed(before, [[("branch3x3", 384, 3)], double], "strided")


def _bars(c: int) -> _Mixed:
    single = _chain("branch7x7", (c, 1), (c, (1, 7)), (192, (7, 1)))
    double = _chain("branch7x7dbl", (c, 1), (c, (7, 1)), (c, (1, 7)), (c, (7, 1)), (192, (1, 7)))
    return _Mixed(768, [[("branch1x1", 192, 1)], single, double], "mean", 192)


def _halve_bars(before: int) -> _Mixed:
    short = _chain("branch3x3", (192, 1), (320, 3))
    long = _chain("branch7x7x3", (192, 1), (192, (1, 7)), (192, (7, 1)), (192, 3))
    return _Mixed(before, [short, long], "strided")


def _crosses(before: int, pool: _Pool) -> _Mixed:
    single: list[_Step | list[_Step]] = [
        *_chain("branch3x3", (384, 1)),
        [("branch3x3_2a", 384, (1, 3)), ("branch3x3_2b", 384, (3, 1))],
    ]
    double: list[_Step | list[_Step]] = [
        *_chain("branch3x3dbl", (448, 1), (384, 3)),
        [("branch3x3dbl_3a", 384, (1, 3)), ("branch3x3dbl_3b", 384, (3, 1))],
    ]
    return _Mixed(before, [[("branch1x1", 320, 1)], single, double], pool, 192)
