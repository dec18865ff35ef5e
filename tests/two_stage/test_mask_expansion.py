"""The blends of §III-D against closed forms: their masks, their noise levels, their free steps."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from handwright.diffusion.samplers import scaled_input
from handwright.two_stage.mask_expansion import (
    MASKS,
    WIDEST,
    HandBlend,
    box_mask,
    expanded_mask,
    published_mask,
)
from tests.diffusion.test_known_region import STEPS, after_each_step, schedule_of, signal_and_noise


def _l_shape() -> torch.Tensor:
    mask = torch.zeros(1, 1, 32, 32)
    mask[..., 10:20, 12] = 1
    mask[..., 19, 12:16] = 1
    return mask


def test_as_printed_the_mask_shrinks_by_a_latent_a_step_to_the_hands_own() -> None:
    mask = _l_shape()
    rows, columns = np.nonzero(mask[0, 0].numpy())
    y, x = np.mgrid[:32, :32]
    apart = np.maximum(abs(y[..., None] - rows), abs(x[..., None] - columns)).min(-1)
    for step in range(5):
        assert np.array_equal(published_mask(mask, step, 5)[0, 0].numpy(), apart <= 4 - step)
    assert torch.equal(published_mask(mask, 4, 5), mask)


@pytest.mark.parametrize("steps", [1, 3, 5, 10, 48])
def test_expansion_shrinks_to_the_hands_own_and_is_never_wider_than_a_share_of_the_picture(steps) -> None:
    mask = _l_shape()
    seen = [expanded_mask(mask, step, steps) for step in range(steps)]
    assert torch.equal(seen[-1], mask)
    assert all(bool((before >= after).all()) for before, after in pairwise(seen))
    widest = round(WIDEST * 32)
    assert torch.equal(seen[0], published_mask(mask, max(steps - 1 - widest, 0), steps))


def test_the_box_is_the_smallest_around_the_hand_and_empty_without_one() -> None:
    wanted = torch.zeros(1, 1, 32, 32)
    wanted[..., 10:20, 12:16] = 1
    assert torch.equal(box_mask(_l_shape(), 0, 5), wanted)
    assert not box_mask(torch.zeros(1, 1, 4, 4), 0, 5).any()


@pytest.mark.parametrize("blend", MASKS)
@pytest.mark.parametrize("name", ["ddim", "dpm++", "unipc", "euler", "euler-a", "flow"])
def test_inside_is_the_canvas_at_its_noise_level_and_outside_the_step_to_the_bit(
    name: str, blend: str
) -> None:
    scheduler, _ = schedule_of(name)
    canvas = torch.randn(1, 4, 32, 32, generator=torch.Generator().manual_seed(1))
    callback = HandBlend(canvas, _l_shape(), MASKS[blend], torch.Generator().manual_seed(5))
    draws, masked = torch.Generator().manual_seed(5), 0
    for upcoming, stepped, latents, changed in after_each_step(scheduler, callback, torch.zeros_like(canvas)):
        assert bool(changed) == (upcoming <= STEPS - 2)
        if not changed:
            continue
        inside = MASKS[blend](_l_shape(), upcoming - 1, STEPS - 2).bool().expand_as(canvas)
        noise = torch.randn(canvas.shape, generator=draws)
        signal, spread = signal_and_noise(name, scheduler, upcoming)
        seen = scaled_input(scheduler, latents, scheduler.timesteps[upcoming])
        wanted = signal * canvas + spread * noise
        torch.testing.assert_close(seen[inside], wanted[inside], atol=2e-5, rtol=2e-5)
        assert torch.equal(latents[~inside], stepped[~inside])
        masked += 1
    assert masked == STEPS - 2


def test_equation_11_as_printed_puts_the_canvas_without_noise() -> None:
    scheduler, _ = schedule_of("ddim")
    canvas = torch.full((1, 4, 32, 32), 0.3)
    callback = HandBlend(canvas, _l_shape(), MASKS["naive"], literal=True)
    inside = _l_shape().bool().expand_as(canvas)
    for _, _, latents, changed in after_each_step(scheduler, callback, torch.zeros_like(canvas)):
        assert not changed or bool((latents[inside] == canvas[inside]).all())
