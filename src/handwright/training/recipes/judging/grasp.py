"""``grasp``: tells how a hand holds a thing, taught on rendered holds whose truth is exact."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from handwright.data.synthesise import tiled
from handwright.diffusion.latents import picture_tensor
from handwright.hand.defects import BROKEN_HOLDS, Hold
from handwright.metrics.extractors.network import save_network
from handwright.metrics.roc import auc
from handwright.training.hold_crops import HOLDS, REAL, RENDER, HoldCrops, HoldStream
from handwright.training.networks.grasp import GraspNetwork
from handwright.training.samples import words
from handwright.training.settings import TrainSettings

_RANDOM_STREAM = 29  # Keeps this recipe's random numbers apart from other recipes' of the same seed

_SHOWN, _COLUMNS = 24, 8  # Of the sample grid: crops, and crops a row

_BATCH = 64  # Crops that are looked at together when measuring

_NONE, _SOUND = HOLDS.index(Hold.NONE), HOLDS.index(Hold.SOUND)
_BROKEN = [HOLDS.index(hold) for hold in BROKEN_HOLDS]
_UNBROKEN = [k for k in range(len(HOLDS)) if k not in _BROKEN]


class GraspLoss(nn.Module):
    """A network of holds; the forward pass is the loss of a batch."""

    def __init__(self, network: GraspNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Minus the log-likelihood of each hold; of a real good hand, that none of the broken ones is."""
        return hold_loss(self.network(batch["pictures"]).float(), batch["kinds"])


def hold_loss(logits: Tensor, kinds: Tensor) -> Tensor:
    """The mean over crops [B] of logits [B, 5] and classes 0 … 5, the last of which is ``REAL``."""
    log = logits.log_softmax(1)
    unbroken = log[:, _UNBROKEN].logsumexp(1)
    known = log.gather(1, kinds.clamp(max=len(HOLDS) - 1)[:, None])[:, 0]
    return -torch.where(kinds == REAL, unbroken, known).mean()


class GraspRecipe:
    """``grasp``; see :class:`handwright.training.loop.Recipe`.

    Args:
        network: The network of holds.
        crops: To learn from.
        left_out: To measure with: never learnt from.
    """

    def __init__(self, network: GraspNetwork, crops: HoldCrops, left_out: HoldCrops) -> None:
        config = network.config
        self.network = network
        self.stream = HoldStream(crops, config.size_px, config.context)
        self.trained = GraspLoss(network.to(memory_format=torch.channels_last))  # pyright: ignore[reportCallIssue]
        self.kinds, self.render = left_out.kinds, np.array(left_out.origins) == RENDER
        self.left_out = HoldStream(left_out, config.size_px, config.context).plain()

    def batch(self, step: int, part: int, settings: TrainSettings) -> dict[str, Tensor]:
        """The samples of one forward pass."""
        rng = np.random.default_rng([settings.seed, step, part, _RANDOM_STREAM])
        pixels, kinds = self.stream.draw(rng, settings.train_batch_size)
        return {"pictures": picture_tensor(pixels), "kinds": torch.from_numpy(kinds)}

    def measures(self) -> Mapping[str, float]:
        """Of crops that are left out: how well broken holds and held things are seen.

        Of renders of holds the AUC of broken ones ('auc') and the share of them above 98 % of the others
        ('found_at_2'); the share of all other hands above that ('real_above_2'); of those of other origins
        of which it is known the AUC of holding a thing ('held_auc').
        """
        shares = self._shares(self.left_out)
        scores, broken = shares[:, _BROKEN].sum(1), np.isin(self.kinds, _BROKEN)
        good = scores[self.render & ~broken]
        if not len(good) or not broken.any():
            return {}
        called = float(np.quantile(good, 0.98))
        judged = self.render | broken
        measured = {
            "auc": auc(scores[judged], broken[judged]),
            "found_at_2": float((scores[broken] > called).mean()),
        }
        if len(others := scores[~self.render]):
            measured["real_above_2"] = float((others > called).mean())
        known = ~self.render & np.isin(self.kinds, (_SOUND, _NONE))
        held_auc = auc(shares[known, _SOUND], self.kinds[known] == _SOUND)
        return measured | ({} if np.isnan(held_auc) else {"held_auc": held_auc})

    def grid(self) -> UInt8[np.ndarray, "h w 3"]:
        """Left-out crops with the probability of a broken hold and what they are."""
        chosen = np.linspace(0, len(self.kinds) - 1, _SHOWN).astype(int)
        scores = self._shares(self.left_out[chosen])[:, _BROKEN].sum(1)
        panels = list[np.ndarray]()
        for k, score in zip(chosen, scores, strict=True):
            crop = self.left_out[k]
            drawn = np.ascontiguousarray(crop[..., :3])
            lines, _ = cv2.findContours(
                (crop[..., 3] > 127).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE
            )
            cv2.drawContours(drawn, lines, -1, (40, 220, 255), 1)
            kind = "real" if self.kinds[k] == REAL else HOLDS[self.kinds[k]]
            panels.append(np.concatenate([drawn, words([f"{score:.2f} {kind}"], drawn.shape[1])]))
        return tiled(panels, _COLUMNS)

    def save(self, folder: Path) -> None:
        """Write ``grasp/``."""
        save_network(self.network, self.network.config, folder / "grasp")

    def _shares(self, crops: UInt8[np.ndarray, "n s s 4"]) -> Float[np.ndarray, "n 5"]:
        """Probability of each hold of crops."""
        device = next(self.network.parameters()).device
        parts = list[Tensor]()
        with torch.no_grad():
            for start in range(0, len(crops), _BATCH):
                logits = self.network(picture_tensor(crops[start : start + _BATCH]).to(device)).float()
                parts.append(logits.softmax(1).cpu())
        return torch.cat(parts).numpy()
