"""The embedder of texts and poses: unit vectors, padding that does not matter, saved and loaded as it is."""

from pathlib import Path

import numpy as np
import pytest
import torch

from handwright.errors import DiffusionError
from handwright.handiffuser.text_pose_embedder import PoseEncoder, TextPoseEmbedder, open_text_pose_embedder
from handwright.handiffuser.tokens import TOKENS, WIDTH
from handwright.training.networks.family import fresh_text_encoder
from handwright.training.networks.tokenizer import learn_tokenizer

TEXTS = ["the right hand making a peace sign", "a left hand"]


def small_embedder() -> TextPoseEmbedder:
    """Random weights."""
    torch.manual_seed(0)
    tokenizer = learn_tokenizer(TEXTS, 600, 32)
    encoder = PoseEncoder(channels=32, heads=2, layers=1, text_width=32, projection=16)
    return TextPoseEmbedder(fresh_text_encoder(tokenizer, 32, 1), tokenizer, encoder)


def people(count: int) -> np.ndarray:
    """Tokens of nobody."""
    return np.random.default_rng(0).normal(size=(count, len(TOKENS), WIDTH))


def test_texts_and_people_are_unit_vectors_of_one_space() -> None:
    embedder = small_embedder()
    for points in (embedder.text_features(TEXTS), embedder.pose_features(people(3))):
        assert points.shape[1] == 16
        np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1, atol=1e-6)


def test_a_longer_text_beside_it_changes_no_text() -> None:
    embedder = small_embedder()
    np.testing.assert_allclose(
        embedder.text_features(TEXTS)[1], embedder.text_features(TEXTS[1:])[0], atol=1e-6
    )


def test_many_at_once_are_as_they_are_alone() -> None:
    embedder, given = small_embedder(), people(300)
    together = embedder.pose_features(given)
    np.testing.assert_allclose(together[-1], embedder.pose_features(given[-1:])[0], atol=1e-6)
    assert embedder.text_features(TEXTS * 150).shape == (300, 16)


def test_what_is_saved_is_loaded_as_it_was(tmp_path: Path) -> None:
    embedder = small_embedder()
    embedder.save_pretrained(tmp_path)
    again = open_text_pose_embedder(tmp_path)
    np.testing.assert_allclose(again.pose_features(people(2)), embedder.pose_features(people(2)), atol=1e-6)
    np.testing.assert_allclose(again.text_features(TEXTS), embedder.text_features(TEXTS), atol=1e-6)


def test_a_folder_without_one_and_a_damaged_one_get_a_clear_line(tmp_path: Path) -> None:
    with pytest.raises(DiffusionError, match="no embedder of texts and poses"):
        open_text_pose_embedder(tmp_path)
    small_embedder().save_pretrained(tmp_path)
    (tmp_path / "pose_encoder" / "config.json").write_text("{", "utf-8")
    with pytest.raises(DiffusionError, match="could not be loaded"):
        open_text_pose_embedder(tmp_path)
