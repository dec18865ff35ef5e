"""``critic``: what it learns, what it must not learn from, and how it is kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from handwright.data.hands.defects import DEFECTS
from handwright.errors import MissingModelError
from handwright.hand.grammar.named import NAMED
from handwright.training.critic_network import load_critic, peaks
from handwright.training.losses import cell_gaussians
from handwright.training.recipes.critic import (
    POSE_GROUPS,
    CriticRecipe,
    fresh_critic,
    pose_group,
    truth,
)
from handwright.training.stream import CropStream
from tests.training.drawn_hands import SIDE, cut_off_and_whole, hands, overfit, settings


def opened():
    torch.manual_seed(0)
    return CriticRecipe(fresh_critic(64), CropStream(hands(8, defective=True), 64, 0.0))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder, recipe = tmp_path_factory.mktemp("critic"), opened()
    return recipe, overfit(recipe, folder, 20, count=6), folder


def test_the_loss_on_a_batch_seen_again_and_again_falls(trained):
    _, losses, _ = trained
    assert losses[-1] < 0.6 * losses[0]


def test_the_saved_critic_says_what_the_trained_one_says(trained):
    _, _, folder = trained
    one, two = (load_critic(folder / "model" / "critic") for _ in range(2))
    crops = torch.rand(2, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        first, second = one(crops), two(crops)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert first.heatmaps.shape == (2, 21, 16, 16)
    assert first.where.shape == (2, len(DEFECTS), 8, 8)
    assert first.poses.shape == (2, len(POSE_GROUPS))
    assert one.config.defects == DEFECTS


def test_a_critic_that_is_missing_or_damaged_is_said_to_be(trained, tmp_path):
    with pytest.raises(MissingModelError, match="no critic"):
        load_critic(tmp_path)
    _, _, folder = trained
    for name in ("config.json", "model.safetensors"):
        data = (folder / "model" / "critic" / name).read_bytes()
        (tmp_path / name).write_bytes(data[: len(data) // 2])
    with pytest.raises(MissingModelError, match="does not load"):
        load_critic(tmp_path)


def test_it_is_small():
    assert sum(p.numel() for p in fresh_critic(128).parameters()) <= 6_000_000


def test_a_heatmap_of_a_landmark_gives_the_landmark_back():
    points = torch.rand(5, 21, 2) * 0.8 + 0.1
    found, mass = peaks(cell_gaussians(points, 32).log().reshape(5, 21, 32, 32), 128)
    assert float((found - 128 * points).abs().max()) < 0.2
    assert float(mass.min()) > 0.9


def test_the_sound_twins_landmarks_do_not_count_where_a_hand_is_malformed():
    recipe = opened()
    batch = recipe.batch(0, 0, settings(train_batch_size=6))
    wrong = batch["sound"] == 0
    assert 0 < int(wrong.sum()) < 6
    with torch.no_grad():
        first = recipe.trained(batch)
        batch["landmarks"][wrong] = 0.1
        batch["visible"][wrong] = 0.0
        assert torch.equal(recipe.trained(batch), first)
        batch["landmarks"][~wrong] = 0.1
        assert float(recipe.trained(batch)) > float(first)


def test_half_of_a_batch_is_malformed_however_rare_that_is():
    few = hands(12)
    few.defects[0, 2] = True
    recipe = CriticRecipe(fresh_critic(64), CropStream(few, 64, 0.0))
    batch = recipe.batch(3, 0, settings(train_batch_size=10))
    assert int((1 - batch["sound"]).sum()) == 5
    sound = CriticRecipe(fresh_critic(64), CropStream(hands(4), 64, 0.0))
    assert int(sound.batch(0, 0, settings())["sound"].sum()) == 2


def test_gloved_hidden_and_spoilt_hands_cannot_be_judged():
    crops = replace(hands(4), gloved=np.array([True, False, False, False]))
    crops.visible[1, 5:] = False
    told = truth(crops, np.array([0.0, 0.0, 0.9, 0.2]))
    assert told["assessable"].tolist() == [0, 0, 0, 1]
    assert told["gloved"].tolist() == [1, 0, 0, 0]


def test_landmarks_outside_do_not_count_and_hidden_ones_count_less_and_tips_more():
    crops = hands(1)
    crops.landmarks_px[0, 5] = -3
    crops.visible[0, 6] = False
    weight = truth(crops, np.zeros(1))["weight"][0]
    assert weight[5] == 0
    assert 0 < weight[6] < weight[7] < weight[8]
    assert truth(crops, np.zeros(1))["landmarks"].max() <= 1 + 3 / SIDE


def test_every_named_pose_has_a_group_and_every_group_a_pose():
    groups = {name: pose_group(said) for name, said in NAMED.items()}
    assert set(groups.values()) == set(POSE_GROUPS)
    wanted = {"fist": "fist", "palm": "open", "ok": "ring", "peace": "two", "rock": "horns", "claw": "hooked"}
    assert {name: groups[name] for name in wanted} == wanted
    assert truth(replace(hands(1), pose=np.array([""])), np.zeros(1))["pose"].tolist() == [-1]


def test_the_grid_shows_crops_and_words_below(trained):
    recipe, *_ = trained
    assert recipe.grid().shape == (3 * (128 + 36), 6 * 128, 3)


def test_a_run_cut_off_and_resumed_makes_the_same_losses(tmp_path):
    cut, whole = cut_off_and_whole(opened, tmp_path)
    assert cut == whole
