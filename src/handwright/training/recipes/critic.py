"""``critic``: judges a hand by itself, taught on hands whose defects are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor, nn
from torch.nn import functional as f

from handwright.data.hands.defects import DEFECTS
from handwright.diffusion.tensors import picture_tensor
from handwright.hand.grammar.named import NAMED
from handwright.hand.grammar.words import PoseWords
from handwright.training.corruptions import corrupted
from handwright.training.critic_network import CriticConfig, CriticNetwork, Judged, peaks, save_critic
from handwright.training.crops import Crops, joined
from handwright.training.losses import heatmap_error, mean_where
from handwright.training.panels import framed, tiled, with_hand, words
from handwright.training.settings import TrainSettings
from handwright.training.stream import CropStream

_WEIGHTS = {
    "landmarks": 1.0,
    "visible": 0.5,
    "malformed": 1.0,
    "defects": 4.0,
    "right": 0.3,
    "poses": 0.3,
    "gloved": 0.2,
    "assessable": 0.3,
}
_TIPS, _TIP_WEIGHT, _HIDDEN_WEIGHT = [4, 8, 12, 16, 20], 2.0, 0.3
_RARE = 3.0
"""A defect that is there counts so many times as one that is not."""

_SPOILT_SHARE, _SPOILS, _TOO_SPOILT = 0.4, ("blur", "noise", "jpeg", "coarse"), 0.75
_ENOUGH_SEEN = 10
_PART = 14
_SHOWN = 18
_GREEN, _RED = (40, 200, 60), (230, 40, 40)

_EXTENDED = {
    (True, False, False, False): "one",
    (True, True, False, False): "two",
    (True, True, True, False): "three",
    (True, True, True, True): "open",
    (False, False, False, True): "little",
    (True, False, False, True): "horns",
}
POSE_GROUPS = (*_EXTENDED.values(), "ring", "folded", "pinch", "fist", "hooked", "wrap")
"""Shapes that a look tells apart; several named poses share one."""


def pose_group(said: PoseWords) -> str:
    """The group of a pose: by its extended fingers, else by how the four are bent."""
    extended = tuple(bend == "extended" for bend in said.fingers)
    if any(extended):
        return _EXTENDED.get((extended[0], extended[1], extended[2], extended[3]), "ring")
    if "folded" in said.fingers:
        return "folded"
    if said.contacts:
        return "pinch"
    if set(said.fingers) == {"curled"}:
        return "fist"
    return "hooked" if "hooked" in said.fingers else "wrap"


_GROUP = {name: POSE_GROUPS.index(pose_group(said)) for name, said in NAMED.items()}


def fresh_critic(size_px: int) -> CriticNetwork:
    """An untrained critic that knows our defects and pose groups."""
    return CriticNetwork(CriticConfig("critic-v1", DEFECTS, POSE_GROUPS, size_px))


class CriticLoss(nn.Module):
    """A critic; the forward pass is the loss of a batch."""

    def __init__(self, network: CriticNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Weighted sum of what each head got wrong; what is not known of a sample does not count."""
        told = Judged(*(part.float() for part in self.network(batch["pictures"])))
        rare = 1 + (_RARE - 1) * batch["defects"]
        clear = batch["assessable"]
        losses = {
            "landmarks": mean_where(heatmap_error(told.heatmaps, batch["landmarks"]), batch["weight"]),
            "visible": mean_where(
                _binary(told.visible, batch["visible"]), batch["sound"][:, None].expand(-1, 21)
            ),
            "malformed": mean_where(_binary(told.malformed, 1 - batch["sound"]), clear),
            "defects": mean_where((rare * _binary(told.defects, batch["defects"])).mean(1), clear),
            "right": mean_where(_binary(told.right, batch["right"]), (batch["right"] >= 0).float()),
            "poses": mean_where(
                f.cross_entropy(told.poses, batch["pose"].clamp(min=0), reduction="none"),
                (batch["pose"] >= 0).float(),
            ),
            "gloved": _binary(told.gloved, batch["gloved"]).mean(),
            "assessable": _binary(told.assessable, clear).mean(),
        }
        return torch.stack([_WEIGHTS[name] * loss for name, loss in losses.items()]).sum()


def _binary(logits: Tensor, wanted: Tensor) -> Tensor:
    return f.binary_cross_entropy_with_logits(logits, wanted.clamp(min=0), reduction="none")


class CriticRecipe:
    """``critic``; see :class:`handwright.training.loop.Recipe`.

    Half of each batch shows defects, where there are any; photographs and renders, sound and malformed ones
    are spoilt alike, so that no trace but the hand itself tells them apart.

    Args:
        network: The critic.
        stream: What to learn from.
    """

    def __init__(self, network: CriticNetwork, stream: CropStream) -> None:
        self.network, self.trained = network, CriticLoss(network)
        wrong = stream.crops.defects.any(1)
        self.streams = [
            CropStream(stream.crops.where(chosen), stream.resolution, stream.photograph_share)
            for chosen in (wrong, ~wrong)
            if chosen.any()
        ]
        self.shown = self._draw(np.random.default_rng(_PART), _SHOWN)

    def _draw(self, rng: np.random.Generator, count: int) -> Crops:
        few = count // len(self.streams)
        counts = [count - few * (len(self.streams) - 1), *[few] * (len(self.streams) - 1)]
        return joined([stream.draw(rng, n) for stream, n in zip(self.streams, counts, strict=True) if n])

    def batch(self, step: int, part: int, settings: TrainSettings) -> dict[str, Tensor]:
        """The samples of one forward pass."""
        rng = np.random.default_rng([settings.seed, step, part, _PART])
        crops, spoilt = _spoilt(rng, self._draw(rng, settings.train_batch_size))
        return {name: torch.from_numpy(values) for name, values in truth(crops, spoilt).items()} | {
            "pictures": picture_tensor(crops.pixels)
        }

    def grid(self) -> UInt8[np.ndarray, "h w 3"]:
        """Crops with the joints told, in red if malformed; below the likeliest defect, and the true one."""
        device = next(self.network.parameters()).device
        with torch.no_grad():
            told = self.network(picture_tensor(self.shown.pixels).to(device))
        points, mass = (part.cpu().numpy() for part in peaks(told.heatmaps, self.shown.pixels.shape[1]))
        malformed, defects = (torch.sigmoid(x).cpu().numpy() for x in (told.malformed, told.defects))
        panels: list[np.ndarray] = []
        for k, picture in enumerate(self.shown.pixels):
            drawn = framed(
                with_hand(picture, points[k], mass[k] > 0.3), _RED if float(malformed[k]) > 0.5 else _GREEN
            )
            likely = int(defects[k].argmax())
            is_so = [name for name, there in zip(DEFECTS, self.shown.defects[k], strict=True) if there] or [
                "sound"
            ]
            lines = [
                f"{DEFECTS[likely]} {defects[k, likely]:.2f}, any {malformed[k]:.2f}",
                f"is {', '.join(is_so)}",
            ]
            panels.append(np.concatenate([drawn, words(lines, drawn.shape[1])]))
        return tiled(panels, 6)

    def save(self, folder: Path) -> None:
        """Write ``critic/``."""
        save_critic(self.network, folder / "critic")


def truth(crops: Crops, spoilt: Float[np.ndarray, "b"]) -> Mapping[str, np.ndarray]:
    """What ``CriticLoss`` compares with, by name.

    Where a hand is malformed, its sound twin's landmarks are not where anything is: they do not count.

    Args:
        crops: Samples.
        spoilt: How much each was spoilt, 0 … 1.
    """
    size = crops.pixels.shape[1]
    sound = np.logical_not(np.any(crops.defects, 1))
    inside = ((crops.landmarks_px >= 0) & (crops.landmarks_px < size)).all(-1)
    weight = np.where(crops.visible, 1.0, _HIDDEN_WEIGHT) * inside * sound[:, None]
    weight[:, _TIPS] *= _TIP_WEIGHT
    seen = ~sound | (crops.visible.sum(1) >= _ENOUGH_SEEN)
    numbers: dict[str, Any] = {
        "landmarks": crops.landmarks_px / size,
        "weight": weight,
        "visible": crops.visible,
        "sound": sound,
        "defects": crops.defects,
        "right": crops.side,
        "gloved": crops.gloved,
        "assessable": seen & ~crops.gloved & (spoilt < _TOO_SPOILT),
    }
    floats = {name: np.asarray(values, np.float32) for name, values in numbers.items()}
    return {"pose": _groups(crops.pose), **floats}


def _groups(poses: np.ndarray) -> Int64[np.ndarray, "b"]:
    """Index into ``POSE_GROUPS``; −1 where the pose has no name."""
    return np.array([_GROUP.get(str(name), -1) for name in poses], np.int64)


def _spoilt(rng: np.random.Generator, crops: Crops) -> tuple[Crops, Float[np.ndarray, "b"]]:
    """Crops of which some were spoilt, and how much."""
    strengths = np.where(rng.random(len(crops)) < _SPOILT_SHARE, rng.random(len(crops)), 0.0)
    pixels = [
        corrupted(rng, picture, str(rng.choice(_SPOILS)), float(strength)) if strength else picture
        for picture, strength in zip(crops.pixels, strengths, strict=True)
    ]
    return replace(crops, pixels=np.stack(pixels)), strengths
