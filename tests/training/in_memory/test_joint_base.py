"""One UNet paints and repaints: depth steers hands, what is known hardly counts, all of it learns."""

from dataclasses import replace

import pytest
import torch

from handwright.diffusion.inflation import inflate
from handwright.handiffuser.text_hand_encoder import TextHandEncoder
from handwright.training.in_memory.joint_base import BatchMix, JointLoss, JointParams, joint_batch, text_batch
from handwright.training.in_memory.packs import HAND_NUMBERS
from handwright.training.in_memory.picture_store import PictureStore, RepairParams, lots_of
from handwright.training.networks.family import (
    flow_schedule,
    fresh_base_unet,
    fresh_text_encoder,
    general_controlnet,
)
from handwright.training.networks.tokenizer import learn_tokenizer
from tests.training.in_memory.test_picture_store import CAPTIONS, picture
from tests.training.recipes.test_autoencoder import small_vae

PARAMS = JointParams(
    text_shares={"hands": 1.0}, repair_shares={"hands": 1.0}, hand_shares={"hands": 1.0}, control_dropout=0.0
)


@pytest.fixture(scope="module")
def large_store():
    tokenizer = learn_tokenizer([*CAPTIONS, "a right hand"], 300, 16)
    made = PictureStore({"hands": 6}, small_vae(), tokenizer, (64, 256))
    pictures = [picture(k) for k in (0, 1, 2, 4)]
    made.add("hands", lots_of(pictures, tokenizer))
    return made


@pytest.fixture(scope="module")
def joint(large_store):
    torch.manual_seed(1)
    unet = inflate(fresh_base_unet(4, 8, (32, 32), 32), 5, "random")
    text = fresh_text_encoder(large_store.tokenizer, 32, 1)
    return JointLoss(text, unet, general_controlnet(unet, 8))


def joint_of(large_store):
    torch.manual_seed(2)
    return joint_batch(
        large_store, flow_schedule(256), 256, BatchMix(3, 2), PARAMS, RepairParams(whole_share=0)
    )


def test_whole_pictures_are_painted_from_a_blank_and_hands_under_their_depth(large_store):
    made = joint_of(large_store)
    assert made["latents"].shape == (5, 4, 32, 32)
    assert made["mask"][3:].min() == 1
    assert made["mask"][:3].mean() < 0.9
    assert torch.equal(made["masked_latents"][3], large_store.blank[0])
    assert made["control"].shape == (3, 3, 256, 256)
    assert made["controlled"].tolist() == [1, 1, 1]


def test_everything_learns_and_depth_counts_where_it_is_shown(large_store, joint):
    made = joint_of(large_store)
    joint.zero_grad()
    loss = joint(made)
    loss.backward()
    for part in (joint.text_encoder, joint.unet, joint.controlnet):
        assert any(p.grad is not None and p.grad.abs().max() > 0 for p in part.parameters())
    with torch.no_grad():
        unseen = {**made, "controlled": torch.zeros(3)}
        other = {**unseen, "control": 1 - made["control"]}
        assert float(joint(unseen)) == float(joint(other))
        assert float(joint(made)) != float(joint({**made, "control": 1 - made["control"]}))


def test_an_error_of_what_is_known_counts_a_tenth(large_store, joint):
    made = joint_of(large_store)
    with torch.no_grad():
        losses = []
        for inside in (True, False):
            off = made["target"] + 10 * (made["mask"] if inside else 1 - made["mask"])
            losses.append(float(joint({**made, "target": off})))
    assert losses[1] < 0.5 * losses[0]


def test_hands_are_read_where_they_are_given_and_leave_other_samples_as_they_are(large_store, joint):
    torch.manual_seed(3)
    mix = BatchMix(2, 1, with_hands=2)
    made = joint_batch(large_store, flow_schedule(256), 256, mix, PARAMS, RepairParams(whole_share=0))
    assert made["hands"].shape == (2, 2, 6, HAND_NUMBERS)
    assert made["latents"].shape[0] == 5
    with_encoder = JointLoss(joint.text_encoder, joint.unet, joint.controlnet, TextHandEncoder(32, 32, 2, 1))

    def velocity(module, **given):
        with torch.no_grad():
            text = module.text_encoder(made["tokens"]).last_hidden_state
            return module.velocity(made["latents"], made["timesteps"], text, made | given, None)

    hands = torch.randn(made["hands"].shape).clamp(0.1)
    before, after = velocity(joint), velocity(with_encoder, hands=hands)
    assert torch.allclose(before[:3], after[:3], atol=1e-5)
    assert not torch.allclose(before[3:], after[3:], atol=1e-5)
    other = velocity(with_encoder, hands=hands + torch.randn(hands.shape) * (hands < 1))
    assert not torch.equal(other[3:], after[3:])


def test_of_a_share_of_samples_the_hands_are_hidden(large_store):
    torch.manual_seed(4)
    mix, shown = BatchMix(1, 1, with_hands=64), replace(PARAMS, hand_dropout=0.5)
    large_store.hands.fill_(1.0)
    made = joint_batch(large_store, flow_schedule(256), 256, mix, shown, RepairParams())
    large_store.hands.zero_()
    hidden = made["hands"].flatten(1).amax(1) == 0
    assert 0.2 < float(hidden.float().mean()) < 0.8
    assert set(made["hands"].unique().tolist()) == {0.0, 1.0}


def test_a_unet_on_latents_alone_learns_from_whole_pictures(large_store):
    made = text_batch(large_store, flow_schedule(64), 64, 4, PARAMS)
    unet = fresh_base_unet(4, 8, (32, 32), 32)
    loss = JointLoss(fresh_text_encoder(large_store.tokenizer, 32, 1), unet, None)(made)
    loss.backward()
    assert loss > 0
    assert unet.conv_in.weight.grad.abs().max() > 0
