from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from handwright.diffusion.guidance import NEGATIVE_PROMPT, guided, negative_prompt
from handwright.diffusion.refiner_pipeline import HandRefinerPipeline
from handwright.diffusion.step_hooks import step_hooks
from handwright.errors import UsageError


def test_weight_1_is_the_conditional_branch_and_weight_0_the_unconditional() -> None:
    conditional, unconditional = torch.randn(2, 1, 4, 8, 8)
    torch.testing.assert_close(guided(conditional, unconditional, 1.0), conditional)
    assert torch.equal(guided(conditional, unconditional, 0.0), unconditional)


def test_weight_9_goes_eight_differences_past_the_conditional_branch() -> None:
    conditional, unconditional = torch.randn(2, 1, 4, 8, 8)
    wanted = conditional + 8 * (conditional - unconditional)
    torch.testing.assert_close(guided(conditional, unconditional, 9.0), wanted, atol=1e-5, rtol=1e-5)


def test_words_against_synthetic_texture_always_come_first() -> None:
    assert negative_prompt() == negative_prompt("  ") == NEGATIVE_PROMPT
    assert NEGATIVE_PROMPT.startswith("fake 3D rendered image, ")
    assert negative_prompt("gloves") == "fake 3D rendered image, gloves"


def test_at_weight_1_the_pipeline_runs_no_unconditional_branch(
    sd9: HandRefinerPipeline, paint: Callable[..., torch.Tensor], monkeypatch
) -> None:
    batches = []
    forward = sd9.pipe.unet.forward

    def watched(sample: torch.Tensor, *args: object, **options: object) -> object:
        batches.append(len(sample))
        return forward(sample, *args, **options)

    monkeypatch.setattr(sd9.pipe.unet, "forward", watched)
    first = paint(sd9, guidance_scale=1.0, negative_prompt="a glove")
    assert batches == [1, 1, 1]
    assert torch.equal(first, paint(sd9, guidance_scale=1.0, negative_prompt="a ring"))


def test_near_weight_1_both_branches_give_the_conditional_one(
    sd9: HandRefinerPipeline, paint: Callable[..., torch.Tensor]
) -> None:
    torch.testing.assert_close(
        paint(sd9, guidance_scale=1.0 + 1e-7), paint(sd9, guidance_scale=1.0), atol=1e-5, rtol=0
    )


def test_the_negative_prompt_matters_above_weight_1(
    sd9: HandRefinerPipeline, paint: Callable[..., torch.Tensor]
) -> None:
    assert not torch.equal(paint(sd9, negative_prompt="a glove"), paint(sd9, negative_prompt="a ring"))


def test_guidance_on_control_goes_as_much_farther_from_the_prediction_without_control(
    sd9: HandRefinerPipeline, scene: dict[str, torch.Tensor]
) -> None:
    unet, controlnet = sd9.pipe.unet, sd9.pipe.controlnet
    latents = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    whole, text = torch.cat([latents, torch.zeros(1, 5, 8, 8)], 1), torch.randn(1, 77, 32)

    @torch.no_grad()
    def predicted(strength: float, weight: float) -> torch.Tensor:
        down, middle = controlnet(
            latents, 500, text, scene["control_image"], conditioning_scale=strength, return_dict=False
        )
        with step_hooks(sd9.pipe, None, weight, None):
            return unet(
                whole, 500, text, down_block_additional_residuals=down, mid_block_additional_residual=middle
            ).sample

    bare, steered = predicted(0.0, 1.0), predicted(0.8, 1.0)
    assert not torch.allclose(bare, steered)
    torch.testing.assert_close(predicted(0.8, 1.5), bare + 1.5 * (steered - bare))
    assert torch.equal(predicted(0.0, 1.5), bare)


def test_guidance_on_control_must_be_a_number_from_0_up(
    sd9: HandRefinerPipeline, paint: Callable[..., torch.Tensor]
) -> None:
    with pytest.raises(UsageError, match="control guidance"):
        paint(sd9, control_guidance=-1.0)
