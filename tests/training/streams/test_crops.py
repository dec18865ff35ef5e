"""From shards to crops: what is known of a hand stays true in its crop."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from handwright.data.hands.defects.generators import DEFECTS
from handwright.data.shards import Entry, list_shards, read_shards
from handwright.errors import DataError, UsageError
from handwright.training.streams.crops import Crops, crops_of, load_crops, save_crops
from tests.training.rendered_crops import crops, shard


@pytest.fixture(scope="module")
def entries(tmp_path_factory):
    return list(read_shards(list_shards(shard(tmp_path_factory.mktemp("hands"), 6, size=128))))


def test_landmarks_and_depth_of_a_crop_are_the_picture_s(entries):
    for entry in entries:
        for hand in range(len(crops_of(entry, 96))):
            crop = crops_of(entry, 96).where([hand])
            seen = crop.visible[0] & ((crop.landmarks_px[0] >= 1) & (crop.landmarks_px[0] < 95)).all(-1)
            column, row = crop.landmarks_px[0][seen].astype(int).T
            assert crop.mask[0][row, column].mean() > 0.9
            assert set(crop.side) <= {0, 1}
            assert "3D rendered image" in str(crop.caption[0])


def test_the_scene_s_depth_takes_the_place_of_the_hand_s_and_leaves_the_mask(entries):
    of_hand, of_scene = (crops_of(entries[0], 96, scene=scene) for scene in (False, True))
    assert np.array_equal(of_hand.mask, of_scene.mask)
    assert (of_scene.depth > 0).sum() > (of_hand.depth > 0).sum()


def test_shards_without_a_scene_s_depth_say_so(entries):
    old = Entry("7", {k: v for k, v in entries[0].pictures.items() if k != "scene"}, entries[0].record)
    with pytest.raises(UsageError, match="make the shards anew"):
        crops_of(old, 96, scene=True)


def test_hands_that_are_too_small_give_no_crops(entries):
    record = {**entries[0].record}
    record["hands"] = [
        {**hand, "keypoints_px": (np.array(hand["keypoints_px"]) * 0.1).tolist()} for hand in record["hands"]
    ]
    assert len(crops_of(type(entries[0])(entries[0].key, entries[0].pictures, record), 64)) == 0


def test_defects_are_told_in_their_order(tmp_path):
    made = load_crops(shard(tmp_path, 8, "defects"), 64)
    listed = [
        {defect["name"] for hand in entry.record["hands"] for defect in hand["defects"]}
        for entry in read_shards(list_shards(tmp_path))
    ]
    named = {DEFECTS[k] for k in np.nonzero(made.defects)[1]}
    assert named
    assert named <= set.union(*listed)


def test_shards_and_lots_of_another_size_come_together(tmp_path):
    shard(tmp_path / "hands", 2)
    save_crops(tmp_path / "photographs.npz", crops(3, 36, rendered=False))
    both = load_crops(tmp_path, 72)
    assert both.pixels.shape[1:] == (72, 72, 3)
    assert (~both.rendered).sum() == 3
    assert both.landmarks_px[~both.rendered][0, 0].tolist() == [24.0, 18.0]
    assert {len(getattr(both, f.name)) for f in fields(Crops)} == {len(both)}


def test_a_shard_cut_in_half_is_named(tmp_path):
    shard(tmp_path, 2)
    (path,) = tmp_path.glob("*.tar")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match=path.name):
        load_crops(tmp_path, 64)


def two_hands(apart: float, **second) -> Entry:
    square = np.stack(np.meshgrid(np.linspace(10, 60, 7), np.linspace(40, 90, 3)), -1).reshape(21, 2)
    hands = [
        {
            "side": "right",
            "keypoints_px": np.add(square, [apart, 0]).tolist(),
            "visible": [True] * 21,
            **second,
        },
        {"side": "left", "keypoints_px": square.tolist(), "visible": [True] * 21},
    ]
    depth = np.zeros((192, 192), np.uint8)
    depth[40:90, 10:60] = 200
    record = {"hands": hands, "caption": "two hands", "domain": "3D rendered image"}
    return Entry("0", {"image": np.zeros((192, 192, 3), np.uint8), "depth": depth}, record)


def test_two_hands_whose_boxes_meet_share_a_crop_and_others_do_not():
    both = crops_of(two_hands(45), 96, together=True)
    assert (len(both), both.side.tolist()) == (1, [0])
    scale = 96 / round(1.9 * 95)
    wide = both.other_px[0] - both.landmarks_px[0]
    assert np.allclose(wide, [45 * scale, 0], atol=1e-3)
    assert ((both.other_px > 0) & (both.other_px < 96)).all()
    for entry, together in ((two_hands(55), True), (two_hands(45), False)):
        apart = crops_of(entry, 96, together=together)
        assert sorted(apart.side.tolist()) == [0, 1]
        assert np.isnan(apart.other_px).all()
    alike = crops_of(two_hands(45, side="left"), 96, together=True)
    assert len(alike) == 2


def test_a_pair_with_a_malformed_hand_is_malformed_and_a_hidden_hand_is_no_partner():
    (name, *_) = DEFECTS
    assert crops_of(two_hands(45, defects=[{"name": name}]), 96, together=True).defects.any()
    hidden = crops_of(two_hands(45, visible=[False] * 21), 96, together=True)
    assert hidden.side.tolist() == [0]
    assert np.isnan(hidden.other_px).all()


def test_lots_without_second_hands_are_read_as_such(tmp_path):
    save_crops(tmp_path / "new.npz", crops(2, 36))
    with np.load(tmp_path / "new.npz") as file:
        old = {name: file[name] for name in file if name != "other_px"}
    np.savez(tmp_path / "old.npz", **old)
    assert np.isnan(load_crops(tmp_path, 36).other_px).all()
