"""``vae``: learns to give pictures back, and what it writes is a VAE like any other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from handwright.diffusion.latents import decode, encode, picture_tensor, pixels_per_latent
from handwright.diffusion.loading.zoo import load_vae
from handwright.training.recipes.vae import VaeRecipe, edge_error, fresh_vae
from handwright.training.streams.crop_batches import CropStream
from tests.training.drawn_hands import SIDE, cut_off_and_whole, hands, overfit, settings
from tests.training.test_codec import pictures


def opened():
    torch.manual_seed(0)
    return VaeRecipe(fresh_vae(4, 64), CropStream(replace(hands(), pixels=pictures(8, SIDE)), 64, 0.0))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder, recipe = tmp_path_factory.mktemp("vae"), opened()
    return recipe, overfit(recipe, folder, 50, count=2), folder


def test_the_loss_on_a_batch_seen_again_and_again_falls(trained):
    _, losses, _ = trained
    assert np.mean(losses[-3:]) < 0.5 * losses[0]


def test_what_was_saved_encodes_to_unit_spread_and_decodes_to_the_picture(trained):
    recipe, _, folder = trained
    vae = load_vae(folder / "model" / "vae", torch.float32)
    seen = recipe.batch(0, 0, settings(train_batch_size=2))["pictures"]
    with torch.no_grad():
        latents, again = encode(vae, recipe.shown), decode(vae, encode(vae, seen))
    assert latents.shape == (12, 4, 16, 16)
    assert pixels_per_latent(vae) == 4
    assert float(latents.std()) == pytest.approx(1.0, rel=0.05)
    assert np.corrcoef(again.flatten(), seen.flatten())[0, 1] > 0.7


def test_scaling_latents_and_back_leaves_what_the_network_itself_decodes(trained):
    *_, folder = trained
    vae = load_vae(folder / "model" / "vae", torch.float32)
    pictures = picture_tensor(hands(2).pixels)
    with torch.no_grad():
        plain = vae.decode(vae.encode(pictures).latent_dist.mode()).sample.clamp(-1, 1)
        assert torch.allclose(decode(vae, encode(vae, pictures)), plain, atol=1e-5)


def test_the_grid_shows_crops_above_what_is_left_of_them(trained):
    recipe, *_ = trained
    grid = recipe.grid()
    assert grid.shape == (2 * 64, 12 * 64, 3)
    assert np.array_equal(grid[:64, :64], recipe.stream.draw(np.random.default_rng(11), 1).pixels[0])


def test_a_run_cut_off_and_resumed_makes_the_same_losses(tmp_path):
    cut, whole = cut_off_and_whole(opened, tmp_path)
    assert cut == whole


def test_edges_do_not_mind_another_brightness_but_do_mind_blur():
    x = torch.zeros(1, 3, 8, 8)
    x[..., 4:] = 1.0
    blurred = x.clone()
    blurred[..., 4] = 0.5
    assert float(edge_error(x + 0.3, x)) == pytest.approx(0.0, abs=1e-6)
    assert float(edge_error(blurred, x)) == pytest.approx((0.5 + 0.5) / 7 / 2)
