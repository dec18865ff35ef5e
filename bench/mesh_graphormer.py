"""Mesh Graphormer's network, written out from its published configuration; weights are random.

What HandRefiner's preprocessor runs for each hand: HRNet-W64 with its classification head (Wang et al., Deep
High-Resolution Representation Learning, 2020: stages of 1, 1, 4 and 3 modules, channels 64/128/256/512) on a
224² crop, and three encoder blocks (Lin et al., Mesh Graphormer, 2021: widths 1024, 256 and 64, four layers
of four heads each, a graph convolution in the last) over 21 joints, 195 coarse vertices and 49 grid tokens.
Widths, layers, heads and feed-forward layers of twice the width are those of its repository's scripts.
Times do not depend on the weights. Published: HRNet-W64-C has 128.1 M parameters. Left out: its classifier of
1000 classes, and the word embeddings that BERT's class holds but no forward pass reads.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

JOINTS, COARSE, VERTICES, GRID = 21, 195, 778, 49
TOKEN = 2051
WIDTHS = ((TOKEN, 1024, 512), (512, 256, 128), (128, 64, 3))
CHANNELS = (64, 128, 256, 512)


def conv(before: int, after: int, size: int = 3, stride: int = 1, relu: bool = True) -> nn.Sequential:
    """Convolution, batch norm and, where wanted, ReLU."""
    layers: list[nn.Module] = [
        nn.Conv2d(before, after, size, stride, size // 2, bias=False),
        nn.BatchNorm2d(after),
    ]
    return nn.Sequential(*layers, *([nn.ReLU(True)] if relu else []))


class Residual(nn.Module):
    """A basic block of two 3 × 3 convolutions, or a bottleneck whose output is four times as wide."""

    def __init__(self, before: int, width: int, bottleneck: bool = False) -> None:
        super().__init__()
        after = 4 * width if bottleneck else width
        self.body = (
            nn.Sequential(conv(before, width, 1), conv(width, width), conv(width, after, 1, relu=False))
            if bottleneck
            else nn.Sequential(conv(before, width), conv(width, width, relu=False))
        )
        self.skip = nn.Identity() if before == after else conv(before, after, 1, relu=False)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.body(x) + self.skip(x))


class Module(nn.Module):
    """Four basic blocks on each branch, and every branch added to every other one at its resolution."""

    def __init__(self, branches: int) -> None:
        super().__init__()
        widths = CHANNELS[:branches]
        self.branches = nn.ModuleList(nn.Sequential(*(Residual(w, w) for _ in range(4))) for w in widths)
        self.fuse = nn.ModuleList(
            nn.ModuleList(self._way(source, target) for source in range(branches))
            for target in range(branches)
        )

    @staticmethod
    def _way(source: int, target: int) -> nn.Module:
        before, after = CHANNELS[source], CHANNELS[target]
        if source == target:
            return nn.Identity()
        if source > target:
            up = nn.Upsample(scale_factor=2 ** (source - target), mode="nearest")
            return nn.Sequential(conv(before, after, 1, relu=False), up)
        downs = [conv(before, before, 3, 2) for _ in range(target - source - 1)]
        return nn.Sequential(*downs, conv(before, after, 3, 2, relu=False))

    def forward(self, xs: list[Tensor]) -> list[Tensor]:
        xs = [branch(x) for branch, x in zip(self.branches, xs, strict=True)]
        return [torch.relu(sum(way(x) for way, x in zip(ways, xs, strict=True))) for ways in self.fuse]


class HRNetW64(nn.Module):
    """224² pictures to 2048 features, and the 1024-channel grid of 7 × 7 below them."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(conv(3, 64, 3, 2), conv(64, 64, 3, 2))
        self.first = nn.Sequential(Residual(64, 64, True), *(Residual(256, 64, True) for _ in range(3)))
        self.enter = nn.ModuleList(
            [conv(256, 64), conv(256, 128, 3, 2), conv(128, 256, 3, 2), conv(256, 512, 3, 2)]
        )
        self.stages = nn.ModuleList(
            nn.ModuleList(Module(branches) for _ in range(count))
            for branches, count in ((2, 1), (3, 4), (4, 3))
        )
        self.wider = nn.ModuleList(
            Residual(width, head, True) for width, head in zip(CHANNELS, (32, 64, 128, 256), strict=True)
        )
        self.down = nn.ModuleList(biased(128 * 2**k, 256 * 2**k, 3, 2) for k in range(3))
        self.last = biased(1024, 2048, 1, 1)

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        x = self.first(self.stem(picture))
        xs = [self.enter[0](x), self.enter[1](x)]
        for k, stage in enumerate(self.stages):
            if k:
                xs = [*xs, self.enter[k + 1](xs[-1])]
            for module in stage:
                xs = module(xs)
        y = self.wider[0](xs[0])
        for k, down in enumerate(self.down):
            y = self.wider[k + 1](xs[k + 1]) + down(y)
        return self.last(y).mean((2, 3)), y


def biased(before: int, after: int, size: int, stride: int) -> nn.Sequential:
    """A convolution of the classification head, which keeps its bias."""
    return nn.Sequential(
        nn.Conv2d(before, after, size, stride, size // 2), nn.BatchNorm2d(after), nn.ReLU(True)
    )


class GraphConvolution(nn.Module):
    """A residual block on the coarse mesh: norm, narrow, gather neighbours, widen (§3.2)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.narrow, self.mix = nn.Linear(width, width // 2), nn.Linear(width // 2, width // 2)
        self.widen, self.norm = nn.Linear(width // 2, width), nn.LayerNorm(width)
        self.neighbours: Tensor
        self.register_buffer("neighbours", (torch.rand(COARSE, COARSE) < 7 / COARSE).float() / 7)

    def forward(self, x: Tensor) -> Tensor:
        y = self.neighbours @ self.mix(torch.relu(self.narrow(self.norm(x))))
        return x + self.widen(torch.relu(y))


class Block(nn.Module):
    """Tokens to a width, four transformer layers, perhaps a graph convolution, tokens of the next width."""

    def __init__(self, before: int, width: int, after: int, graph: bool) -> None:
        super().__init__()
        self.enter, self.leave, self.past = (
            nn.Linear(before, width),
            nn.Linear(width, after),
            nn.Linear(before, after),
        )
        self.place = nn.Parameter(torch.zeros(JOINTS + COARSE + GRID, width))
        layers = (
            nn.TransformerEncoderLayer(width, 4, 2 * width, 0.0, "gelu", batch_first=True) for _ in range(4)
        )
        self.layers = nn.ModuleList(layers)
        self.graph = GraphConvolution(width) if graph else None

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.enter(tokens) + self.place
        for layer in self.layers:
            x = layer(x)
            if self.graph is not None:
                mesh = self.graph(x[:, JOINTS : JOINTS + COARSE])
                x = torch.cat([x[:, :JOINTS], mesh, x[:, JOINTS + COARSE :]], 1)
        return self.leave(x) + self.past(tokens)


class MeshGraphormer(nn.Module):
    """A hand's crop to 21 joints and 778 vertices."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = HRNetW64()
        self.grid = nn.Linear(1024, TOKEN)
        self.blocks = nn.Sequential(*(Block(*widths, graph=k == 2) for k, widths in enumerate(WIDTHS)))
        self.upsample = nn.Linear(COARSE, VERTICES)
        self.register_buffer("template", torch.zeros(JOINTS + COARSE, 3))

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        features, grid = self.backbone(picture)
        template = self.template.expand(len(picture), -1, -1)
        named = torch.cat([template, features[:, None].expand(-1, JOINTS + COARSE, -1)], 2)
        tokens = torch.cat([named, self.grid(grid.flatten(2).transpose(1, 2))], 1)
        points = self.blocks(tokens)
        return points[:, :JOINTS], self.upsample(
            points[:, JOINTS : JOINTS + COARSE].transpose(1, 2)
        ).transpose(1, 2)


def parameters(network: nn.Module) -> int:
    """How many numbers are learnt."""
    return sum(p.numel() for p in network.parameters())
