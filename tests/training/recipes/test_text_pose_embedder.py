"""The embedder learns, is resumed exactly, and ranks by what it saves."""

import json

import numpy as np
import pytest
import torch

from handwright.handiffuser.text_pose_embedder import PoseEncoder, open_text_pose_embedder
from handwright.training.loop import train
from handwright.training.members import open_member
from handwright.training.networks.family import fresh_text_encoder
from handwright.training.networks.tokenizer import learn_tokenizer
from handwright.training.recipes.text_pose_embedder import TextPoseEmbedderRecipe, TextPoseLoss
from handwright.training.streams.text_poses import TextPoseStream
from tests.handiffuser.poses import add_poses
from tests.training.recipes.test_autoencoder import losses, settings


@pytest.fixture(scope="module")
def poses(tmp_path_factory):
    return add_poses(tmp_path_factory.mktemp("poses"))


def recipe(poses):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        stream = TextPoseStream(poses)
        tokenizer = learn_tokenizer(stream.texts(np.random.default_rng(0), 50), 700, 96)
        encoder = PoseEncoder(channels=32, heads=2, layers=1, text_width=32, projection=16)
        return TextPoseEmbedderRecipe(encoder, fresh_text_encoder(tokenizer, 32, 1), tokenizer, stream)


def test_a_run_that_was_cut_off_goes_on_with_the_same_losses(poses, tmp_path):
    train(recipe(poses), settings(max_train_steps=3), tmp_path / "whole")
    assert train(recipe(poses), settings(max_train_steps=3, max_minutes=1e-9), tmp_path / "cut").step == 1
    train(recipe(poses), settings(max_train_steps=3), tmp_path / "cut", resume=True)
    assert losses(tmp_path / "cut") == losses(tmp_path / "whole")


def test_it_learns_measures_itself_and_what_it_saves_is_an_embedder(poses, tmp_path):
    changes = {"max_train_steps": 100, "lr_decay_steps": 1, "train_batch_size": 12, "learning_rate": 5e-3}
    train(recipe(poses), settings(**changes), tmp_path)
    found = losses(tmp_path)
    assert np.mean(found[-10:]) < 0.8 * np.mean(found[:5])
    measured = json.loads((tmp_path / "measures.jsonl").read_text("utf-8").splitlines()[-1])
    assert {"natural_r_precision_1", "technical_r_precision_3"} <= set(measured)
    stream = TextPoseStream(poses)
    embedder = open_text_pose_embedder(tmp_path / "model")
    people = np.array([person.tokens for person in stream.training])
    texts = [person.text("technical", np.random.default_rng(k)) for k, person in enumerate(stream.training)]
    likeness = embedder.text_features(texts) @ embedder.pose_features(people).T
    own = np.diag(likeness).mean()
    assert own > likeness[~np.eye(len(people), dtype=bool)].mean() + 0.1


def test_equal_texts_count_as_one():
    """Closed form: of two equal texts neither is told from the other, which costs log 2."""
    made = TextPoseLoss.__new__(TextPoseLoss)
    torch.nn.Module.__init__(made)
    made.logit_scale = torch.nn.Parameter(torch.tensor(0.0))
    made.text_encoder = lambda **given: type("Read", (), {"last_hidden_state": torch.ones(2, 3, 4)})
    made.pose_encoder = _Alike()
    ids = torch.tensor([[1, 2, 3], [1, 2, 3]])
    batch = {"ids": ids, "mask": torch.ones_like(ids).bool(), "tokens": torch.zeros(2, 21, 19)}
    assert float(made(batch).detach()) == pytest.approx(np.log(2))


class _Alike(torch.nn.Module):
    """Everything is the same point."""

    def forward(self, tokens):
        return torch.nn.functional.one_hot(torch.zeros(len(tokens), dtype=torch.long), 4).float()

    def of_text(self, features, mask):
        return self(features)


def test_the_member_starts_from_nothing(poses):
    made = open_member("text_pose_embedder", poses, None, settings())
    batch = made.batch(0, 0, settings(train_batch_size=4))
    assert batch["tokens"].shape == (4, 21, 19)
    assert torch.isfinite(made.trained(batch))
