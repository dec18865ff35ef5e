"""Stage I's recipe: its batches are the paper's, and a step of it learns both heads."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from handwright.diffusion.loading.places import EMBEDDED
from handwright.errors import UsageError
from handwright.training import members
from handwright.training.loop import train
from handwright.training.networks.family import open_family
from handwright.training.recipes.hand_generator import (
    MASK_DILATION_PX,
    HandGeneratorRecipe,
    hand_masks,
    heatmaps_of,
)
from handwright.training.settings import TrainSettings
from handwright.training.streams.crop_batches import mirrored, shifted_colours
from handwright.two_stage.networks.hand_generator import (
    CONDITION_CHANNELS,
    WITH_DEPTH,
    HandGenerator,
    at_latent_size,
)
from handwright.two_stage.pipeline import TwoStagePipeline
from tests.diffusion.families import write_sdxl
from tests.diffusion.models import write_sd
from tests.training.rendered_crops import crops

SETTINGS = TrainSettings(train_batch_size=4, max_train_steps=2, mixed_precision="no")


@pytest.fixture(name="recipe", params=[4, 9])
def _recipe(request, tmp_path):
    family = open_family(write_sd(tmp_path / "sd", request.param))
    return HandGeneratorRecipe(crops(size=72), family, 0.3)


def test_half_of_the_masks_are_left_out_but_never_of_the_target(recipe):
    batches = [recipe.batch(step, 0, SETTINGS) for step in range(12)]
    condition, hand = (torch.cat([b[name] for b in batches]) for name in ("condition", "hand"))
    cells = batches[0]["latents"].shape[2:]
    assert (condition.shape[1:], hand.shape[1:]) == ((CONDITION_CHANNELS, *cells), (1, 64, 64))
    assert bool(hand.flatten(1).any(1).all())
    shown = condition[:, -1:].flatten(1).any(1)
    assert 0.25 < float(shown.float().mean()) < 0.75
    assert torch.equal(condition[shown, -1:], at_latent_size(hand[shown], cells))


@pytest.mark.parametrize(("share", "seen"), [(0.0, True), (1.0, False)])
def test_all_masks_are_shown_or_none(tmp_path, share, seen):
    family = open_family(write_sd(tmp_path / "sd", 4))
    recipe = HandGeneratorRecipe(crops(size=72), family, 0.3, mask_dropout=share)
    batches = [recipe.batch(step, 0, SETTINGS) for step in range(4)]
    shown = torch.cat([batch["condition"][:, -1].flatten(1).any(1) for batch in batches])
    assert bool((shown == seen).all())
    assert all(bool(batch["hand"].flatten(1).any(1).all()) for batch in batches)


def test_the_options_of_its_ablations_reach_the_network_and_the_recipe(tmp_path, monkeypatch):
    monkeypatch.setattr(members, "load_crops", lambda *_, **__: crops(size=72))
    model = write_sd(tmp_path / "sd", 4)
    settings = replace(SETTINGS, mask_head=False, mask_dropout=1.0)
    recipe = members.open_member("hand_generator", tmp_path, model, settings)
    assert recipe.generator.mask_head is None
    assert recipe.mask_dropout == 1.0
    assert train(recipe, settings, tmp_path / "run").done
    again = HandGenerator.from_pretrained(tmp_path / "run" / "model" / "hand_generator")
    assert not again.config["with_mask_head"]
    with pytest.raises(UsageError, match=r"mask_dropout is 1\.1"):
        TrainSettings(mask_dropout=1.1)


@pytest.mark.parametrize("channels", [4, 9])
def test_sdxl_learns_and_paints_with_what_it_learnt(tmp_path, monkeypatch, channels):
    monkeypatch.setattr(members, "load_crops", lambda *_, **__: crops(size=72))
    model = write_sdxl(tmp_path / "xl", channels)
    recipe = members.open_member("hand_generator", tmp_path, model, SETTINGS)
    before = recipe.generator.unet.add_embedding.linear_1.weight.clone()
    assert train(recipe, SETTINGS, tmp_path / "run").done
    assert not torch.equal(before, recipe.generator.unet.add_embedding.linear_1.weight)
    folder = tmp_path / "run" / "model" / "hand_generator"
    pipe = TwoStagePipeline.from_pretrained(model, hand_generator=folder, dtype="float32")
    assert pipe.hand_generator is not None
    with pytest.raises(UsageError, match="this model has two of them"):
        members.open_member("base", tmp_path, model, SETTINGS)


def test_depth_is_hidden_from_a_share_of_samples_and_a_model_s_own_generator_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(members, "load_crops", lambda *_, **__: crops(size=72))
    model, settings = write_sd(tmp_path / "sd", 4), replace(SETTINGS, hand_depth=True)
    first = members.open_member("hand_generator", tmp_path, model, settings)
    assert first.batch(0, 0, settings)["condition"][:, WITH_DEPTH - 1].any()
    hidden = replace(settings, conditioning_dropout_prob=1.0)
    assert not first.batch(0, 0, hidden)["condition"][:, WITH_DEPTH - 1].any()
    first.save(model)
    again = members.open_member("hand_generator", tmp_path, model, SETTINGS)
    assert again.generator.reads_depth
    name = "unet.conv_in.weight"
    assert torch.equal(first.generator.state_dict()[name], again.generator.state_dict()[name])


def test_everything_is_to_be_painted(recipe):
    batch = recipe.batch(0, 0, SETTINGS)
    assert bool((batch["mask"] == 1).all())
    assert torch.equal(batch["masked_latents"][0], batch["masked_latents"][-1])


def test_it_trains_and_saves_a_network_that_loads(recipe, tmp_path):
    before = recipe.generator.mask_head.layers[0].weight.clone()
    train(recipe, SETTINGS, tmp_path / "run")
    assert not torch.equal(before, recipe.generator.mask_head.layers[0].weight)
    again = HandGenerator.from_pretrained(tmp_path / "run" / "model" / "hand_generator")
    assert again.config["condition_channels"] == CONDITION_CHANNELS
    assert (tmp_path / "run" / "grids" / "00000002.png").exists()


def test_a_run_that_was_ended_goes_on_with_the_losses_and_weights_of_one_that_was_not(tmp_path, monkeypatch):
    monkeypatch.setattr(members, "load_crops", lambda *_, **__: crops(size=72))
    model, longer = write_sd(tmp_path / "sd", 9), replace(SETTINGS, max_train_steps=4, hand_depth=True)

    def run(name, **further):
        recipe = members.open_member("hand_generator", tmp_path, model, longer)
        train(recipe, longer, tmp_path / name, **further)
        lines = (tmp_path / name / "log.jsonl").read_text("utf-8").splitlines()
        return [json.loads(line)["loss"] for line in lines]

    whole, asked = run("whole"), iter([False, True])
    assert run("cut", stop_requested=lambda: next(asked)) == whole[:2]
    assert run("cut", resume=True) == whole
    assert len(set(whole)) == 4
    one, other = (
        HandGenerator.from_pretrained(tmp_path / name / "model" / "hand_generator").state_dict()
        for name in ("whole", "cut")
    )
    assert all(torch.equal(value, other[name]) for name, value in one.items())


def test_crops_of_an_unknown_side_are_left_out(tmp_path):
    some = crops(size=72)
    some = replace(some, side=np.array([-1, 0, 1, -1, 0, 1], np.int8))
    recipe = HandGeneratorRecipe(some, open_family(write_sd(tmp_path / "sd", 4)), 0.0)
    assert len(recipe.stream.crops) == 4


def test_heatmaps_are_those_of_the_crops_side():
    some = replace(crops(size=72), side=np.array([0, 1, 0, 1, 0, 1], np.int8))
    left, right = heatmaps_of(some, 0), heatmaps_of(some, 1)
    assert left[:5].any()
    assert not left[5:].any()
    assert np.array_equal(left[:5], right[5:])


def test_the_target_is_the_hand_dilated_by_the_papers_kernel():
    some = crops(size=72)
    masks = hand_masks(some)
    grown = MASK_DILATION_PX - 1
    depth = some.depth[0] > 0
    assert masks[0].sum() == (depth.any(1).sum() + grown) * (depth.any(0).sum() + grown)
    unknown = replace(some, depth=np.zeros_like(some.depth))
    assert np.array_equal(hand_masks(unknown), some.mask)


def test_colours_are_shifted_within_the_papers_kinds():
    rng, grey = np.random.default_rng(0), np.full((1, 4, 4, 3), 127, np.uint8)
    means = np.array([shifted_colours(rng, grey).mean((0, 1, 2)) for _ in range(400)])
    assert np.abs(means - 127).max() <= 20 + 0.2 * 255 + 1
    assert np.abs(means[:, 0] - means[:, 1]).max() <= 41
    assert np.abs(means - 127).max() > 50


@pytest.mark.slow
def test_the_embedded_family_learns_it(tmp_path):
    recipe = HandGeneratorRecipe(crops(size=288), open_family(EMBEDDED["tiny"]), 0.0)
    assert train(recipe, SETTINGS, tmp_path / "run").done


def test_with_depth_the_condition_has_it_as_its_last_channel_and_all_else_is_the_same(tmp_path):
    family = open_family(write_sd(tmp_path / "sd", 4))
    network = HandGenerator.from_unet(family.unet, condition_channels=WITH_DEPTH)
    deep = HandGeneratorRecipe(crops(size=72), family, 0.3, network)
    plain = HandGeneratorRecipe(crops(size=72), family, 0.3)
    with_depth, without = (one.batch(1, 0, SETTINGS) for one in (deep, plain))
    assert torch.equal(with_depth["condition"][:, :-1], without["condition"])
    assert with_depth["condition"].shape[1] == WITH_DEPTH
    depth = with_depth["condition"][:, -1]
    assert 0.5 < float(depth.max()) <= 1
    assert torch.equal(depth.gt(0).flatten(1).any(1), torch.ones(4).bool())
    torch.manual_seed(0)
    with torch.no_grad():
        assert not torch.equal(deep.trained(with_depth), deep.trained({**with_depth, "condition": torch.cat(
            [with_depth["condition"][:, :-1], torch.zeros_like(depth[:, None])], 1)}))  # fmt: skip


def test_two_hands_of_a_crop_have_their_own_heatmaps_and_keep_them_in_the_mirror():
    some = replace(crops(size=72), side=np.array([0, 1, 0, 1, 0, 1], np.int8))
    some = replace(some, other_px=some.landmarks_px + np.float32([30, 20]))
    for turned in (some, mirrored(some)):
        left = heatmaps_of(turned, 0)
        assert left[:5].any()
        assert left[5:].any()
    maps, twin = heatmaps_of(some, 0), heatmaps_of(mirrored(some), 0)
    assert np.allclose(maps[:5, :, ::-1], twin[5:], atol=1e-6)
    assert np.allclose(maps[5:, :, ::-1], twin[:5], atol=1e-6)
