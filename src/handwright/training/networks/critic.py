"""The critic: one hand's crop in, its joints and what is wrong with it out; it needs no detector."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as f

from handwright.metrics.extractors.network import load_network
from handwright.training.networks.perceptual import lite0

_HEADS = ("visible", "malformed", "defects", "fingers", "right", "poses", "gloved", "assessable")
_ONE = ("malformed", "right", "gloved", "assessable", "hand")


@dataclass(frozen=True)
class CriticConfig:
    """What defines a critic; its ``config.json``."""

    name: str  # A new training gets a new name
    defects: tuple[str, ...]  # Names of the defects that it predicts
    poses: tuple[str, ...]  # Names of the groups of poses that it predicts
    fingers: tuple[int, ...]  # The finger counts that it predicts
    parts: tuple[str, ...]  # Names of the parts that it tells apart
    size_px: int = 192  # Side of the square crops that it sees; a multiple of 32
    widths: tuple[int, ...] = ()  # Of a referee: channels after each halving
    blocks: tuple[int, ...] = ()  # Of a referee: convolutions there
    joined: int = 64  # Channels of the maps at 1/4, where all levels meet


class Judged(NamedTuple):
    """A critic's prediction for B crops, all as logits."""

    heatmaps: Tensor  # [B, 21, S/4, S/4] where each landmark is; a softmax over places is its distribution
    parts: Tensor  # [B, P, S/4, S/4] which part is seen there
    where: Tensor  # [B, 1 + D, S/8, S/8] which places speak for a defect at all, and for each
    visible: Tensor  # [B, 21] the landmark is seen
    malformed: Tensor  # [B] something is wrong with the hand
    defects: Tensor  # [B, D] each defect is there
    fingers: Tensor  # [B, K] how many it has
    present: Tensor  # [B, 5] it has a thumb, an index finger, … a little finger
    right: Tensor  # [B] it is a right hand
    poses: Tensor  # [B, G] one of the groups of poses
    gloved: Tensor  # [B]
    assessable: Tensor  # [B] enough can be seen to judge it
    hand: Tensor  # [B] there is a hand in the middle


class CriticNetwork(nn.Module):
    """Crops [B, 3, S, S] in [-1, 1] → :class:`Judged`.

    EfficientNet-Lite0 down to 1/32, then up again to 1/4, each level joined by what went down (an FPN, Lin et
    al. 2017). Landmarks and parts are read off the finest maps; a defect's logit adds that of the whole hand
    to the log-mean-exp of those of all places.
    """

    def __init__(self, config: CriticConfig, backbone: LiteBackbone | None = None) -> None:
        super().__init__()
        self.config = config
        self.backbone = backbone or LiteBackbone()
        widths, joined = self.backbone.widths, config.joined
        self.laterals = nn.ModuleList(nn.Conv2d(width, joined, 1) for width in widths)
        self.smooth = nn.ModuleList(convolution(joined, joined) for _ in widths[:-1])
        self.read = nn.Conv2d(joined, 21 + len(config.parts), 1)
        self.where = nn.Conv2d(joined, 1 + len(config.defects), 1)
        self.whole = nn.Sequential(nn.Linear(2 * (widths[-1] + joined), 256), nn.ReLU())
        self.counts = (21, 1, len(config.defects), len(config.fingers), 1, len(config.poses), 1, 1)
        self.heads_of_whole, self.present = nn.Linear(256, sum(self.counts)), nn.Linear(256, 5)
        self.hand = nn.Linear(256, 1)

    def forward(self, crops: Float[Tensor, "b 3 s s"]) -> Judged:
        """The prediction for the crops."""
        levels = self.backbone(crops)
        # maps from the coarsest to 1/4, each with what all coarser ones know
        joined = [self.laterals[-1](levels[-1])]
        for k in range(len(levels) - 2, -1, -1):
            finer = self.laterals[k](levels[k]) + f.interpolate(joined[-1], scale_factor=2.0)
            joined.append(self.smooth[k](finer))
        whole = self.whole(torch.cat([*_pooled(levels[-1]), *_pooled(joined[-1])], 1))
        heads = dict(zip(_HEADS, self.heads_of_whole(whole).split(self.counts, 1), strict=True))
        heads |= {"present": self.present(whole), "hand": self.hand(whole)}
        heatmaps, parts = self.read(joined[-1]).split((21, len(self.config.parts)), 1)
        return judged(heatmaps, parts, self.where(joined[-2]), heads, self.config.size_px)


class LiteBackbone(nn.Module):
    """EfficientNet-Lite0 (Apache-2.0) without its classifier: maps at 1/4, 1/8, 1/16 and 1/32 of a crop.

    Args:
        network: With ``_conv_stem``, ``_bn0``, ``_swish`` and 16 ``_blocks``; None: untrained.
    """

    widths = (24, 40, 112, 320)
    _LAST_BLOCKS = (2, 4, 10, 15)

    def __init__(self, network: nn.Module | None = None) -> None:
        super().__init__()
        whole: Any = network or lite0()
        self.stem = nn.Sequential(whole._conv_stem, whole._bn0, whole._swish)
        self.blocks = nn.ModuleList(whole._blocks)

    def forward(self, crops: Float[Tensor, "b 3 s s"]) -> list[Tensor]:
        """Maps of [-1, 1] crops, the finest first."""
        maps, levels = self.stem(crops), list[Tensor]()
        for number, block in enumerate(self.blocks):
            maps = block(maps)
            if number in self._LAST_BLOCKS:
                levels.append(maps)
        return levels


def _pooled(maps: Float[Tensor, "b c h w"]) -> tuple[Tensor, Tensor]:
    return maps.mean((2, 3)), maps.amax((2, 3))


def judged(
    heatmaps: Tensor, parts: Tensor, where: Tensor, heads: Mapping[str, Tensor], size_px: int
) -> Judged:
    """The prediction from all heads: a defect adds the logits of the whole hand and of all places.

    Args:
        heatmaps: As of :class:`Judged`; so are the next two.
        parts: Likewise.
        where: Likewise.
        heads: The rest by name, [B, K]; of 'malformed' and 'defects' the logits of the whole hand.
        size_px: Side of the crops.
    """
    logits = {name: head[:, 0] if name in _ONE else head for name, head in heads.items()}
    # log-mean-exp over the places of a crop
    pooled = where.flatten(2).logsumexp(2) - 2 * math.log(size_px / 8)
    logits["malformed"] = logits["malformed"] + pooled[:, 0]
    logits["defects"] = logits["defects"] + pooled[:, 1:]
    return Judged(heatmaps, parts, where, **logits)


def convolution(before: int, after: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """A convolution whose normalisation folds into it once it is trained."""
    conv = nn.Conv2d(before, after, kernel, stride, padding=kernel // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(after), nn.ReLU())


N = TypeVar("N", bound=nn.Module)


def load_critic(folder: Path, kind: Callable[[CriticConfig], N] = CriticNetwork) -> N:
    """A critic from its folder; ``kind`` makes its network.

    Raises:
        MissingModelError: The folder is missing, incomplete or damaged.
    """
    return load_network(folder, "critic", lambda config: kind(CriticConfig(**config)))
