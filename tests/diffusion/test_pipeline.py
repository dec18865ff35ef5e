"""The published mode against arithmetic of its own, and what must hold of every run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionControlNetPipeline

from handwright.diffusion import known_region
from handwright.diffusion.guidance import NEGATIVE_PROMPT
from handwright.diffusion.known_region import KnownRegionBlend, latent_mask
from handwright.diffusion.latents import encode
from handwright.diffusion.loading.libraries import quiet
from handwright.diffusion.refiner_pipeline import HandRefinerPipeline
from handwright.diffusion.samplers import open_sampler
from handwright.errors import UsageError

Paint = Callable[..., torch.Tensor]


def words(pipe: HandRefinerPipeline, text: str) -> torch.Tensor:
    reads = pipe.pipe.tokenizer(text, padding="max_length", max_length=77, return_tensors="pt")
    return pipe.pipe.text_encoder(reads.input_ids).last_hidden_state


def config_of(pipe: HandRefinerPipeline) -> dict[str, Any]:
    scheduler = pipe.pipe.scheduler
    return {**scheduler.config, "_class_name": type(scheduler).__name__}


@torch.no_grad()
def hand_refiner_by_hand(
    pipe: HandRefinerPipeline, scene: dict[str, torch.Tensor], seed: int, weight: float, strength: float
) -> torch.Tensor:
    """Three DDIM steps of HandRefiner §3.1 to §3.3, written down from the paper."""
    generator = torch.Generator().manual_seed(seed)
    bar = torch.from_numpy(np.cumprod(1 - np.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2)).float()
    picture, mask, depth = 2 * scene["image"] - 1, scene["mask_image"], scene["control_image"]
    vae, unet, controlnet = pipe.pipe.vae, pipe.pipe.unet, pipe.pipe.controlnet
    inpainting = unet.config.in_channels == 9
    known = vae.encode(picture).latent_dist.mean * vae.config.scaling_factor
    m = torch.nn.functional.max_pool2d(mask, 8)
    seen = mask[..., ::8, ::8]  # diffusers shows the UNet the mask at every eighth pixel
    positive, negative = words(pipe, "a hand"), words(pipe, NEGATIVE_PROMPT)

    def eps(x: torch.Tensor, t: int, text: torch.Tensor) -> torch.Tensor:
        down, middle = controlnet(x, t, text, depth, return_dict=False)
        return unet(
            torch.cat([x, seen, masked], 1) if inpainting else x,
            t,
            text,
            down_block_additional_residuals=[strength * residual for residual in down],
            mid_block_additional_residual=strength * middle,
        ).sample

    if not inpainting:  # diffusers draws these latents for a blend of its own, which has no work here
        vae.encode(picture).latent_dist.sample(generator)
    x = torch.randn(known.shape, generator=generator)
    masked = vae.encode(picture * (1 - mask)).latent_dist.sample(generator) * vae.config.scaling_factor
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
    pipe = request.getfixturevalue(layout)
    made = paint(pipe, seed=11, guidance_scale=weight, controlnet_conditioning_scale=strength)
    wanted = hand_refiner_by_hand(pipe, scene, 11, weight, strength)
    assert (wanted.abs() < 1).float().mean() > 0.9
    torch.testing.assert_close(made, wanted, atol=2e-5, rtol=0)  # branches in one batch, and apart


@pytest.mark.parametrize("sampler", ["ddim", "dpm++", "euler", "auto"])
def test_diffusers_own_pipeline_with_the_callback_gives_the_same_picture(
    sampler: str, sd4: HandRefinerPipeline, scene: dict, paint: Paint
) -> None:
    wanted = paint(sd4, sampler, seed=4, num_inference_steps=5)
    generator = torch.Generator().manual_seed(4)
    picture, vae = 2 * scene["image"] - 1, sd4.pipe.vae
    with torch.no_grad():
        known = encode(vae, picture)
        vae.encode(picture).latent_dist.sample(generator)  # inpainting draws these and the masked picture's
        noise = torch.randn(known.shape, generator=generator)
        vae.encode(picture).latent_dist.sample(generator)
    blend = KnownRegionBlend(known, latent_mask(scene["mask_image"], 8), generator)
    with quiet():
        plain = StableDiffusionControlNetPipeline(
            vae=sd4.pipe.vae,
            text_encoder=sd4.pipe.text_encoder,
            tokenizer=sd4.pipe.tokenizer,
            unet=sd4.pipe.unet,
            controlnet=sd4.pipe.controlnet,
            scheduler=open_sampler(sampler, config_of(sd4)),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
        plain.set_progress_bar_config(disable=True)
        made = plain(
            "a hand",
            image=scene["control_image"],
            num_inference_steps=5,
            guidance_scale=9.0,
            negative_prompt=NEGATIVE_PROMPT,
            controlnet_conditioning_scale=0.55,
            generator=generator,
            latents=noise,
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
    paint(request.getfixturevalue(layout), num_inference_steps=5)
    assert len(blends) == 4


def test_one_step_alone_never_blends(sd9: HandRefinerPipeline, paint: Paint, blends: list[Any]) -> None:
    paint(sd9, num_inference_steps=1)
    assert not blends


def test_the_picture_outside_steers_the_plain_layout_only_through_the_blend(
    sd4: HandRefinerPipeline, scene: dict, paint: Paint
) -> None:
    other = scene["image"].flip(-1)
    everywhere = torch.ones_like(scene["mask_image"])
    assert torch.equal(paint(sd4, mask_image=everywhere), paint(sd4, mask_image=everywhere, image=other))
    assert not torch.equal(paint(sd4), paint(sd4, image=other))


def test_at_strength_0_the_control_image_does_not_matter(
    sd9: HandRefinerPipeline, scene: dict, paint: Paint
) -> None:
    other = scene["control_image"].flip(-1)
    free = paint(sd9, controlnet_conditioning_scale=0.0)
    assert torch.equal(free, paint(sd9, controlnet_conditioning_scale=0.0, control_image=other))


def test_strength_and_control_image_matter(sd9: HandRefinerPipeline, scene: dict, paint: Paint) -> None:
    base = paint(sd9)
    assert not torch.equal(base, paint(sd9, controlnet_conditioning_scale=0.6))
    assert not torch.equal(base, paint(sd9, control_image=scene["control_image"].flip(-1)))


@pytest.mark.parametrize("sampler", ["ddim", "dpm++", "euler-a", "unipc", "auto"])
def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_picture(
    sampler: str, sd9: HandRefinerPipeline, paint: Paint
) -> None:
    first = paint(sd9, sampler, seed=3)
    assert first.shape == (1, 3, 64, 64)
    assert first.dtype == torch.float32
    assert first.abs().max() <= 1
    assert torch.equal(first, paint(sd9, sampler, seed=3))
    assert not torch.equal(first, paint(sd9, sampler, seed=5))


def test_pure_noise_forgets_the_start(sd9: HandRefinerPipeline, scene: dict, paint: Paint) -> None:
    start = torch.zeros_like(scene["image"])
    assert torch.equal(paint(sd9, start_image=start), paint(sd9))
    assert not torch.equal(paint(sd9, start_image=start, strength=0.7), paint(sd9, strength=0.7))


def test_below_pure_noise_the_start_inside_the_mask_is_noised_to_the_first_step_that_is_run(
    sd9: HandRefinerPipeline, scene: dict, paint: Paint
) -> None:
    start, told = scene["image"].flip(-1), []
    paint(sd9, start_image=start, num_inference_steps=20, strength=0.3, on_step=lambda *now: told.append(now))
    bar = np.cumprod(1 - np.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2)[251]
    draws, vae = torch.Generator().manual_seed(0), sd9.pipe.vae
    begun = 2 * torch.where(scene["mask_image"] > 0.5, start, scene["image"]) - 1
    with torch.no_grad():
        clean = vae.encode(begun).latent_dist.sample(draws) * vae.config.scaling_factor
    _, timestep, noisy, _ = told[0]
    assert int(timestep) == 251
    noise = torch.randn(1, 4, 8, 8, generator=draws)
    torch.testing.assert_close(noisy, bar**0.5 * clean + (1 - bar) ** 0.5 * noise)


@pytest.mark.parametrize(("level", "runs"), [(1.0, 10), (0.5, 5), (0.26, 3), (0.01, 1)])
def test_the_start_level_is_the_share_of_the_steps_that_are_run(
    level: float, runs: int, sd9: HandRefinerPipeline, paint: Paint
) -> None:
    told: list[int] = []
    paint(sd9, num_inference_steps=10, strength=level, on_step=lambda step, *_: told.append(step))
    assert told == list(range(runs))


@pytest.mark.parametrize("sampler", ["ddim", "dpm++", "euler"])
def test_on_step_tells_of_latents_at_their_noise_level_and_ends_in_the_picture(
    sampler: str, sd9: HandRefinerPipeline, paint: Paint
) -> None:
    told: list[tuple] = []
    own = sd9.pipe.scheduler
    sd9.pipe.scheduler = type(own).from_config(own.config, set_alpha_to_one=True)
    made = paint(sd9, sampler, num_inference_steps=6, on_step=lambda *told_now: told.append(told_now))
    sd9.pipe.scheduler = own
    assert len(told) == 6
    assert [float(t) for _, t, _, _ in told] == sorted((float(t) for _, t, _, _ in told), reverse=True)
    assert abs(float(told[0][2].std()) - 1) < 0.15
    last = sd9.pipe.vae.decode(told[-1][3] / sd9.pipe.vae.config.scaling_factor).sample.clamp(-1, 1)
    torch.testing.assert_close(last, made, atol=1e-4, rtol=0)


def test_a_callback_at_the_end_of_a_step_sees_blended_latents_and_may_change_them(
    sd9: HandRefinerPipeline, paint: Paint
) -> None:
    steps: list[int] = []

    def to_zero(pipe: Any, step: int, timestep: Any, tensors: dict) -> dict:
        steps.append(step)
        return {"latents": torch.zeros_like(tensors["latents"])} if step == 2 else {}

    made = paint(sd9, callback_on_step_end=to_zero)
    assert steps == [0, 1, 2]
    torch.testing.assert_close(made, sd9.pipe.vae.decode(torch.zeros(1, 4, 8, 8)).sample.clamp(-1, 1))


def test_bytes_do_not_depend_on_what_the_pipeline_did_before(sd9: HandRefinerPipeline, paint: Paint) -> None:
    first = paint(sd9, "dpm++", seed=1, num_inference_steps=4)
    paint(sd9, "dpm++", num_inference_steps=7, strength=0.4)
    assert torch.equal(paint(sd9, "dpm++", seed=1, num_inference_steps=4), first)


def test_a_step_writes_nothing_to_the_terminal(
    sd9: HandRefinerPipeline, paint: Paint, capfd: pytest.CaptureFixture[str]
) -> None:
    paint(sd9, "auto")
    assert capfd.readouterr() == ("", "")


def test_one_strength_for_every_step_is_that_strength(sd9: HandRefinerPipeline, paint: Paint) -> None:
    assert torch.equal(
        paint(sd9, controlnet_conditioning_scale=0.6), paint(sd9, controlnet_conditioning_scale=[0.6] * 3)
    )


def test_a_schedule_gives_every_step_its_own_strength(
    sd9: HandRefinerPipeline, paint: Paint, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[float] = []
    forward = sd9.pipe.controlnet.forward

    def noted(*args: Any, conditioning_scale: float, **options: Any) -> Any:
        given.append(conditioning_scale)
        return forward(*args, conditioning_scale=conditioning_scale, **options)

    monkeypatch.setattr(sd9.pipe.controlnet, "forward", noted)
    paint(sd9, controlnet_conditioning_scale=[1.0, 0.7, 0.2])
    assert given == [1.0, 0.7, 0.2]
    given.clear()
    paint(sd9, num_inference_steps=4, controlnet_conditioning_scale=[1.0, 0.9, 0.5, 0.0], strength=0.5)
    assert given == [0.5, 0.0]


def test_a_schedule_of_another_length_is_refused(sd9: HandRefinerPipeline, paint: Paint) -> None:
    with pytest.raises(UsageError, match="2 control strengths for 3 steps"):
        paint(sd9, controlnet_conditioning_scale=[1.0, 0.5])
