"""``features``: heads teach the network, which is saved without them as the extractor that measures use."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from handwright.metrics.extractors.embedded import EmbeddedExtractor
from handwright.metrics.extractors.network import FeatureConfig, FeatureNetwork
from handwright.training.recipes.judging.features import FeatureRecipe, spoilt, vocabulary
from handwright.training.streams.crop_batches import CropStream
from handwright.training.streams.degradations import KINDS
from tests.training.drawn_hands import cut_off_and_whole, hands, overfit, settings


def opened():
    torch.manual_seed(0)
    network = FeatureNetwork(FeatureConfig("test-v1", 64, (16, 32, 64), 1))
    return FeatureRecipe(network, CropStream(hands(8, defective=True), 64, 0.0))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder, recipe = tmp_path_factory.mktemp("features"), opened()
    return recipe, overfit(recipe, folder, 40, count=8), folder


def test_the_loss_on_a_batch_seen_again_and_again_falls(trained):
    _, losses, _ = trained
    assert losses[-1] < 0.6 * losses[0]


def test_the_saved_network_is_the_extractor_and_keeps_its_name(trained):
    recipe, _, folder = trained
    extractor = EmbeddedExtractor(folder / "model" / "features")
    features = extractor(recipe.shown.pixels)
    assert extractor.name == "test-v1"
    assert features.shape == (18, 64)
    assert features.std(0).min() > 0


def test_what_is_not_seen_or_not_known_does_not_count():
    recipe = opened()
    batch = recipe.batch(0, 0, settings(train_batch_size=4))
    batch["visible"][:, 3] = False
    batch["side"][0] = -1
    with torch.no_grad():
        first = recipe.trained(batch)
        batch["landmarks"][:, 3] += 100.0
        assert torch.equal(recipe.trained(batch), first)
        batch["landmarks"][:, 4] += 100.0
        assert float(recipe.trained(batch)) > float(first) + 1


def test_words_that_tell_captions_apart_are_kept_commonest_first():
    captions = ["a red hand"] * 3 + ["a blue hand"] * 2 + ["a hand"] * 5
    assert vocabulary(captions) == ("red", "blue")


def test_half_of_a_batch_is_spoilt_and_the_rest_as_it_was():
    crops = hands(200)
    made, kinds, strengths = spoilt(np.random.default_rng(0), crops)
    assert np.array_equal(made.pixels[kinds == 0], crops.pixels[kinds == 0])
    assert (strengths[kinds == 0] == 0).all()
    assert 0.4 < (kinds > 0).mean() < 0.6
    assert set(kinds) == set(range(len(KINDS)))


def test_the_grid_shows_the_crops_twice_as_large(trained):
    recipe, *_ = trained
    assert recipe.grid().shape == (3 * 128, 6 * 128, 3)


def test_a_run_cut_off_and_resumed_makes_the_same_losses(tmp_path):
    cut, whole = cut_off_and_whole(opened, tmp_path)
    assert cut == whole
