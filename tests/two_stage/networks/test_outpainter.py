"""Stage II's network: what it begins from is kept, what it reads, how it is saved; its objective."""

import numpy as np
import pytest
import torch
from diffusers import ControlNetModel

from handwright.errors import DiffusionError, InvalidValueError
from handwright.two_stage.networks.load import load_outpainter
from handwright.two_stage.networks.objective import outpainter_loss, outpainter_start
from handwright.two_stage.networks.outpainter import Outpainter, outpainting_condition
from tests.diffusion.models import small_controlnet, small_unet

SIDE = 64
SDXL = {
    "addition_embed_type": "text_time", "addition_time_embed_dim": 8,
    "projection_class_embeddings_input_dim": 80, "transformer_layers_per_block": 1,
}  # fmt: skip


def condition(mask: float = 1.0) -> torch.Tensor:
    skeleton = np.random.default_rng(0).integers(0, 255, (SIDE, SIDE, 3), np.uint8)
    hands = np.zeros((SIDE, SIDE), np.bool_)
    hands[8:40, 8:40] = mask > 0
    return outpainting_condition(skeleton, hands)


def residuals(network: ControlNetModel, read: torch.Tensor) -> list[torch.Tensor]:
    rng = torch.Generator().manual_seed(1)
    given = {"text_embeds": torch.zeros(1, 32), "time_ids": torch.zeros(1, 6)}
    with torch.no_grad():
        latents, text = torch.randn(1, 4, 8, 8, generator=rng), torch.randn(1, 5, 32, generator=rng)
        down, mid = network(
            latents, torch.tensor([10]), text, read, added_cond_kwargs=given, return_dict=False
        )
    return [*down, mid]


@pytest.mark.parametrize("heads", [{}, SDXL])
def test_with_zero_weights_it_begins_as_its_controlnet_and_with_random_ones_the_mask_counts(heads):
    torch.manual_seed(0)
    base = small_controlnet(small_unet(4, **heads), **heads)
    zero, random = (Outpainter.from_controlnet(base, weights) for weights in ("zero", "random"))
    read = condition()
    before = residuals(base, read[:, :3])
    for one, other in zip(before, residuals(zero, read), strict=True):
        torch.testing.assert_close(one, other)
    changed = residuals(random, read)
    assert not all(torch.equal(a, b) for a, b in zip(before, changed, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(changed, residuals(random, condition(0)), strict=True))


def test_a_controlnet_that_reads_bgr_is_turned_so_that_the_mask_stays_last():
    torch.manual_seed(0)
    base = small_controlnet(small_unet(4), controlnet_conditioning_channel_order="bgr")
    network = Outpainter.from_controlnet(base)
    read = condition()
    for one, other in zip(residuals(base, read[:, :3]), residuals(network, read), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("known", [4, 9])
def test_without_a_controlnet_it_begins_from_the_bases_encoder_and_changes_nothing_yet(known):
    network = Outpainter.begin(small_unet(known), 8)
    assert network.config["in_channels"] == 4
    assert not any(part.any() for part in residuals(network, condition()))


def test_it_is_saved_and_loaded_as_any_model_of_diffusers(tmp_path):
    torch.manual_seed(0)
    network = Outpainter.from_controlnet(small_controlnet(small_unet(4)), "random")
    network.save_pretrained(tmp_path)
    read = condition()
    for kind in (Outpainter, ControlNetModel):
        again = kind.from_pretrained(tmp_path)
        assert all(
            torch.equal(a, b) for a, b in zip(residuals(network, read), residuals(again, read), strict=True)
        )
    assert [path.suffix for path in sorted(tmp_path.iterdir())] == [".json", ".safetensors"]


def test_an_outpainter_is_not_begun_from_an_outpainter():
    network = Outpainter.begin(small_unet(4), 8)
    with pytest.raises(InvalidValueError, match="reads control images of 4 channels"):
        Outpainter.from_controlnet(network)


def test_a_controlnet_without_a_mask_is_no_outpainter(tmp_path):
    small_controlnet(small_unet(4)).save_pretrained(tmp_path)
    pipe = type("Pipe", (), {"unet": small_unet(4)})
    with pytest.raises(DiffusionError, match="holds no outpainter: its control image has 3 channels"):
        load_outpainter(tmp_path, pipe)


def test_the_condition_is_the_skeleton_and_the_exact_mask():
    read = condition()
    assert read.shape == (1, 4, SIDE, SIDE)
    assert float(read.max()) == 1.0
    assert set(read[:, 3].unique().tolist()) == {0.0, 1.0}
    assert int(read[:, 3].sum()) == 32 * 32


def test_the_loss_is_the_mean_outside_the_hands_and_the_start_the_canvas_inside():
    hands = torch.zeros(2, 1, 4, 4)
    hands[..., :2] = 1
    target = torch.zeros(2, 4, 4, 4)
    prediction = torch.where(hands.bool(), 100.0, torch.tensor([1.0, 3.0])[:, None, None, None]) + target
    assert float(outpainter_loss(prediction, target, hands)) == pytest.approx((1 + 9) / 2)
    assert float(outpainter_loss(prediction, target, hands, torch.tensor([1.0, 0.0]))) == pytest.approx(0.5)
    start = outpainter_start(torch.full_like(target, 2), torch.full_like(target, 5), hands)
    assert (start[..., :2] == 5).all()
    assert (start[..., 2:] == 2).all()
