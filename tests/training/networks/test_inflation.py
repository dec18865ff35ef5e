"""A text-to-image UNet and its inpainting sibling are one at first."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from handwright.diffusion.loading.zoo import load_models
from handwright.errors import UsageError
from handwright.training.loop import train
from handwright.training.members import open_member
from handwright.training.networks.family import fresh_unet, open_family
from handwright.training.networks.inflation import inflated
from handwright.training.settings import TrainSettings
from tests.training.rendered_crops import shard

SCRIPT = Path(__file__).parents[3] / "scripts" / "inflate_family.py"
PLAIN = TrainSettings(
    train_batch_size=2,
    max_train_steps=1,
    mixed_precision="no",
    resolution=64,
    text_to_image=True,
    prediction_type="flow",
)


def test_it_says_what_it_said_to_the_last_bit_whatever_mask_and_picture_are():
    plain = fresh_unet(64, 8, inpainting=False)
    wide = inflated(plain)
    rng = torch.Generator().manual_seed(0)
    latents, beside = (torch.randn(2, n, 16, 16, generator=rng) for n in (8, 9))
    text, at = torch.randn(2, 5, 192, generator=rng), torch.tensor([10, 900])
    with torch.no_grad():
        was = plain(latents, at, text).sample
        assert torch.equal(wide(torch.cat([latents, beside], 1), at, text).sample, was)
        wide.conv_in.weight[:, 8:] += 0.1
        assert not torch.equal(wide(torch.cat([latents, beside], 1), at, text).sample, was)


def test_what_inpaints_already_is_not_inflated():
    with pytest.raises(UsageError, match="reads 17 channels"):
        inflated(fresh_unet(64, 8))


def test_a_base_is_trained_on_latents_alone_then_inflated_then_trained_to_inpaint(tmp_path):
    data = shard(tmp_path / "data")
    recipe = open_member("base", data, None, PLAIN)
    assert recipe.family.unet.config["in_channels"] == 16
    assert train(recipe, PLAIN, tmp_path / "plain").done
    command = [sys.executable, str(SCRIPT), str(tmp_path / "plain" / "model"), "-o", str(tmp_path / "wide")]
    subprocess.run(command, check=True)
    models = load_models(str(tmp_path / "wide" / "model"), dtype="float32", device="cpu")
    assert models.inpainting
    assert models.scheduler_config["_class_name"] == "FlowMatchEulerDiscreteScheduler"
    again = open_member("base", data, tmp_path / "wide" / "model", PLAIN)
    assert torch.isfinite(again.trained(again.batch(0, 0, PLAIN)))
    before = open_family(tmp_path / "plain" / "model").unet.conv_out.weight
    assert torch.equal(again.family.unet.conv_out.weight, before)


def test_all_of_the_picture_counts_for_a_unet_that_does_not_see_what_is_known(tmp_path):
    recipe = open_member("base", shard(tmp_path), None, PLAIN)
    batch = recipe.batch(0, 0, PLAIN)
    with torch.no_grad():
        nowhere, everywhere = (
            recipe.trained({**batch, "mask": m * torch.ones_like(batch["mask"])}) for m in (0.0, 1.0)
        )
    assert torch.equal(nowhere, everywhere)
