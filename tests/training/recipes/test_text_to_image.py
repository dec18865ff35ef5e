"""The text-to-image base learns, attends to text at every level, and is resumed exactly."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from handwright.diffusion.inflation import inflate
from handwright.diffusion.latents import encode
from handwright.diffusion.loading.zoo import load_models
from handwright.training.loop import train
from handwright.training.networks.family import fresh_base_unet, fresh_text_encoder
from handwright.training.recipes import text_to_image
from handwright.training.recipes.text_to_image import TextToImageParams, TextToImageRecipe
from handwright.training.streams.latent_shards import LatentStream, encode_shards
from tests.training.recipes.test_autoencoder import losses, settings, small_vae
from tests.training.streams.test_latent_shards import add_shard


@pytest.fixture(scope="module")
def latents(tmp_path_factory):
    root = tmp_path_factory.mktemp("latents")
    add_shard(root / "world", 0)
    small_vae().save_pretrained(root / "vae")
    encode_shards(root / "world", root / "latents", root / "vae", 64)
    return root / "latents"


def recipe(latents):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        stream = LatentStream(latents)
        unet = fresh_base_unet(4, 8, (32, 32), 32)
        return TextToImageRecipe(
            unet, fresh_text_encoder(stream.tokenizer, 32, 1), stream, TextToImageParams(steps=2)
        )


@pytest.fixture(autouse=True)
def _two_prompts(monkeypatch):
    monkeypatch.setattr(text_to_image, "PROMPT_SHEET", text_to_image.PROMPT_SHEET[:2])


def test_a_run_that_was_cut_off_goes_on_with_the_same_losses_also_elsewhere(latents, tmp_path):
    """Elsewhere from the folder of checkpoints alone, to the same weights."""
    whole, cut, elsewhere = tmp_path / "whole", tmp_path / "cut", tmp_path / "another" / "place"
    train(recipe(latents), settings(max_train_steps=4), whole)
    assert train(recipe(latents), settings(max_train_steps=4, max_minutes=1e-9), cut).step == 1
    shutil.copytree(cut / "checkpoints", elsewhere / "checkpoints")
    train(recipe(latents), settings(max_train_steps=4), cut, resume=True)
    assert losses(cut) == losses(whole)
    shutil.rmtree(cut)
    assert train(recipe(latents), settings(max_train_steps=4), elsewhere, resume=True).step == 4
    assert losses(elsewhere) == losses(whole)[1:]
    for file in ("unet/diffusion_pytorch_model.safetensors", "text_encoder/model.safetensors"):
        ours, theirs = (load_file(folder / "model" / file) for folder in (elsewhere, whole))
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[key], theirs[key]) for key in theirs)


def test_it_learns_and_what_it_saves_loads_as_a_model(latents, tmp_path):
    changes = {"max_train_steps": 60, "lr_decay_steps": 1, "train_batch_size": 8, "learning_rate": 5e-3}
    train(recipe(latents), settings(**changes), tmp_path)
    found = losses(tmp_path)
    assert np.mean(found[-10:]) < 0.8 * np.mean(found[:5])
    assert "held_out_loss" in json.loads((tmp_path / "measures.jsonl").read_text("utf-8").splitlines()[-1])
    models = load_models(str(tmp_path / "model"), dtype="float32", device="cpu")
    assert models.unet.config["in_channels"] == 4
    assert models.resolution == 64


def test_every_level_attends_to_text():
    unet = fresh_base_unet(4, 16, (32, 32, 32), 32)
    assert all(hasattr(block, "attentions") for block in (*unet.down_blocks, unet.mid_block, *unet.up_blocks))
    assert unet.down_blocks[0].attentions[0].transformer_blocks[0].attn1.heads == 1


def test_noise_levels_that_are_not_drawn_evenly_are_logit_normal(latents):
    made = recipe(latents)
    made.params = replace(made.params, even_share=0.0)
    steps = made.timesteps(np.random.default_rng(0), 20_000).double() / 1000
    assert float(steps.median()) == pytest.approx(0.5, abs=0.01)
    # the quantile of a unit normal at one standard deviation is the sigmoid of 1
    assert float(steps.quantile(0.8413)) == pytest.approx(1 / (1 + np.exp(-1)), abs=0.01)


def test_evenly_drawn_noise_levels_lie_where_text_counts(latents):
    made = recipe(latents)
    made.params = replace(made.params, even_share=1.0)
    steps = made.timesteps(np.random.default_rng(0), 20_000).double() / 1000
    # a further shift of 3 takes the middle to 3 / 4
    assert float(steps.median()) == pytest.approx(0.75, abs=0.01)


def test_the_prompt_sheet_is_the_same_for_the_same_weights(latents):
    made = recipe(latents)
    assert np.array_equal(made.grid(), made.grid())


def test_a_base_that_inpaints_paints_the_whole_of_an_unknown_picture(latents):
    """To one whose further weights are nothing, a mask and a masked picture change nothing."""
    narrow = recipe(latents)
    wide = TextToImageRecipe(
        inflate(narrow.family.unet, 5), narrow.family.text_encoder, narrow.stream, narrow.params
    )
    given, drawn = settings(train_batch_size=4), narrow.batch(0, 0, settings(train_batch_size=4))
    further = wide.batch(0, 0, given)
    assert not {"mask", "masked_latents"} & drawn.keys()
    assert (further["mask"] == 1).all()
    grey = encode(narrow.stream.vae, torch.zeros(1, 3, 64, 64))
    assert torch.equal(further["masked_latents"], grey.expand(4, -1, -1, -1))
    assert wide.trained(further).item() == pytest.approx(narrow.trained(drawn).item(), rel=1e-5)
    assert wide.grid().shape == narrow.grid().shape
    with torch.no_grad():
        wide.family.unet.conv_in.weight[:, 4:] = 1
    assert wide.trained(further).item() != pytest.approx(narrow.trained(drawn).item(), rel=1e-3)
