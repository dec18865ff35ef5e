"""A family at twice its resolution begins where it was."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler

from handwright.diffusion.latents import decode, encode, pixels_per_latent
from handwright.errors import UsageError
from handwright.training.doubling import FINE_CHANNELS, double_codec, doubled
from handwright.training.family import fresh_family, general_controlnet, open_family, save_family
from handwright.training.recipes.vae import fit_codec, fresh_vae
from handwright.training.tokenizer import learn_tokenizer
from tests.training.test_codec import as_tensor, pictures

CHANNELS = 12


def halved(x):
    return torch.nn.functional.avg_pool2d(x, 2)


@pytest.fixture(scope="module")
def family():
    codec = fit_codec(pictures(), CHANNELS, 0)
    made = fresh_family(learn_tokenizer(["a hand", "two hands"]), codec, 32)
    return replace(made, controlnet=general_controlnet(made.unet, 4))


def test_the_first_latents_are_those_of_half_the_size():
    codec, x = fit_codec(pictures(), CHANNELS, 0), as_tensor(pictures(side=64, seed=1))
    large = double_codec(codec, pictures(side=64), 0)
    with torch.no_grad():
        assert torch.allclose(encode(large, x)[:, :CHANNELS], encode(codec, halved(x)), atol=1e-4)
        lost = [float(((y - x) ** 2).mean()) for y in (decode(large, encode(large, x)), _enlarged(codec, x))]
    assert pixels_per_latent(large) == 8
    assert lost[0] < 0.5 * lost[1]


def _enlarged(codec, x):
    return torch.nn.functional.interpolate(decode(codec, encode(codec, halved(x))), scale_factor=2)


def test_new_latents_begin_no_larger_than_the_old_and_not_at_nothing():
    codec = double_codec(fit_codec(pictures(), CHANNELS, 0), pictures(side=64, count=40), 0)
    with torch.no_grad():
        spread = encode(codec, as_tensor(pictures(side=64, count=40, seed=2))).std((0, 2, 3))
    assert spread[CHANNELS:].max() < spread[0]
    assert spread[CHANNELS:].min() > 0.01


def test_the_unet_says_what_it_said_whatever_the_new_latents_are(family):
    large = doubled(family, pictures(side=64), 0)
    rng = torch.Generator().manual_seed(0)
    old = torch.randn(2, 2 * CHANNELS + 1, 8, 8, generator=rng)
    fine = torch.randn(2, FINE_CHANNELS, 8, 8, generator=rng)
    new = torch.cat([old[:, :CHANNELS], fine, old[:, CHANNELS : 2 * CHANNELS + 1], fine], 1)
    text, at = torch.zeros(2, 5, 192), torch.tensor([10, 900])
    with torch.no_grad():
        was, now = (unet(x, at, text).sample for unet, x in ((family.unet, old), (large.unet, new)))
    assert torch.allclose(now[:, :CHANNELS], was, atol=1e-5)
    assert not now[:, CHANNELS:].any()


def test_the_controlnet_says_what_it_said_of_the_control_image_at_half_its_size(family):
    large = doubled(family, pictures(side=64), 0)
    rng = torch.Generator().manual_seed(0)
    latents, fine = (torch.randn(2, n, 8, 8, generator=rng) for n in (CHANNELS, FINE_CHANNELS))
    control = torch.rand(2, 1, 64, 64, generator=rng).expand(-1, 3, -1, -1)
    text, at = torch.zeros(2, 5, 192), torch.tensor([10, 900])
    with torch.no_grad():
        *_, was = family.controlnet(latents, at, text, halved(control), return_dict=False)
        *_, none = family.controlnet(latents, at, text, torch.zeros_like(halved(control)), return_dict=False)
        *_, now = large.controlnet(torch.cat([latents, fine], 1), at, text, control, return_dict=False)
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
    latents, text = torch.zeros(1, CHANNELS + FINE_CHANNELS, 8, 8), torch.zeros(1, 5, 192)
    with torch.no_grad():
        shown, hidden = (
            again.controlnet(latents, torch.tensor([500]), text, c, return_dict=False)[1]
            for c in (control, torch.zeros_like(control))
        )
    assert not torch.equal(shown, hidden)


def test_only_a_linear_codec_can_be_doubled(family):
    with pytest.raises(UsageError, match="AutoencoderKL"):
        doubled(replace(family, vae=fresh_vae(4, 32)), pictures(side=64), 0)
