"""``finish``: from a malformed hand and a drawn one to the photographed one, learnt on hands fitted well.

What of the old hand is sound can be kept to the pixel: it is known from how the hand was made malformed, and
without a loss of its own a network soon keeps all of it, which is nearer to the photograph than a drawing. As
a drawing never lies exactly where the photograph's hand does, a perceptual distance and a patch discriminator
say most of what is wrong elsewhere. Detail finer than 3 px is to be as strong as in the photograph near by:
no speckle on smooth skin, no smudge on rough.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn import functional as f

from handwright.diffusion.latents import picture_array, picture_tensor
from handwright.errors import UsageError
from handwright.metrics.extractors.network import save_network
from handwright.training.finish_pairs import FinishPairs
from handwright.training.finish_planes import NORMAL_X, OLD, PAINTED, SIDE
from handwright.training.networks.autoencoder import (
    AdversarialSchedule,
    PatchDiscriminator,
    scheduled_adversarial_loss,
)
from handwright.training.networks.finish import Finish, FinishNetwork, chosen, finished_picture
from handwright.training.networks.perceptual import PerceptualDistance
from handwright.training.settings import TrainSettings

_RANDOM_STREAM = 29  # Keeps this recipe's random numbers apart from other recipes' of the same seed

_MEASURED, _SHOWN = 24, 6  # Held-out pairs of each kind that are measured on, and shown

_LEAST = 1e-4  # A share is as sure as this at most where its cross entropy is taken

_NEAR_PX = 9  # Side of the windows in which fine detail is compared; odd


@dataclass(frozen=True, kw_only=True)
class FinishLossParams(AdversarialSchedule):
    """Weights of the loss; chosen by eye."""

    adversarial: float = 0.15  # Of the discriminator's verdict: at .05 repaired skin stays soft
    perceptual: float = 1.0  # Of the perceptual distance
    colour: float = 1.0  # Of the absolute error of colours in [-1, 1], where anything was painted
    detail: float = 4.0  # Of fine detail that is stronger or weaker than the photograph's own
    kept: float = 0.3  # Of the cross entropy of the share that is kept, against what is sound
    seams: float = 8.0  # Of borders between old and new where their colours differ
    wrong: float = 0.15  # Error of colours in [-1, 1] from which on the old hand is wrong
    photograph_share: float = 0.85  # Share of photographs among the samples, the rest are rendered
    least_zoom: float = 0.6  # Samples are shrunk by up to this much


class FinishLoss(nn.Module):
    """A finishing network and its discriminator; the forward pass is the loss of a batch."""

    def __init__(
        self, network: FinishNetwork, discriminator: nn.Module, distance: nn.Module, params: FinishLossParams
    ) -> None:
        super().__init__()
        self.network, self.discriminator, self.params = network, discriminator, params
        self.distance = distance

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """The loss of ``planes`` [B, C, S, S] and ``photograph`` [B, 3, S, S]."""
        params, step, planes, wanted = self.params, int(batch["step"]), batch["planes"], batch["photograph"]
        finish: Finish = self.network(planes)
        finish = Finish(*(part.float() for part in finish))
        finished = finished_picture(planes, chosen(finish))
        painted = planes[:, PAINTED : PAINTED + 1]
        loss = params.perceptual * self.distance(finished, wanted)
        loss = loss + params.colour * within(painted, (finished - wanted).abs())
        loss = loss + params.detail * unlike_detail(finished, wanted, painted)
        sound = 1 - ((planes[:, OLD] - wanted).abs().amax(1, keepdim=True) / params.wrong).clamp_max(1)
        kept = finish.kept.clamp(_LEAST, 1 - _LEAST)
        loss = loss + params.kept * within(painted, f.binary_cross_entropy(kept, sound, reduction="none"))
        apart = (planes[:, OLD] - planes[:, :3] - finish.change).abs().mean(1, keepdim=True)
        loss = loss + params.seams * within(painted, slope(finish.kept) * apart)
        return loss + scheduled_adversarial_loss(self.discriminator, finished, wanted, step, params)


def slope(values: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b 1 h w"]:
    """How much a plane changes from each pixel to its lower and its right neighbour, summed."""
    return sum(f.pad(values.diff(dim=dim).abs(), pad) for dim, pad in ((-1, (0, 1)), (-2, (0, 0, 0, 1))))  # pyright: ignore[reportReturnType]


def within(share: Float[Tensor, "b 1 h w"], values: Float[Tensor, "b c h w"]) -> Tensor:
    """Mean of values over a share of the pixels."""
    return (values.mean(1, keepdim=True) * share).sum() / share.sum().clamp_min(1)


def fine_detail(pictures: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 1 h w"]:
    """Root mean square of what is finer than 3 px in brightness, in windows of ``_NEAR_PX``."""
    grey = pictures.mean(1, keepdim=True)
    fine = grey - f.avg_pool2d(f.pad(grey, (1, 1, 1, 1), mode="reflect"), 3, 1)
    return (f.avg_pool2d(fine.square(), _NEAR_PX, 1, _NEAR_PX // 2) + 1e-6).sqrt()


def unlike_detail(
    finished: Float[Tensor, "b 3 h w"], wanted: Float[Tensor, "b 3 h w"], share: Float[Tensor, "b 1 h w"]
) -> Tensor:
    """Mean fine detail beyond the strongest, or short of the weakest, that is wanted near by."""
    has, should = fine_detail(finished), fine_detail(wanted)
    most = f.max_pool2d(should, _NEAR_PX, 1, _NEAR_PX // 2)
    least = -f.max_pool2d(-should, _NEAR_PX, 1, _NEAR_PX // 2)
    return within(share, (has - most).clamp_min(0) + (least - has).clamp_min(0))


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
        planes, photographs = (torch.from_numpy(np.stack(arrays)) for arrays in zip(*samples, strict=True))
        return {"planes": planes, "photograph": photographs, "step": torch.tensor(step)}

    def _sample(
        self, rng: np.random.Generator, side: int
    ) -> tuple[Float[np.ndarray, "c s s"], Float[np.ndarray, "3 s s"]]:
        """A window of a pair, shrunk a little, in other light; half of them mirrored.

        Windows lie where something was painted. Shrinking hides what resampling left of a defect's making.
        """
        photographed = rng.random() < self.params.photograph_share
        kind = "photographs" if photographed and "photographs" in self.learnt else tuple(self.learnt)[-1]
        pairs = self.learnt[kind]
        k = int(rng.integers(len(pairs)))
        wide = min(SIDE, round(side / rng.uniform(self.params.least_zoom, 1)))
        painted = np.argwhere(pairs.planes[k, ..., PAINTED])
        middle = painted[rng.integers(len(painted))]
        shift = rng.uniform(-0.25, 0.25, 2) * wide
        y, x = (int(np.clip(m + d - wide / 2, 0, SIDE - wide)) for m, d in zip(middle, shift, strict=True))
        window = np.s_[k, y : y + wide, x : x + wide]
        planes = pairs.planes[window].astype(np.float32)
        photograph = pairs.photograph[window].astype(np.float32) / np.float32(127.5) - 1
        planes, photograph = shrunk(planes, side), shrunk(photograph, side)
        light = rng.uniform(0.8, 1.1) * rng.uniform(0.94, 1.06, 3)
        for colours in (planes[..., :3], planes[..., OLD], photograph):
            colours[...] = (light * (colours + 1) - 1).clip(-1, 1)
        if rng.random() < 0.5:
            planes, photograph = planes[:, ::-1].copy(), photograph[:, ::-1]
            planes[..., NORMAL_X] *= -1
        return tuple(np.ascontiguousarray(a.transpose(2, 0, 1), np.float32) for a in (planes, photograph))  # pyright: ignore[reportReturnType]

    def grid(self) -> UInt8[np.ndarray, "h w 3"]:
        """Held-out hands: malformed, as drawn, finished, the share that is kept, and as photographed."""
        rows = []
        for pairs in self.measured.values():
            planes, photograph = tensors(pairs.where(np.arange(min(_SHOWN, len(pairs)))))
            finish = self._finish(planes)
            kept = 2 * finish.kept.expand(-1, 3, -1, -1) - 1
            shown = (planes[:, OLD], planes[:, :3], finished_picture(planes, finish), kept, photograph)
            rows += [np.concatenate(list(np.rint(picture_array(one))), 1) for one in shown]
        width = max(row.shape[1] for row in rows)
        padded = [np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0))) for row in rows]
        return np.concatenate(padded, 0).astype(np.uint8)

    def measures(self) -> dict[str, float]:
        """By kind, of the old, the drawn and the finished hand, all beside the photograph.

        Perceptual distance, colour error where anything was painted, fine detail there as a ratio.
        """
        found: dict[str, float] = {}
        for kind, pairs in self.measured.items():
            planes, wanted = tensors(pairs)
            painted, finish = planes[:, PAINTED : PAINTED + 1], self._finish(planes)
            versions = {
                "old": planes[:, OLD],
                "drawn": planes[:, :3],
                "finished": finished_picture(planes, finish),
            }
            for name, some in versions.items():
                with torch.no_grad():
                    distance = self.distance(some, wanted)
                detail = [float(within(painted, fine_detail(p))) for p in (some, wanted)]
                found[f"perceptual_{name}_{kind}"] = float(distance)
                found[f"colour_{name}_{kind}"] = float(within(painted, (some - wanted).abs()))
                found[f"detail_{name}_{kind}"] = detail[0] / max(detail[1], 1e-6)
            found[f"kept_{kind}"] = float(within(painted, finish.kept))
        return found

    def save(self, folder: Path) -> None:
        """Write ``finish/``."""
        save_network(self.network, self.network.config, folder / "finish")

    def _finish(self, planes: Tensor) -> Finish:
        place = next(self.network.parameters()).device
        with torch.no_grad():
            parts = [chosen(self.network(some.to(place))) for some in planes.split(4)]
        return Finish(*(torch.cat([part.cpu() for part in of]) for of in zip(*parts, strict=True)))


def shrunk(values: Float[np.ndarray, "h w c"], side: int) -> Float[np.ndarray, "s s c"]:
    """A square at most as large as it is."""
    if values.shape[0] == side:
        return values
    chunks = [values[..., k : k + 4] for k in range(0, values.shape[-1], 4)]  # OpenCV resizes few channels
    area = cv2.INTER_AREA
    resized = [cv2.resize(np.ascontiguousarray(c), (side, side), interpolation=area) for c in chunks]
    return np.concatenate([part.reshape(side, side, -1) for part in resized], -1)


def tensors(pairs: FinishPairs) -> tuple[Tensor, Tensor]:
    """Planes and photographs of whole squares."""
    planes = torch.from_numpy(pairs.planes.astype(np.float32)).permute(0, 3, 1, 2).contiguous()
    return planes, picture_tensor(pairs.photograph)
