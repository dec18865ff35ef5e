"""``features``: the network behind ``kid[hw-v2]``, taught everything that its features should tell apart.

A distance of distributions sees what the features see. So these must tell where joints are, which hand it is,
what a caption describes, what is malformed, render from photograph, and how a picture was spoilt: each is a
small head, and only the features are kept.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as f

from handwright.data.hands.defects.generators import DEFECTS
from handwright.data.synthesise import tiled
from handwright.diffusion.latents import picture_tensor
from handwright.metrics.extractors.network import FeatureNetwork, save_network
from handwright.training.noising import heatmap_error, mean_where
from handwright.training.samples import with_hand
from handwright.training.settings import TrainSettings
from handwright.training.streams.crop_batches import CropStream
from handwright.training.streams.crops import Crops
from handwright.training.streams.degradations import KINDS, corrupted

_UNTOUCHED = 0.5  # Share of crops that are not degraded

_VOCABULARY, _RAREST, _COMMONEST = 160, 0.004, 0.9
"""Most words that are learnt, and the least and greatest share of captions that hold one; chosen by eye."""

_LOSS_WEIGHTS = {
    "landmarks": 5.0, "joints": 0.3, "side": 0.3, "words": 2.0, "defects": 1.0, "rendered": 0.3, "kind": 0.5,
    "strength": 1.0,
}  # fmt: skip
"""Weight of each head's loss; chosen by eye."""

_RANDOM_STREAM = 13  # Keeps this recipe's random numbers apart from other recipes' of the same seed

_SHOWN = 18  # Crops in the sample grid


def vocabulary(captions: Iterable[str]) -> tuple[str, ...]:
    """Words that tell captions apart: neither rare nor in nearly all, the commonest first."""
    sets = [set(_words(caption)) for caption in captions]
    counts = Counter(word for words in sets for word in words)
    telling = [w for w, n in counts.items() if _RAREST * len(sets) <= n <= _COMMONEST * len(sets)]
    return tuple(sorted(telling, key=lambda word: (-counts[word], word))[:_VOCABULARY])


class FeatureLoss(nn.Module):
    """The network and its heads; the forward pass is the loss of a batch."""

    def __init__(self, network: FeatureNetwork, words: int) -> None:
        super().__init__()
        self.network = network
        widths = {
            "landmarks": 42, "side": 1, "words": words, "defects": len(DEFECTS), "rendered": 1,
            "kind": len(KINDS), "strength": 1,
        }  # fmt: skip
        before = network.config.widths[-1]
        self.heads = nn.ModuleDict({name: nn.Linear(before, width) for name, width in widths.items()})
        self.joints = nn.Conv2d(before, 21, 1)

    def predicted(self, pictures: Float[Tensor, "b 3 s s"]) -> dict[str, Tensor]:
        """The output of each head, float32; ``joints`` alone sees the features before they are pooled."""
        maps = self.network.maps(pictures)
        pooled = {name: head(maps.mean((2, 3))).float() for name, head in self.heads.items()}
        return pooled | {"joints": self.joints(maps).float()}

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Weighted sum of the heads' losses; what is not known of a sample does not count."""
        predicted, visible, known = self.predicted(batch["pictures"]), batch["visible"], batch["side"] >= 0
        points = f.smooth_l1_loss(
            predicted["landmarks"].reshape(-1, 21, 2), 2 * batch["landmarks"] - 1, reduction="none", beta=0.1
        )
        side = f.binary_cross_entropy_with_logits(predicted["side"][:, 0], batch["side"], reduction="none")
        losses = {
            "landmarks": mean_where(points.mean(-1), visible),
            "joints": mean_where(heatmap_error(predicted["joints"], batch["landmarks"]), visible),
            "side": mean_where(side, known),
            "words": f.binary_cross_entropy_with_logits(predicted["words"], batch["words"]),
            "defects": f.binary_cross_entropy_with_logits(predicted["defects"], batch["defects"]),
            "rendered": f.binary_cross_entropy_with_logits(predicted["rendered"][:, 0], batch["rendered"]),
            "kind": f.cross_entropy(predicted["kind"], batch["kind"]),
            "strength": f.smooth_l1_loss(predicted["strength"][:, 0], batch["strength"], beta=0.1),
        }
        return torch.stack([_LOSS_WEIGHTS[name] * loss for name, loss in losses.items()]).sum()


class FeatureRecipe:
    """``features``; see :class:`handwright.training.loop.Recipe`."""

    def __init__(self, network: FeatureNetwork, stream: CropStream) -> None:
        self.network, self.stream = network, stream
        self.vocabulary = vocabulary(map(str, stream.crops.caption))
        self._place = {word: k for k, word in enumerate(self.vocabulary)}
        self.trained = FeatureLoss(network, len(self.vocabulary))
        self.shown = stream.draw(np.random.default_rng(_RANDOM_STREAM), _SHOWN)

    def batch(self, step: int, part: int, settings: TrainSettings) -> dict[str, Tensor]:
        """The samples of one forward pass, half of them spoilt."""
        rng = np.random.default_rng([settings.seed, step, part, _RANDOM_STREAM])
        crops, kinds, strengths = spoilt(rng, self.stream.draw(rng, settings.train_batch_size))
        return {
            "pictures": picture_tensor(crops.pixels),
            "landmarks": torch.from_numpy(crops.landmarks_px / self.stream.resolution),
            "visible": torch.from_numpy(crops.visible),
            "side": torch.from_numpy(crops.side.astype(np.float32)),
            "words": torch.from_numpy(self._present_words(crops.caption)),
            "defects": torch.from_numpy(crops.defects.astype(np.float32)),
            "rendered": torch.from_numpy(crops.rendered.astype(np.float32)),
            "kind": torch.from_numpy(kinds),
            "strength": torch.from_numpy(strengths),
        }

    def _present_words(self, captions: np.ndarray) -> Float[np.ndarray, "b v"]:
        """Which words of the vocabulary a caption holds, 0 or 1."""
        rows = np.zeros((len(captions), len(self.vocabulary)), np.float32)
        for row, caption in zip(rows, captions, strict=True):
            row[[self._place[w] for w in _words(str(caption)) if w in self._place]] = 1
        return rows

    def grid(self) -> np.ndarray:
        """Crops with their predicted landmarks."""
        device = next(self.trained.parameters()).device
        with torch.no_grad():
            points = self.trained.predicted(picture_tensor(self.shown.pixels).to(device))["landmarks"]
        points = (points.reshape(-1, 21, 2).cpu().numpy() + 1) / 2 * self.stream.resolution
        everywhere = np.ones(21, np.bool_)
        return tiled(
            [with_hand(p, at, everywhere) for p, at in zip(self.shown.pixels, points, strict=True)], 6
        )

    def save(self, folder: Path) -> None:
        """Write ``features/``."""
        save_network(self.network, self.network.config, folder / "features")


def spoilt(rng: np.random.Generator, crops: Crops) -> tuple[Crops, np.ndarray, np.ndarray]:
    """Crops of which half were corrupted; the kind (index into ``KINDS``) and the strength of each."""
    kinds = np.where(rng.random(len(crops)) < _UNTOUCHED, 0, rng.integers(1, len(KINDS), len(crops)))
    strengths = np.where(kinds > 0, rng.random(len(crops)), 0.0).astype(np.float32)
    pixels = [
        corrupted(rng, picture, KINDS[kind], float(strength))
        for picture, kind, strength in zip(crops.pixels, kinds, strengths, strict=True)
    ]
    return replace(crops, pixels=np.stack(pixels)), kinds, strengths


def _words(caption: str) -> list[str]:
    return re.findall(r"[a-z]+", caption.lower())
