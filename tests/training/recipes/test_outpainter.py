"""Stage II's recipe: its batches are the paper's, it alone learns, a run that was ended goes on exactly."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from diffusers import ControlNetModel

from handwright.diffusion.latents import encode, picture_tensor
from handwright.errors import UsageError
from handwright.training.frozen_text import FrozenText
from handwright.training.loop import train
from handwright.training.members import open_member
from handwright.training.samples import family_pipeline
from handwright.training.settings import TrainSettings
from handwright.two_stage.networks.outpainter import Outpainter
from handwright.two_stage.pipeline import TwoStagePipeline
from tests.diffusion.families import write_sdxl
from tests.diffusion.models import small_controlnet, small_unet, write_sd
from tests.training.people_shards import people_shard
from tests.training.two_steps import TWO_STEPS as SETTINGS


@pytest.fixture(scope="module", name="data")
def _data(tmp_path_factory):
    return people_shard(tmp_path_factory.mktemp("people"))


@pytest.fixture(scope="module", name="models")
def _models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return {channels: write_sd(folder / str(channels), channels) for channels in (4, 9)}


@pytest.fixture(name="recipe", params=[4, 9])
def _recipe(request, data, models):
    return open_member("outpainter", data, models[request.param], SETTINGS)


def test_a_batch_is_the_canvas_in_the_hands_and_the_picture_around_them(recipe):
    batch = recipe.batch(3, 0, SETTINGS)
    rng = np.random.default_rng([0, 3, 0])
    people = recipe.stream.draw(rng, 2)
    hands = batch["hands"].bool().expand(-1, 4, -1, -1)
    assert hands.any()
    assert not hands.all()
    pixels = np.stack([person.pixels for person in people])
    canvas = np.where(np.stack([p.hands for p in people])[..., None], pixels, np.uint8(127))
    with torch.no_grad():
        wanted = [encode(recipe.codec, picture_tensor(one)) for one in (pixels, canvas)]
    clean = recipe.schedule.alphas_cumprod[batch["timesteps"]][:, None, None, None]
    start = (batch["latents"] - (1 - clean).sqrt() * batch["target"]) / clean.sqrt()
    torch.testing.assert_close(start[~hands], wanted[0][~hands], atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(start[hands], wanted[1][hands], atol=1e-3, rtol=1e-3)
    assert torch.equal(batch["masked_latents"], wanted[1])
    assert batch["condition"].shape == (2, 4, 64, 64)
    assert torch.equal(batch["condition"][:, 3].bool(), torch.from_numpy(np.stack([p.hands for p in people])))
    assert bool((batch["mask"] >= 1 - batch["hands"]).all())


def test_hands_of_a_share_of_samples_are_left_to_stage_ii(recipe):
    batch = recipe.batch(3, 0, replace(SETTINGS, conditioning_dropout_prob=1.0))
    assert not batch["hands"].any()
    assert not batch["condition"][:, 3].any()
    assert bool((batch["mask"] == 1).all())


def test_a_model_that_has_an_outpainter_goes_on_with_it(data, tmp_path):
    model = write_sd(tmp_path / "sd", 9)
    first = open_member("outpainter", data, model, SETTINGS)
    torch.nn.init.normal_(first.outpainter.controlnet_mid_block.weight)
    first.save(model)
    again = open_member("outpainter", data, model, SETTINGS)
    for name, value in first.outpainter.state_dict().items():
        assert torch.equal(value, again.outpainter.state_dict()[name])


def test_what_is_predicted_inside_the_hands_counts_for_nothing(recipe):
    batch = recipe.batch(0, 0, SETTINGS)
    other = dict(batch)
    other["target"] = torch.where(batch["hands"].bool(), 7.0, batch["target"])
    with torch.no_grad():
        assert torch.equal(recipe.trained(batch), recipe.trained(other))
        other["target"] = torch.where(batch["hands"].bool(), batch["target"], 7.0)
        assert not torch.equal(recipe.trained(batch), recipe.trained(other))


def test_the_outpainter_alone_learns_and_a_network_that_loads_is_written(recipe, tmp_path):
    before = {name: value.clone() for name, value in recipe.family.unet.state_dict().items()}
    mask = recipe.outpainter.controlnet_cond_embedding.conv_in.weight[:, 3].clone()
    assert not mask.any()
    train(recipe, SETTINGS, tmp_path)
    assert all(torch.equal(v, before[k]) for k, v in recipe.family.unet.state_dict().items())
    assert not torch.equal(mask, recipe.outpainter.controlnet_cond_embedding.conv_in.weight[:, 3])
    again = Outpainter.from_pretrained(tmp_path / "model" / "outpainter")
    assert again.config["conditioning_channels"] == 4
    assert (tmp_path / "grids" / "00000002.png").exists()


def test_sdxl_learns_as_its_pipeline_reads(data, tmp_path):
    model = write_sdxl(tmp_path / "xl", 4)
    recipe = open_member("outpainter", data, model, SETTINGS)
    batch = recipe.batch(0, 0, replace(SETTINGS, proportion_empty_prompts=0.0))
    assert batch["tokens"].shape == (2, 2, 77)
    captions = [person.caption for person in recipe.stream.draw(np.random.default_rng([0, 0, 0]), 2)]
    pipe = family_pipeline(recipe.family).pipe
    wanted, _, pooled, _ = pipe.encode_prompt(captions, device="cpu", do_classifier_free_guidance=False)
    text, further = FrozenText(recipe.family)(batch["tokens"], torch.device("cpu"))
    torch.testing.assert_close(text, wanted)
    added = further["added_cond_kwargs"]
    torch.testing.assert_close(added["text_embeds"], pooled)
    assert added["time_ids"].tolist() == [[64, 64, 0, 0, 64, 64]] * 2
    assert train(recipe, SETTINGS, tmp_path / "run").done
    folder = tmp_path / "run" / "model" / "outpainter"
    TwoStagePipeline.from_pretrained(model, outpainter=folder, dtype="float32")


def test_a_run_that_was_ended_goes_on_with_the_losses_of_one_that_was_not(data, models, tmp_path):
    def losses(folder):
        return [json.loads(line)["loss"] for line in (folder / "log.jsonl").read_text("utf-8").splitlines()]

    longer = replace(SETTINGS, max_train_steps=4)
    train(open_member("outpainter", data, models[4], longer), longer, tmp_path / "whole")
    asked = iter([False, True])
    train(
        open_member("outpainter", data, models[4], longer), longer, tmp_path / "cut",
        stop_requested=lambda: next(asked),
    )  # fmt: skip
    assert len(losses(tmp_path / "cut")) == 2
    train(open_member("outpainter", data, models[4], longer), longer, tmp_path / "cut", resume=True)
    assert losses(tmp_path / "cut") == losses(tmp_path / "whole")


def test_it_begins_from_the_pose_controlnet_else_the_models_own_else_its_encoder(data, models, tmp_path):
    torch.manual_seed(8)
    pose = small_controlnet(small_unet(4))
    pose.save_pretrained(tmp_path / "openpose")
    given = replace(SETTINGS, pose_controlnet=str(tmp_path / "openpose"))
    bare = write_sd(tmp_path / "bare", 4, controlnet=False)
    own = ControlNetModel.from_pretrained(models[4] / "controlnet")

    def begun(model, settings):
        return open_member("outpainter", data, model, settings).outpainter.state_dict()

    for network, state in ((pose, begun(models[4], given)), (own, begun(models[4], SETTINGS))):
        for name, value in network.state_dict().items():
            known = state[name][:, :3] if name.endswith("embedding.conv_in.weight") else state[name]
            assert torch.equal(value, known), name
    encoder = begun(bare, SETTINGS)
    unet = open_member("outpainter", data, bare, SETTINGS).family.unet.state_dict()
    assert torch.equal(
        encoder["down_blocks.0.resnets.0.conv1.weight"], unet["down_blocks.0.resnets.0.conv1.weight"]
    )
    assert not encoder["controlnet_mid_block.weight"].any()


def test_new_weights_are_zero_unless_random_ones_are_wanted(data, models):
    settings = replace(SETTINGS, new_weights="random")
    network = open_member("outpainter", data, models[4], settings).outpainter
    assert network.controlnet_cond_embedding.conv_in.weight[:, 3].abs().max() > 0
    with pytest.raises(UsageError, match="give random or zero"):
        TrainSettings(new_weights="ones")
