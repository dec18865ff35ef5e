"""Equation 4 and the forward process, in closed form."""

from __future__ import annotations

import pytest
import torch

from handwright.handrefiner.objective import masked_loss
from handwright.training.noising import noise_to
from tests.training.test_noising import noise_schedule


def test_errors_outside_the_mask_do_not_count():
    target, mask = torch.zeros(2, 3, 4, 4), torch.zeros(2, 1, 4, 4)
    mask[:, :, :2] = 1
    wrong = torch.where(mask.bool(), 0.5, 100.0).expand(-1, 3, -1, -1)
    assert float(masked_loss(wrong, target, mask)) == pytest.approx(0.25)


def test_the_size_of_the_mask_does_not_weigh_a_sample():
    target, mask = torch.zeros(2, 1, 4, 4), torch.zeros(2, 1, 4, 4)
    mask[0, :, :1, :1], mask[1] = 1, 1
    prediction = torch.stack([torch.full((1, 4, 4), 1.0), torch.full((1, 4, 4), 3.0)])
    assert float(masked_loss(prediction, target, mask)) == pytest.approx((1 + 9) / 2)


def test_weights_scale_each_sample():
    target, mask = torch.zeros(2, 1, 2, 2), torch.ones(2, 1, 2, 2)
    prediction = torch.ones(2, 1, 2, 2)
    assert float(masked_loss(prediction, target, mask, torch.tensor([0.0, 4.0]))) == pytest.approx(2.0)


def test_latents_and_velocity_give_the_clean_latents_back():
    schedule, clean, noise = noise_schedule(), torch.randn(5, 2, 3, 3), torch.randn(5, 2, 3, 3)
    timesteps = torch.tensor([0, 10, 300, 700, 999])
    noised = noise_to(schedule, clean, noise, timesteps)
    share = schedule.alphas_cumprod[timesteps].view(-1, 1, 1, 1)
    again = share.sqrt() * noised.latents - (1 - share).sqrt() * noised.target
    assert torch.allclose(again, clean, atol=1e-5)
    assert torch.equal(noised.weight, torch.ones(5))


def test_the_noisiest_level_tells_nothing_of_the_picture():
    schedule, last = noise_schedule(), torch.tensor([999])
    bright, dark, noise = (
        torch.full((1, 1, 2, 2), 9.0),
        torch.full((1, 1, 2, 2), -9.0),
        torch.randn(1, 1, 2, 2),
    )
    one, other = (noise_to(schedule, clean, noise, last).latents for clean in (bright, dark))
    assert torch.allclose(one, other, atol=1e-3)


def test_min_snr_caps_what_an_error_of_the_clean_latents_weighs():
    schedule, timesteps = noise_schedule(), torch.arange(0, 1000, 50)
    flat = torch.zeros(len(timesteps), 1, 1, 1)
    weight = noise_to(schedule, flat, flat, timesteps, snr_gamma=5.0).weight
    share = schedule.alphas_cumprod[timesteps]
    snr = share / (1 - share)
    of_clean = weight * (snr + 1)  # an error of v is √(SNR + 1) times the one of x0
    assert torch.allclose(of_clean, (snr + 1).clamp(max=5.0), rtol=1e-4)
    assert float(weight[-1]) == 1.0
