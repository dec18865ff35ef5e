"""``critic``: judges a hand by itself, taught on hands whose defects are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor, nn
from torch.nn import functional as f

from handwright.data.synthesise import tiled
from handwright.diffusion.latents import picture_tensor
from handwright.metrics.extractors.network import save_network
from handwright.review.critic.output_maps import heatmap_peaks
from handwright.training.networks.critic import (
    CriticConfig,
    CriticNetwork,
    Judged,
    LiteBackbone,
    load_critic,
)
from handwright.training.networks.critic_classes import DEFECTS_SHOWN, FINGER_COUNTS, POSE_GROUPS
from handwright.training.networks.perceptual import imagenet_network
from handwright.training.networks.referee import RefereeNetwork
from handwright.training.noising import heatmap_error, mean_where
from handwright.training.samples import with_hand, words
from handwright.training.settings import TrainSettings
from handwright.training.streams.critic_batches import ViewStream
from handwright.training.streams.part_maps import PARTS, UNKNOWN

_LOSS_WEIGHTS = {
    "landmarks": 0.5, "parts": 1.0, "where": 2.0, "visible": 0.5, "malformed": 2.0, "defects": 4.0,
    "fingers": 0.7, "present": 0.5, "right": 0.3, "pose": 0.3, "gloved": 0.2, "assessable": 0.3, "hand": 0.3,
}  # fmt: skip
"""Weight of each head's loss; chosen by eye."""

_TIPS, _TIP_WEIGHT = [4, 8, 12, 16, 20], 2.0
"""Fingertips, and how many times as much as other landmarks they count; chosen by eye."""

_RARE = 3.0  # A defect that is there, and each place where it is, counts so many times as one that is not

_RANDOM_STREAM = 14  # Keeps this recipe's random numbers apart from other recipes' of the same seed

_SHOWN = 18  # Crops in the sample grid

_GREEN, _RED = (40, 200, 60), (230, 40, 40)


def fresh_critic(size_px: int) -> CriticNetwork:
    """A critic on ImageNet features that knows nothing yet of our defects and pose groups."""
    config = CriticConfig("critic-v2", DEFECTS_SHOWN, POSE_GROUPS, FINGER_COUNTS, PARTS, size_px)
    return CriticNetwork(config, LiteBackbone(imagenet_network()))


def grown_critic(model: Path, size_px: int) -> CriticNetwork:
    """A trained critic that goes on learning, on crops of another size if need be.

    Args:
        model: ``model/`` of its run.
        size_px: Side of the crops from now on.

    Raises:
        MissingModelError: It is missing, incomplete or damaged.
    """
    folder = model / "critic"
    return load_critic(folder, lambda config: CriticNetwork(replace(config, size_px=size_px))).train()


def fresh_referee() -> RefereeNetwork:
    """An untrained second critic of another build."""
    config = CriticConfig("referee-v1", DEFECTS_SHOWN, POSE_GROUPS, FINGER_COUNTS, PARTS, 96)
    return RefereeNetwork(replace(config, widths=(40, 80, 160, 224), blocks=(1, 2, 2, 2), joined=64))


class CriticLoss(nn.Module):
    """A critic; the forward pass is the loss of a batch."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Weighted sum of what each head got wrong; what is not known of a sample does not count."""
        pictures = batch["pictures"].contiguous(memory_format=torch.channels_last)
        predicted = Judged(*(part.float() for part in self.network(pictures)))
        losses = {**_of_maps(predicted, batch), **_of_whole(predicted, batch)}
        return torch.stack([_LOSS_WEIGHTS[name] * loss for name, loss in losses.items()]).sum()


def _of_maps(predicted: Judged, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    trust = batch["trust"].clone()
    trust[:, _TIPS] *= _TIP_WEIGHT
    known = batch["parts"] != UNKNOWN
    parts = f.cross_entropy(predicted.parts, batch["parts"] * known, reduction="none")
    spots = f.max_pool2d(batch["wrong"][:, None], 2)
    named = torch.cat([torch.ones_like(batch["defects"][:, :1]), batch["defects"]], 1)
    there = named[..., None, None] * spots
    where = ((1 + (_RARE - 1) * there) * _binary(predicted.where, there)).mean((2, 3))
    nameable = 1 - batch["unforeseen"]
    where = (where[:, 0] + nameable * where[:, 1:].mean(1)) / 2
    placed = 1 - batch["unforeseen"] * (batch["wrong"].amax((1, 2)) == 0)
    clear = batch["judged"] * batch["assessable"] * placed
    return {
        "landmarks": mean_where(heatmap_error(predicted.heatmaps, batch["landmarks"]), trust),
        "parts": mean_where(parts, known.float()),
        "where": mean_where(where, clear),
    }


def _of_whole(predicted: Judged, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    clear, defects = batch["judged"] * batch["assessable"], batch["defects"]
    hand, malformed = batch["hand"], torch.maximum(defects.amax(1), batch["unforeseen"])
    named = clear * (1 - batch["unforeseen"])
    rare = 1 + (_RARE - 1) * defects
    counted = batch["fingers"] >= FINGER_COUNTS[0]
    count = (batch["fingers"] - FINGER_COUNTS[0]).clamp(min=0)
    posed = batch["pose"] >= 0
    return {
        "visible": mean_where(
            _binary(predicted.visible, batch["visible"]),
            (hand * (1 - malformed) * (batch["trust"].amax(1) > 0))[:, None].expand(-1, 21),
        ),
        "malformed": mean_where(_binary(predicted.malformed, malformed), clear),
        "defects": mean_where((rare * _binary(predicted.defects, defects)).mean(1), named),
        "fingers": mean_where(f.cross_entropy(predicted.fingers, count, reduction="none"), named * counted),
        "present": mean_where(
            _binary(predicted.present, batch["present"].clamp(min=0)),
            named[:, None] * (batch["present"] >= 0),
        ),
        "right": mean_where(
            _binary(predicted.right, batch["right"].clamp(min=0)), (batch["right"] >= 0).float()
        ),
        "pose": mean_where(
            f.cross_entropy(predicted.poses, batch["pose"].clamp(min=0), reduction="none"), posed.float()
        ),
        "gloved": mean_where(_binary(predicted.gloved, batch["gloved"]), hand),
        "assessable": mean_where(_binary(predicted.assessable, batch["assessable"]), hand),
        "hand": _binary(predicted.hand, hand).mean(),
    }


def _binary(logits: Tensor, wanted: Tensor) -> Tensor:
    return f.binary_cross_entropy_with_logits(logits, wanted, reduction="none")


class CriticRecipe:
    """``critic``; see :class:`handwright.training.loop.Recipe`.

    Half of each batch shows defects, where there are any; photographs and renders, sound and malformed ones
    are spoilt alike, so that no trace but the hand itself tells them apart.

    Args:
        network: The critic.
        stream: What to learn from.
    """

    def __init__(self, network: CriticNetwork | RefereeNetwork, stream: ViewStream) -> None:
        self.network, self.stream = network, stream
        self.trained = CriticLoss(network.to(memory_format=torch.channels_last))  # pyright: ignore[reportCallIssue]
        self.shown = stream.draw(np.random.default_rng(_RANDOM_STREAM), _SHOWN)

    def batch(self, step: int, part: int, settings: TrainSettings) -> dict[str, Tensor]:
        """The samples of one forward pass."""
        drawn = self.stream.draw(
            np.random.default_rng([settings.seed, step, part, _RANDOM_STREAM]), settings.train_batch_size
        )
        pictures = picture_tensor(drawn.pop("pictures"))
        return {name: torch.from_numpy(values) for name, values in drawn.items()} | {"pictures": pictures}

    def grid(self) -> UInt8[np.ndarray, "h w 3"]:
        """Crops with predicted joints, red if malformed; below, the likeliest defect and the true one."""
        device = next(self.network.parameters()).device
        with torch.no_grad():
            predicted: Judged = self.network(picture_tensor(self.shown["pictures"]).to(device))
        heatmaps = predicted.heatmaps.float().cpu().numpy()
        malformed, defects = (
            torch.sigmoid(x.float()).cpu().numpy() for x in (predicted.malformed, predicted.defects)
        )
        fingers = predicted.fingers.argmax(1).cpu().numpy()
        panels: list[np.ndarray] = []
        for k, picture in enumerate(self.shown["pictures"]):
            points, mass = heatmap_peaks(heatmaps[k], picture.shape[0])
            drawn = with_hand(picture, points, mass > 0.3)
            corner = drawn.shape[1] - 1, drawn.shape[0] - 1
            cv2.rectangle(drawn, (0, 0), corner, _RED if float(malformed[k]) > 0.5 else _GREEN, 5)
            likely = int(defects[k].argmax())
            named = [
                name for name, there in zip(DEFECTS_SHOWN, self.shown["defects"][k], strict=True) if there
            ]
            count = FINGER_COUNTS[fingers[k]]
            true = f"{', '.join(named) or 'sound'}, {self.shown['fingers'][k]}"
            lines = [
                f"{DEFECTS_SHOWN[likely]} {defects[k, likely]:.2f}, any {malformed[k]:.2f}, {count}",
                f"is {true if self.shown['hand'][k] else 'no hand'}",
            ]
            panels.append(np.concatenate([drawn, words(lines, drawn.shape[1])]))
        return tiled(panels, 6)

    def save(self, folder: Path) -> None:
        """Write ``critic/``."""
        save_network(self.network, self.network.config, folder / "critic")
