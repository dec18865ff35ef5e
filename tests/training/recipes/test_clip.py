"""``clip``: pictures and words find each other, and both towers load through their public doors."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from handwright.metrics.extractors import open_extractor
from handwright.metrics.extractors.features import extract, similarities, text_features
from handwright.training.networks.tokenizer import learn_tokenizer
from handwright.training.recipes.clip import ClipRecipe, embedded, fresh_clip, info_nce
from handwright.training.streams.crop_batches import CropStream
from tests.training.drawn_hands import cut_off_and_whole, hands, overfit, settings


def opened():
    torch.manual_seed(0)
    tokenizer = learn_tokenizer([*map(str, hands().caption), "left"])
    return ClipRecipe(fresh_clip(tokenizer, 64), tokenizer, CropStream(hands(), 64, 0.0))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder, recipe = tmp_path_factory.mktemp("clip"), opened()
    return recipe, overfit(recipe, folder, 20, count=16, learning_rate=1e-3), folder


def test_the_loss_on_a_batch_seen_again_and_again_falls(trained):
    _, losses, _ = trained
    assert losses[-1] < 0.75 * losses[0]


def test_the_saved_clip_measures_clipsim_and_rates_true_captions_above_others(trained):
    recipe, _, folder = trained
    clip = open_extractor(f"clip:{folder / 'model' / 'clip'}")
    shown = recipe.shown
    captions = [str(caption) for caption in shown.caption]
    other = [next(c for c in captions if c.split()[1] != mine.split()[1]) for mine in captions]
    pictures = extract(shown.pixels, clip)
    true, false = (similarities(pictures, text_features(said, clip)).mean() for said in (captions, other))
    assert true > false + 5


def test_the_saved_clip_sees_what_the_trained_one_saw(trained):
    recipe, _, folder = trained
    clip = open_extractor(f"clip:{folder / 'model' / 'clip'}")
    with torch.no_grad():
        pictures = torch.from_numpy(recipe.shown.pixels).permute(0, 3, 1, 2) / 127.5 - 1
        saved = type(recipe.clip).from_pretrained(folder / "model" / "clip")
        seen, read = embedded(saved.eval(), pictures, recipe.tokens(recipe.shown.caption))
    for ours, theirs in (
        (seen, clip(recipe.shown.pixels)),
        (read, clip.texts([str(caption) for caption in recipe.shown.caption])),
    ):
        unit = theirs / np.linalg.norm(theirs, axis=1, keepdims=True)
        assert np.allclose(ours.numpy(), unit, atol=1e-4)


def test_equal_captions_are_no_mistake():
    same = torch.tensor([[1, 1, 0], [1, 1, 0], [0, 0, 1]], dtype=torch.bool)
    sure = 50.0 * same
    apart = 50.0 * torch.eye(3)
    assert float(info_nce(sure, same)) == pytest.approx(2 / 3 * math.log(2), abs=1e-4)
    assert float(info_nce(apart, torch.eye(3) > 0)) == pytest.approx(0.0, abs=1e-4)
    assert float(info_nce(sure, same)) < float(info_nce(apart, same))
    assert float(info_nce(torch.zeros(3, 3), same)) == pytest.approx(math.log(3))


def test_the_batch_numbers_captions_so_that_equal_ones_are_one():
    recipe = opened()
    batch = recipe.batch(0, 0, settings(train_batch_size=12))
    said = [recipe.tokenizer.decode(row, skip_special_tokens=True).strip() for row in batch["tokens"]]
    same = batch["caption"][:, None] == batch["caption"][None]
    assert same.tolist() == [[a == b for b in said] for a in said]


def test_the_grid_has_a_column_a_picture_and_a_row_a_caption(trained):
    recipe, *_ = trained
    assert recipe.grid().shape == (128 + 10 * 64, 360 + 10 * 128, 3)


def test_a_run_cut_off_and_resumed_makes_the_same_losses(tmp_path):
    cut, whole = cut_off_and_whole(opened, tmp_path)
    assert cut == whole


def test_the_clip_that_ships_is_written_alone_and_is_small(trained):
    recipe, _, folder = trained
    assert [p.name for p in (folder / "model").iterdir()] == ["clip"]
    assert sum(p.numel() for p in recipe.clip.parameters()) < 1.3e6
    clip = open_extractor(f"clip:{folder / 'model' / 'clip'}")
    assert clip.texts(["a left hand"]).shape == (1, 128)
