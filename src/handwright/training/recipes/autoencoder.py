"""``autoencoder``: a learnt codec, 8 px a latent, that text-to-image models paint in.

Absolute error, a perceptual distance, a little KL, and late a patch discriminator, as latent diffusion's
first stage has them (Rombach et al. 2022, §3.1); a share of the batches compare pictures at half their size,
decoded from latents of that size (EQ-VAE, Kouzelis et al. 2025), so that latents stay simple to paint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from handwright.diffusion.latents import decode, encode, picture_array, picture_tensor, pixels_per_latent
from handwright.diffusion.loading.libraries import AutoencoderKL
from handwright.training.networks.autoencoder import (
    AdversarialSchedule,
    PatchDiscriminator,
    scheduled_adversarial_loss,
)
from handwright.training.networks.perceptual import PerceptualDistance
from handwright.training.settings import TrainSettings
from handwright.training.streams.picture_shards import PictureStream

_RANDOM_STREAM = 17  # Keeps this recipe's random numbers apart from other recipes' of the same seed

_MEASURED_OF_EACH_KIND, _SHOWN_OF_EACH_KIND = 4, 3


@dataclass(frozen=True, kw_only=True)
class AutoencoderParams(AdversarialSchedule):
    """Weights of the loss."""

    perceptual: float = 0.3  # Of the perceptual distance, beside absolute error in [-1, 1]; chosen by eye
    # Of the error of local hue (``hue_error``): without it one chroma axis was still grey after 720 steps, as
    # in an earlier probe; chosen by eye
    hue: float = 1.0
    kl: float = 1e-6  # Of the KL divergence from a unit Gaussian, mean over latents; latent diffusion's 1e-6
    # Share of batches that are compared at half their size; EQ-VAE §4 has 0.5 over several sizes, here fewer
    # because only one size is used
    rescaled_share: float = 0.25


class AutoencoderLoss(nn.Module):
    """An autoencoder and its discriminator; the forward pass is the loss of a batch.

    Args:
        vae: What is trained.
        discriminator: Trained beside it, from ``params.discriminator_from`` on.
        distance: Perceptual distance of two batches of pictures.
        params: Weights of the loss.
    """

    def __init__(
        self, vae: AutoencoderKL, discriminator: nn.Module, distance: nn.Module, params: AutoencoderParams
    ) -> None:
        super().__init__()
        self.vae, self.discriminator, self.distance, self.params = vae, discriminator, distance, params

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """The loss of ``pictures`` [B, 3, S, S] in [-1, 1].

        ``noise`` [B, C, S/8, S/8] is added to the latents; ``step`` decides which terms count already,
        and ``rescaled`` whether latents and pictures are halved before they are compared.
        """
        params, step = self.params, int(batch["step"])
        wanted = batch["pictures"]
        vae: Any = self.vae  # its annotations allow for outputs that it never makes
        posterior = vae.encode(wanted).latent_dist
        mean, spread = posterior.mean.float(), posterior.std.float()
        latents = mean + spread * batch["noise"]
        if bool(batch["rescaled"]):
            latents, wanted = (nn.functional.avg_pool2d(planes, 2) for planes in (latents, wanted))
        decoded = vae.decode(latents).sample.float()
        loss = (decoded - wanted).abs().mean() + params.perceptual * self.distance(decoded, wanted)
        loss = loss + params.hue * hue_error(decoded, wanted)
        loss = loss + params.kl * 0.5 * (mean**2 + spread**2 - 1 - 2 * spread.log()).mean()
        return loss + scheduled_adversarial_loss(self.discriminator, decoded, wanted, step, params)


def hue_error(decoded: Float[Tensor, "b 3 h w"], wanted: Float[Tensor, "b 3 h w"]) -> Tensor:
    """Mean absolute error of the differences between colour channels, as means of 8 × 8 px.

    0 where two pictures differ in brightness alone.
    """
    error = nn.functional.avg_pool2d(decoded - wanted, 8)
    return (error - error.roll(1, dims=1)).abs().mean()


class AutoencoderRecipe:
    """``autoencoder``; see :class:`handwright.training.loop.Recipe`.

    Args:
        vae: What is trained.
        stream: Pictures to learn from.
        params: Weights of the loss.
        distance: Perceptual distance; None: the one on ImageNet features.
    """

    def __init__(
        self,
        vae: AutoencoderKL,
        stream: PictureStream,
        params: AutoencoderParams,
        distance: nn.Module | None = None,
    ) -> None:
        self.vae, self.stream, self.params = vae, stream, params
        vae.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self.distance = distance or PerceptualDistance()
        self.trained = AutoencoderLoss(vae, PatchDiscriminator(), self.distance, params)
        self.held_out = stream.held_out_pictures(_MEASURED_OF_EACH_KIND)
        self.shown = np.concatenate([some[:_SHOWN_OF_EACH_KIND] for some in self.held_out.values()])

    def batch(self, step: int, part: int, settings: TrainSettings) -> dict[str, Tensor]:
        """The samples of one forward pass."""
        rng = np.random.default_rng([settings.seed, step, part, _RANDOM_STREAM])
        pictures = picture_tensor(self.stream.draw(rng, settings.train_batch_size))
        side = self.stream.resolution // pixels_per_latent(self.vae)
        shape = (len(pictures), self.vae.config["latent_channels"], side, side)
        return {
            "pictures": pictures,
            "noise": torch.from_numpy(rng.standard_normal(shape, np.float32)),
            "step": torch.tensor(step),
            "rescaled": torch.tensor(rng.random() < self.params.rescaled_share),
        }

    def grid(self) -> UInt8[np.ndarray, "h w 3"]:
        """Held-out pictures above what encoding and decoding leaves of them."""
        rows = (self.shown, self._decoded(self.shown))
        return np.concatenate([np.concatenate(list(row), 1) for row in rows], 0)

    def measures(self) -> dict[str, float]:
        """By kind of held-out pictures: mean PSNR in dB, and mean perceptual distance."""
        found: dict[str, float] = {}
        for kind, pictures in self.held_out.items():
            decoded = self._decoded(pictures)
            errors = ((decoded.astype(np.float64) - pictures) ** 2).mean((1, 2, 3))
            with torch.no_grad():
                distance = self.distance(picture_tensor(decoded), picture_tensor(pictures))
            found[f"psnr_db_{kind}"] = float(np.mean(10 * np.log10(255**2 / np.maximum(errors, 1e-6))))
            found[f"perceptual_{kind}"] = float(distance)
        return found

    def save(self, folder: Path) -> None:
        """Write ``vae/``, its latents scaled to unit variance over the held-out pictures."""
        with torch.no_grad():
            pictures = picture_tensor(np.concatenate(list(self.held_out.values()))).to(self.vae.device)
            latents = encode(self.vae, pictures) / self.vae.config["scaling_factor"]
        self.vae.register_to_config(scaling_factor=1 / float(latents.std()))
        self.vae.save_pretrained(folder / "vae")

    def _decoded(self, pictures: UInt8[np.ndarray, "n s s 3"]) -> UInt8[np.ndarray, "n s s 3"]:
        """Pictures after encoding and decoding."""
        lots = []
        with torch.no_grad():
            for picture in pictures:
                placed = picture_tensor(picture[None]).to(self.vae.device)
                lots.append(np.rint(picture_array(decode(self.vae, encode(self.vae, placed)))))
        return np.concatenate(lots).astype(np.uint8)
