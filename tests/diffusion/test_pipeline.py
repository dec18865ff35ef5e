"""The published mode against arithmetic of its own, and what must hold of every run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionControlNetPipeline

from handwright.diffusion import known_region, pipeline
from handwright.diffusion.known_region import KnownRegionBlend, latent_mask
from handwright.diffusion.latents import encode
from handwright.diffusion.loading.libraries import quiet
from handwright.diffusion.loading.zoo import DiffusionModels
from handwright.diffusion.pipeline import HandInpaintPipeline
from handwright.diffusion.samplers import open_sampler
from handwright.errors import UsageError

Paint = Callable[..., torch.Tensor]


def words(models: DiffusionModels, text: str) -> torch.Tensor:
    ids = models.tokenizer(text, padding="max_length", max_length=77, return_tensors="pt").input_ids
    return models.text_encoder(ids).last_hidden_state


@torch.no_grad()
def hand_refiner_by_hand(
    models: DiffusionModels, scene: dict[str, torch.Tensor], seed: int, weight: float, strength: float
) -> torch.Tensor:
    """Three DDIM steps of HandRefiner §3.1 to §3.3, written down from the paper."""
    generator = torch.Generator().manual_seed(seed)
    bar = torch.from_numpy(np.cumprod(1 - np.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2)).float()
    picture, mask, depth = scene["picture"], scene["mask"], scene["control"]
    vae, unet, controlnet = models.vae, models.unet, models.controlnet
    known, masked = (
        vae.encode(p).latent_dist.mean * vae.config.scaling_factor for p in (picture, picture * (1 - mask))
    )
    m = torch.nn.functional.max_pool2d(mask, 8)
    positive, negative = words(models, "a hand"), words(models, pipeline.NEGATIVE_PROMPT)

    def eps(x: torch.Tensor, t: int, text: torch.Tensor) -> torch.Tensor:
        down, middle = controlnet(x, t, text, depth, return_dict=False)
        return unet(
            torch.cat([x, m, masked], 1) if models.inpainting else x,
            t,
            text,
            down_block_additional_residuals=[strength * residual for residual in down],
            mid_block_additional_residual=strength * middle,
        ).sample

    x = torch.randn(known.shape, generator=generator)
    for t, previous in ((667, 334), (334, 1), (1, 0)):
        e = eps(x, t, negative) + weight * (eps(x, t, positive) - eps(x, t, negative))
        x0 = (x - (1 - bar[t]).sqrt() * e) / bar[t].sqrt()
        x = bar[previous].sqrt() * x0 + (1 - bar[previous]).sqrt() * e
        if t != 1:
            noise = torch.randn(known.shape, generator=generator)
            x = m * x + (1 - m) * (bar[previous].sqrt() * known + (1 - bar[previous]).sqrt() * noise)
    return vae.decode(x / vae.config.scaling_factor).sample.clamp(-1, 1)


@pytest.mark.parametrize("layout", ["sd9", "sd4"])
@pytest.mark.parametrize(("weight", "strength"), [(9.0, 0.55), (3.0, 1.3)])
def test_three_steps_of_ddim_equal_the_paper_written_down(
    layout: str, weight: float, strength: float, scene: dict, paint: Paint, request: pytest.FixtureRequest
) -> None:
    models = request.getfixturevalue(layout)
    made = paint(models, seed=11, guidance=weight, control_strength=strength)
    wanted = hand_refiner_by_hand(models, scene, 11, weight, strength)
    assert (wanted.abs() < 1).float().mean() > 0.9
    torch.testing.assert_close(made, wanted, atol=1e-5, rtol=0)


@pytest.mark.parametrize("sampler", ["ddim", "dpm++", "euler", "auto"])
def test_diffusers_own_pipeline_with_the_callback_gives_the_same_picture(
    sampler: str, sd4: DiffusionModels, scene: dict, paint: Paint
) -> None:
    wanted = paint(sd4, sampler, seed=4, steps=5)
    generator = torch.Generator().manual_seed(4)
    blend = KnownRegionBlend(encode(sd4.vae, scene["picture"]), latent_mask(scene["mask"], 8), generator)
    with quiet():
        plain = StableDiffusionControlNetPipeline(
            vae=sd4.vae,
            text_encoder=sd4.text_encoder,
            tokenizer=sd4.tokenizer,
            unet=sd4.unet,
            controlnet=sd4.controlnet,
            scheduler=open_sampler(sampler, sd4.scheduler_config),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
        plain.set_progress_bar_config(disable=True)
        made = plain(
            "a hand",
            image=scene["control"],
            num_inference_steps=5,
            guidance_scale=9.0,
            negative_prompt=pipeline.NEGATIVE_PROMPT,
            controlnet_conditioning_scale=0.55,
            generator=generator,
            output_type="pt",
            callback_on_step_end=blend,
        ).images
    torch.testing.assert_close(made * 2 - 1, wanted, atol=1e-5, rtol=0)


@pytest.fixture
def blends(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Grows by one with every blend of eq. 2."""
    calls: list[Any] = []
    blend = known_region.known_region_blend

    def counted(*tensors: torch.Tensor) -> torch.Tensor:
        calls.append(tensors)
        return blend(*tensors)

    monkeypatch.setattr(known_region, "known_region_blend", counted)
    return calls


@pytest.mark.parametrize("layout", ["sd9", "sd4"])
def test_every_step_but_the_last_blends_once(
    layout: str, paint: Paint, blends: list[Any], request: pytest.FixtureRequest
) -> None:
    paint(request.getfixturevalue(layout), steps=5)
    assert len(blends) == 4


def test_one_step_alone_never_blends(sd9: DiffusionModels, paint: Paint, blends: list[Any]) -> None:
    paint(sd9, steps=1)
    assert not blends


def test_the_picture_outside_steers_the_plain_layout_only_through_the_blend(
    sd4: DiffusionModels, scene: dict, paint: Paint
) -> None:
    other = scene["picture"].flip(-1)
    everywhere = torch.ones_like(scene["mask"])
    assert torch.equal(paint(sd4, mask=everywhere), paint(sd4, mask=everywhere, picture=other))
    assert not torch.equal(paint(sd4), paint(sd4, picture=other))


def test_strength_0_equals_no_controlnet_to_the_bit_and_runs_none(
    sd9: DiffusionModels, scene: dict, paint: Paint, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduler = open_sampler("ddim", sd9.scheduler_config)
    without = HandInpaintPipeline(sd9.vae, sd9.text_encoder, sd9.tokenizer, sd9.unet, scheduler)
    wanted = without(
        **scene, prompt="a hand", steps=3, control_strength=0.0, generator=torch.Generator().manual_seed(0)
    ).pictures
    monkeypatch.setattr(sd9.controlnet, "forward", None)
    assert torch.equal(paint(sd9, control_strength=0.0), wanted)


def test_strength_and_control_image_matter(sd9: DiffusionModels, scene: dict, paint: Paint) -> None:
    base = paint(sd9)
    assert not torch.equal(base, paint(sd9, control_strength=0.6))
    assert not torch.equal(base, paint(sd9, control=scene["control"].flip(-1)))


@pytest.mark.parametrize("sampler", ["ddim", "dpm++", "euler-a", "unipc", "auto"])
def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_picture(
    sampler: str, sd9: DiffusionModels, paint: Paint
) -> None:
    first = paint(sd9, sampler, seed=3)
    assert first.shape == (1, 3, 64, 64)
    assert first.dtype == torch.float32
    assert first.abs().max() <= 1
    assert torch.equal(first, paint(sd9, sampler, seed=3))
    assert not torch.equal(first, paint(sd9, sampler, seed=5))


def test_pure_noise_forgets_the_start(sd9: DiffusionModels, scene: dict, paint: Paint) -> None:
    start = torch.zeros_like(scene["picture"])
    assert torch.equal(paint(sd9, start=start), paint(sd9))
    assert not torch.equal(paint(sd9, start=start, start_level=0.99), paint(sd9, start_level=0.99))


def test_below_pure_noise_the_start_is_noised_to_the_first_step_that_is_run(
    sd9: DiffusionModels, scene: dict, paint: Paint
) -> None:
    start, told = scene["picture"].flip(-1), []
    paint(sd9, start=start, steps=20, start_level=0.3, on_step=lambda *now: told.append(now))
    bar = np.cumprod(1 - np.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2)[251]
    noise = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    _, timestep, noisy, _ = told[0]
    assert int(timestep) == 251
    torch.testing.assert_close(noisy, bar**0.5 * encode(sd9.vae, start) + (1 - bar) ** 0.5 * noise)


@pytest.mark.parametrize(("level", "runs"), [(1.0, 10), (0.5, 5), (0.26, 3), (0.01, 1)])
def test_the_start_level_is_the_share_of_the_steps_that_are_run(
    level: float, runs: int, sd9: DiffusionModels, paint: Paint
) -> None:
    told: list[int] = []
    paint(sd9, steps=10, start_level=level, on_step=lambda step, *_: told.append(step))
    assert told == list(range(runs))


@pytest.mark.parametrize("sampler", ["ddim", "dpm++", "euler"])
def test_on_step_tells_of_latents_at_their_noise_level_and_ends_in_the_picture(
    sampler: str, sd9: DiffusionModels, paint: Paint
) -> None:
    told: list[tuple] = []
    config = {**sd9.scheduler_config, "set_alpha_to_one": True}
    models = DiffusionModels(**{**vars(sd9), "scheduler_config": config})
    made = paint(models, sampler, steps=6, on_step=lambda *told_now: told.append(told_now))
    assert len(told) == 6
    assert [float(t) for _, t, _, _ in told] == sorted((float(t) for _, t, _, _ in told), reverse=True)
    assert abs(float(told[0][2].std()) - 1) < 0.15
    last = sd9.vae.decode(told[-1][3] / sd9.vae.config.scaling_factor).sample.clamp(-1, 1)
    torch.testing.assert_close(last, made, atol=1e-4, rtol=0)


def test_a_callback_at_the_end_of_a_step_sees_blended_latents_and_may_change_them(
    sd9: DiffusionModels, paint: Paint
) -> None:
    steps: list[int] = []

    def to_zero(pipe: Any, step: int, timestep: Any, tensors: dict) -> dict:
        steps.append(step)
        return {"latents": torch.zeros_like(tensors["latents"])} if step == 2 else {}

    made = paint(sd9, callback_on_step_end=to_zero)
    assert steps == [0, 1, 2]
    torch.testing.assert_close(made, sd9.vae.decode(torch.zeros(1, 4, 8, 8)).sample.clamp(-1, 1))


def test_bytes_do_not_depend_on_what_the_pipeline_did_before(
    sd9: DiffusionModels, scene: dict, paint: Paint
) -> None:
    pipe = HandInpaintPipeline.from_models(sd9, "dpm++")

    def once(**options: Any) -> torch.Tensor:
        return pipe(**scene, prompt="a hand", generator=torch.Generator().manual_seed(1), **options).pictures

    first = once(steps=4)
    once(steps=7, start_level=0.4)
    assert torch.equal(once(steps=4), first)


def test_a_step_writes_nothing_to_the_terminal(
    sd9: DiffusionModels, paint: Paint, capfd: pytest.CaptureFixture[str]
) -> None:
    paint(sd9, "auto")
    assert capfd.readouterr() == ("", "")


def test_one_strength_for_every_step_is_that_strength(sd9: DiffusionModels, paint: Paint) -> None:
    assert torch.equal(paint(sd9, control_strength=0.6), paint(sd9, control_strength=[0.6] * 3))


def test_a_schedule_gives_every_step_its_own_strength(
    sd9: DiffusionModels, paint: Paint, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[float] = []
    forward = sd9.controlnet.forward

    def noted(*args: Any, conditioning_scale: float, **options: Any) -> Any:
        given.append(conditioning_scale)
        return forward(*args, conditioning_scale=conditioning_scale, **options)

    monkeypatch.setattr(sd9.controlnet, "forward", noted)
    paint(sd9, control_strength=[1.0, 0.7, 0.2])
    assert given == [1.0, 0.7, 0.2]
    given.clear()
    paint(sd9, steps=4, control_strength=[1.0, 0.9, 0.5, 0.0], start_level=0.5)
    assert given == [0.5]


def test_a_schedule_of_another_length_than_the_steps_is_refused(sd9: DiffusionModels, paint: Paint) -> None:
    with pytest.raises(UsageError, match="2 control strengths for 3 steps"):
        paint(sd9, control_strength=[1.0, 0.5])
