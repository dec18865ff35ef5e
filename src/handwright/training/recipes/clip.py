"""``clip``: a CLIP for CLIPSIM (Radford et al. 2021), small enough to ship."""

import math
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, Int64, UInt8
from torch import Tensor, nn
from torch.nn import functional as f
from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel, CLIPVisionConfig

from handwright.diffusion.latents import picture_tensor
from handwright.diffusion.loading.libraries import CLIPTokenizer, quiet
from handwright.training.networks.family import fresh_text_encoder
from handwright.training.samples import words
from handwright.training.settings import TrainSettings
from handwright.training.streams.crop_batches import CropStream

_WIDTH, _HEAD, _PROJECTION = 96, 32, 128
"""Channels of a token, of an attention head, and of the vectors that pictures and texts share."""

_TEXT_LAYERS, _PICTURE_LAYERS, _PATCH = 2, 4, 32  # Of the two transformers; pixels of a picture token's side

MOST_LOGIT = math.log(100)  # Cap of the logit scale (CLIP, Radford et al. 2021, §2.5).

_RANDOM_STREAM = 12  # Keeps this recipe's random numbers apart from other recipes' of the same seed

_SHOWN, _CELL, _MARGIN = 10, 128, 360
"""Of the sample grid: crops, side of a cell in px, width of the captions in px."""


def fresh_clip(tokenizer: CLIPTokenizer, resolution: int) -> CLIPModel:
    """A CLIP that knows nothing yet of pictures of that side and of the words of a tokenizer."""
    text_encoder = fresh_text_encoder(tokenizer, _WIDTH, _TEXT_LAYERS)
    vision = CLIPVisionConfig(
        image_size=resolution,
        patch_size=_PATCH,
        hidden_size=_WIDTH,
        intermediate_size=4 * _WIDTH,
        num_hidden_layers=_PICTURE_LAYERS,
        num_attention_heads=_WIDTH // _HEAD,
    )
    clip = CLIPModel(
        CLIPConfig(
            text_config=text_encoder.config.to_dict(),
            vision_config=vision.to_dict(),
            projection_dim=_PROJECTION,
        )
    )
    clip.text_model.load_state_dict(text_encoder.state_dict())
    return clip


class ContrastiveLoss(nn.Module):
    """A CLIP; the forward pass is the loss of a batch."""

    def __init__(self, clip: CLIPModel) -> None:
        super().__init__()
        self.clip = clip

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Symmetric InfoNCE, in which equal captions are one."""
        seen, read = embedded(self.clip, batch["pictures"], batch["tokens"])
        scale = self.clip.logit_scale.clamp(max=MOST_LOGIT).exp()
        caption = batch["caption"]
        return info_nce(scale * seen @ read.T, caption[:, None] == caption[None])


def embedded(
    clip: CLIPModel, pictures: Float[Tensor, "b 3 s s"], tokens: Int64[Tensor, "t n"]
) -> tuple[Float[Tensor, "b d"], Float[Tensor, "t d"]]:
    """Unit vectors of pictures in [-1, 1] and of texts, float32."""
    network: Any = clip  # its annotations allow for outputs that it never makes
    seen = network.get_image_features(pixel_values=pictures).pooler_output
    read = network.get_text_features(input_ids=tokens).pooler_output
    return f.normalize(seen.float(), dim=-1), f.normalize(read.float(), dim=-1)


def info_nce(logits: Float[Tensor, "b b"], same: Bool[Tensor, "b b"]) -> Tensor:
    """CLIP's loss: each picture finds its caption and each caption its picture."""
    wanted = same.float() / same.sum(1, keepdim=True)
    return (f.cross_entropy(logits, wanted) + f.cross_entropy(logits.T, wanted)) / 2


class ClipRecipe:
    """``clip``; see :class:`handwright.training.loop.Recipe`."""

    def __init__(self, clip: CLIPModel, tokenizer: CLIPTokenizer, stream: CropStream) -> None:
        self.clip, self.tokenizer, self.stream = clip, tokenizer, stream
        self.trained = ContrastiveLoss(clip)
        self.shown = stream.draw(np.random.default_rng(_RANDOM_STREAM), _SHOWN)

    def batch(self, step: int, part: int, settings: TrainSettings) -> dict[str, Tensor]:
        """The samples of one forward pass; ``caption`` numbers the different captions."""
        rng = np.random.default_rng([settings.seed, step, part, _RANDOM_STREAM])
        crops = self.stream.draw(rng, settings.train_batch_size)
        return {
            "pictures": picture_tensor(crops.pixels),
            "tokens": self.tokens(crops.caption),
            "caption": torch.from_numpy(np.unique(crops.caption, return_inverse=True)[1]),
        }

    def tokens(self, captions: np.ndarray) -> Int64[Tensor, "b n"]:
        """Token ids, as long as the longest caption that the encoder can read whole."""
        texts = [str(caption) for caption in captions]
        return self.tokenizer(texts, padding=True, truncation=True, return_tensors="pt").input_ids

    def grid(self) -> UInt8[np.ndarray, "h w 3"]:
        """Crops over the similarity of each to each caption, which is written at the left."""
        device, pixels = self.clip.device, self.shown.pixels
        with torch.no_grad():
            pictures = picture_tensor(pixels).to(device)
            seen, read = embedded(self.clip, pictures, self.tokens(self.shown.caption).to(device))
        captions = [str(caption) for caption in self.shown.caption]
        return likeness_picture(list(pixels), captions, (read @ seen.T).cpu().numpy())

    def save(self, folder: Path) -> None:
        """Write ``clip/``."""
        with quiet():
            self.clip.save_pretrained(folder / "clip")
        self.tokenizer.save_pretrained(folder / "clip")
        side, half = self.stream.resolution, [0.5] * 3
        CLIPImageProcessorPil(
            size={"shortest_edge": side}, crop_size=side, image_mean=half, image_std=half
        ).save_pretrained(folder / "clip")


def likeness_picture(
    pictures: Sequence[UInt8[np.ndarray, "h w 3"]],
    captions: Sequence[str],
    likeness: Float[np.ndarray, "c p"],
) -> UInt8[np.ndarray, "h w 3"]:
    """Pictures over the likeness of each to each caption, lightest where it is largest."""
    low, high = likeness.min(), likeness.max()
    levels = np.rint(255 * (likeness - low) / (high - low + 1e-9)).astype(np.uint8)
    cells = cv2.applyColorMap(np.kron(levels, np.ones((_CELL // 2, _CELL), np.uint8)), cv2.COLORMAP_VIRIDIS)
    labels = np.concatenate([_label(caption) for caption in captions])
    shown = [cv2.resize(picture, (_CELL, _CELL), interpolation=cv2.INTER_AREA) for picture in pictures]
    head = np.concatenate([np.zeros((_CELL, _MARGIN, 3), np.uint8), *shown], 1)
    return np.concatenate([head, np.concatenate([labels, cells[..., ::-1]], 1)])


def _label(caption: str) -> UInt8[np.ndarray, "h w 3"]:
    """The beginning of a caption in the margin."""
    lines = textwrap.wrap(caption, 56)
    return words([*lines, "", "", ""][:3], _MARGIN, (_CELL // 2 - 4) // 3)
