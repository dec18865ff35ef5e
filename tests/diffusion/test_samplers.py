from __future__ import annotations

import pytest
import torch

from handwright.diffusion.loading.libraries import quiet
from handwright.diffusion.request import check_schedule
from handwright.diffusion.samplers import SAMPLERS, for_unet, open_sampler, predicted_original
from handwright.errors import DiffusionError, UsageError
from tests.diffusion.models import sd_scheduler

FLOW = {"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 1.0}


def sd_config(**settings: object) -> dict:
    return {**sd_scheduler().config, "_class_name": "PNDMScheduler", **settings}


@pytest.mark.parametrize("name", ["ddim", "dpm++", "euler", "euler-a", "unipc"])
def test_every_sampler_keeps_the_models_noise_schedule(name: str) -> None:
    scheduler = open_sampler(name, sd_config())
    assert type(scheduler).__name__ == SAMPLERS[name][0]
    assert scheduler.config.beta_schedule == "scaled_linear"
    assert scheduler.config.steps_offset == 1
    torch.testing.assert_close(scheduler.alphas_cumprod, sd_scheduler().alphas_cumprod)


def test_auto_is_the_models_own_scheduler() -> None:
    assert type(open_sampler("auto", sd_config())).__name__ == "PNDMScheduler"
    assert type(open_sampler("auto", FLOW)).__name__ == "FlowMatchEulerDiscreteScheduler"


def test_ddim_at_50_steps_is_the_published_schedule() -> None:
    scheduler = open_sampler("ddim", sd_config())
    scheduler.set_timesteps(50)
    assert scheduler.timesteps.tolist() == list(range(981, 0, -20))
    assert scheduler.final_alpha_cumprod == scheduler.alphas_cumprod[0]
    assert not scheduler.config.clip_sample


def test_a_flow_schedule_leaves_work_for_the_last_step() -> None:
    scheduler = for_unet(open_sampler("flow", FLOW))
    scheduler.set_timesteps(4)
    torch.testing.assert_close(scheduler.sigmas, torch.tensor([1.0, 0.75, 0.5, 0.25, 0.0]))


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction", "sample", "flow"])
@pytest.mark.parametrize("name", ["ddim", "euler", "dpm++"])
def test_the_true_answer_predicts_the_true_picture(kind: str, name: str) -> None:
    config = FLOW if kind == "flow" else sd_config(prediction_type=kind)
    scheduler = open_sampler("flow" if kind == "flow" else name, config)
    with quiet():
        scheduler.set_timesteps(5)
    clean, noise = torch.randn(2, 1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    if kind == "flow":
        sigma = float(scheduler.sigmas[0])
        noisy, answer = (1 - sigma) * clean + sigma * noise, noise - clean
    else:
        bar = float(scheduler.alphas_cumprod[int(scheduler.timesteps[0])])
        noisy = bar**0.5 * clean + (1 - bar) ** 0.5 * noise
        velocity = bar**0.5 * noise - (1 - bar) ** 0.5 * clean
        answer = {"epsilon": noise, "v_prediction": velocity, "sample": clean}[kind]
        if name == "euler":
            noisy = noisy / bar**0.5
    found = predicted_original(scheduler, answer, noisy, 0)
    torch.testing.assert_close(found, clean, atol=2e-4, rtol=1e-4)


@pytest.mark.parametrize("name", ["ddim", "euler"])
def test_the_predicted_picture_is_the_one_that_the_scheduler_itself_predicts(name: str) -> None:
    scheduler = open_sampler(name, sd_config(prediction_type="v_prediction"))
    with quiet():
        scheduler.set_timesteps(5)
        noisy, answer = torch.randn(2, 1, 4, 8, 8)
        if name == "euler":
            scheduler.scale_model_input(noisy, scheduler.timesteps[0])
        found = predicted_original(scheduler, answer, noisy, 0)
        own = scheduler.step(answer, scheduler.timesteps[0], noisy).pred_original_sample
    torch.testing.assert_close(found, own, atol=1e-5, rtol=1e-5)


def test_an_unknown_sampler_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(UsageError, match=r"no sampler 'plms'.*auto, ddim, dpm\+\+") as refused:
        open_sampler("plms", sd_config())
    assert refused.value.exit_code == 2


@pytest.mark.parametrize(("name", "config"), [("flow", sd_config()), ("ddim", FLOW)])
def test_a_sampler_for_another_kind_of_model_is_refused(name: str, config: dict) -> None:
    with pytest.raises(UsageError, match="does not go with this model"):
        open_sampler(name, config)


@pytest.mark.parametrize("own", ["NoSuchScheduler", "os", ""])
def test_a_model_with_an_unknown_scheduler_is_refused(own: str) -> None:
    with pytest.raises(DiffusionError, match="scheduler"):
        open_sampler("auto", {"_class_name": own})


def test_more_steps_than_the_schedule_has_and_a_start_midway_under_pndm_are_refused() -> None:
    with pytest.raises(UsageError, match="give 1 to 1000 steps"):
        check_schedule(open_sampler("ddim", sd_config()), 1001, 1.0)
    check_schedule(sd_scheduler(), 50, 1.0)
    with pytest.raises(UsageError, match=r"PNDM.*cannot begin midway"):
        check_schedule(sd_scheduler(), 50, 0.5)


def test_a_flow_schedule_for_unets_stays_one_under_every_name() -> None:
    own = for_unet(open_sampler("auto", FLOW))
    config = {**own.config, "_class_name": type(own).__name__}
    for name in ("auto", "flow"):
        again = open_sampler(name, config)
        assert type(again) is type(own)
        assert again.init_noise_sigma == 1
        assert torch.equal(again.scale_model_input(torch.ones(1)), torch.ones(1))
