"""``critic`` and ``referee``: what they learn, what they must not learn from, and how they are kept."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from handwright.errors import MissingModelError
from handwright.hand.grammar.named import NAMED
from handwright.metrics.extractors.network import save_network
from handwright.review.critic.output_maps import heatmap_peaks
from handwright.training.networks.critic import load_critic
from handwright.training.networks.critic_classes import DEFECTS_SHOWN, FINGER_COUNTS, POSE_GROUPS, pose_group
from handwright.training.networks.perceptual import imagenet_network
from handwright.training.networks.referee import RefereeNetwork
from handwright.training.noising import cell_gaussians
from handwright.training.recipes.judging import critic
from handwright.training.recipes.judging.critic import CriticRecipe, fresh_critic, fresh_referee, grown_critic
from handwright.training.streams.critic_batches import ViewStream
from handwright.training.streams.part_maps import PARTS
from tests.training.drawn_hands import cut_off_and_whole, overfit, settings
from tests.training.drawn_views import views


def opened():
    torch.manual_seed(0)
    network = fresh_critic(64)
    return CriticRecipe(network, ViewStream(views(), 64, 0.0))


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
    assert first.parts.shape == (2, len(PARTS), 16, 16)
    assert first.where.shape == (2, 1 + len(DEFECTS_SHOWN), 8, 8)
    assert first.fingers.shape == (2, len(FINGER_COUNTS))
    assert first.poses.shape == (2, len(POSE_GROUPS))
    assert one.config.defects == DEFECTS_SHOWN


def test_a_critic_goes_on_from_what_it_knows_at_another_size(trained):
    _, _, folder = trained
    kept, grown = load_critic(folder / "model" / "critic"), grown_critic(folder / "model", 96)
    assert grown.training
    assert grown.config.size_px == 96
    assert torch.equal(kept.heads_of_whole.weight, grown.heads_of_whole.weight)
    assert grown(torch.zeros(2, 3, 96, 96)).heatmaps.shape == (2, 21, 24, 24)


def test_a_critic_that_is_missing_or_damaged_is_said_to_be(trained, tmp_path):
    with pytest.raises(MissingModelError, match="no critic"):
        load_critic(tmp_path)
    _, _, folder = trained
    for name in ("config.json", "model.safetensors"):
        data = (folder / "model" / "critic" / name).read_bytes()
        (tmp_path / name).write_bytes(data[: len(data) // 2])
    with pytest.raises(MissingModelError, match="does not load"):
        load_critic(tmp_path)


def test_both_are_small_and_say_the_same_kinds_of_things():
    critic, referee = fresh_critic(128).eval(), fresh_referee().eval()
    assert sum(p.numel() for p in critic.parameters()) <= 6_000_000
    assert sum(p.numel() for p in referee.parameters()) <= 3_000_000
    with torch.no_grad():
        one, other = critic(torch.zeros(1, 3, 128, 128)), referee(torch.zeros(1, 3, 96, 96))
    for name in ("visible", "defects", "fingers", "poses", "malformed"):
        assert getattr(one, name).shape == getattr(other, name).shape
    assert other.heatmaps.shape == (1, 21, 24, 24)
    assert other.where.shape == (1, 1 + len(DEFECTS_SHOWN), 12, 12)


def test_a_referee_learns_from_the_same_samples_and_is_kept_like_a_critic(tmp_path):
    torch.manual_seed(0)
    network = fresh_referee()
    recipe = CriticRecipe(network, ViewStream(views(), 96, 0.0))
    losses = overfit(recipe, tmp_path, 12, count=6)
    assert losses[-1] < 0.8 * losses[0]
    assert load_critic(tmp_path / "model" / "critic", RefereeNetwork).config.name == "referee-v1"


def test_a_heatmap_of_a_landmark_gives_the_landmark_back():
    points = torch.rand(21, 2) * 0.8 + 0.1
    logits = cell_gaussians(points[None], 32).log().reshape(21, 32, 32).numpy()
    found, mass = heatmap_peaks(logits, 128)
    assert np.abs(found - 128 * points.numpy()).max() < 0.2
    assert mass.min() > 0.9


def test_what_is_not_known_of_a_hand_does_not_count():
    recipe = opened()
    batch = recipe.batch(0, 0, settings(train_batch_size=6))
    wrong = batch["defects"].any(1)
    recipe.trained.eval()
    with torch.no_grad():
        first = recipe.trained(batch)
        batch["landmarks"][wrong, 9:13] = 0.1
        batch["visible"][wrong] = 0.0
        assert torch.equal(recipe.trained(batch), first)
        batch["landmarks"][~wrong] = 0.1
        assert float(recipe.trained(batch)) > float(first)


def test_hands_that_cannot_be_judged_teach_nothing_about_defects():
    recipe = opened()
    batch = recipe.batch(0, 0, settings(train_batch_size=6))
    recipe.trained.eval()
    batch["judged"][2] = 0
    with torch.no_grad():
        first = recipe.trained(batch)
        batch["fingers"][2] = 7
        batch["wrong"][2] = 1 - batch["wrong"][2]
        assert torch.equal(recipe.trained(batch), first)
        batch["judged"][2] = 1
        assert not torch.equal(recipe.trained(batch), first)


def test_every_named_pose_has_a_group_and_every_group_a_pose():
    groups = {name: pose_group(said) for name, said in NAMED.items()}
    assert set(groups.values()) == set(POSE_GROUPS)
    wanted = {"fist": "fist", "palm": "open", "ok": "ring", "peace": "two", "rock": "horns", "claw": "hooked"}
    assert {name: groups[name] for name in wanted} == wanted


def test_the_grid_shows_crops_and_words_below(trained):
    recipe, *_ = trained
    assert recipe.grid().shape == (3 * (128 + 36), 6 * 128, 3)


def test_a_run_cut_off_and_resumed_makes_the_same_losses(tmp_path):
    cut, whole = cut_off_and_whole(opened, tmp_path)
    assert cut == whole


def test_malformed_hands_of_which_nobody_knows_where_leave_the_places_alone(monkeypatch):
    monkeypatch.setattr(critic, "_LOSS_WEIGHTS", dict.fromkeys(critic._LOSS_WEIGHTS, 0.0) | {"where": 1.0})
    recipe = opened()
    batch = recipe.batch(0, 0, settings(train_batch_size=6))
    unknown = {"unforeseen": torch.ones(6), "wrong": torch.zeros_like(batch["wrong"])}
    batch = {**batch, "judged": torch.ones(6), "assessable": torch.ones(6), **unknown}
    assert recipe.trained(batch) == 0
    assert recipe.trained({**batch, "unforeseen": torch.zeros(6)}) > 0


def test_a_fresh_critic_knows_imagenet_and_loads_without_it(tmp_path):
    fresh = fresh_critic(64)
    save_network(fresh, fresh.config, tmp_path)
    loaded, crops = load_critic(tmp_path), torch.rand(2, 3, 64, 64)
    for one, other in zip(fresh.eval()(crops), loaded(crops), strict=True):
        torch.testing.assert_close(one, other)
    stem = imagenet_network()._conv_stem.weight
    torch.testing.assert_close(loaded.backbone.stem[0].weight, stem)
