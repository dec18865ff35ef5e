"""The members' recipes: what learns, what stays frozen, what they write."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import AutoencoderTiny, ControlNetModel, UNet2DConditionModel

from handwright.diffusion.loading.controlnets import controlnet_from
from handwright.diffusion.loading.places import EMBEDDED
from handwright.diffusion.loading.zoo import load_models
from handwright.errors import UsageError
from handwright.training.loop import EncodingRecipe, train
from handwright.training.members import open_member
from handwright.training.networks.family import (
    general_controlnet,
    open_family,
    with_new_embedding,
)
from handwright.training.networks.tokenizer import learn_tokenizer
from handwright.training.settings import TrainSettings
from tests.diffusion.models import small_unet, write_sd
from tests.training.rendered_crops import shard


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return shard(tmp_path_factory.mktemp("crops"))


@pytest.fixture(scope="module")
def base(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("base")
    settings = TrainSettings(train_batch_size=1, max_train_steps=1, mixed_precision="no")
    train(open_member("base", data, write_sd(folder / "sd", 9, controlnet=False), settings), settings, folder)
    return folder / "model"


def test_a_step_of_the_base_writes_a_family_that_loads(base):
    assert {p.name for p in base.iterdir()} == {
        "model_index.json",
        *("vae", "unet", "controlnet"),
        *("text_encoder", "tokenizer", "scheduler"),
    }
    assert UNet2DConditionModel.from_pretrained(base / "unet").config["in_channels"] == 9


def test_training_the_controlnet_leaves_unet_and_text_as_they_were(data, base, tmp_path):
    settings = TrainSettings(
        train_batch_size=1, max_train_steps=2, mixed_precision="no", lr_warmup_steps=1, ema_decay=0.0
    )
    recipe = open_member("handrefiner", data, base, settings)
    before = {k: v.clone() for k, v in recipe.family.unet.state_dict().items()}
    train(recipe, settings, tmp_path)
    assert all(torch.equal(v, before[k]) for k, v in recipe.family.unet.state_dict().items())
    assert not any(n.startswith(("unet", "text")) for n, _ in recipe.trained.named_parameters())
    controlnet = ControlNetModel.from_pretrained(tmp_path / "model" / "controlnet")
    assert float(controlnet.controlnet_mid_block.weight.detach().abs().max()) > 0


def test_a_new_controlnet_changes_nothing_and_copies_the_encoder():
    unet = small_unet(9)
    control = controlnet_from(unet, 8)
    for name, value in control.state_dict().items():
        if name.startswith(("down_blocks", "mid_block", "time_embedding")):
            assert torch.equal(value, unet.state_dict()[name])
    with torch.no_grad():
        down, mid = control(
            torch.randn(1, 4, 8, 8),
            torch.tensor([5]),
            torch.randn(1, 77, 32),
            torch.rand(1, 3, 64, 64),
            return_dict=False,
        )
    assert max(float(r.abs().max()) for r in (*down, mid)) == 0.0


def test_the_controlnet_needs_a_base(data):
    with pytest.raises(UsageError, match="--model"):
        open_member("handrefiner", data, None, TrainSettings())


def test_unknown_members_are_refused(data):
    with pytest.raises(UsageError, match="choose one of"):
        open_member("critics", data, None, TrainSettings())


def test_samples_are_shown_of_captions_that_are_too_long(data, base):
    recipe = open_member("base", data, base, TrainSettings(train_batch_size=1))
    said = "a 3D rendered image, the thumb's tip 12.5 cm away; " * 12
    recipe.shown = replace(recipe.shown, caption=np.full(len(recipe.shown), said))
    assert recipe.grid().dtype == np.uint8


def test_the_tokenizer_knows_its_captions_and_can_spell_the_rest(tmp_path):
    tokenizer = learn_tokenizer(["a photograph of a left hand", "a 3D rendered image of a fist"] * 3)
    ids = tokenizer("a photograph of a left hand").input_ids
    assert len(ids) == 6 + 2
    assert tokenizer.unk_token_id not in tokenizer("a zebra, naïve").input_ids[1:-1]
    assert len(tokenizer("fist").input_ids) == 3
    tokenizer.save_pretrained(tmp_path)
    again = type(tokenizer).from_pretrained(tmp_path)
    assert again("a zebra").input_ids == tokenizer("a zebra").input_ids


@pytest.mark.parametrize("member", ["base", "handrefiner", "hand_generator"])
def test_worker_processes_draw_for_members_that_encode(member, data, base):
    assert isinstance(open_member(member, data, base, TrainSettings()), EncodingRecipe)


def test_the_same_seed_makes_the_same_batch_whatever_came_before(data):
    settings = TrainSettings(train_batch_size=2)
    one, two = (open_member("base", data, None, settings) for _ in range(2))
    one.batch(0, 0, settings)
    first, second = one.batch(7, 0, settings), two.batch(7, 0, settings)
    assert all(torch.equal(first[k], second[k]) for k in first)
    assert np.isfinite(first["latents"].numpy()).all()


def test_a_new_embedding_is_open_and_all_else_is_kept():
    control = general_controlnet(small_unet(4), 8)
    fresh = with_new_embedding(control)
    for name, values in control.state_dict().items():
        same = torch.equal(values, fresh.state_dict()[name])
        assert same != name.startswith("controlnet_cond_embedding"), name
    assert float(fresh.controlnet_cond_embedding.conv_out.weight.detach().abs().max()) > 0


def test_a_general_controlnet_starts_open_where_a_copy_starts_shut():
    unet = small_unet(4)
    shut, opened = controlnet_from(unet, 8), general_controlnet(unet, 8)
    gates = [name for name, value in shut.named_parameters() if float(value.detach().abs().max()) == 0]
    for name in ("controlnet_mid_block.weight", "controlnet_cond_embedding.conv_out.weight"):
        assert name in gates
        assert 0 < float(opened.get_parameter(name).detach().abs().max()) < 1


def test_a_run_s_model_paints_at_once_and_is_gone_on_from(base, data):
    models = load_models(str(base), dtype="float32", device="cpu")
    assert models.controlnet is not None
    recipe = open_member("base", data, base, TrainSettings(train_batch_size=2))
    assert torch.equal(recipe.family.unet.conv_in.weight, models.unet.conv_in.weight)
    assert all(p.requires_grad for p in recipe.trained.parameters())


@pytest.mark.parametrize(("member", "channels"), [("base", 4), ("handrefiner", 9)])
def test_models_in_stable_diffusion_s_layout_are_trained_too(data, member, channels, tmp_path):
    folder = write_sd(tmp_path / "sd", channels)
    settings = TrainSettings(
        train_batch_size=1, max_train_steps=2, mixed_precision="no", gradient_checkpointing=True
    )
    recipe = open_member(member, data, folder, settings)
    assert recipe.schedule.config["prediction_type"] == "epsilon"
    assert train(recipe, settings, tmp_path / "run").done
    written = ControlNetModel.from_pretrained(tmp_path / "run" / "model" / "controlnet")
    assert written.config["in_channels"] == 4


def test_a_flow_is_told_the_noise_that_there_is(data, monkeypatch):
    settings = TrainSettings(train_batch_size=3)
    recipe = open_member("handrefiner", data, Path("tiny"), settings)
    cells = recipe.family.unet.config["sample_size"]
    clean = torch.full((3, 16, cells, cells), 5.0)
    monkeypatch.setattr(recipe, "encoded", lambda *pictures: tuple(clean for _ in pictures))
    batch = recipe.batch(0, 0, settings)
    noise = batch["timesteps"].float().view(-1, 1, 1, 1) / 1000
    torch.testing.assert_close(batch["latents"] - noise * batch["target"], clean, atol=1e-3, rtol=0)


def test_dropped_controls_leave_the_picture_without_its_depth(data, base):
    settings = TrainSettings(train_batch_size=4, conditioning_dropout_prob=1.0)
    assert not open_member("handrefiner", data, base, settings).batch(0, 0, settings)["controlled"].any()
    kept = TrainSettings(train_batch_size=4)
    assert open_member("handrefiner", data, base, kept).batch(0, 0, kept)["controlled"].all()


def test_features_build_on_nothing_and_refuse_a_model(data, base):
    with pytest.raises(UsageError, match="leave --model out"):
        open_member("features", data, base, TrainSettings(resolution=64))


def test_an_autoencoder_of_another_class_is_not_trained(data, tmp_path):
    AutoencoderTiny().save_pretrained(tmp_path / "vae")
    with pytest.raises(UsageError, match="AutoencoderTiny"):
        open_member("autoencoder", data, tmp_path, TrainSettings(resolution=64))


def test_a_base_goes_on_from_the_embedded_family_unless_another_is_named(data):
    own = open_family(EMBEDDED["tiny"])
    recipe = open_member("base", data, None, TrainSettings(train_batch_size=1))
    weights = own.unet.state_dict()
    assert all(torch.equal(v, weights[k]) for k, v in recipe.family.unet.state_dict().items())


@pytest.mark.parametrize("member", ["base", "autoencoder", "handrefiner", "critic"])
def test_a_family_that_is_not_there_is_not_taken_for_none(member, data, tmp_path):
    with pytest.raises(UsageError, match="there is no folder"):
        open_member(member, data, tmp_path / "tyni", TrainSettings(resolution=64))


@pytest.mark.parametrize("kind", ["landmarks", "segmentation", "normals"])
def test_a_controlnet_of_another_control_is_trained_saved_and_known_again(kind, data, base, tmp_path):
    settings = TrainSettings(train_batch_size=1, max_train_steps=1, mixed_precision="no", control=kind)
    recipe = open_member("handrefiner", data, base, settings)
    depth = open_member("handrefiner", data, base, TrainSettings(train_batch_size=1))
    steered, plain = (r.batch(0, 0, s)["control"] for r, s in ((recipe, settings), (depth, TrainSettings())))
    assert steered.shape[1:] == plain.shape[1:]
    assert not torch.equal(steered[:1], plain[:1])
    train(recipe, settings, tmp_path)
    models = load_models(str(base), str(tmp_path / "model" / "controlnet"), dtype="float32", device="cpu")
    assert models.traits.control == kind


def test_without_the_masked_loss_all_of_the_picture_counts(data, base):
    whole = TrainSettings(train_batch_size=2, masked_loss=False)
    recipe = open_member("handrefiner", data, base, whole)
    everywhere, hands = (recipe.batch(0, 0, s) for s in (whole, TrainSettings(train_batch_size=2)))
    assert everywhere["region"].min() == 1
    assert torch.equal(hands["region"], hands["mask"])
    assert torch.equal(everywhere["mask"], hands["mask"])
    with torch.no_grad():
        assert not torch.equal(recipe.trained(everywhere), recipe.trained(hands))


def test_a_control_that_there_is_not_is_refused():
    with pytest.raises(UsageError, match="no --control 'sketch'; choose one of: depth, landmarks"):
        TrainSettings(control="sketch")
