"""``vae``: the linear patch codec from the statistics of crops."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import UInt8

from handwright.diffusion.codec import PATCH, PatchCodec

_SAMPLE = 400_000


def fit_codec(pixels: UInt8[np.ndarray, "n s s 3"], channels: int, seed: int) -> PatchCodec:
    """The codec whose components explain most of the variance of these pictures' patches.

    Component k is divided by the root of its standard deviation: half-way between natural latents, whose
    fine channels drown in noise, and white ones, which weigh invisible detail like light and dark. All are
    scaled so that latents have unit variance on average.
    """
    rng = np.random.default_rng(seed)
    side = pixels.shape[1]
    n, y, x = rng.integers([[len(pixels)], [side - PATCH + 1], [side - PATCH + 1]], size=(3, _SAMPLE))
    steps = np.arange(PATCH)
    patches = pixels[n[:, None, None], (y[:, None] + steps)[:, :, None], (x[:, None] + steps)[:, None, :]]
    flat = patches.transpose(0, 3, 1, 2).reshape(_SAMPLE, -1).astype(np.float64) / 127.5 - 1
    mean = np.repeat(flat.reshape(_SAMPLE, 3, -1).mean((0, 2)), PATCH**2)
    variances, vectors = np.linalg.eigh(np.cov(flat.T))
    components, spread = vectors[:, ::-1][:, :channels].T, np.sqrt(variances[::-1][:channels])
    components = components * np.sign(components.sum(1, keepdims=True) + 1e-12)
    scale = np.sqrt(spread) * np.sqrt(spread.mean())
    codec = PatchCodec(latent_channels=channels)
    codec.set_components(*(torch.from_numpy(a).float() for a in (mean, components, scale)))
    return codec
