"""A pack holds what its shard or lot held, a little less exactly."""

import numpy as np
import pytest
import torch

from handwright.body.skeleton import SIDES
from handwright.data.hands.record import hand_of_record
from handwright.data.synthesise import synthesise
from handwright.errors import DataError
from handwright.hand.kinematics import hand_in_window
from handwright.handiffuser.text_hand_encoder import STREAMS, features_of
from handwright.training.in_memory.packs import (
    SIDE_PX,
    features_of_rows,
    pack_crops,
    pack_shard,
    pictures_of_pack,
    pictures_of_shard,
)
from handwright.training.square_windows import records_in
from handwright.training.streams.crops import load_crops, load_lot, save_crops

NEAR = 12.0  # Mean error in levels of 255 of a strongly compressed picture of noise and edges


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world") / "hands"
    synthesise(folder, "hands", count=3, seed=1, size=128)
    return folder


@pytest.fixture(scope="module")
def shard(world):
    return next(world.glob("*.tar"))


def test_pictures_depth_masks_and_captions_come_back(shard, tmp_path):
    pack_shard(shard, tmp_path / "hands.npz", quality=90)
    before, after = list(pictures_of_shard(shard)), list(pictures_of_pack(tmp_path / "hands.npz"))
    assert len(before) == len(after) == 3
    for was, is_now in zip(before, after, strict=True):
        assert is_now.pixels.shape == (SIDE_PX, SIDE_PX, 3)
        assert np.abs(was.pixels.astype(float) - is_now.pixels).mean() < NEAR
        assert np.array_equal(was.mask, is_now.mask)
        assert was.mask.any()
        assert not is_now.depth[~was.mask].any()
        assert np.abs(was.depth.astype(float) - is_now.depth).mean() < NEAR
        assert was.captions == is_now.captions
        assert len(was.captions) > 1
        assert was.held_out == is_now.held_out


def test_hands_come_back_for_the_picture_and_its_mirror_image(shard, world, tmp_path):
    pack_shard(shard, tmp_path / "hands.npz", quality=90)
    after = list(pictures_of_pack(tmp_path / "hands.npz"))
    records = [record for _, _, record in records_in(world)]
    for record, is_now in zip(records, after, strict=True):
        (hand,) = (hand_in_window(hand_of_record(found), 0, 0, 2.0) for found in record["hands"])
        wanted = features_of([{hand.side: hand}], [(SIDE_PX, SIDE_PX)])
        features = features_of_rows(torch.from_numpy(is_now.hands).float())
        assert torch.equal(features.present[0], wanted.present[0])
        assert features.present[1].tolist() == features.present[0].flip(0).tolist()
        for name in STREAMS:
            assert torch.allclose(getattr(features, name)[0], getattr(wanted, name)[0], atol=2e-3)
        place = features.joints[0, SIDES.index(hand.side)].reshape(-1, 2)
        mirrored = features.joints[1, 1 - SIDES.index(hand.side)].reshape(-1, 2)
        assert torch.allclose(mirrored, place * torch.tensor([-1.0, 1.0]), atol=0.02)


def test_so_do_crops_of_photographs(world, tmp_path):
    save_crops(tmp_path / "photos.npz", load_crops(world, 96))
    crops = load_lot(tmp_path / "photos.npz")
    pack_crops(tmp_path / "photos.npz", tmp_path / "pack.npz", quality=90)
    after = list(pictures_of_pack(tmp_path / "pack.npz"))
    assert all(picture.hands is None for picture in after)
    assert [list(p.captions) for p in after] == [str(words).split("\n") for words in crops.caption]
    assert [p.mask.mean() for p in after] == pytest.approx(crops.mask.mean((1, 2)), abs=0.02)


def test_what_is_no_pack_is_named(tmp_path):
    (tmp_path / "bad.npz").write_bytes(b"no zip at all")
    with pytest.raises(DataError, match=r"bad\.npz"):
        next(pictures_of_pack(tmp_path / "bad.npz"))
