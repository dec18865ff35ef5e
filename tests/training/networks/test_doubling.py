"""A family at twice its resolution begins where it was."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler

from handwright.diffusion.latents import decode, encode, pixels_per_latent
from handwright.errors import UsageError
from handwright.training.networks.doubling import double_codec, doubled
from handwright.training.networks.family import fresh_family, general_controlnet, open_family, save_family
from handwright.training.networks.tokenizer import learn_tokenizer
from handwright.training.recipes.vae import fit_codec, fresh_vae
from tests.training.test_codec import as_tensor, pictures

CHANNELS = 12


def halved(x):
    return torch.nn.functional.avg_pool2d(x, 2)


@pytest.fixture(scope="module")
def family():
    codec = fit_codec(pictures(), CHANNELS, 0)
    made = fresh_family(learn_tokenizer(["a hand", "two hands"]), codec, 32)
    return replace(made, controlnet=general_controlnet(made.unet, 4))


def test_latents_are_those_of_half_the_size_and_give_back_more_than_that_enlarged():
    codec, x = fit_codec(pictures(), CHANNELS, 0), as_tensor(pictures(side=64, seed=1))
    large = double_codec(codec, pictures(side=64), 0)
    with torch.no_grad():
        assert torch.allclose(encode(large, x), encode(codec, halved(x)), atol=1e-4)
        lost = [float(((y - x) ** 2).mean()) for y in (decode(large, encode(large, x)), _enlarged(codec, x))]
    assert pixels_per_latent(large) == 8
    assert lost[0] < 0.5 * lost[1]


def _enlarged(codec, x):
    return torch.nn.functional.interpolate(decode(codec, encode(codec, halved(x))), scale_factor=2)


def test_a_picture_of_latents_is_the_linear_one_until_detail_is_learnt():
    codec = double_codec(fit_codec(pictures(), CHANNELS, 0), pictures(side=64), 0)
    latents = torch.randn(2, CHANNELS, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(codec.decode(latents).sample, codec.decoder(latents))


def test_the_unet_says_what_it_said_to_the_last_bit(family, tmp_path):
    save_family(doubled(family, pictures(side=64), 0), tmp_path)
    large = open_family(tmp_path)
    seen = torch.randn(2, 2 * CHANNELS + 1, 8, 8, generator=torch.Generator().manual_seed(0))
    text, at = torch.zeros(2, 5, 192), torch.tensor([10, 900])
    with torch.no_grad():
        was, now = (unet(seen, at, text).sample for unet in (family.unet.eval(), large.unet))
    assert torch.equal(now, was)


def test_the_controlnet_says_what_it_said_of_the_control_image_at_half_its_size(family):
    large = doubled(family, pictures(side=64), 0)
    rng = torch.Generator().manual_seed(0)
    latents = torch.randn(2, CHANNELS, 8, 8, generator=rng)
    control = torch.rand(2, 1, 64, 64, generator=rng).expand(-1, 3, -1, -1)
    text, at = torch.zeros(2, 5, 192), torch.tensor([10, 900])
    with torch.no_grad():
        *_, was = family.controlnet(latents, at, text, halved(control), return_dict=False)
        *_, none = family.controlnet(latents, at, text, torch.zeros_like(halved(control)), return_dict=False)
        *_, now = large.controlnet(latents, at, text, control, return_dict=False)
    assert float((now - was).abs().max()) < 0.05 * float((was - none).abs().max())


def test_the_noise_levels_stay_those_that_it_learnt_under(family):
    own = DDIMScheduler.from_config(family.schedule.config, rescale_betas_zero_snr=False, beta_end=0.02)
    large = doubled(replace(family, schedule=own), pictures(side=64), 0)
    assert large.schedule.config == own.config


def test_it_is_saved_and_opened_like_any_family(family, tmp_path):
    save_family(doubled(family, pictures(side=64), 0), tmp_path)
    again = open_family(tmp_path)
    assert again.resolution == 64
    assert again.controlnet is not None
    control = torch.rand(1, 3, 64, 64)
    latents, text = torch.zeros(1, CHANNELS, 8, 8), torch.zeros(1, 5, 192)
    with torch.no_grad():
        shown, hidden = (
            again.controlnet(latents, torch.tensor([500]), text, c, return_dict=False)[1]
            for c in (control, torch.zeros_like(control))
        )
    assert not torch.equal(shown, hidden)


def test_only_a_linear_codec_can_be_doubled(family):
    with pytest.raises(UsageError, match="AutoencoderKL"):
        doubled(replace(family, vae=fresh_vae(4, 32)), pictures(side=64), 0)
