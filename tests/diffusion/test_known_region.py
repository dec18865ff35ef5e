"""Equations 1 and 2 of HandRefiner §3.1, against closed forms that the schedulers do not share."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from handwright.diffusion.known_region import KnownRegionBlend, known_region_blend, latent_mask, noised
from handwright.diffusion.loading.libraries import quiet
from handwright.diffusion.samplers import for_unet, open_sampler, scaled_input, steps_left
from tests.diffusion.models import sd_scheduler

STEPS = 7
FLOW = {"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 3.0}
PIXELS = 256 * 256


def schedule_of(name: str, steps: int = STEPS, level: float = 1.0) -> tuple[Any, int]:
    config = FLOW if name == "flow" else {**sd_scheduler().config, "_class_name": "PNDMScheduler"}
    name, _, kind = name.partition(" of ")
    config = {**config, "prediction_type": "v_prediction"} if kind else config
    with quiet():
        scheduler = for_unet(open_sampler(name, config))
        scheduler.set_timesteps(steps)
    first = steps - steps_left(steps, level)
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(first)
    return scheduler, first


def pipeline_of(scheduler: Any, first: int = 0) -> Any:
    return SimpleNamespace(scheduler=scheduler, num_timesteps=len(scheduler.timesteps) - first)


def signal_and_noise(name: str, scheduler: Any, index: int) -> tuple[float, float]:
    """Mean and deviation that eq. 1 asks for, from SD 1.5's betas alone."""
    if name == "flow":
        straight = 1 - index / STEPS
        sigma = 3 * straight / (1 + 2 * straight)
        return 1 - sigma, sigma
    kept = np.cumprod(1 - np.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2)
    sigma = float(np.interp(float(scheduler.timesteps[index]), range(1000), np.sqrt((1 - kept) / kept)))
    bar = 1 / (1 + sigma**2)
    return bar**0.5, (1 - bar) ** 0.5


def after_each_step(scheduler: Any, blend: KnownRegionBlend, latents: torch.Tensor, first: int = 0) -> Any:
    """Yield the index of the upcoming step and the blended latents, after every step of a made-up network."""
    pipeline = pipeline_of(scheduler, first)
    for step, timestep in enumerate(scheduler.timesteps[first:]):
        seen = scaled_input(scheduler, latents, timestep)
        stepped = scheduler.step(torch.tanh(seen), timestep, latents).prev_sample
        changed = blend(pipeline, step, timestep, {"latents": stepped})
        latents = changed.get("latents", stepped)
        yield first + step + 1, stepped, latents, changed


@pytest.mark.parametrize("name", ["ddim", "dpm++", "euler", "flow"])
def test_the_known_region_has_the_mean_and_variance_of_equation_1_at_every_step(name: str) -> None:
    scheduler, _ = schedule_of(name)
    blend = KnownRegionBlend(
        torch.full((1, 1, 256, 256), 0.7), torch.zeros(1, 1, 256, 256), torch.Generator().manual_seed(3)
    )
    checked = 0
    for upcoming, _, latents, changed in after_each_step(scheduler, blend, torch.zeros(1, 1, 256, 256)):
        if not changed:
            continue
        seen = scaled_input(scheduler, latents, scheduler.timesteps[upcoming])
        signal, noise = signal_and_noise(name, scheduler, upcoming)
        assert abs(float(seen.mean()) - 0.7 * signal) < 5 * noise / PIXELS**0.5
        assert abs(float(seen.var()) - noise**2) < 5 * noise**2 * (2 / PIXELS) ** 0.5
        checked += 1
    assert checked == STEPS - 1


@pytest.mark.parametrize("name", ["ddim", "dpm++", "euler", "unipc", "flow"])
def test_outside_the_mask_is_the_picture_at_its_noise_level_and_inside_is_the_step_to_the_bit(
    name: str,
) -> None:
    scheduler, _ = schedule_of(name)
    known = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., 2:5, 3:7] = 1
    inside = mask.bool().expand_as(known)
    blend = KnownRegionBlend(known, mask, torch.Generator().manual_seed(5))
    draws = torch.Generator().manual_seed(5)
    for upcoming, stepped, latents, changed in after_each_step(scheduler, blend, torch.zeros_like(known)):
        assert torch.equal(latents[inside], stepped[inside])
        if not changed:
            continue
        noise = torch.randn(known.shape, generator=draws)
        signal, spread = signal_and_noise(name, scheduler, upcoming)
        seen = scaled_input(scheduler, latents, scheduler.timesteps[upcoming])
        wanted = signal * known + spread * noise
        torch.testing.assert_close(seen[~inside], wanted[~inside], atol=2e-6, rtol=2e-6)


@pytest.mark.parametrize("name", ["ddim", "euler", "flow"])
def test_the_last_step_is_unmasked(name: str) -> None:
    scheduler, _ = schedule_of(name)
    blend = KnownRegionBlend(torch.ones(1, 4, 8, 8), torch.zeros(1, 1, 8, 8), torch.Generator())
    changed = [bool(c) for _, _, _, c in after_each_step(scheduler, blend, torch.zeros(1, 4, 8, 8))]
    assert changed == [True] * (STEPS - 1) + [False]


@pytest.mark.parametrize(
    ("name", "level"),
    [
        *(
            (name, level)
            for name in ("ddim", "ddim of v", "dpm++", "euler", "unipc", "flow")
            for level in (1.0, 0.5)
        ),
        ("auto", 1.0),  # PNDM
    ],
)
def test_a_perfect_network_stays_on_the_path_that_the_known_region_is_put_on(name: str, level: float) -> None:
    """A network that always finds the true noise must leave latents exactly where eq. 1 puts known ones."""
    scheduler, first = schedule_of(name, steps=10, level=level)
    generator = torch.Generator().manual_seed(2)
    clean, noise = torch.randn(2, 1, 4, 8, 8, generator=generator)
    zero, one = torch.zeros_like(clean), torch.ones_like(clean)
    latents = noised(scheduler, clean, noise, first)
    timesteps = scheduler.timesteps[first:]
    for step, timestep in enumerate(timesteps[:-1]):
        scaled_input(scheduler, latents, timestep)
        if name == "flow":
            prediction = noise - clean
        elif scheduler.config.prediction_type == "v_prediction":
            signal, spread = (noised(scheduler, a, b, first + step) for a, b in ((one, zero), (zero, one)))
            prediction = signal * noise - spread * clean
        else:
            signal, spread = (noised(scheduler, a, b, first + step) for a, b in ((one, zero), (zero, one)))
            prediction = (latents - signal * clean) / spread
        latents = scheduler.step(prediction, timestep, latents).prev_sample
        torch.testing.assert_close(
            latents, noised(scheduler, clean, noise, first + step + 1), atol=1e-4, rtol=1e-4
        )
    assert len(timesteps) == round(10 * level) + (name == "auto")


def test_repeated_timesteps_do_not_mislead_the_noise_level() -> None:
    scheduler, _ = schedule_of("dpm++")
    scheduler.register_to_config(use_karras_sigmas=True)
    with quiet():
        scheduler.set_timesteps(60)
    assert len(set(scheduler.timesteps.tolist())) < 60
    known = torch.ones(1, 1, 4, 4)
    blend = KnownRegionBlend(known, torch.zeros(1, 1, 4, 4), torch.Generator().manual_seed(0))
    draws = torch.Generator().manual_seed(0)
    for upcoming, _, latents, changed in after_each_step(scheduler, blend, torch.zeros(1, 1, 4, 4)):
        if changed:
            sigma = float(scheduler.sigmas[upcoming])
            wanted = (1 + sigma * torch.randn(known.shape, generator=draws)) / (1 + sigma**2) ** 0.5
            torch.testing.assert_close(latents, wanted, atol=1e-5, rtol=1e-5)


def test_a_mask_of_ones_keeps_the_step_and_a_mask_of_zeros_keeps_the_known_region_to_the_bit() -> None:
    denoised, known = torch.randn(2, 1, 4, 8, 8)
    assert torch.equal(known_region_blend(denoised, known, torch.ones(1, 1, 8, 8)), denoised)
    assert torch.equal(known_region_blend(denoised, known, torch.zeros(1, 1, 8, 8)), known)


def test_one_pixel_inside_makes_its_latent_inside() -> None:
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., 17, 39] = 1
    small = latent_mask(mask, 8)
    assert small.shape == (1, 1, 8, 8)
    assert small.sum() == 1
    assert small[0, 0, 2, 4] == 1
