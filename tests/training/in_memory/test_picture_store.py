"""A store draws what is learnt from, with captions of the side shown, and hides hands to be repainted."""

import numpy as np
import pytest
import torch

from handwright.diffusion.latents import encode
from handwright.training.in_memory.packs import SIDE_PX, Packed
from handwright.training.in_memory.picture_store import PictureStore, RepairParams, lots_of
from handwright.training.networks.tokenizer import learn_tokenizer
from tests.training.recipes.test_autoencoder import small_vae

CAPTIONS = ["a left hand", "render, left hand"]


def picture(k, held_out=False):
    """A picture of noise; a square, its depth and mask; none in every fourth."""
    pixels = np.random.default_rng(k).integers(0, 255, (SIDE_PX, SIDE_PX, 3), np.uint8)
    mask = np.zeros((SIDE_PX, SIDE_PX), np.bool_)
    mask[100:150, 60:120] = k % 4 != 3
    depth = np.zeros((SIDE_PX, SIDE_PX), np.uint8)
    depth[105:145, 65:115] = 200 * (k % 4 != 3)
    return Packed(pixels, depth, mask, CAPTIONS, held_out)


@pytest.fixture(scope="module")
def store():
    tokenizer = learn_tokenizer([*CAPTIONS, "a right hand", "render, right hand"], 300, 16)
    made = PictureStore({"hands": 6, "people": 3}, small_vae(), tokenizer, (64,))
    made.add("hands", lots_of([picture(k, held_out=k == 1) for k in range(8)], tokenizer))
    torch.manual_seed(0)
    return made


def test_what_has_no_room_is_left_out_and_what_is_held_out_is_never_drawn(store):
    assert store.counts() == {"hands": 5, "people": 0}
    assert store.held_out == {"hands": [5], "people": []}
    drawn = store.rows(400, torch.tensor([0.1, 0.9]))  # of people there are none
    assert set(drawn.tolist()) == {0, 1, 2, 3, 4}


def test_whole_pictures_are_captioned_by_the_side_that_they_show(store):
    rows = torch.zeros(40, dtype=torch.long)
    latents, tokens, _ = store.whole(rows, 64, 0.0)
    pixels = torch.from_numpy(picture(0).pixels / np.float32(127.5) - 1).permute(2, 0, 1)[None]
    small = torch.nn.functional.interpolate(pixels, (64, 64), mode="area")
    with torch.no_grad():
        plain, turned = encode(store.vae, small), encode(store.vae, small.flip(3))
    texts = [store.tokenizer.decode(ids, skip_special_tokens=True) for ids in tokens]
    for latent, text in zip(latents, texts, strict=True):
        expected = plain if "left" in text else turned
        assert float((latent - expected[0]).abs().max()) < 2e-3  # half precision
    assert {"left" in text for text in texts} == {True, False}
    assert {"render" in text for text in texts} == {True, False}
    assert all(torch.equal(ids, store.empty) for ids in store.whole(rows, 64, 1.0)[1])


def test_a_repair_shows_nothing_of_the_hand(store):
    rows = torch.zeros(24, dtype=torch.long)
    drawn = store.repairs(rows, RepairParams(), 0.0)
    assert drawn["known_depth"].all()
    hidden = torch.nn.functional.interpolate(drawn["mask"], scale_factor=8) > 0
    assert not (drawn["control"][:, :1] > 0)[~hidden].any()
    assert drawn["control"].amax() == pytest.approx(200 / 255, abs=1e-3)
    shares = drawn["mask"].mean((1, 2, 3))
    assert len(shares.unique()) > 12
    assert shares.max() < 1 or (shares == 1).sum() < 8


def test_where_no_hand_is_known_everything_is_painted_without_control(store):
    drawn = store.repairs(torch.full((3,), 2), RepairParams(), 0.0)
    # row 2 is the fourth picture: the second is held out
    assert not drawn["known_depth"].any()
    assert drawn["mask"].min() == 1


def test_masks_and_windows_follow_their_settings(store):
    rows = torch.zeros(16, dtype=torch.long)
    exact = RepairParams(grown_px=(0,), box_share=0, whole_share=0, shift=0, context=(2, 2), smallest_px=1)
    share = store.repairs(rows, exact, 0.0)["mask"].mean((1, 2, 3))
    assert share == pytest.approx(50 * 60 / 120**2, abs=0.07)
    larger = store.repairs(rows, RepairParams(**{**vars(exact), "grown_px": (16,)}), 0.0)["mask"]
    assert (larger.mean((1, 2, 3)) > share + 0.1).all()
    assert store.repairs(rows, RepairParams(**{**vars(exact), "whole_share": 1}), 0.0)["mask"].min() == 1
    wide = store.repairs(rows, RepairParams(**{**vars(exact), "smallest_px": 240}), 0.0)["mask"]
    assert (wide.mean((1, 2, 3)) < share / 2).all()
    lit = [
        store.repairs(rows, RepairParams(**{**vars(exact), **light}), 0.0)["clean"].mean((2, 3)).std(0).max()
        for light in ({"exposure": 0, "white_balance": 0}, {"exposure": 0.5}, {"white_balance": 0.5})
    ]
    assert min(lit[1:]) > 2 * lit[0]
