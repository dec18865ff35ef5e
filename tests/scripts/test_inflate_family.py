"""A text-to-image UNet and its inpainting sibling are one at first."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest
import torch

from handwright.diffusion.loading.zoo import load_models
from handwright.training.members import open_member
from handwright.training.networks.family import open_family
from handwright.training.settings import TrainSettings
from inflate_family import inflated
from tests.diffusion.models import small_unet, write_sd
from tests.training.rendered_crops import shard

SCRIPT = Path(__file__).parents[2] / "scripts" / "inflate_family.py"
SETTINGS = TrainSettings(train_batch_size=2)


def test_it_says_what_it_said_to_the_last_bit_whatever_mask_and_picture_are():
    plain = small_unet(4)
    wide = inflated(plain)
    rng = torch.Generator().manual_seed(0)
    latents, beside = (torch.randn(2, n, 8, 8, generator=rng) for n in (4, 5))
    text, at = torch.randn(2, 5, 32, generator=rng), torch.tensor([10, 900])
    with torch.no_grad():
        was = plain(latents, at, text).sample
        assert torch.equal(wide(torch.cat([latents, beside], 1), at, text).sample, was)
        wide.conv_in.weight[:, 4:] += 0.1
        assert not torch.equal(wide(torch.cat([latents, beside], 1), at, text).sample, was)


def test_what_inpaints_already_is_not_inflated():
    with pytest.raises(SystemExit, match="reads 9 channels"):
        inflated(small_unet(9))


def test_a_base_on_latents_alone_is_inflated_then_trained_to_inpaint(tmp_path, monkeypatch):
    data, plain = shard(tmp_path / "data"), write_sd(tmp_path / "plain", 4, controlnet=False)
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), str(plain), "-o", str(tmp_path / "wide")])
    runpy.run_path(str(SCRIPT), run_name="__main__")
    models = load_models(str(tmp_path / "wide" / "model"), dtype="float32", device="cpu")
    assert models.inpainting
    again = open_member("base", data, tmp_path / "wide" / "model", SETTINGS)
    assert torch.isfinite(again.trained(again.batch(0, 0, SETTINGS)))
    assert torch.equal(again.family.unet.conv_out.weight, open_family(plain).unet.conv_out.weight)


def test_all_of_the_picture_counts_for_a_unet_that_does_not_see_what_is_known(tmp_path):
    recipe = open_member("base", shard(tmp_path / "data"), write_sd(tmp_path / "sd", 4), SETTINGS)
    batch = recipe.batch(0, 0, SETTINGS)
    with torch.no_grad():
        nowhere, everywhere = (
            recipe.trained({**batch, "mask": m * torch.ones_like(batch["mask"])}) for m in (0.0, 1.0)
        )
    assert torch.equal(nowhere, everywhere)
