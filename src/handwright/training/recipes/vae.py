"""``vae``: the linear codec from the statistics of crops, its detail, and the autoencoder that is learnt."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from handwright.diffusion.codec import PATCH, PatchCodec
from handwright.diffusion.latents import decode, encode, picture_array, picture_tensor, pixels_per_latent
from handwright.diffusion.loading.libraries import AutoencoderKL
from handwright.training.networks.autoencoder import fresh_autoencoder
from handwright.training.settings import TrainSettings
from handwright.training.streams.crop_batches import CropStream

_SAMPLE = 400_000  # Patches that a linear codec is fitted to

_WIDTHS = (16, 32, 64)  # Channels of the levels, for one CPU core

_EDGES, _KL = 1.0, 1e-4
"""Weights of the error of differences between neighbours, and of the KL divergence; chosen by eye."""

_RANDOM_STREAM = 11  # Keeps this recipe's random numbers apart from other recipes' of the same seed

_SHOWN = 12  # Crops in the sample grid


def fit_codec(
    pixels: UInt8[np.ndarray, "n s s 3"], channels: int, seed: int, side: int = PATCH
) -> PatchCodec:
    """The codec whose components explain most of the variance of these pictures' square patches.

    Component k is divided by the root of its standard deviation: half-way between natural latents, whose
    fine channels drown in noise, and white ones, which weigh invisible detail like light and dark. All are
    scaled so that latents have unit variance on average.
    """
    flat = some_patches(pixels, side, seed)
    mean = flat.reshape(len(flat), 3, -1).mean((0, 2))
    variances, vectors = np.linalg.eigh(np.cov(flat.T))
    components, spread = vectors[:, ::-1][:, :channels].T, np.sqrt(variances[::-1][:channels])
    components = components * np.sign(components.sum(1, keepdims=True) + 1e-12)
    scale = (np.sqrt(spread) * np.sqrt(spread.mean()))[:, None]
    codec = PatchCodec(channels, 1.0, (3 * side**2,) * side.bit_length())
    codec.set_maps(*(torch.from_numpy(a).float() for a in (mean, components / scale, components * scale)))
    return codec


def some_patches(
    pixels: UInt8[np.ndarray, "n s s 3"], side: int, seed: int, count: int = _SAMPLE
) -> Float[np.ndarray, "k d"]:
    """Patches of pictures at random places, in [-1, 1], channel by channel: float64 [count, 3·side²]."""
    rng = np.random.default_rng(seed)
    last = pixels.shape[1] - side + 1
    n, y, x = rng.integers([[len(pixels)], [last], [last]], size=(3, count))
    steps = np.arange(side)
    patches = pixels[n[:, None, None], (y[:, None] + steps)[:, :, None], (x[:, None] + steps)[:, None, :]]
    return patches.transpose(0, 3, 1, 2).reshape(count, -1).astype(np.float64) / 127.5 - 1


def fresh_vae(channels: int, resolution: int, widths: tuple[int, ...] = _WIDTHS) -> AutoencoderKL:
    """A small convolutional autoencoder, 4 pixels a latent, that one core can train."""
    return fresh_autoencoder(channels, resolution, widths)


class ReconstructionLoss(nn.Module):
    """An autoencoder; the forward pass is the loss of a batch."""

    def __init__(self, vae: AutoencoderKL | PatchCodec) -> None:
        super().__init__()
        self.vae = vae

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Absolute error of colours and of their differences to the neighbours, and a little KL."""
        vae: Any = self.vae  # its annotations allow for outputs that it never makes
        pictures = batch["pictures"]
        posterior = vae.encode(pictures).latent_dist
        mean, spread = posterior.mean.float(), posterior.std.float()
        decoded = vae.decode((mean + spread * batch["noise"]).to(pictures.dtype)).sample.float()
        colours, edges = (decoded - pictures).abs().mean(), edge_error(decoded, pictures)
        kl = 0.5 * (mean**2 + spread**2 - 1 - 2 * spread.log()).mean()
        return colours + _EDGES * edges + _KL * kl


def edge_error(decoded: Float[Tensor, "b 3 h w"], wanted: Float[Tensor, "b 3 h w"]) -> Tensor:
    """Mean absolute error of horizontal and vertical differences: what blur loses."""
    error = decoded - wanted
    return (error.diff(dim=2).abs().mean() + error.diff(dim=3).abs().mean()) / 2


class VaeRecipe:
    """``vae``; see :class:`handwright.training.loop.Recipe`."""

    def __init__(self, vae: AutoencoderKL | PatchCodec, stream: CropStream) -> None:
        self.vae, self.stream = vae, stream
        self.trained = ReconstructionLoss(vae)
        self.shown = picture_tensor(stream.draw(np.random.default_rng(_RANDOM_STREAM), _SHOWN).pixels)

    def batch(self, step: int, part: int, settings: TrainSettings) -> dict[str, Tensor]:
        """The samples of one forward pass."""
        rng = np.random.default_rng([settings.seed, step, part, _RANDOM_STREAM])
        pictures = picture_tensor(self.stream.draw(rng, settings.train_batch_size).pixels)
        side = self.stream.resolution // pixels_per_latent(self.vae)
        shape = (len(pictures), self.vae.config["latent_channels"], side, side)
        return {"pictures": pictures, "noise": torch.from_numpy(rng.standard_normal(shape, np.float32))}

    def grid(self) -> UInt8[np.ndarray, "h w 3"]:
        """Crops above what is left of them after encoding and decoding."""
        shown = self.shown.to(self.vae.device)
        with torch.no_grad():
            decoded = decode(self.vae, encode(self.vae, shown))
        rows = [np.concatenate(list(np.rint(picture_array(row))), 1) for row in (shown, decoded)]
        return np.concatenate(rows, 0).astype(np.uint8)

    def save(self, folder: Path) -> None:
        """Write ``vae/``; where latents are learnt, those of the shown crops are scaled to unit variance."""
        if isinstance(self.vae, AutoencoderKL):
            with torch.no_grad():
                latents = encode(self.vae, self.shown.to(self.vae.device)) / self.vae.config["scaling_factor"]
            self.vae.register_to_config(scaling_factor=1 / float(latents.std()))
        self.vae.save_pretrained(folder / "vae")
