"""Baselines that tell a base of a pose another way: what they read, that they learn, how they paint."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from diffusers import T2IAdapter, UNet2DConditionModel

from handwright.diffusion.latents import control_tensor, encode, picture_tensor
from handwright.errors import DiffusionError
from handwright.perception.body.body_pose import BodyPose
from handwright.training.loop import train
from handwright.training.members import open_member
from handwright.training.recipes.outpainter import skeleton_of
from handwright.two_stage.baselines import steered_alone, text_alone
from handwright.two_stage.networks.load import load_pose_network
from handwright.two_stage.networks.pose_baselines import PoseConcatenation, begin_adapter
from handwright.two_stage.pipeline import TwoStagePipeline
from tests.diffusion.families import write_sdxl
from tests.diffusion.models import small_unet, write_sd
from tests.training.people_shards import people_shard, record
from tests.training.two_steps import TWO_STEPS as SETTINGS

FAST = replace(SETTINGS, learning_rate=0.2)
"""What begins at zero is seen in a picture of 8 bits after two steps."""

MEMBERS = {"pose_concatenation": "PoseConcatenation", "pose_adapter": "T2IAdapter"}
LAYOUTS = {
    "sd": lambda folder: write_sd(folder, 4),
    "sd-inpainting": lambda folder: write_sd(folder, 9),
    "sdxl": lambda folder: write_sdxl(folder, 4),
}


@pytest.fixture(scope="module", name="data")
def _data(tmp_path_factory):
    return people_shard(tmp_path_factory.mktemp("people"))


@pytest.fixture(scope="module", name="models")
def _models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return {name: write(folder / name) for name, write in LAYOUTS.items()}


@pytest.mark.parametrize("member", MEMBERS)
def test_a_batch_is_whole_pictures_with_their_drawing(data, models, member):
    recipe = open_member(member, data, models["sd-inpainting"], SETTINGS)
    batch = recipe.batch(3, 0, SETTINGS)
    people = recipe.stream.draw(np.random.default_rng([0, 3, 0]), 2)
    pixels, skeletons = (
        np.stack([part(person) for person in people]) for part in (lambda person: person.pixels, skeleton_of)
    )
    with torch.no_grad():
        clean, latents = (encode(recipe.codec, picture_tensor(one)) for one in (pixels, skeletons))
    wanted = latents if member == "pose_concatenation" else control_tensor(skeletons)
    assert skeletons.any()
    torch.testing.assert_close(batch["drawing"], wanted)
    share = recipe.schedule.alphas_cumprod[batch["timesteps"]][:, None, None, None]
    start = (batch["latents"] - (1 - share).sqrt() * batch["target"]) / share.sqrt()
    torch.testing.assert_close(start, clean, atol=1e-3, rtol=1e-3)
    assert bool((batch["mask"] == 1).all())


@pytest.mark.parametrize("member", MEMBERS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_it_learns_alone_and_paints_another_picture_for_another_pose(data, models, tmp_path, member, layout):
    recipe = open_member(member, data, models[layout], FAST)
    base = {name: value.clone() for name, value in recipe.family.unet.state_dict().items()}
    before = {name: value.clone() for name, value in recipe.network.state_dict().items()}
    assert train(recipe, FAST, tmp_path / "run").done
    assert all(torch.equal(value, base[name]) for name, value in recipe.family.unet.state_dict().items())
    changed = [
        name for name, value in recipe.network.state_dict().items() if not torch.equal(value, before[name])
    ]
    assert any("conv_in" in name for name in changed)
    pipe = TwoStagePipeline.from_pretrained(models[layout], dtype="float32")
    folder = tmp_path / "run" / "model" / member
    network = load_pose_network(folder, MEMBERS[member], pipe.hands.pipe)
    unet = pipe.hands.pipe.unet

    def painted(number):
        pose = BodyPose.from_wholebody(np.array(record(number)["people"][0]["wholebody"], float))
        return steered_alone(pipe, network, "a woman", pose, 96, 96, seed=3, num_inference_steps=3)

    one, other = painted(0), painted(1)
    assert one.shape == (96, 96, 3)
    assert np.array_equal(one, painted(0))
    assert not np.array_equal(one, other)
    assert pipe.hands.pipe.unet is unet
    plain = text_alone(pipe, "a woman", 96, 96, seed=3, num_inference_steps=3)
    assert np.array_equal(plain, text_alone(pipe, "a woman", 96, 96, seed=3, num_inference_steps=3))
    assert not np.array_equal(plain, one)


def test_concatenation_begins_as_the_base_and_reads_its_channels_behind(data, models):
    recipe = open_member("pose_concatenation", data, models["sd"], SETTINGS)
    weight, known = recipe.network.unet.conv_in.weight, recipe.family.unet.conv_in.weight
    assert torch.equal(weight[:, :4], known)
    assert weight.shape[1] == 8
    assert not weight[:, 4:].any()
    drawn_too = open_member("pose_concatenation", data, models["sd"], replace(SETTINGS, new_weights="random"))
    assert drawn_too.network.unet.conv_in.weight[:, 4:].any()


def test_an_adapter_has_the_levels_of_its_base():
    plain = begin_adapter(small_unet(4), 8)
    assert [tuple(one.shape[1:]) for one in plain(torch.zeros(1, 3, 64, 64))] == [(16, 8, 8), (32, 4, 4)]
    blocks = ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D")
    unet = UNet2DConditionModel(
        sample_size=16, block_out_channels=(16, 32, 64), layers_per_block=1, cross_attention_dim=32,
        down_block_types=blocks, up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=4, norm_num_groups=8,
    )  # fmt: skip
    features = begin_adapter(unet, 8)(torch.zeros(1, 3, 128, 128))
    assert [tuple(one.shape[1:]) for one in features] == [(16, 8, 8), (32, 8, 8), (64, 4, 4)]
    with torch.no_grad():
        text = torch.zeros(1, 7, 32)
        made = unet(torch.zeros(1, 4, 16, 16), 3, text, down_intrablock_additional_residuals=list(features))
    assert made.sample.shape == (1, 4, 16, 16)


def test_networks_of_another_base_are_refused(models, tmp_path):
    pipe = TwoStagePipeline.from_pretrained(models["sd"], dtype="float32").hands.pipe
    T2IAdapter(3, [16, 64], 2, 8).save_pretrained(tmp_path / "adapter")
    with pytest.raises(DiffusionError, match=r"features of \[16, 64\] channels"):
        load_pose_network(tmp_path / "adapter", "T2IAdapter", pipe)
    PoseConcatenation.begin(small_unet(9), 4).save_pretrained(tmp_path / "concatenation")
    with pytest.raises(DiffusionError, match="reads 9 channels of latents"):
        load_pose_network(tmp_path / "concatenation", "PoseConcatenation", pipe)
