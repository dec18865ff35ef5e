"""Training samples: mirrored consistently, masks that hold the hand, the same for the same seed."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from handwright.errors import UsageError
from handwright.training.crops import Crops, joined, load_crops, save_crops
from handwright.training.photographs import is_test_only
from handwright.training.stream import CropStream, other_side, repair_masks


def crops(count=6, size=36, rendered=True):
    rng = np.random.default_rng(3)
    depth = np.zeros((count, size, size), np.uint8)
    depth[:, 8:24, 10:20] = 200
    return Crops(
        pixels=rng.integers(0, 255, (count, size, size, 3), np.uint8),
        depth=depth,
        mask=depth > 0,
        landmarks_px=np.zeros((count, 21, 2), np.float32),
        caption=np.array(["a 3D rendered image of a right hand"] * count),
        rendered=np.full(count, rendered),
    )


def test_the_same_generator_gives_the_same_samples_and_another_gives_others():
    stream = CropStream(crops(), 32, 0.0)
    one, two, three = (stream.draw(np.random.default_rng(s), 5) for s in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(one[:3], two[:3], strict=True))
    assert not np.array_equal(one[0], three[0])


def test_mirrored_samples_name_the_other_side_and_mirror_depth_and_mask_along():
    stream = CropStream(crops(), 32, 0.0)
    _, depth, mask, captions = stream.draw(np.random.default_rng(0), 40)
    assert {"right", "left"} == {c.split()[-2] for c in captions}
    for near, inside in zip(depth, mask, strict=True):
        assert (near[inside] > 0).mean() > 0.9
        assert (near[cv2.dilate(inside.astype(np.uint8), np.ones((3, 3))) == 0] == 0).all()


def test_photographs_come_in_their_share():
    both = joined([crops(30), crops(30, rendered=False)])
    both.pixels[30:] = 0
    pixels, *_ = CropStream(both, 32, 0.25).draw(np.random.default_rng(0), 400)
    assert (pixels.max((1, 2, 3)) <= 1).mean() == pytest.approx(0.25, abs=0.06)


def test_every_repair_mask_holds_the_hand_or_is_a_blob_on_it():
    hand = np.zeros((40, 40), np.bool_)
    hand[10:30, 12:24] = True
    masks = repair_masks(np.random.default_rng(0), np.repeat(hand[None], 200, 0))
    assert masks.any((1, 2)).all()
    assert (masks & hand).any((1, 2)).all()
    assert ((masks | ~hand).all((1, 2))).mean() > 0.85


def test_other_side_swaps_both_words():
    assert other_side("a left hand beside a right one") == "a right hand beside a left one"


def test_lots_come_back_from_disk_as_they_were(tmp_path):
    save_crops(tmp_path / "a.npz", crops(3))
    save_crops(tmp_path / "b.npz", crops(2, rendered=False))
    again = load_crops(tmp_path)
    assert len(again) == 5
    assert np.array_equal(again.mask, joined([crops(3), crops(2)]).mask)
    assert again.rendered.tolist() == [True] * 3 + [False] * 2


def test_a_lot_cut_in_half_and_an_empty_folder_are_refused(tmp_path):
    with pytest.raises(UsageError, match="no crops"):
        load_crops(tmp_path)
    save_crops(tmp_path / "a.npz", crops(3))
    data = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(data[: len(data) // 2])
    with pytest.raises(UsageError, match=r"a\.npz"):
        load_crops(tmp_path)


def test_the_split_keeps_hashes_below_1a_for_tests():
    assert is_test_only("19" + "f" * 62)
    assert not is_test_only("1a" + "0" * 62)
