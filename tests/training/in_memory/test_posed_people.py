"""People of a store are drawn with skeletons and canvases as the outpainter's recipe makes them."""

import cv2
import numpy as np
import pytest
import torch

from handwright.data.shards import Entry, write_shard
from handwright.diffusion.inflation import inflate
from handwright.diffusion.known_region import latent_mask
from handwright.diffusion.latents import encode, picture_tensor
from handwright.errors import DataError
from handwright.training.in_memory.joint_base import BatchMix, JointLoss, JointParams, joint_batch
from handwright.training.in_memory.packs import SIDE_PX, pack_shard, pictures_of_pack, pictures_of_shard
from handwright.training.in_memory.picture_store import PictureStore, RepairParams, lots_of
from handwright.training.networks.family import (
    flow_schedule,
    fresh_base_unet,
    fresh_text_encoder,
    general_controlnet,
)
from handwright.training.networks.tokenizer import learn_tokenizer
from handwright.training.people_pictures import PeopleStream
from handwright.training.recipes.outpainter import canvas_of, skeleton_of
from handwright.training.streams import whole_pictures
from handwright.two_stage.mask_expansion import hand_latents
from handwright.two_stage.networks.outpainter import Outpainter, outpainting_condition
from tests.training.people_shards import SIDE, parts, record
from tests.training.recipes.test_autoencoder import small_vae


def write_people(folder, count=3):
    """Noise with two hands whose depth is known; of the last one they are too small for stage II."""
    folder.mkdir(parents=True)
    rng, entries = np.random.default_rng(5), []
    for k in range(count):
        labels = parts(1 if k == count - 1 else 12)
        planes = {
            "image": rng.integers(0, 255, (SIDE, SIDE, 3), np.uint8),
            "parts": labels,
            "depth": (labels > 0).astype(np.uint8) * 200,
        }
        entries.append(Entry(f"{k:08d}", planes, record(k, width=SIDE, height=SIDE)))
    write_shard(folder / "people-00000000-00000002.tar", entries)
    return next(folder.glob("*.tar"))


@pytest.fixture(scope="module")
def shard(tmp_path_factory):
    return write_people(tmp_path_factory.mktemp("world") / "people")


@pytest.fixture(scope="module")
def store(shard):
    pictures = [p for p in pictures_of_shard(shard) if not p.held_out]
    texts = [text for picture in pictures for text in picture.captions]
    tokenizer = learn_tokenizer([*texts, "a woman who waves her right hand"], 300, 16)
    made = PictureStore({"hands": 1, "people": 4}, small_vae(), tokenizer, (256,))
    made.add("people", lots_of(pictures, tokenizer))
    return made


def test_points_and_hands_survive_a_pack(shard, tmp_path):
    pack_shard(shard, tmp_path / "people.npz", quality=90)
    before, after = list(pictures_of_shard(shard)), list(pictures_of_pack(tmp_path / "people.npz"))
    assert [picture.wholebody is not None for picture in after] == [True, True, False]
    for was, is_now in zip(before[:2], after[:2], strict=True):
        assert np.allclose(was.wholebody, is_now.wholebody, atol=1e-3)
        assert np.array_equal(was.seen_hands, is_now.seen_hands)
        assert np.array_equal(was.mask, is_now.mask)
        assert is_now.mask[is_now.seen_hands].all()
        assert not is_now.seen_hands.all()


def test_a_shard_with_a_test_only_photograph_is_refused(tmp_path, monkeypatch):
    path = write_people(tmp_path / "people")
    monkeypatch.setattr(whole_pictures, "is_test_only", lambda _: True)
    with pytest.raises(DataError, match="test-only photograph"):
        next(pictures_of_shard(path))


def test_a_sample_is_what_the_recipe_makes_of_the_same_person(store, shard):
    assert int(store.posed.count) == 2
    person = PeopleStream(shard.parent, SIDE_PX).window(
        PeopleStream(shard.parent, SIDE_PX).stored[0], 1.0, (0.5, 0.5), 0
    )
    for mirrored in (0, 1):
        shown = PeopleStream(shard.parent, SIDE_PX).mirrored(person) if mirrored else person
        people, turned = torch.tensor([0]), torch.tensor([mirrored])
        pictures = store.latents[256][store.posed.rows[people], turned].float()
        made = store.posed.samples(people, turned, pictures, 0.0)
        wanted = outpainting_condition(skeleton_of(shown), shown.hands)
        assert float((made["condition"] - wanted).abs().max()) < 1e-6
        hands = wanted[:, 3:]
        assert torch.equal(made["mask"], latent_mask(1 - hands, 8))
        assert torch.equal(made["weight"], 1 - hand_latents(hands, 8))
        with torch.no_grad():
            canvas = encode(store.vae, picture_tensor(canvas_of(shown)[None]))
        assert float((made["masked_latents"] - canvas).abs().max()) < 0.02  # half precision
        inside = made["weight"] == 0
        assert torch.equal(
            made["clean"] * inside, (made["masked_latents"] * inside).where(inside, torch.zeros(()))
        )


def test_of_a_share_the_hands_are_left_to_stage_two(store):
    people, mirrored = torch.zeros(64, dtype=torch.long), torch.zeros(64, dtype=torch.long)
    pictures = store.latents[256][store.posed.rows[people], mirrored].float()
    torch.manual_seed(0)
    made = store.posed.samples(people, mirrored, pictures, 0.5)
    without = made["condition"][:, 3].flatten(1).amax(1) == 0
    assert 0.2 < float(without.float().mean()) < 0.8
    assert torch.equal(made["masked_latents"][without][0], store.posed.grey[0])
    assert made["weight"][without].min() == 1
    assert torch.equal(made["clean"][without], pictures[without])


def test_the_outpainter_learns_with_the_base_and_sees_its_own_samples_alone(store):
    torch.manual_seed(1)
    unet = fresh_base_unet(4, 32, (32, 32), 32)
    unet = inflate(unet, 5, "random")
    control = general_controlnet(unet, 8)
    module = JointLoss(
        fresh_text_encoder(store.tokenizer, 32, 1), unet, control, None, Outpainter.from_controlnet(control)
    )
    shares = {"people": 1.0}
    params = JointParams(text_shares=shares, repair_shares=shares, hand_shares=shares, control_dropout=0.0)
    made = joint_batch(store, flow_schedule(256), 256, BatchMix(2, 1, 0, 2), params, RepairParams())
    assert made["latents"].shape[0] == 5
    assert made["condition"].shape == (2, 4, SIDE_PX, SIDE_PX)
    module(made).backward()
    assert any(p.grad.abs().max() > 0 for p in module.outpainter.parameters() if p.grad is not None)

    def velocity(condition):
        with torch.no_grad():
            text = module.text_encoder(made["tokens"]).last_hidden_state
            given = made | {"condition": condition}
            return module.velocity(made["latents"], made["timesteps"], text, given, None)

    torch.nn.init.normal_(module.outpainter.controlnet_mid_block.weight, std=0.1)
    torch.nn.init.normal_(module.outpainter.controlnet_cond_embedding.conv_out.weight, std=0.1)
    apart = (velocity(made["condition"]) - velocity(1 - made["condition"])).flatten(1).abs().amax(1)
    assert (apart > 1e-6).tolist() == [False, False, True, True, False]


def test_a_skeleton_of_the_mirror_image_has_the_other_sides_colours(store):
    first, second = store.posed.skeletons[0].numpy().transpose(0, 2, 3, 1)
    assert not np.array_equal(cv2.flip(first, 1), second)
