"""Texts and people as points of one space, in which R-precision ranks (Guo et al. 2022, §5)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as f

from handwright.diffusion.loading.components import load_pipeline
from handwright.diffusion.loading.libraries import CLIPTextModel, CLIPTokenizer, DiffusionPipeline
from handwright.handiffuser.objective import read_text
from handwright.handiffuser.tokens import TOKENS, WIDTH

EMBEDDED = Path(__file__).parents[1] / "weights" / "text_pose_embedder"
"""The embedder as the package ships it."""

_AT_ONCE = 256  # Texts or people that are read together


class PoseEncoder(ModelMixin, ConfigMixin):
    """Both towers' ends: a transformer over a person's tokens, and what maps text features beside it.

    Args:
        tokens: Number of tokens of a person.
        width: Numbers of a token.
        channels: Width of the transformer.
        heads: Attention heads.
        layers: Blocks.
        text_width: Channels of the text features.
        projection: Numbers of a point of the common space.
    """

    @register_to_config
    def __init__(
        self,
        tokens: int = len(TOKENS),
        width: int = WIDTH,
        channels: int = 128,
        heads: int = 4,
        layers: int = 3,
        text_width: int = 128,
        projection: int = 128,
    ) -> None:
        super().__init__()
        self.read = nn.Linear(width, channels)
        self.place = nn.Parameter(torch.randn(1, tokens, channels) * 0.02)
        block = nn.TransformerEncoderLayer(
            channels, heads, 4 * channels, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.blocks = nn.TransformerEncoder(block, layers, nn.LayerNorm(channels), enable_nested_tensor=False)
        self.write = nn.Linear(channels, projection, bias=False)
        self.write_text = nn.Linear(text_width, projection, bias=False)
        # Mean and spread of every number over the data: tokens are standardised with them
        self.register_buffer("mean", torch.zeros(tokens, width))
        self.register_buffer("spread", torch.ones(tokens, width))

    def forward(self, tokens: Float[Tensor, "n t w"]) -> Float[Tensor, "n d"]:
        """Unit vectors of people, given as ``handiffuser.tokens.encode`` has them."""
        hidden = self.blocks(self.read((tokens - self.mean) / self.spread) + self.place)
        return f.normalize(self.write(hidden.mean(1)), dim=-1)

    def of_text(self, features: Float[Tensor, "n l c"], mask: Bool[Tensor, "n l"]) -> Float[Tensor, "n d"]:
        """Unit vectors of texts: of the mean feature where the mask is true."""
        weights = mask[..., None].to(features.dtype)
        mean = (features * weights).sum(1) / weights.sum(1)
        return f.normalize(self.write_text(mean), dim=-1)


class TextPoseEmbedder(DiffusionPipeline):
    """Text → point, person → point; a text is near to the people whom it describes.

    It learnt apart from T2H, which is measured with it.

    Args:
        text_encoder: Learnt with the pose encoder.
        tokenizer: Its tokenizer.
        pose_encoder: Of people, with both projections.
    """

    def __init__(
        self, text_encoder: CLIPTextModel, tokenizer: CLIPTokenizer, pose_encoder: PoseEncoder
    ) -> None:
        super().__init__()
        self.register_modules(text_encoder=text_encoder, tokenizer=tokenizer, pose_encoder=pose_encoder)

    @torch.no_grad()
    def text_features(self, texts: Sequence[str]) -> Float[np.ndarray, "n d"]:
        """Unit vectors of texts; those beyond the encoder's length are cut."""
        rows: list[Tensor] = []
        for start in range(0, len(texts), _AT_ONCE):
            given = list(texts[start : start + _AT_ONCE])
            read = self.tokenizer(given, padding=True, truncation=True, return_tensors="pt").to(self.device)
            mask = read.attention_mask.bool()
            rows.append(self.pose_encoder.of_text(read_text(self.text_encoder, read.input_ids, mask), mask))
        return torch.cat(rows).cpu().double().numpy()

    @torch.no_grad()
    def pose_features(self, tokens: Float[np.ndarray, "n t w"]) -> Float[np.ndarray, "n d"]:
        """Unit vectors of people, given as ``handiffuser.tokens.encode`` has them."""
        given = torch.from_numpy(np.asarray(tokens, np.float32)).to(self.device, self.pose_encoder.dtype)
        rows = [
            self.pose_encoder(given[start : start + _AT_ONCE]) for start in range(0, len(given), _AT_ONCE)
        ]
        return torch.cat(rows).cpu().double().numpy()


def open_text_pose_embedder(folder: Path = EMBEDDED) -> TextPoseEmbedder:
    """Load an embedder: the shipped one, or ``model/`` of ``handwright train text_pose_embedder``.

    Raises:
        DiffusionError: There is none, or it cannot be loaded.
    """
    return load_pipeline(TextPoseEmbedder, folder, "embedder of texts and poses")
