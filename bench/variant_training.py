"""Small families to compare, 128² pictures: what a variant is, and how it is trained."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from transformers import CLIPTextConfig

from handwright.diffusion.guidance import guided
from handwright.diffusion.latents import encode, pixels_per_latent
from handwright.diffusion.loading.libraries import CLIPTextModel, CLIPTokenizer, UNet2DConditionModel
from handwright.diffusion.loading.zoo import load_vae
from handwright.diffusion.tensors import picture_tensor
from handwright.handrefiner.objective import masked_loss
from handwright.training.loop import train
from handwright.training.networks.family import Family, general_controlnet, noise_schedule, open_family
from handwright.training.networks.inflation import inflated_family
from handwright.training.networks.tokenizer import learn_tokenizer
from handwright.training.noising import noise_levels, noise_to
from handwright.training.recipes.base import BaseRecipe, Batches, InpaintingLoss
from handwright.training.recipes.vae import VaeRecipe, fit_codec, fresh_vae
from handwright.training.settings import TrainSettings
from handwright.training.streams.crop_batches import CropStream
from handwright.training.streams.crops import Crops, sized

RESOLUTION, BATCH, TEXT_WIDTH, TEXT_LENGTH = 128, 16, 96, 40
GUIDANCE = 3.0
DRAWN_LEVELS = (100, 450)
"""Timesteps of batches that start from the drawn hand: about those of a start level of .4."""
_WINDOW = 64


@dataclass(frozen=True)
class Variant:
    """What a family is made of; the default's values are the defaults.

    Attributes:
        prediction: One of ``settings.PREDICTIONS``.
        snr_gamma: Min-SNR cap; 0: none.
        channels: Of a latent.
        patch: Pixels per latent.
        learnt: A convolutional autoencoder in place of the linear codec.
        widths: Of the UNet's levels.
        layers: Of each level.
        photograph_share: Share of samples that are photographs.
        augmented: Windows, mirror images, other light.
        drawn: Every other batch starts from the drawn hand.
        text_first: Half of the samples on latents alone, then inflated.
        distilled: The default's weights, gone on with under their own guided prediction.
        seed: Of weights, order and noise.
    """

    prediction: str = "v_prediction"
    snr_gamma: float = 5.0
    channels: int = 24
    patch: int = 8
    learnt: bool = False
    widths: tuple[int, ...] = (48, 80, 112)
    layers: int = 1
    photograph_share: float = 0.3
    augmented: bool = True
    drawn: bool = False
    text_first: bool = False
    distilled: bool = False
    seed: int = 0


class StillStream(CropStream):
    """Crops as they are, without augmentation."""

    def draw(self, rng: np.random.Generator, count: int) -> Crops:
        """As of ``CropStream``; the first wording of each caption."""
        pools = [
            self.photographs if rng.random() < self.photograph_share else self.renders for _ in range(count)
        ]
        chosen = self.crops.where([int(pool[rng.integers(len(pool))]) for pool in pools])
        first = np.array([str(caption).splitlines()[0] for caption in chosen.caption])
        return replace(sized(chosen, self.resolution), caption=first)


def drawn_pictures(crops: Crops) -> np.ndarray:
    """uint8 [N, S, S, 3] pictures whose hand is a smooth surface of its depth in its own mean colour.

    What is within the repair mask but not on the hand goes on from its surroundings.
    """
    made = [
        _drawn(pixels, depth, inside)
        for pixels, depth, inside in zip(crops.pixels, crops.depth, crops.mask, strict=True)
    ]
    return np.stack(made)


def _drawn(pixels: np.ndarray, depth: np.ndarray, inside: np.ndarray) -> np.ndarray:
    hand, known = depth > 0, (~inside).astype(np.float32)
    if not hand.any():
        return pixels
    around = _smooth(pixels, known[..., None], pixels.shape[0] / 16)
    surface = _smooth(depth[..., None], hand[..., None].astype(np.float32), 1.5)[..., 0]
    slope = np.hypot(cv2.Sobel(surface, cv2.CV_32F, 1, 0), cv2.Sobel(surface, cv2.CV_32F, 0, 1)) / 8
    shade = 1 / np.sqrt(1 + (slope / 4) ** 2)
    skin = pixels[hand].mean(0) * (0.45 + 0.55 * shade[..., None]) / (0.45 + 0.55 * shade[hand].mean())
    out = np.where(hand[..., None], skin, np.where(inside[..., None], around, pixels))
    return np.clip(out, 0, 255).astype(np.uint8)


def _smooth(values: np.ndarray, weight: np.ndarray, sigma: float) -> np.ndarray:
    """Weighted Gaussian mean [H, W, C]; what has no weight takes its surroundings' values."""
    total, share = (cv2.GaussianBlur(v, (0, 0), sigma) for v in (values * weight, weight))
    return total.reshape(values.shape) / (share.reshape(weight.shape) + 1e-4)


class DrawnBatches(Batches):
    """Every other batch is noise over the drawn hand, where there is one, and should become the picture."""

    def batch(self, step: int, part: int, settings: TrainSettings, dropout: float) -> dict[str, Tensor]:
        """As of ``Batches``."""
        made = super().batch(step, part, settings, dropout)
        if step % 2 == 0:
            return made
        crops = self.stream.draw(np.random.default_rng([settings.seed, step, part]), len(made["latents"]))
        rng = np.random.default_rng([settings.seed, step, part, 1])
        with torch.no_grad():
            clean, guess = (
                encode(self.codec, picture_tensor(p)) for p in (crops.pixels, drawn_pictures(crops))
            )
        timesteps = torch.from_numpy(rng.integers(*DRAWN_LEVELS, len(clean)))
        noise = torch.from_numpy(rng.standard_normal(tuple(clean.shape), np.float32))
        noised = noise_to(self.schedule, guess, noise, timesteps, settings.snr_gamma)
        signal, spread = (v.view(-1, 1, 1, 1) for v in noise_levels(self.schedule, timesteps))
        target = (signal * noised.latents - clean) / spread  # the v that implies the picture
        fresh = {"latents": noised.latents, "timesteps": timesteps, "target": target, "weight": noised.weight}
        rows = torch.from_numpy(crops.depth.any((1, 2)))
        return made | {k: torch.where(_wide(rows, v), v, made[k]) for k, v in fresh.items()}


def _wide(rows: Tensor, like: Tensor) -> Tensor:
    return rows.view(-1, *[1] * (like.ndim - 1))


class DistilledLoss(InpaintingLoss):
    """One pass that says what two passes say under guidance (Meng et al. 2023, stage one at one weight).

    Attributes:
        empty: [1, t] tokens of the empty prompt.
    """

    empty: Tensor

    def __init__(self, *networks: torch.nn.Module) -> None:
        super().__init__(*networks)
        self._teacher = (InpaintingLoss(*deepcopy(networks)).requires_grad_(False).eval(),)

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Weighted squared error to the teacher's guided prediction."""
        teacher = self._teacher[0]
        with torch.no_grad():
            said = teacher.predicted(batch)
            unsaid = teacher.predicted({**batch, "tokens": self.empty.expand(len(said), -1)})
        target = guided(said, unsaid, GUIDANCE)
        return masked_loss(self.predicted(batch), target, self.region(batch), batch["weight"])


class QuickRecipe(BaseRecipe):
    """A ``base`` that shows little on its way."""

    def grid(self) -> np.ndarray:
        """A few of the crops; what is painted is measured afterwards."""
        return np.concatenate(list(self.shown.pixels), 1)


class DistilRecipe(QuickRecipe):
    """A family learns its own guidance."""

    loss = DistilledLoss

    def __init__(self, batches: Batches, family: Family, shown: Crops) -> None:
        super().__init__(batches, family, family.controlnet, shown)
        self.trained.empty = batches.tokens([""])


class WindowRecipe(VaeRecipe):
    """A ``vae`` that learns from small windows, which costs less."""

    def batch(self, step: int, part: int, settings: TrainSettings) -> dict[str, Tensor]:
        """As of ``VaeRecipe``."""
        made, scale = super().batch(step, part, settings), pixels_per_latent(self.vae)
        y, x = np.random.default_rng([settings.seed, step, part, 2]).integers(0, RESOLUTION - _WINDOW + 1, 2)
        end = _WINDOW // scale
        return {
            "pictures": made["pictures"][:, :, y : y + _WINDOW, x : x + _WINDOW],
            "noise": made["noise"][:, :, :end, :end],
        }


def train_variant(
    variant: Variant, crops: Crops, samples: int, folder: Path, default: Path, tokenizer: CLIPTokenizer
) -> Family:
    """Train a variant, or go on with it; its family as it was saved, with the averaged weights.

    Args:
        variant: What to train.
        crops: To learn from, somewhat larger than ``RESOLUTION``.
        samples: That it may see.
        folder: Of its runs.
        default: Folder of the default variant, for the one that builds on it.
        tokenizer: Learnt from the crops' captions.
    """
    settings = settings_for(variant, samples)
    if variant.distilled:
        family = open_family(default / "model")
        empty = replace(settings_for(variant, samples // 3), proportion_empty_prompts=0.0)
        train(
            DistilRecipe(_batches(crops, family, variant), family, crops.where(_some(crops))),
            empty,
            folder,
            resume=True,
        )
        return open_family(folder / "model")
    family = fresh(variant, crops, samples, folder, tokenizer)
    if variant.text_first:
        half = settings_for(variant, samples // 2)
        _train(variant, family, crops, half, folder / "plain")
        family, settings = inflated_family(open_family(folder / "plain" / "model")), half
    _train(variant, family, crops, settings, folder)
    return open_family(folder / "model")


def _train(variant: Variant, family: Family, crops: Crops, settings: TrainSettings, folder: Path) -> None:
    recipe = QuickRecipe(
        _batches(crops, family, variant), family, family.controlnet, crops.where(_some(crops))
    )
    train(recipe, settings, folder, resume=True)


def settings_for(variant: Variant, samples: int) -> TrainSettings:
    """Settings of a short run."""
    steps = samples // BATCH
    return TrainSettings(
        train_batch_size=BATCH,
        max_train_steps=steps,
        learning_rate=1.5e-3,
        lr_warmup_steps=50,
        lr_decay_steps=steps // 3,
        snr_gamma=variant.snr_gamma,
        conditioning_dropout_prob=0.1,
        checkpoints_total_limit=1,
        seed=variant.seed,
    )


def fresh(variant: Variant, crops: Crops, samples: int, folder: Path, tokenizer: CLIPTokenizer) -> Family:
    """The variant's family before its first step; a learnt codec sees as many samples before."""
    torch.manual_seed(variant.seed)
    if variant.learnt:
        vae = _learnt_codec(variant, crops, samples, folder / "codec")
    else:
        vae = fit_codec(crops.pixels, variant.channels, variant.seed, variant.patch)
    start, *_, end = tokenizer("").input_ids
    text = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=TEXT_WIDTH,
            intermediate_size=4 * TEXT_WIDTH,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=TEXT_LENGTH,
            bos_token_id=start,
            eos_token_id=end,
            pad_token_id=end,
        )
    )
    last = len(variant.widths) - 1
    unet = UNet2DConditionModel(
        sample_size=RESOLUTION // variant.patch,
        in_channels=variant.channels if variant.text_first else 2 * variant.channels + 1,
        out_channels=variant.channels,
        down_block_types=("DownBlock2D",) * last + ("CrossAttnDownBlock2D",),
        up_block_types=("CrossAttnUpBlock2D",) + ("UpBlock2D",) * last,
        block_out_channels=variant.widths,
        layers_per_block=variant.layers,
        cross_attention_dim=TEXT_WIDTH,
        attention_head_dim=8,
        norm_num_groups=8,
    )
    widths = (8, 16, 32, 64)[: variant.patch.bit_length()]
    controlnet = general_controlnet(unet, variant.patch, widths)
    return Family(vae, tokenizer, text, unet, controlnet, noise_schedule(variant.prediction), RESOLUTION)


def small_tokenizer(crops: Crops) -> CLIPTokenizer:
    """Of these captions' words, reading ``TEXT_LENGTH`` tokens."""
    tokenizer = learn_tokenizer(line for caption in crops.caption for line in str(caption).splitlines())
    tokenizer.model_max_length = TEXT_LENGTH
    return tokenizer


def _learnt_codec(variant: Variant, crops: Crops, samples: int, folder: Path) -> torch.nn.Module:
    vae = fresh_vae(variant.channels, RESOLUTION, (16, 32, 64, 64))
    stream = CropStream(crops, RESOLUTION, variant.photograph_share)
    train(
        WindowRecipe(vae, stream),
        settings_for(variant, samples),
        folder,
        resume=True,
    )
    return load_vae(folder / "model" / "vae", torch.float32)


def _batches(crops: Crops, family: Family, variant: Variant) -> Batches:
    made = (DrawnBatches if variant.drawn else Batches)(crops, family, variant.photograph_share)
    if not variant.augmented:
        made.stream = StillStream(crops, RESOLUTION, variant.photograph_share)
    return made


def _some(crops: Crops) -> np.ndarray:
    return np.nonzero(crops.rendered)[0][:3]
