from __future__ import annotations

import pytest
import torch
from diffusers import AutoencoderTiny

from handwright.diffusion.latents import decode, encode, pixels_per_latent
from tests.diffusion.models import small_vae


@pytest.fixture
def picture() -> torch.Tensor:
    return torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1


@torch.no_grad()
def test_latents_are_shifted_and_scaled_as_the_config_says(picture: torch.Tensor) -> None:
    torch.manual_seed(0)
    vae = small_vae(scaling_factor=0.3611, shift_factor=0.1159)
    mean = vae.encode(picture).latent_dist.mean
    torch.testing.assert_close(encode(vae, picture), (mean - 0.1159) * 0.3611)
    torch.testing.assert_close(decode(vae, encode(vae, picture)), vae.decode(mean).sample.clamp(-1, 1))


@torch.no_grad()
@pytest.mark.parametrize("kind", ["kl", "tiny"])
def test_every_autoencoder_comes_back_to_the_pictures_size(kind: str, picture: torch.Tensor) -> None:
    torch.manual_seed(0)
    widths = (8, 8, 8)
    vae = {
        "kl": small_vae,
        "tiny": lambda: AutoencoderTiny(
            encoder_block_out_channels=widths,
            decoder_block_out_channels=widths,
            num_encoder_blocks=(1, 1, 1),
            num_decoder_blocks=(1, 1, 1),
        ),
    }[kind]()
    scale = pixels_per_latent(vae)
    latents = encode(vae, picture)
    assert latents.shape == (1, vae.config.latent_channels, 64 // scale, 64 // scale)
    assert decode(vae, latents).shape == picture.shape


@torch.no_grad()
def test_encoding_draws_nothing_at_random(picture: torch.Tensor) -> None:
    vae = small_vae()
    assert torch.equal(encode(vae, picture), encode(vae, picture))
