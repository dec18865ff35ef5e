"""``finish``: from a drawn hand to a photographed one, learnt on hands that were fitted well.

A fit is never exact to the pixel, so a perceptual distance and a patch discriminator say most of what is
wrong, and colour is compared as means of small squares alone. Detail finer than 3 px may not become stronger
than in the photograph's own skin near by: no speckle on smooth skin.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn import functional as f

from handwright.diffusion.latents import picture_array, picture_tensor
from handwright.errors import UsageError
from handwright.metrics.extractors.network import save_network
from handwright.training.finish_pairs import SIDE, FinishPairs
from handwright.training.networks.autoencoder import (
    AdversarialSchedule,
    PatchDiscriminator,
    scheduled_adversarial_loss,
)
from handwright.training.networks.finish import SHARE, FinishNetwork
from handwright.training.networks.perceptual import PerceptualDistance
from handwright.training.settings import TrainSettings

_RANDOM_STREAM = 29  # Keeps this recipe's random numbers apart from other recipes' of the same seed

_MEASURED, _SHOWN = 24, 6  # Held-out pairs of each kind that are measured on, and shown

_NORMAL_X = 4  # The plane that changes its sign when a picture is mirrored

_COARSE_PX = 8  # Side of the squares whose mean colours are compared

_NEAR_PX = 9  # Side of the windows in which fine detail is compared; odd


@dataclass(frozen=True, kw_only=True)
class FinishLossParams(AdversarialSchedule):
    """Weights of the loss; chosen by eye."""

    perceptual: float = 1.0  # Of the perceptual distance
    colour: float = 0.5  # Of the absolute error of mean colours in [-1, 1]
    speckle: float = 4.0  # Of fine detail beyond the photograph's own
    photograph_share: float = 0.7  # Share of photographs among the samples, the rest are rendered


class FinishLoss(nn.Module):
    """A finishing network and its discriminator; the forward pass is the loss of a batch."""

    def __init__(
        self, network: FinishNetwork, discriminator: nn.Module, distance: nn.Module, params: FinishLossParams
    ) -> None:
        super().__init__()
        self.network, self.discriminator, self.params = network, discriminator, params
        self.distance = distance

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """The loss of ``planes`` [B, C, S, S], ``photograph`` [B, 3, S, S] and ``shared`` [B, 1, S, S]."""
        params, step, planes, shared = self.params, int(batch["step"]), batch["planes"], batch["shared"]
        drawn = planes[:, :3]
        finished = drawn + shared * self.network(planes).float()
        wanted = wanted_of(planes, batch["photograph"], shared)
        loss = params.perceptual * self.distance(finished, wanted)
        loss = loss + params.colour * f.avg_pool2d(finished - wanted, _COARSE_PX).abs().mean()
        loss = loss + params.speckle * speckle(finished, wanted, shared)
        return loss + scheduled_adversarial_loss(self.discriminator, finished, wanted, step, params)


def wanted_of(
    planes: Float[Tensor, "b c h w"], photograph: Float[Tensor, "b 3 h w"], shared: Float[Tensor, "b 1 h w"]
) -> Float[Tensor, "b 3 h w"]:
    """The photograph where both show the hand, the drawn picture elsewhere."""
    drawn = planes[:, :3]
    return drawn + shared * planes[:, SHARE : SHARE + 1] * (photograph - drawn)


def fine_detail(pictures: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 1 h w"]:
    """Root mean square of what is finer than 3 px in brightness, in windows of ``_NEAR_PX``."""
    grey = pictures.mean(1, keepdim=True)
    fine = grey - f.avg_pool2d(f.pad(grey, (1, 1, 1, 1), mode="reflect"), 3, 1)
    return (f.avg_pool2d(fine.square(), _NEAR_PX, 1, _NEAR_PX // 2) + 1e-6).sqrt()


def speckle(
    finished: Float[Tensor, "b 3 h w"], wanted: Float[Tensor, "b 3 h w"], shared: Float[Tensor, "b 1 h w"]
) -> Tensor:
    """Mean fine detail beyond the strongest that is wanted near by; 0 where there is none."""
    most = f.max_pool2d(fine_detail(wanted), _NEAR_PX, 1, _NEAR_PX // 2)
    beyond = (fine_detail(finished) - most).clamp_min(0)
    return (beyond * shared).sum() / shared.sum().clamp_min(1)


class FinishRecipe:
    """``finish``; see :class:`handwright.training.loop.Recipe`.

    Args:
        network: What is trained.
        pairs: What it learns from, and what is held out.
        params: Weights of the loss.
        distance: Perceptual distance; None: the one on ImageNet features.

    Raises:
        UsageError: So few pairs that none is left to learn from, or to measure progress on.
    """

    def __init__(
        self,
        network: FinishNetwork,
        pairs: FinishPairs,
        params: FinishLossParams | None = None,
        distance: nn.Module | None = None,
    ) -> None:
        self.network, self.params = network, params or FinishLossParams()
        network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self.distance = distance or PerceptualDistance()
        self.trained = FinishLoss(network, PatchDiscriminator(), self.distance, self.params)
        held = pairs.held_out()
        kinds = {"photographs": ~pairs.rendered, "renders": pairs.rendered}
        self.learnt = {k: pairs.where(kind & ~held) for k, kind in kinds.items() if (kind & ~held).any()}
        self.measured = {
            k: pairs.where(np.flatnonzero(kind & held)[:_MEASURED])
            for k, kind in kinds.items()
            if (kind & held).any()
        }
        if not (self.learnt and self.measured):
            why = "one picture in 20 is held out, by its name"
            raise UsageError(f"{len(pairs)} pairs are too few to learn from and measure on", why, "make more")

    def batch(self, step: int, part: int, settings: TrainSettings) -> dict[str, Tensor]:
        """The samples of one forward pass."""
        rng = np.random.default_rng([settings.seed, step, part, _RANDOM_STREAM])
        samples = [self._sample(rng, settings.resolution) for _ in range(settings.train_batch_size)]
        planes, photographs, shared = (
            torch.from_numpy(np.stack(arrays)) for arrays in zip(*samples, strict=True)
        )
        return {
            "planes": planes,
            "photograph": photographs,
            "shared": softened(shared),
            "step": torch.tensor(step),
        }

    def _sample(
        self, rng: np.random.Generator, side: int
    ) -> tuple[Float[np.ndarray, "c s s"], Float[np.ndarray, "3 s s"], Float[np.ndarray, "1 s s"]]:
        """A window of a pair, in other light; half of them mirrored."""
        photographed = rng.random() < self.params.photograph_share
        kind = "photographs" if photographed and "photographs" in self.learnt else tuple(self.learnt)[-1]
        pairs = self.learnt[kind]
        k, room = int(rng.integers(len(pairs))), SIDE - side
        y, x = (int(rng.integers(room + 1)) for _ in range(2))
        window = np.s_[k, y : y + side, x : x + side]
        planes = pairs.planes[window].astype(np.float32)
        photograph = pairs.photograph[window].astype(np.float32) / np.float32(127.5) - 1
        shared = pairs.shared[window].astype(np.float32)[..., None] / 255
        light = rng.uniform(0.8, 1.1) * rng.uniform(0.94, 1.06, 3)
        for colours in (planes[..., :3], photograph):
            colours[...] = (light * (colours + 1) - 1).clip(-1, 1)
        if rng.random() < 0.5:
            planes, photograph, shared = planes[:, ::-1].copy(), photograph[:, ::-1], shared[:, ::-1]
            planes[..., _NORMAL_X] *= -1
        return tuple(np.ascontiguousarray(a.transpose(2, 0, 1)) for a in (planes, photograph, shared))  # pyright: ignore[reportReturnType]

    def grid(self) -> UInt8[np.ndarray, "h w 3"]:
        """Held-out hands as drawn, as finished, and as wanted, one below the other."""
        rows = []
        for pairs in self.measured.values():
            planes, photograph, shared = tensors(pairs.where(np.arange(min(_SHOWN, len(pairs)))))
            finished = self._finished(planes)
            shown = (planes[:, :3], finished, wanted_of(planes, photograph, shared))
            rows += [np.concatenate(list(np.rint(picture_array(one))), 1) for one in shown]
        width = max(row.shape[1] for row in rows)
        padded = [np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0))) for row in rows]
        return np.concatenate(padded, 0).astype(np.uint8)

    def measures(self) -> dict[str, float]:
        """By kind, drawn and finished: perceptual distance, colour error, fine detail beside the wanted."""
        found: dict[str, float] = {}
        for kind, pairs in self.measured.items():
            planes, photograph, shared = tensors(pairs)
            wanted = wanted_of(planes, photograph, shared)
            for name, some in (("drawn", planes[:, :3]), ("finished", self._finished(planes, shared))):
                with torch.no_grad():
                    distance = self.distance(some, wanted)
                    detail = [(fine_detail(p) * shared).sum() for p in (some, wanted)]
                found[f"perceptual_{name}_{kind}"] = float(distance)
                found[f"colour_{name}_{kind}"] = float(f.avg_pool2d(some - wanted, _COARSE_PX).abs().mean())
                found[f"detail_{name}_{kind}"] = float(detail[0] / detail[1].clamp_min(1e-6))
        return found

    def save(self, folder: Path) -> None:
        """Write ``finish/``."""
        save_network(self.network, self.network.config, folder / "finish")

    def _finished(self, planes: Tensor, shared: Tensor | None = None) -> Tensor:
        change = torch.cat(self._changes(planes))
        return planes[:, :3] + (change if shared is None else shared * change)

    def _changes(self, planes: Tensor) -> list[Tensor]:
        place = next(self.network.parameters()).device
        with torch.no_grad():
            return [self.network(some.to(place)).cpu() for some in planes.split(4)]


def softened(shared: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b 1 h w"]:
    """The part that both show, without its rim and with a soft edge."""
    inner = -f.max_pool2d(-shared, 5, 1, 2)
    return f.avg_pool2d(inner, 3, 1, 1, count_include_pad=False)


def tensors(pairs: FinishPairs) -> tuple[Tensor, Tensor, Tensor]:
    """Planes, photographs and softened shares of whole squares."""
    planes = torch.from_numpy(pairs.planes.astype(np.float32)).permute(0, 3, 1, 2).contiguous()
    shared = torch.from_numpy(pairs.shared.astype(np.float32) / 255)[:, None]
    return planes, picture_tensor(pairs.photograph), softened(shared)
