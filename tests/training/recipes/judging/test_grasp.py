"""``grasp``: what counts as known of a crop, what is left out, and how the network is kept and run."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from handwright.data.shards import write_shard
from handwright.errors import DataError, MissingModelError, UsageError
from handwright.review.checks.broken_hold import FILE, BrokenHolds
from handwright.training.hold_crops import (
    HOLDS,
    REAL,
    SIDE_PX,
    HoldCrops,
    HoldStream,
    hold_entry,
    is_left_out,
    load_hold_crops,
)
from handwright.training.members import open_member
from handwright.training.networks.grasp import GraspConfig, GraspNetwork, load_grasp
from handwright.training.recipes.judging.grasp import GraspRecipe, hold_loss
from release_grasp import LEAST, limit_for
from release_packaging import export_onnx
from tests.training.drawn_hands import cut_off_and_whole, overfit, settings

SIDE, CONTEXT = 64, 1.6
CONFIG = GraspConfig("little", HOLDS, SIDE, CONTEXT, joined=16, dropout=0.0)


def drawn(count=12):
    """A grey hand with a thing in a colour of its own for each class; no thing where none is held."""
    rng = np.random.default_rng(2)
    pixels = rng.integers(100, 130, (count, SIDE_PX, SIDE_PX, 4), np.uint8)
    kinds = np.arange(count) % (REAL + 1)
    pixels[..., 3] = 0
    pixels[:, 60:120, 60:120, 3] = 255
    colours = [(110, 110, 110), (220, 40, 40), (40, 220, 40), (40, 40, 220), (220, 220, 40), (110, 110, 110)]
    for k, kind in enumerate(kinds):
        pixels[k, 70:110, 90:130, :3] = colours[kind]
    origins = ["generated" if kind == REAL else "render" for kind in kinds]
    for k in (REAL + 1, REAL + 2):  # An empty hand, and one that holds a thing
        if k < count:
            origins[k] = "person"
    return HoldCrops(pixels, kinds, tuple(origins))


def opened():
    torch.manual_seed(0)
    return GraspRecipe(GraspNetwork(CONFIG), drawn(), drawn())


def test_the_loss_of_a_render_is_its_holds_and_of_a_real_hand_that_none_is_broken():
    shares = torch.tensor([[0.1, 0.2, 0.3, 0.15, 0.25]])
    for kind in range(REAL):
        expected = -np.log(float(shares[0, kind]))
        assert float(hold_loss(shares.log(), torch.tensor([kind]))) == pytest.approx(expected)
    assert float(hold_loss(shares.log(), torch.tensor([REAL]))) == pytest.approx(-np.log(0.3))


def test_samples_are_the_same_for_the_same_generator_and_keep_their_class():
    stream = HoldStream(drawn(), SIDE, CONTEXT)
    (pixels, kinds), (again, _) = (stream.draw(np.random.default_rng(3), 40) for _ in range(2))
    assert np.array_equal(pixels, again)
    assert pixels.shape == (40, SIDE, SIDE, 4)
    assert set(kinds) == set(range(REAL + 1))
    plain = stream.plain()
    assert plain.shape == (12, SIDE, SIDE, 4)
    middle = plain[1, 32, 40, :3].astype(int)
    assert middle[0] > middle[1] + 60, "the thing lies where it was drawn"


@pytest.mark.parametrize(
    ("others", "share"), [(("person",), 1 / 2), (("person", "diffuse of a text"), 1 / 2), ((), 0)]
)
def test_half_of_a_class_are_renders_of_holds_however_few_others_there_are(others, share):
    origins = (*others, *("render",) * 60)
    pixels = np.zeros((len(origins), SIDE_PX, SIDE_PX, 4), np.uint8)
    pixels[: len(others), ..., :3] = 255
    few = HoldCrops(pixels, np.zeros(len(origins), np.int64), origins)
    drawn_pixels, _ = HoldStream(few, SIDE, CONTEXT).draw(np.random.default_rng(0), 300)
    found = (drawn_pixels[:, 20:40, 20:40, :3].mean((1, 2, 3)) > 128).mean()
    assert found == pytest.approx(share, abs=0.1)


def test_groups_are_left_out_as_a_whole_and_what_is_kept_for_tests_is_refused():
    records = [{"group": f"9-{k}"} for k in range(400)]
    assert 0.12 < np.mean([is_left_out(record) for record in records]) < 0.28
    assert is_left_out({"group": "a", "origin": "x"}) == is_left_out({"group": "a", "origin": "y"})
    for facts in ({"sha256": "19aa"}, {"split": "test"}):
        with pytest.raises(DataError, match="test-only"):
            is_left_out({"group": "a", **facts})


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    folder, crops = tmp_path_factory.mktemp("crops"), drawn(60)
    states = [*HOLDS, "real"]
    entries = (
        hold_entry(
            f"{k:08d}",
            crops.pixels[k],
            {"state": states[crops.kinds[k]], "origin": crops.origins[k], "group": f"g{k}"},
        )
        for k in range(60)
    )
    write_shard(folder / "renders.tar", entries)
    return folder


def test_training_and_what_is_left_out_share_nothing_and_lose_nothing(shards):
    kept, out = load_hold_crops(shards), load_hold_crops(shards, left_out=True)
    assert len(kept) + len(out) == 60
    assert 0 < len(out) < 30
    every = np.concatenate([kept.pixels, out.pixels])
    assert len(np.unique(every.reshape(60, -1), axis=0)) == 60
    assert sorted([*kept.kinds, *out.kinds]) == sorted(drawn(60).kinds)


def test_a_folder_without_crops_is_named(tmp_path):
    write_shard(tmp_path / "other.tar", [])
    with pytest.raises(UsageError, match="no crops of holds"):
        load_hold_crops(tmp_path)


def test_a_run_that_was_cut_off_goes_on_to_the_digit(tmp_path):
    cut, whole = cut_off_and_whole(opened, tmp_path)
    assert cut == whole
    assert len(set(cut)) == 3


def test_the_member_learns_is_measured_and_saved_and_says_the_same_in_onnx(tmp_path):
    recipe = opened()
    losses = overfit(recipe, tmp_path, 40, count=12)
    assert losses[-1] < 0.3 * losses[0]
    measures = recipe.measures()
    assert set(measures) == {"auc", "found_at_2", "real_above_2", "held_auc"}
    assert measures["auc"] > 0.9
    assert measures["held_auc"] == 1.0
    network = load_grasp(tmp_path / "model" / "grasp")
    limits = {"limit": "0.75", "held": "0.9", "may_hold": "0.6"}
    meta = {"classes": json.dumps(HOLDS), "size_px": "64", "context": "1.6", **limits}
    export_onnx(network, torch.zeros(2, 4, SIDE, SIDE), ("logits",), meta, tmp_path / FILE)
    holds = BrokenHolds.load(tmp_path)
    assert (holds.classes, holds.size_px, holds.context) == (HOLDS, SIDE, CONTEXT)
    assert (holds.limit, holds.held, holds.may_hold) == (0.75, 0.9, 0.6)
    crops = HoldStream(drawn(), SIDE, CONTEXT).plain()
    both = np.stack([crops, crops[:, :, ::-1]])
    with torch.no_grad():
        views = torch.from_numpy(both.transpose(0, 1, 4, 2, 3).astype(np.float32) / 127.5 - 1)
        wanted = torch.stack([network(view).softmax(1) for view in views]).mean(0).numpy()
    assert np.abs(holds.probabilities(crops) - wanted).max() < 0.02


def test_a_network_without_its_facts_is_named(tmp_path):
    export_onnx(GraspNetwork(CONFIG).eval(), torch.zeros(2, 4, SIDE, SIDE), ("logits",), {}, tmp_path / FILE)
    with pytest.raises(MissingModelError, match="tells no broken holds"):
        BrokenHolds.load(tmp_path)
    with pytest.raises(MissingModelError, match="no network of holds"):
        load_grasp(tmp_path)


def test_the_member_opens_by_name_is_small_and_goes_on_from_its_weights(shards, tmp_path):
    recipe = open_member("grasp", shards, None, settings(resolution=64))
    assert sum(p.numel() for p in recipe.network.parameters()) <= 1_000_000
    recipe.save(tmp_path)
    again = open_member("grasp", shards, tmp_path, settings(resolution=64))
    states = zip(recipe.network.state_dict().values(), again.network.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in states)
    assert again.network.training


def test_a_limit_spends_no_more_than_its_budget_and_is_never_below_a_half():
    scores = np.linspace(0.5, 0.999, 200)
    for budget in (0.0, 0.01, 0.02):
        limit = limit_for(scores, budget)
        assert (scores >= limit).mean() <= budget
        assert (scores >= limit - 0.004).mean() > budget or limit == 1.0
    assert limit_for(np.full(50, 0.1), 0.02) == LEAST
