"""T2H learns, is resumed exactly, and what it saves is a pipeline."""

import json

import numpy as np
import pytest
import torch

from handwright.handiffuser.text_to_hand import TextToHandModel
from handwright.handiffuser.text_to_hand_pipeline import TextToHandPipeline
from handwright.training.loop import train
from handwright.training.networks.family import fresh_text_encoder
from handwright.training.networks.tokenizer import learn_tokenizer
from handwright.training.recipes import text_to_hand
from handwright.training.recipes.text_to_hand import TextToHandParams, TextToHandRecipe
from handwright.training.streams.text_poses import TextPoseStream
from tests.handiffuser.poses import add_poses
from tests.training.recipes.test_autoencoder import losses, settings


@pytest.fixture(scope="module")
def poses(tmp_path_factory):
    return add_poses(tmp_path_factory.mktemp("poses"))


@pytest.fixture(autouse=True)
def _little_is_drawn(monkeypatch):
    monkeypatch.setattr(text_to_hand, "PROMPT_SHEET", text_to_hand.PROMPT_SHEET[:2])
    monkeypatch.setattr(text_to_hand, "_MEASURED", 2)


def recipe(poses, **numbers):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        stream = TextPoseStream(poses)
        tokenizer = learn_tokenizer(stream.texts(np.random.default_rng(0), 50), 700, 96)
        denoiser = TextToHandModel(channels=32, heads=2, layers=1, text_width=32)
        params = TextToHandParams(**{"steps": 2, "noise_levels": 2, **numbers})
        return TextToHandRecipe(denoiser, fresh_text_encoder(tokenizer, 32, 1), tokenizer, stream, params)


def test_a_run_that_was_cut_off_goes_on_with_the_same_losses(poses, tmp_path):
    train(recipe(poses), settings(max_train_steps=3), tmp_path / "whole")
    assert train(recipe(poses), settings(max_train_steps=3, max_minutes=1e-9), tmp_path / "cut").step == 1
    train(recipe(poses), settings(max_train_steps=3), tmp_path / "cut", resume=True)
    assert losses(tmp_path / "cut") == losses(tmp_path / "whole")


def test_it_learns_and_what_it_saves_loads_as_a_pipeline(poses, tmp_path):
    changes = {"max_train_steps": 60, "lr_decay_steps": 1, "train_batch_size": 8, "learning_rate": 5e-3}
    train(recipe(poses), settings(**changes), tmp_path)
    found = losses(tmp_path)
    assert np.mean(found[-10:]) < 0.8 * np.mean(found[:5])
    measured = json.loads((tmp_path / "measures.jsonl").read_text("utf-8").splitlines()[-1])
    assert {"natural_whole", "technical_directions", "natural_beyond"} <= set(measured)
    pipeline = TextToHandPipeline.from_pretrained(str(tmp_path / "model"))
    assert float(pipeline.denoiser.spread.std()) > 0
    drawn = pipeline("a right hand", num_inference_steps=2, generator=torch.Generator().manual_seed(0))
    assert len(drawn.parameters) == 1


def test_numbers_are_standardised_by_the_data(poses):
    tokens = torch.from_numpy(np.array([person.tokens for person in recipe(poses).stream.training]))
    standard = recipe(poses).denoiser.standardised(tokens)
    assert float(standard.mean(0).abs().max()) < 2
    assert float(standard.std()) < 1.5


@pytest.mark.parametrize(("mean", "spread", "levels"), [(0.0, 1.0, 4), (1.0, 0.5, 3)])
def test_noise_levels_are_logit_normal_and_as_many_as_asked_for(poses, mean, spread, levels):
    made = recipe(poses, noise_mean=mean, noise_spread=spread, noise_levels=levels)
    times = torch.cat([made.batch(k, 0, settings(train_batch_size=64))["times"] for k in range(4)])
    assert times.shape == (256, levels)
    logits = torch.logit(times)
    assert float(logits.mean()) == pytest.approx(mean, abs=0.12)
    assert float(logits.std()) == pytest.approx(spread, abs=0.12)


def test_checkpoints_draw_with_the_steps_and_guidance_of_the_parameters(poses, monkeypatch):
    asked = []
    called = TextToHandPipeline.__call__
    monkeypatch.setattr(
        TextToHandPipeline,
        "__call__",
        lambda self, *given, **options: asked.append(options) or called(self, *given, **options),
    )
    recipe(poses, steps=3, guidance=1.5).grid()
    assert asked[0]["num_inference_steps"] == 3
    assert asked[0]["guidance_scale"] == 1.5
