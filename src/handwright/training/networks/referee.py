"""The referee: a second critic of another build, which only ever evaluates what the first one chose."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as f

from handwright.training.networks.critic import CriticConfig, Judged, convolution, judged

_HEADS = (
    "visible", "malformed", "defects", "fingers", "present", "right", "poses", "gloved", "assessable", "hand",
)  # fmt: skip


class RefereeNetwork(nn.Module):
    """Crops [B, 3, S, S] in [-1, 1] → :class:`Judged`.

    Plain convolutions with batch normalisation and max pooling (VGG, Simonyan and Zisserman 2015), no
    shortcuts and no pyramid; maps come from the coarsest features through transposed convolutions.

    Args:
        config: ``widths`` channels after each halving, ``blocks`` convolutions there,
            ``joined`` channels of the maps.
    """

    def __init__(self, config: CriticConfig) -> None:
        super().__init__()
        self.config = config
        before, layers = 3, list[nn.Module]()
        for k, (width, count) in enumerate(zip(config.widths, config.blocks, strict=True)):
            for turn in range(count):
                stride = 2 if k == 0 and turn == 0 else 1
                layers.append(convolution(before, width, stride=stride))
                before = width
            layers.append(nn.MaxPool2d(2))
        self.down = nn.Sequential(*layers)
        halvings = len(config.widths) - 1
        ups = [_up(before if k == 0 else config.joined, config.joined) for k in range(halvings)]
        self.up = nn.Sequential(*ups)
        self.read = nn.Conv2d(config.joined, 22 + len(config.parts) + len(config.defects), 1)
        self.counts = (21, 1, len(config.defects), len(config.fingers), 5, 1, len(config.poses), 1, 1, 1)
        self.heads = nn.Sequential(
            nn.Linear(2 * before, 192), nn.ReLU(), nn.Dropout(0.1), nn.Linear(192, sum(self.counts))
        )

    def forward(self, crops: Float[Tensor, "b 3 s s"]) -> Judged:
        """The prediction for the crops."""
        deep = self.down(crops)
        maps = self.read(self.up(deep))
        heatmaps, parts, places = maps.split((21, len(self.config.parts), 1 + len(self.config.defects)), 1)
        whole = self.heads(torch.cat([deep.mean((2, 3)), deep.amax((2, 3))], 1))
        heads: dict[str, Tensor] = dict(zip(_HEADS, whole.split(self.counts, 1), strict=True))
        return judged(heatmaps, parts, f.avg_pool2d(places, 2), heads, self.config.size_px)


def _up(before: int, width: int) -> nn.Sequential:
    conv = nn.ConvTranspose2d(before, width, 4, stride=2, padding=1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(width), nn.ReLU())
