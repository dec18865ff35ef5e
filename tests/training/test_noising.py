"""The forward process and the weights of its errors, in closed form."""

from __future__ import annotations

import pytest
import torch
from diffusers import DDIMScheduler, FlowMatchEulerDiscreteScheduler

from handwright.diffusion.known_region import noised
from handwright.diffusion.loading.libraries import quiet
from handwright.diffusion.samplers import for_unet, open_sampler, predicted_original, scaled_input
from handwright.training.networks.family import flow_schedule
from handwright.training.noising import mixed_places, noise_levels, noise_to, prediction_of
from handwright.training.recipes.text_to_image import TextToImageParams

TIMESTEPS = torch.tensor([0, 10, 300, 700, 999])
PREDICTIONS = ("epsilon", "v_prediction", "sample", "flow")


def noise_schedule(prediction="v_prediction"):
    """SD's noise levels, from noise alone on unless the network says that noise; or those of a flow."""
    if prediction == "flow":
        return flow_schedule(128)
    return DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        timestep_spacing="trailing",
        rescale_betas_zero_snr=prediction != "epsilon",
        prediction_type=prediction,
    )


def clean_of(schedule, prediction, latents, timesteps):
    """x̂0 that predictions at these timesteps imply."""
    signal, spread = (level.view(-1, 1, 1, 1) for level in noise_levels(schedule, timesteps))
    return {
        "sample": lambda: prediction,
        "epsilon": lambda: (latents - spread * prediction) / signal,
        "v_prediction": lambda: signal * latents - spread * prediction,
        "flow": lambda: latents - spread * prediction,
    }[prediction_of(schedule)]()


def drawn(count=5):
    rng = torch.Generator().manual_seed(0)
    return (torch.randn(count, 2, 3, 3, generator=rng) for _ in range(2))


def named(schedule):
    return {**schedule.config, "_class_name": type(schedule).__name__}


@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_a_perfect_prediction_gives_the_clean_latents_back(prediction):
    schedule, (clean, noise) = noise_schedule(prediction), drawn()
    made = noise_to(schedule, clean, noise, TIMESTEPS)
    assert prediction_of(schedule) == prediction
    again = clean_of(schedule, made.target, made.latents, TIMESTEPS)
    assert torch.allclose(again, clean, atol=2e-5)
    assert torch.equal(made.weight, torch.ones(5))


@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_weighted_errors_weigh_the_capped_share_of_the_clean_latents_errors(prediction):
    schedule, (clean, noise) = noise_schedule(prediction), drawn()
    made = noise_to(schedule, clean, noise, TIMESTEPS, snr_gamma=5.0)
    wrong = made.target + 0.1
    apart = clean_of(schedule, wrong, made.latents, TIMESTEPS) - clean
    ours = made.weight * ((wrong - made.target) ** 2).mean((1, 2, 3))
    signal, spread = noise_levels(schedule, TIMESTEPS)
    wanted = (signal / spread) ** 2 if prediction == "epsilon" else spread**-2
    assert torch.allclose(ours, wanted.clamp(max=5.0) * (apart**2).mean((1, 2, 3)), rtol=5e-3)


def test_x0_weighs_as_v_does_and_plainly_where_nothing_is_capped():
    clean, noise = drawn()
    kinds = {name: noise_schedule(name) for name in ("sample", "v_prediction")}
    weights = {k: noise_to(s, clean, noise, TIMESTEPS, 5.0).weight for k, s in kinds.items()}
    spread = noise_levels(kinds["sample"], TIMESTEPS)[1]
    assert torch.allclose(weights["sample"], weights["v_prediction"] / spread**2, rtol=1e-5)
    assert torch.equal(noise_to(kinds["sample"], clean, noise, TIMESTEPS).weight, torch.ones(5))


def test_a_flow_leads_straight_from_picture_to_noise():
    schedule, (clean, noise) = noise_schedule("flow"), drawn(3)
    made = noise_to(schedule, clean, noise, torch.tensor([0, 499, 999]))
    assert torch.allclose(made.latents[1], (clean[1] + noise[1]) / 2)
    assert torch.allclose(made.latents[2], noise[2])
    assert torch.allclose(made.latents[0] + 0.999 * made.target[0], noise[0], atol=1e-6)
    assert made.timesteps.tolist() == pytest.approx([1, 500, 1000])


def test_training_and_sampling_of_a_flow_agree_on_levels_and_what_they_are_called():
    clean, noise = drawn(1)
    for shift in (1.0, 3.0):
        schedule = FlowMatchEulerDiscreteScheduler(shift=shift)
        sampler, first = for_unet(open_sampler("flow", named(schedule))), 2
        sampler.set_timesteps(4)
        sampler.set_begin_index(first)
        at = torch.tensor([499])  # σ = .5 before the shift
        made = noise_to(schedule, clean, noise, at)
        assert float(made.timesteps) == pytest.approx(float(sampler.timesteps[first]))
        assert torch.allclose(made.latents, sampler.scale_noise(clean, sampler.timesteps[[first]], noise))
        implied = predicted_original(sampler, made.target, made.latents, first)
        assert torch.allclose(implied, clean, atol=1e-5)


@pytest.mark.parametrize("name", ["ddim", "dpm++", "euler", "unipc"])
@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "sample"])
def test_a_network_that_knows_the_picture_samples_it_with_every_solver(name, prediction):
    schedule, (clean, noise) = noise_schedule(prediction), drawn(1)
    assert torch.allclose(_sampled(name, schedule, clean, noise), clean, atol=0.1)  # ᾱ ends at .999


def test_a_flow_that_knows_the_picture_samples_it():
    clean, noise = drawn(1)
    assert torch.allclose(_sampled("auto", noise_schedule("flow"), clean, noise), clean, atol=1e-5)


def _sampled(name, schedule, clean, noise):
    """Ten steps with a network that says what is true of ``clean``."""
    sampler = for_unet(open_sampler(name, named(schedule)))
    with quiet():
        return _stepped(sampler, schedule, clean, noise)


def _stepped(sampler, schedule, clean, noise):
    sampler.set_timesteps(10)
    latents = noise * getattr(sampler, "init_noise_sigma", 1.0)
    one, zero = torch.ones(1, 1, 1, 1), torch.zeros(1, 1, 1, 1)
    for step, timestep in enumerate(sampler.timesteps):
        scaled_input(sampler, latents, timestep)
        signal, spread = noised(sampler, one, zero, step), noised(sampler, zero, one, step)
        true_noise = (latents - signal * clean) / spread
        length = (signal**2 + spread**2).sqrt()
        said = {
            "epsilon": true_noise,
            "v_prediction": (signal * true_noise - spread * clean) / length,
            "sample": clean,
            "flow": true_noise - clean,
        }[prediction_of(schedule)]
        latents = sampler.step(said, timestep, latents).prev_sample
    return latents


def test_flows_of_larger_pictures_see_more_noise_by_the_root_of_the_pixels():
    def signal_to_noise(resolution):
        clean, noise = noise_levels(flow_schedule(resolution), torch.tensor([99, 499, 899]))
        return clean / noise

    torch.testing.assert_close(signal_to_noise(128), 2 * signal_to_noise(256))


def test_evenly_drawn_places_are_shifted_and_the_others_logit_normal():
    zeros = torch.zeros(4)
    even, choice = torch.tensor([0.0, 0.25, 0.5, 1.0]), torch.tensor([0.1, 0.1, 0.1, 0.7])
    places = mixed_places(zeros, even, choice, 0.6, 3.0)
    # a shift s moves e to s e / (1 + (s - 1) e); the last one is the sigmoid of its normal number
    assert places.tolist() == pytest.approx([0.0, 0.5, 0.75, 0.5])


def test_a_seventh_of_whole_pictures_lies_where_text_counts():
    params, generator = TextToImageParams(), torch.Generator().manual_seed(0)
    logits = torch.randn(100_000, generator=generator)
    even, choice = torch.rand(2, 100_000, generator=generator)
    places = mixed_places(logits, even, choice, params.even_share, params.composition_shift)
    _, noise = noise_levels(flow_schedule(256), (places * 1000).long().clamp(max=999))
    assert (noise > 0.95).float().mean() == pytest.approx(1 / 7, abs=0.02)
