"""``proposals``: finds hands in whole pictures, taught on hands whose places are known."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor, nn
from torch.nn import functional as f

from handwright.data.synthesise import tiled
from handwright.diffusion.latents import picture_tensor
from handwright.metrics.extractors.network import save_network
from handwright.review.proposals.network import Proposal, decode
from handwright.training.networks.proposals import ProposalMaps, ProposalNetwork
from handwright.training.noising import mean_where
from handwright.training.settings import TrainSettings
from handwright.training.streams.proposal_windows import Window, WindowStream

_LOSS_WEIGHTS = {"heat": 1.0, "log_size": 2.0, "direction": 0.5, "offset": 0.1}
"""Weight of each map's loss; chosen by eye."""

_EASY, _ELSEWHERE = 2, 4  # Exponents of the penalty-reduced focal loss (CornerNet, Law & Deng 2018, eq. 1).

_RANDOM_STREAM = 23  # Keeps this recipe's random numbers apart from other recipes' of the same seed

_SHOWN, _COLUMNS, _LEAST_SCORE = 24, 6, 0.3
"""Of the sample grid: windows, windows a row, and the score from which a proposal is drawn."""

_PREDICTED, _TRUE = (255, 60, 200), (40, 220, 80)  # Colours of predicted and true hands in it, sRGB


_SPREAD = 0.1  # Sigma of the heat around a hand's middle, in sizes of the hand

_LEAST_SPREAD, _SHARPENED = 0.7, 3
_NEAR = 0.5  # Cells with at least this heat say where, how large and which way


class ProposalLoss(nn.Module):
    """A proposal network; the forward pass is the loss of a batch."""

    def __init__(self, network: ProposalNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Weighted sum of what each map got wrong; what is not known of a picture does not count."""
        predicted = ProposalMaps(*(part.float() for part in self.network(batch["pictures"])))
        near, directed = batch["near"], batch["directed"]
        losses = {
            "heat": heat_loss(predicted.heat, batch["heat"], batch["here"], batch["counted"]),
            "log_size": mean_where((predicted.log_size - batch["log_size"]).abs(), near),
            "direction": mean_where((predicted.direction - batch["direction"]).square().sum(1), directed),
            "offset": mean_where((predicted.offset - batch["offset"]).abs().sum(1), near),
        }
        return torch.stack([_LOSS_WEIGHTS[name] * loss for name, loss in losses.items()]).sum()


def heat_loss(logits: Tensor, wanted: Tensor, here: Tensor, counted: Tensor) -> Tensor:
    """Focal loss of heat maps [B, H, H], per hand; next to a hand's middle little is asked."""
    chance = logits.sigmoid()
    hit = here * (1 - chance) ** _EASY * f.logsigmoid(logits)
    miss = counted * (1 - wanted) ** _ELSEWHERE * chance**_EASY * f.logsigmoid(-logits)
    return -(hit + miss).sum() / here.sum().clamp(min=1)


class ProposalRecipe:
    """``proposals``; see :class:`handwright.training.loop.Recipe`."""

    def __init__(self, network: ProposalNetwork, stream: WindowStream) -> None:
        self.network, self.trained, self.stream = network, ProposalLoss(network), stream
        rng = np.random.default_rng(_RANDOM_STREAM)
        self.shown = [stream.draw(rng) for _ in range(_SHOWN)]

    def batch(self, step: int, part: int, settings: TrainSettings) -> dict[str, Tensor]:
        """The samples of one forward pass."""
        rng = np.random.default_rng([settings.seed, step, part, _RANDOM_STREAM])
        return batch_of([self.stream.draw(rng) for _ in range(settings.train_batch_size)])

    def grid(self) -> UInt8[np.ndarray, "h w 3"]:
        """Windows with the hands that are there, and the predicted ones with their scores."""
        device, pixels = next(self.network.parameters()).device, np.stack([w.pixels for w in self.shown])
        with torch.no_grad():
            predicted = self.network(picture_tensor(pixels).to(device))
        maps = {name: part.float().cpu().numpy() for name, part in predicted._asdict().items()}
        panels: list[np.ndarray] = []
        for k, window in enumerate(self.shown):
            found = decode({name: part[k] for name, part in maps.items()}, pixels.shape[1], _LEAST_SCORE)
            panels.append(_panel(window, found))
        return tiled(panels, _COLUMNS)

    def save(self, folder: Path) -> None:
        """Write ``proposals/``."""
        save_network(self.network, self.network.config, folder / "proposals")


def batch_of(windows: Sequence[Window]) -> dict[str, Tensor]:
    """What ``ProposalLoss`` reads."""
    pixels = np.stack([window.pixels for window in windows])
    wanted = zip(*(target_maps(w.hands, w.directed, pixels.shape[1]) for w in windows), strict=True)
    maps = {
        name: torch.from_numpy(np.stack(planes)) for name, planes in zip(Targets._fields, wanted, strict=True)
    }
    counted = torch.from_numpy(np.stack([window.counted for window in windows])).float()
    pictures = picture_tensor(pixels).contiguous(memory_format=torch.channels_last)
    return {**maps, "counted": counted, "pictures": pictures}


class Targets(NamedTuple):
    """What the network should say of a picture whose hands are known: maps of S/8 × S/8 cells."""

    heat: Float[np.ndarray, "h h"]  # float32 [H, H] 1 in the cell of a hand's middle, falling off around it
    # float32 [H, H] how much each cell must say that a hand is there; 1 in all a hand. Where exactly a large
    # hand's middle is, nobody can tell: several cells share it.
    here: Float[np.ndarray, "h h"]
    log_size: Float[np.ndarray, "h h"]  # float32 [H, H]
    direction: Float[np.ndarray, "2 h h"]  # float32 [2, H, H]
    offset: Float[np.ndarray, "2 h h"]  # float32 [2, H, H]
    near: Float[np.ndarray, "h h"]  # float32 [H, H] how much size and offset count
    directed: Float[np.ndarray, "h h"]  # float32 [H, H] how much the direction counts


def target_maps(
    hands: Float[np.ndarray, "n 21 2"], directed: Bool[np.ndarray, "n"], size_px: int, stride: int = 8
) -> Targets:
    """The maps of a square picture.

    Args:
        hands: Landmarks in its pixels; a middle outside is taken for the border's cell.
        directed: Which way each points is known.
        size_px: Side of the picture.
        stride: Pixels a cell.
    """
    side = size_px // stride
    rows, columns = np.mgrid[:side, :side].astype(np.float32)
    heat, here, log_size = (np.zeros((side, side), np.float32) for _ in range(3))
    direction, offset = np.zeros((2, side, side), np.float32), np.zeros((2, side, side), np.float32)
    knows = np.zeros((side, side), np.float32)
    for points, is_directed in zip(hands, directed, strict=True):
        low, high = points.min(0), points.max(0)
        x, y = np.clip((low + high) / 2, 0, size_px - 1e-3) / stride
        extent = float((high - low).max())
        spread = max(_LEAST_SPREAD, _SPREAD * extent / stride)
        away = (columns - np.floor(x)) ** 2 + (rows - np.floor(y)) ** 2
        own = np.exp(-away / (2 * spread**2))
        wins = own > heat
        along = points[9] - points[0]
        along = along / max(float(np.hypot(*along)), 1e-6)
        heat = np.where(wins, own, heat)
        inner = own**_SHARPENED
        here += inner / inner.sum()
        log_size[wins] = np.log(extent / size_px)
        direction[:, wins] = along[:, None]
        offset[0][wins], offset[1][wins] = (x - columns - 0.5)[wins], (y - rows - 0.5)[wins]
        knows[wins] = is_directed
    near = np.where(heat >= _NEAR, heat, 0).astype(np.float32)
    return Targets(
        heat.astype(np.float32), here.astype(np.float32), log_size, direction, offset, near, near * knows
    )


def _panel(window: Window, found: Sequence[Proposal]) -> UInt8[np.ndarray, "s s 3"]:
    drawn = window.pixels.copy()
    for points in window.hands:
        low, high = (tuple(int(v) for v in corner) for corner in (points.min(0), points.max(0)))
        cv2.rectangle(drawn, low, high, _TRUE, 1)
    for one in found:
        (x, y), size, angle = one.region.center_px, one.region.size_px, one.region.toward_rad
        tip = round(x + size / 3 * math.cos(angle)), round(y + size / 3 * math.sin(angle))
        cv2.circle(drawn, (round(x), round(y)), round(size / 2), _PREDICTED, 1, cv2.LINE_AA)
        cv2.line(drawn, (round(x), round(y)), tip, _PREDICTED, 2, cv2.LINE_AA)
        at = max(0, round(x) - 12), max(10, round(y) - 4)
        cv2.putText(
            drawn, f"{one.score:.2f}", at, cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 0), 1, cv2.LINE_AA
        )
    return drawn
