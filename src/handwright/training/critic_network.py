"""The critic: one hand's crop in, its joints and what is wrong with it out; no detector's eyes."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as f

from handwright.errors import MissingModelError

_CONFIG, _WEIGHTS = "config.json", "model.safetensors"
_NEAR = 2
"""Cells around a heatmap's peak that decide where it is."""


@dataclass(frozen=True)
class CriticConfig:
    """What defines a critic; its ``config.json``.

    Attributes:
        name: A new training gets a new name.
        defects: Names of the defects that it tells.
        poses: Names of the groups of poses that it tells.
        size_px: Side of the square crops that it sees; a multiple of 16.
        widths: Channels at 1/2, 1/4, 1/8 and 1/16 of the picture.
        blocks: Residual blocks at each.
        joined: Channels of the maps at 1/4, where all levels meet.
    """

    name: str
    defects: tuple[str, ...]
    poses: tuple[str, ...]
    size_px: int = 128
    widths: tuple[int, int, int, int] = (32, 64, 128, 256)
    blocks: int = 2
    joined: int = 96


class Judged(NamedTuple):
    """What a critic says of B crops, all as logits.

    Attributes:
        heatmaps: [B, 21, S/4, S/4] where each landmark is; a softmax over places is its distribution.
        visible: [B, 21] the landmark is seen.
        malformed: [B] something is wrong with the hand.
        defects: [B, D] each defect is there.
        where: [B, D, S/8, S/8] which places speak for it.
        right: [B] it is a right hand.
        poses: [B, P] one of the groups of poses.
        gloved: [B].
        assessable: [B] enough can be seen to judge it.
    """

    heatmaps: Tensor
    visible: Tensor
    malformed: Tensor
    defects: Tensor
    where: Tensor
    right: Tensor
    poses: Tensor
    gloved: Tensor
    assessable: Tensor


class CriticNetwork(nn.Module):
    """Crops [B, 3, S, S] in [-1, 1] → :class:`Judged`.

    Residual stages down to 1/16, then up again to 1/4, each level joined by what went down (an FPN, Lin et
    al. 2017). Landmarks are read off the finest maps; a defect adds what the whole hand says to the
    log-mean-exp of what each place says, so that its place can be shown though no label names it.
    """

    def __init__(self, config: CriticConfig) -> None:
        super().__init__()
        self.config = config
        before, stages = 3, list[nn.Module]()
        for width in config.widths:
            halve = nn.Conv2d(before, width, 3, stride=2, padding=1)
            stages.append(nn.Sequential(halve, *(_Residual(width) for _ in range(config.blocks))))
            before = width
        self.stages, joined = nn.ModuleList(stages), config.joined
        self.laterals = nn.ModuleList(nn.Conv2d(width, joined, 1) for width in config.widths[1:])
        self.smooth = nn.ModuleList(_Residual(joined) for _ in config.widths[1:])
        self.heatmaps = nn.Sequential(_norm(joined), nn.SiLU(), nn.Conv2d(joined, 21, 1))
        self.where = nn.Sequential(_norm(joined), nn.SiLU(), nn.Conv2d(joined, len(config.defects), 1))
        self.norm = _norm(before)
        self.whole = nn.Sequential(nn.Linear(2 * (before + joined), 256), nn.SiLU())
        self.widths = (21, 1, len(config.defects), 1, len(config.poses), 1, 1)
        self.told = nn.Linear(256, sum(self.widths))

    def forward(self, crops: Float[Tensor, "b 3 s s"]) -> Judged:
        """What is to be said of the crops."""
        maps, levels = crops, list[Tensor]()
        for stage in self.stages:
            maps = stage(maps)
            levels.append(maps)
        deep = f.silu(self.norm(maps))
        coarse, middle, fine = self._joined(levels[1:])
        told = self.told(self.whole(torch.cat([*_pooled(deep), *_pooled(f.silu(fine))], 1)))
        visible, malformed, defects, right, poses, gloved, assessable = told.split(self.widths, 1)
        places = self.where(middle + f.interpolate(coarse, scale_factor=2))
        spoken = places.flatten(2).logsumexp(2) - math.log(places[0, 0].numel())
        heatmaps = self.heatmaps(fine)
        return Judged(
            heatmaps,
            visible,
            malformed[:, 0],
            defects + spoken,
            places,
            right[:, 0],
            poses,
            gloved[:, 0],
            assessable[:, 0],
        )

    def _joined(self, levels: list[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Maps at 1/16, 1/8 and 1/4, each with what all coarser ones know."""
        above, joined = None, list[Tensor]()
        for level, lateral, smooth in zip(
            reversed(levels), reversed(self.laterals), reversed(self.smooth), strict=True
        ):
            maps = lateral(level)
            above = smooth(maps if above is None else maps + f.interpolate(above, scale_factor=2))
            joined.append(above)
        return joined[0], joined[1], joined[2]


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        last = nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(last.weight)
        first = nn.Conv2d(width, width, 3, padding=1)
        self.body = nn.Sequential(_norm(width), nn.SiLU(), first, _norm(width), nn.SiLU(), last)

    def forward(self, maps: Tensor) -> Tensor:
        return maps + self.body(maps)


def _norm(width: int) -> nn.GroupNorm:
    return nn.GroupNorm(8, width)


def _pooled(maps: Float[Tensor, "b c h w"]) -> tuple[Tensor, Tensor]:
    return maps.mean((2, 3)), maps.amax((2, 3))


def peaks(
    heatmaps: Float[Tensor, "b 21 h h"], size_px: int
) -> tuple[Float[Tensor, "b 21 2"], Float[Tensor, "b 21"]]:
    """Landmarks in pixels of the crop, and how much of each distribution lies there.

    The mean place of the 5 × 5 cells around the most likely one: finer than a cell, and not drawn away by a
    second peak elsewhere.
    """
    side = heatmaps.shape[-1]
    shares = heatmaps.flatten(2).softmax(2)
    best = shares.argmax(2, keepdim=True)
    cells = torch.arange(side, device=heatmaps.device)
    rows, columns = cells.repeat_interleave(side), cells.repeat(side)
    near = ((rows - best // side).abs() <= _NEAR) & ((columns - best % side).abs() <= _NEAR)
    mass = (shares * near).sum(2)
    x, y = ((shares * near * axis).sum(2) / mass for axis in (columns, rows))
    return (torch.stack([x, y], 2) + 0.5) * (size_px / side), mass


def save_critic(network: CriticNetwork, folder: Path) -> None:
    """Write config.json and model.safetensors, the layout that :func:`load_critic` reads."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: value.contiguous() for name, value in network.state_dict().items()}, folder / _WEIGHTS)
    (folder / _CONFIG).write_text(json.dumps(asdict(network.config), indent=1) + "\n", "utf-8")


def load_critic(folder: Path) -> CriticNetwork:
    """A critic from its folder, float32, ready to judge.

    Raises:
        MissingModelError: The folder is missing, incomplete or damaged.
    """
    for file in (_CONFIG, _WEIGHTS):
        if not (folder / file).is_file():
            raise MissingModelError("there is no critic", f"{folder / file} is missing", "train or fetch one")
    try:
        said: dict[str, Any] = json.loads((folder / _CONFIG).read_text("utf-8"))
        said.update({name: tuple(said[name]) for name in ("defects", "poses", "widths")})
        network = CriticNetwork(CriticConfig(**said))
        network.load_state_dict(load_file(folder / _WEIGHTS))
    except (ValueError, TypeError, KeyError, RuntimeError, SafetensorError) as error:
        raise MissingModelError(
            f"the critic in {folder} does not load", str(error), "fetch or train it again"
        ) from error
    return network.eval()
