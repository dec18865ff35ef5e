"""T2H: velocity of the right shape, masked texts, a pipeline that saves, loads and repeats itself."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers.schedulers.scheduling_flow_match_euler_discrete import FlowMatchEulerDiscreteScheduler

from handwright.body import excess_of
from handwright.body.limits import within_limits
from handwright.errors import UsageError
from handwright.handiffuser.objective import TextToHandLoss
from handwright.handiffuser.text_to_hand import TextToHandModel
from handwright.handiffuser.text_to_hand_pipeline import TextToHandPipeline
from handwright.handiffuser.tokens import TOKENS, USED, WIDTH, decode
from handwright.training.networks.family import fresh_text_encoder
from handwright.training.networks.tokenizer import learn_tokenizer


def small_pipeline() -> TextToHandPipeline:
    """Random weights."""
    torch.manual_seed(0)
    tokenizer = learn_tokenizer(["the right hand making a peace sign", "a left hand"], 600, 32)
    denoiser = TextToHandModel(channels=32, heads=2, layers=2, text_width=32)
    torch.nn.init.normal_(denoiser.write.weight, 0, 0.05)
    schedule = FlowMatchEulerDiscreteScheduler()
    return TextToHandPipeline(fresh_text_encoder(tokenizer, 32, 1), tokenizer, denoiser, schedule)


def test_what_a_mask_hides_does_not_matter() -> None:
    """Padding of a batch changes no sample."""
    denoiser = small_pipeline().denoiser
    sample, text = torch.randn(1, len(TOKENS), WIDTH), torch.randn(1, 5, 32)
    padded = torch.cat([text, 9 * torch.ones(1, 3, 32)], 1)
    mask = torch.arange(8)[None] < 5
    with torch.no_grad():
        alone = denoiser(sample, torch.tensor([300.0]), text)
        beside = denoiser(sample, torch.tensor([300.0]), padded, mask)
    torch.testing.assert_close(alone, beside, atol=1e-5, rtol=1e-5)


def test_samples_of_one_text_share_it() -> None:
    """As if each of them had a copy of its text."""
    denoiser = small_pipeline().denoiser
    sample, text = torch.randn(6, len(TOKENS), WIDTH), torch.randn(2, 5, 32)
    mask, times = torch.arange(5)[None] < torch.tensor([[5], [3]]), torch.linspace(10, 900, 6)
    with torch.no_grad():
        shared = denoiser(sample, times, text, mask)
        copied = denoiser(sample, times, text.repeat_interleave(3, 0), mask.repeat_interleave(3, 0))
        exchanged = denoiser(sample, times, text.flip(0), mask.flip(0))
    torch.testing.assert_close(shared, copied, atol=1e-5, rtol=1e-5)
    assert float((shared - exchanged).abs().max()) > 1e-3


def test_the_loss_of_a_denoiser_that_says_nothing_is_the_velocity_s_own_size() -> None:
    """Closed form: with velocity 0 the loss is the mean of (ε − x)² over the numbers that are used."""
    pipeline = small_pipeline()
    torch.nn.init.zeros_(pipeline.denoiser.write.weight)
    loss = TextToHandLoss(pipeline.text_encoder, pipeline.denoiser)
    tokens, noise = torch.randn(2, len(TOKENS), WIDTH), torch.randn(2, 3, len(TOKENS), WIDTH)
    batch = {
        "tokens": tokens,
        "ids": torch.zeros(2, 4, dtype=torch.long),
        "mask": torch.ones(2, 4, dtype=torch.bool),
        "times": torch.rand(2, 3),
        "noise": noise,
    }
    used = torch.from_numpy(USED).bool().expand(2, 3, -1, -1)
    expected = (noise - tokens[:, None])[used].square().mean()
    torch.testing.assert_close(loss(batch), expected)


def test_people_are_within_limits_and_the_same_for_the_same_seed(tmp_path: Path) -> None:
    """Saved, loaded and drawn again, too."""
    pipeline = small_pipeline()
    pipeline.save_pretrained(tmp_path)
    again = TextToHandPipeline.from_pretrained(str(tmp_path))
    drawn = [
        one(
            ["a left hand", "the right hand making a peace sign"],
            num_samples_per_prompt=2,
            num_inference_steps=3,
            generator=torch.Generator().manual_seed(5),
            size_px=(320, 256),
        )
        for one in (pipeline, again)
    ]
    assert len(drawn[0].parameters) == len(drawn[0].beyond_limits) == 4
    for first, second in zip(drawn[0].parameters, drawn[1].parameters, strict=True):
        np.testing.assert_allclose(first.body_pose, second.body_pose, atol=1e-5)
        assert first.size_px == (320, 256)
        assert not excess_of(first).beyond(1e-4)


def test_guidance_leads_away_from_the_empty_text_for_every_sample_of_every_text() -> None:
    """As each prompt would be drawn by itself, without sharing, step by step."""
    pipeline, prompts = small_pipeline(), ["a left hand", "the right hand making a peace sign"]
    given = {"num_inference_steps": 2, "guidance_scale": 3.0, "size_px": (256, 256)}
    drawn = pipeline(
        prompts, num_samples_per_prompt=2, generator=torch.Generator().manual_seed(3), **given
    ).parameters
    denoiser, levels = pipeline.denoiser, pipeline.scheduler.sigmas  # those of the two steps, and 0
    noise = torch.randn(4, len(TOKENS), WIDTH, generator=torch.Generator().manual_seed(3))
    for k, person in enumerate(drawn):
        sample = noise[k : k + 1]
        with torch.no_grad():
            (text, mask), (none, no_mask) = (pipeline._encode([words]) for words in (prompts[k // 2], ""))
            for t, onward in pairwise(levels):
                time = 1000 * t[None]
                with_text = denoiser(sample, time, text, mask)
                without = denoiser(sample, time, none, no_mask)
                sample = sample + (onward - t) * (without + 3.0 * (with_text - without))
        alone = within_limits(decode(denoiser.restored(sample)[0].double().numpy(), (256, 256)))
        np.testing.assert_allclose(person.body_pose, alone.body_pose, atol=1e-4)
        np.testing.assert_allclose(person.betas, alone.betas, atol=1e-4)


@pytest.mark.parametrize("wrong", [{"prompt": []}, {"num_samples_per_prompt": 0}, {"num_inference_steps": 0}])
def test_nothing_to_draw_is_refused(wrong: dict[str, Any]) -> None:
    """One line."""
    with pytest.raises(UsageError, match="nothing to draw"):
        small_pipeline()(**{"prompt": "a hand", **wrong})
