"""``text_pose_embedder``: texts and people in one space, by contrast (Radford et al. 2021, §2.3)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor, nn

from handwright.diffusion.loading.libraries import CLIPTextModel, CLIPTokenizer, quiet
from handwright.handiffuser.objective import read_text
from handwright.handiffuser.text_pose_embedder import PoseEncoder, TextPoseEmbedder
from handwright.handiffuser.tokens import decode
from handwright.metrics.poses import r_precision
from handwright.prompts.captions import WORDINGS
from handwright.training.recipes.clip import MOST_LOGIT, info_nce, likeness_picture
from handwright.training.recipes.text_to_hand import SHEET_PX, person_picture
from handwright.training.settings import TrainSettings
from handwright.training.streams.text_poses import TextPose, TextPoseStream

_RANDOM_STREAM = 27  # Keeps this recipe's random numbers apart from other recipes' of the same seed

_MEASURED, _SHOWN = 320, 10
"""Held-out people that are ranked at every checkpoint, and those in the sample grid."""

_FIRST_LOGIT = math.log(1 / 0.07)  # Of the similarities' scale, where it begins (Radford et al. 2021, §2.5)


class TextPoseLoss(nn.Module):
    """Both towers; the forward pass is the symmetric contrastive loss of a batch.

    Args:
        text_encoder: Of the texts.
        pose_encoder: Of the people.
    """

    def __init__(self, text_encoder: CLIPTextModel, pose_encoder: PoseEncoder) -> None:
        super().__init__()
        self.text_encoder, self.pose_encoder = text_encoder, pose_encoder
        self.logit_scale = nn.Parameter(torch.tensor(_FIRST_LOGIT))

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Loss of ``tokens`` [N, T, W] and their texts' ``ids`` and ``mask`` [N, L]; equal texts are one."""
        ids, mask = batch["ids"], batch["mask"]
        read = self.pose_encoder.of_text(read_text(self.text_encoder, ids, mask), mask).float()
        seen = self.pose_encoder(batch["tokens"]).float()
        scale = self.logit_scale.clamp(max=MOST_LOGIT).exp()
        return info_nce(scale * seen @ read.T, (ids[:, None] == ids[None]).all(-1))


class TextPoseEmbedderRecipe:
    """``text_pose_embedder``; see :class:`handwright.training.loop.Recipe`.

    Args:
        pose_encoder: Of people; the stream's statistics become its own.
        text_encoder: Trained with it.
        tokenizer: Of the texts.
        stream: Texts and people.
    """

    def __init__(
        self,
        pose_encoder: PoseEncoder,
        text_encoder: CLIPTextModel,
        tokenizer: CLIPTokenizer,
        stream: TextPoseStream,
    ) -> None:
        self.stream, self.tokenizer = stream, tokenizer
        self.text_encoder, self.pose_encoder = text_encoder, pose_encoder
        mean, spread = stream.statistics()
        pose_encoder.mean.copy_(torch.from_numpy(mean))
        pose_encoder.spread.copy_(torch.from_numpy(spread))
        self.trained = TextPoseLoss(text_encoder, pose_encoder).requires_grad_(True)
        chosen = np.random.default_rng(_RANDOM_STREAM).permutation(len(stream.held_out))[:_MEASURED]
        self.measured = [stream.held_out[k] for k in chosen]

    def batch(self, step: int, part: int, settings: TrainSettings) -> dict[str, Tensor]:
        """The samples of one forward pass, texts of one wording."""
        rng = np.random.default_rng([settings.seed, step, part, _RANDOM_STREAM])
        wording = self.stream.wording(rng)
        people = [self.stream.draw(rng) for _ in range(settings.train_batch_size)]
        read = self.tokenizer(
            [who.text(wording, rng) for who in people], padding=True, truncation=True, return_tensors="pt"
        )
        return {
            "tokens": torch.from_numpy(np.array([who.tokens for who in people], np.float32)),
            "ids": read.input_ids,
            "mask": read.attention_mask.bool(),
        }

    def embedder(self) -> TextPoseEmbedder:
        """The embedder as it is."""
        return TextPoseEmbedder(self.text_encoder, self.tokenizer, self.pose_encoder)

    def grid(self) -> UInt8[np.ndarray, "h w 3"]:
        """Held-out people over the likeness of each to the text of each, which is written at the left."""
        people = self.measured[:_SHOWN]
        texts = _texts_of(people, "natural")
        embedder = self.embedder()
        likeness = embedder.text_features(texts) @ embedder.pose_features(_tokens_of(people)).T
        pictures = [person_picture(decode(who.tokens, (SHEET_PX, SHEET_PX))) for who in people]
        return likeness_picture(pictures, texts, likeness)

    def measures(self) -> dict[str, float]:
        """Shares of held-out people whose own text is among the nearest of 32, by wording."""
        embedder, found = self.embedder(), dict[str, float]()
        people = embedder.pose_features(_tokens_of(self.measured))
        pool = min(32, len(self.measured))
        for wording in WORDINGS:
            texts = embedder.text_features(_texts_of(self.measured, wording))
            for top in (1, 3):
                share = r_precision(texts, people, top, embedding="own", pool=pool)
                found[f"{wording}_r_precision_{top}"] = share.value
        return found

    def save(self, folder: Path) -> None:
        """Write the embedder."""
        with quiet():
            self.embedder().save_pretrained(folder, safe_serialization=True)


def _texts_of(people: Sequence[TextPose], wording: str) -> list[str]:
    """A text of each, fixed for its place."""
    return [who.text(wording, np.random.default_rng(k)) for k, who in enumerate(people)]


def _tokens_of(people: Sequence[TextPose]) -> np.ndarray:
    return np.array([who.tokens for who in people])
