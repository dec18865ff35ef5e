"""Stage I's network: two heads, any base, mask-free inference, the paper's layers."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline
from torch import nn

from handwright.errors import InvalidValueError
from handwright.two_stage.networks.hand_generator import (
    CONDITION_CHANNELS,
    WITH_DEPTH,
    HandGenerator,
    MaskHead,
    at_latent_size,
)
from handwright.two_stage.networks.objective import (
    MASK_DROPOUT,
    MASK_WEIGHT,
    hand_generator_loss,
    masks_left_out,
)
from tests.diffusion.models import small_unet, small_vae, text_parts

SIDE = 64


def fresh(known: int = 4, **changes) -> HandGenerator:
    torch.manual_seed(0)
    return HandGenerator.from_unet(small_unet(known), **changes).eval()


def inputs(known: int = 4, count: int = 2):
    rng = torch.Generator().manual_seed(1)
    return (
        torch.randn(count, known, 8, 8, generator=rng),
        torch.tensor([10, 900][:count]),
        torch.randn(count, 5, 32, generator=rng),
        torch.rand(count, CONDITION_CHANNELS, SIDE, SIDE, generator=rng),
    )


@pytest.mark.parametrize("known", [4, 9])
def test_it_predicts_noise_at_latent_size_and_a_mask_at_the_pictures(known):
    with torch.no_grad():
        output = fresh(known)(*inputs(known))
    assert output.sample.shape == (2, 4, 8, 8)
    assert output.mask_logits.shape == (2, 1, SIDE, SIDE)


def test_it_computes_in_bfloat16_where_the_cpu_does():
    latents, at, text, condition = inputs()
    with torch.no_grad():
        exact = fresh()(latents, at, text, condition)
        half = fresh().to(torch.bfloat16)(latents.bfloat16(), at, text.bfloat16(), condition)
    assert half.sample.dtype == torch.bfloat16
    assert (half.sample.float() - exact.sample).abs().max() < 0.1 * exact.sample.abs().max()
    assert half.mask_logits.shape == exact.mask_logits.shape


def test_with_zero_weights_it_begins_as_its_base_and_with_random_ones_it_reads_the_condition_at_once():
    base = small_unet(4)
    latents, at, text, condition = inputs()
    with torch.no_grad():
        was = base(latents, at, text).sample
        zero, random = (HandGenerator.from_unet(base, new_weights=w) for w in ("zero", "random"))
        assert torch.equal(zero(latents, at, text, condition).sample, was)
        first = random(latents, at, text, condition).sample
        assert not torch.equal(first, was)
        assert not torch.equal(first, random(latents, at, text, condition.flip(-1)).sample)


def test_the_mask_head_is_four_transposed_convolutions_with_silu_between():
    layers = list(MaskHead(8).layers)
    assert [type(one) for one in layers] == [nn.ConvTranspose2d, nn.SiLU] * 3 + [nn.ConvTranspose2d]
    assert {(one.kernel_size, one.stride) for one in layers[::2]} == {((2, 2), (2, 2))}
    assert layers[-1].out_channels == 1
    assert MaskHead(8).layers(torch.zeros(1, 8, 4, 4)).shape == (1, 1, 64, 64)


def test_both_heads_learn_and_the_mask_reaches_the_decoder():
    network = fresh().train()
    *rest, condition = inputs()
    output = network(*rest, condition)
    hand_generator_loss(output.sample.detach(), rest[0], output.mask_logits, condition[:, -1:]).backward()
    assert network.mask_head.layers[0].weight.grad.abs().sum() > 0
    assert network.unet.up_blocks[-1].resnets[-1].conv2.weight.grad.abs().sum() > 0
    assert network.unet.conv_out.weight.grad is None


def test_it_is_saved_and_loaded_as_any_model_of_diffusers(tmp_path):
    network = fresh()
    network.save_pretrained(tmp_path)
    again = HandGenerator.from_pretrained(tmp_path)
    with torch.no_grad():
        first, second = (one(*inputs()) for one in (network, again))
    assert torch.equal(first.sample, second.sample)
    assert torch.equal(first.mask_logits, second.mask_logits)
    assert [path.suffix for path in sorted(tmp_path.iterdir())] == [".json", ".safetensors"]


def test_without_the_mask_head_there_is_no_mask_and_its_loss_is_that_of_the_latents():
    network = fresh(with_mask_head=False)
    latents, at, text, condition = inputs()
    output = network(latents, at, text, condition)
    assert output.mask_logits is None
    target = torch.randn_like(output.sample)
    alone = hand_generator_loss(output.sample, target, None, condition[:, -1:])
    assert torch.equal(alone, (output.sample - target).square().mean())
    under = network.under(condition[:1])
    under(latents, at, text)
    assert under.hand_mask is None


def test_a_condition_at_the_latents_size_is_taken_as_it_is():
    """What training keeps instead of whole pictures gives the same prediction, bit for bit."""
    latents, at, text, condition = inputs()
    network = fresh()
    with torch.no_grad():
        whole = network(latents, at, text, condition)
        small = at_latent_size(condition, latents.shape[2:])
        kept = network(latents, at, text, small, condition.shape[2:])
    assert small.shape[2:] == latents.shape[2:]
    assert torch.equal(kept.sample, whole.sample)
    assert torch.equal(kept.mask_logits, whole.mask_logits)


def test_a_condition_of_other_channels_is_an_error():
    latents, at, text, condition = inputs()
    with pytest.raises(InvalidValueError, match="the condition has 10 channels"):
        fresh()(latents, at, text, condition[:, 1:])


def test_a_stock_pipeline_paints_with_it_and_the_mask_is_there_afterwards():
    text_encoder, tokenizer = text_parts()
    network = fresh()
    under = network.under(inputs(count=1)[3])
    sampler = DDIMScheduler(steps_offset=1, clip_sample=False)
    pipe = StableDiffusionPipeline(
        small_vae(), text_encoder, tokenizer, small_unet(4), sampler, None, None,
        requires_safety_checker=False,
    )  # fmt: skip
    pipe.unet = under
    pipe.set_progress_bar_config(disable=True)
    made = [
        pipe("a hand", SIDE, SIDE, 2, generator=torch.Generator().manual_seed(0), output_type="np").images
        for _ in range(2)
    ]
    assert np.array_equal(*made)
    assert under.mask.shape == (2, 1, SIDE, SIDE)  # Unconditional and conditional
    assert bool(((under.mask >= 0) & (under.mask <= 1)).all())


def test_the_loss_is_the_papers_sum():
    target, logits = torch.ones(2, 4, 8, 8), torch.full((2, 1, 16, 16), -100.0)
    mask = torch.ones(2, 1, 16, 16)
    assert float(hand_generator_loss(3 * target, target, logits, mask)) == pytest.approx(4 + MASK_WEIGHT)
    assert float(hand_generator_loss(target, target, -logits, mask)) == pytest.approx(0)


def test_half_of_the_masks_are_left_out():
    out = masks_left_out(np.random.default_rng(0), 4000)
    assert float(out.float().mean()) == pytest.approx(MASK_DROPOUT, abs=0.03)


def test_a_network_with_depth_is_given_it_and_one_without_takes_no_notice():
    maps = np.random.default_rng(0).random((10, SIDE, SIDE)).astype(np.float32)
    depth = np.arange(SIDE * SIDE, dtype=np.uint32).reshape(SIDE, SIDE).astype(np.uint8)
    pipe = SimpleNamespace(unet=None)
    with fresh(condition_channels=WITH_DEPTH).in_place_of_unet(pipe, maps, depth) as under:
        assert pipe.unet is under
        assert torch.equal(under.condition[0, -1], torch.from_numpy(depth.astype(np.float32) / 255))
        assert torch.equal(under.condition[0, :10], torch.from_numpy(maps))
        assert not under.condition[0, 10].any()
    assert pipe.unet is None
    with fresh().in_place_of_unet(pipe, maps, depth) as under:
        assert under.condition.shape[1] == CONDITION_CHANNELS
        assert not under.condition[0, 10].any()
