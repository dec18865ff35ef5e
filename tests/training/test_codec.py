"""The linear codec: orthonormal components there and back, behind a VAE's interface."""

from __future__ import annotations

import numpy as np
import torch

from handwright.diffusion.codec import PatchCodec
from handwright.diffusion.latents import decode, encode, pixels_per_latent
from handwright.training.recipes.vae import fit_codec


def pictures(count=24, side=32, seed=0):
    """Smooth pictures with a little noise."""
    rng = np.random.default_rng(seed)
    small = rng.uniform(0, 255, (count, 5, 5, 3)).astype(np.float32)
    tensor = torch.from_numpy(small).permute(0, 3, 1, 2)
    large = torch.nn.functional.interpolate(tensor, size=(side, side), mode="bicubic").permute(0, 2, 3, 1)
    return np.clip(large.numpy() + rng.normal(0, 2, (count, side, side, 3)), 0, 255).astype(np.uint8)


def as_tensor(pixels):
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1


def test_all_components_give_every_pixel_back():
    codec, x = fit_codec(pictures(), 48, 0), as_tensor(pictures(seed=1))
    with torch.no_grad():
        assert torch.allclose(decode(codec, encode(codec, x)), x, atol=1e-4)


def test_more_components_lose_less():
    x, errors = as_tensor(pictures(seed=1)), []
    for channels in (3, 9, 27):
        codec = fit_codec(pictures(), channels, 0)
        with torch.no_grad():
            errors.append(float(((decode(codec, encode(codec, x)) - x) ** 2).mean()))
    assert errors[0] > 2 * errors[1] > 4 * errors[2]


def test_latents_have_unit_variance_on_average_and_fine_channels_less():
    codec = fit_codec(pictures(count=64), 12, 0)
    with torch.no_grad():
        latents = encode(codec, as_tensor(pictures(count=64, seed=2)))
    spread = latents.var((0, 2, 3))
    assert 0.8 < float(spread.mean()) < 1.25
    assert float(spread[0]) > 4 * float(spread[-1])


def test_the_codec_comes_back_from_disk_as_it_was(tmp_path):
    codec = fit_codec(pictures(), 16, 0)
    codec.save_pretrained(tmp_path)
    again = PatchCodec.from_pretrained(tmp_path)
    x = as_tensor(pictures(seed=3))
    with torch.no_grad():
        assert torch.equal(encode(again, x), encode(codec, x))
    assert pixels_per_latent(again) == 4
