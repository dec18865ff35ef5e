"""``bench/hand_generator.py`` and ``bench/equal_runs.py``: equal noise, paired differences."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "bench"))

from equal_runs import LEVELS, by_name, mean_where, models_in, noised, report
from hand_generator import LOSSES, held_out, losses, opened, overlap
from handwright.training.networks.family import open_family
from handwright.training.recipes.hand_generator import HandGeneratorRecipe
from handwright.two_stage.networks.hand_generator import WITH_DEPTH, HandGenerator
from tests.diffusion.models import write_sd
from tests.training.rendered_crops import crops, shard


@pytest.fixture(scope="module", name="base")
def _base(tmp_path_factory):
    return write_sd(tmp_path_factory.mktemp("base") / "sd", 9)


def recipe_of(base, **options):
    torch.manual_seed(0)
    family = open_family(base)
    network = HandGenerator.from_unet(family.unet, **options)
    return HandGeneratorRecipe(crops(), family, 0.0, network)


def test_runs_are_told_apart_by_name_and_nothing_is_measured_twice(tmp_path):
    for name in ("published-1", "published-2", "no-mask-head-1"):
        (tmp_path / name / "model").mkdir(parents=True)
    (tmp_path / "notes").mkdir()
    measured: list[str] = []

    def measure(model):
        measured.append(model.parent.name)
        return np.full((4, 1), float(len(measured)))

    models = models_in(tmp_path)
    first = by_name(models, "losses", 4, measure)
    assert {name: len(runs) for name, runs in first.items()} == {"published": 2, "no-mask-head": 1}
    again = by_name(models, "losses", 4, measure)
    assert measured == ["no-mask-head-1", "published-1", "published-2"]
    assert all(np.array_equal(a, b) for name in first for a, b in zip(first[name], again[name], strict=True))
    by_name(models, "losses", 5, measure)
    assert len(measured) == 6


def test_differences_are_paired_by_picture_and_means_over_seeds():
    rng = np.random.default_rng(0)
    hard = rng.normal(0, 10, (50, 1))
    values = {"published": [hard, hard + 2], "zero": [hard + 3]}
    lines = list(report(values, ("loss",), "published"))
    (apart,) = (line for line in lines if "less published's" in line)
    assert "2.000   [2.000, 2.000]   N 50" in apart
    assert [line for line in lines if line.startswith("—")] == [
        "— published: 2 seeds, 50 pictures", "— zero: 1 seeds, 50 pictures"
    ]  # fmt: skip
    assert sum("run" in line for line in report(values, ("loss",), "published", seeds=True)) == 2
    with pytest.raises(SystemExit, match="there are no runs none-1"):
        list(report(values, ("loss",), "none"))


def test_what_a_name_has_nothing_of_is_left_out_and_so_is_the_difference_from_it():
    nothing, half = np.full((4, 1), np.nan), np.full((4, 1), 0.5)
    lines = list(report({"a": [nothing], "b": [half]}, ("IoU",), "a"))
    assert [line.split()[0] for line in lines] == ["—", "—", "IoU"]
    assert "nan" not in "".join(lines)


def test_every_network_meets_the_same_noise_and_every_batch_another(base):
    schedule, clean = recipe_of(base).schedule, torch.zeros(2, 4, 8, 8)
    one, again, further = (list(noised(schedule, clean, start)) for start in (0, 0, 16))
    assert len(one) == len(LEVELS)
    assert all(torch.equal(a.latents, b.latents) for a, b in zip(one, again, strict=True))
    assert not any(torch.equal(a.target, b.target) for a, b in zip(one, further, strict=True))
    assert [int(n.timesteps[0]) for n in one] == list(LEVELS)


def test_the_mean_of_a_hand_is_of_its_cells_alone():
    error, inside = torch.ones(2, 4, 4), torch.zeros(2, 4, 4)
    error[0, :2], inside[0, :2] = 3.0, 1.0
    within = mean_where(error, inside)
    assert float(within[0]) == 3
    assert torch.isnan(within[1])


def test_masks_overlap_as_far_as_they_are_the_same():
    hand = torch.zeros(3, 1, 4, 4)
    hand[:, :, :2] = 1
    logits = torch.stack([20 * hand[0] - 10, 10 - 20 * hand[0], torch.full((1, 4, 4), 10.0)])
    assert overlap(logits, hand).tolist() == [1.0, 0.0, 0.5]
    assert torch.isnan(overlap(None, hand)).all()


def test_losses_are_the_network_s_with_the_mask_hidden_and_given(base):
    some = crops(3, 64)
    found = losses(recipe_of(base), some)
    assert found.shape == (3, len(LOSSES))
    assert np.isfinite(found).all()
    assert ((found[:, 4] >= 0) & (found[:, 4] <= 1)).all()
    assert not np.array_equal(found[:, 0], found[:, 2])
    blind = recipe_of(base)
    with torch.no_grad():  # A network that cannot read the condition is the same with the mask and without
        blind.generator.unet.conv_in.weight[:, blind.generator.latent_channels :] = 0
    blind = losses(blind, some)
    assert np.array_equal(blind[:, :2], blind[:, 2:4])
    assert not np.array_equal(blind[:, 0], found[:, 0])


def test_networks_without_a_mask_head_or_with_depth_are_measured_too(base):
    some = crops(2, 64)
    bare = losses(recipe_of(base, with_mask_head=False), some)
    assert np.isnan(bare[:, 4]).all()
    assert np.isfinite(bare[:, :4]).all()
    deep = recipe_of(base, condition_channels=WITH_DEPTH)
    flat = replace(some, depth=np.where(some.depth > 0, np.uint8(1), np.uint8(0)))
    assert not np.array_equal(losses(deep, some)[:, 0], losses(deep, flat)[:, 0])


def test_hands_are_painted_from_noise_by_their_number_and_the_mask_is_the_network_s(base):
    some = crops(2, 64)
    first, again = (list(recipe_of(base).painted(some)) for _ in range(2))
    for (pixels, mask), (twin, _) in zip(first, again, strict=True):
        assert pixels.shape == (64, 64, 3)
        assert np.array_equal(pixels, twin)
        assert mask is not None
        assert mask.shape == (64, 64)
        assert 0 <= mask.min() <= mask.max() <= 1
    assert not np.array_equal(first[0][0], first[1][0])
    assert next(iter(recipe_of(base, with_mask_head=False).painted(some)))[1] is None


def test_held_out_hands_are_sound_and_have_one_caption_and_a_run_is_opened_on_its_base(base, tmp_path):
    shard(tmp_path / "held", 3)
    some = held_out(tmp_path / "held", 64, 2)
    assert some.pixels.shape == (2, 64, 64, 3)
    assert not some.defects.any()
    assert not any("\n" in str(words) for words in some.caption)
    recipe = recipe_of(base)
    recipe.save(tmp_path / "model")
    again = opened(tmp_path / "model", base, some)
    assert np.array_equal(losses(again, some), losses(recipe, some))
