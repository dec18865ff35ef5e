"""Training samples: mirrored consistently, masks that hold the hand, the same for the same seed."""

from __future__ import annotations

from dataclasses import fields

import cv2
import numpy as np
import pytest

from handwright.errors import UsageError
from handwright.training.streams.crop_batches import CropStream, other_side, repair_masks
from handwright.training.streams.crops import Crops, joined, load_crops, save_crops
from handwright.training.streams.photographs import is_test_only
from tests.training.rendered_crops import crops


def test_the_same_generator_gives_the_same_samples_and_another_gives_others():
    stream = CropStream(crops(), 32, 0.0)
    one, two, three = (stream.draw(np.random.default_rng(s), 5) for s in (1, 1, 2))
    for field in fields(Crops):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(two, field.name))
    assert not np.array_equal(one.pixels, three.pixels)


def test_mirrored_samples_name_the_other_side_and_mirror_all_that_is_known():
    drawn = CropStream(crops(), 32, 0.0).draw(np.random.default_rng(0), 40)
    assert set(drawn.side) == {0, 1}
    for words, side in zip(drawn.caption, drawn.side, strict=True):
        assert ("right" in words, "left" in words) == (side == 1, side == 0)
    for near, inside in zip(drawn.depth, drawn.mask, strict=True):
        assert (near[inside] > 0).mean() > 0.9
        assert (near[cv2.dilate(inside.astype(np.uint8), np.ones((3, 3))) == 0] == 0).all()


def test_landmarks_stay_on_what_they_mark_and_those_cut_off_are_not_visible():
    drawn = CropStream(crops(), 32, 0.0).draw(np.random.default_rng(1), 60)
    for near, points, seen in zip(drawn.depth, drawn.landmarks_px, drawn.visible, strict=True):
        inside = ((points >= 0) & (points < 32)).all(-1)
        assert (seen == inside).all()
        if inside.all():
            x, y = points[0].astype(int)
            assert near[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2].max() > 0


def test_one_wording_is_chosen_and_all_of_them_come():
    drawn = CropStream(crops(), 32, 0.0).draw(np.random.default_rng(0), 40)
    assert {str(words).split(" of ")[0] for words in drawn.caption} == {
        "a 3D rendered image",
        "3D rendered image, right hand",
        "3D rendered image, left hand",
    }


def test_photographs_come_in_their_share():
    both = joined([crops(30), crops(30, rendered=False)])
    both.pixels[30:] = 0
    drawn = CropStream(both, 32, 0.25).draw(np.random.default_rng(0), 400)
    assert (drawn.pixels.max((1, 2, 3)) <= 1).mean() == pytest.approx(0.25, abs=0.06)


def test_every_repair_mask_holds_the_hand_or_is_a_blob_on_it():
    hand = np.zeros((40, 40), np.bool_)
    hand[10:30, 12:24] = True
    masks = repair_masks(np.random.default_rng(0), np.repeat(hand[None], 200, 0))
    assert masks.any((1, 2)).all()
    assert (masks & hand).any((1, 2)).all()
    assert ((masks | ~hand).all((1, 2))).mean() > 0.85


def test_other_side_swaps_both_words():
    assert other_side("a left hand beside a right one") == "a right hand beside a left one"
    assert other_side("upright, bright, right-hand") == "upright, bright, left-hand"


def test_lots_come_back_from_disk_as_they_were(tmp_path):
    save_crops(tmp_path / "a.npz", crops(3))
    save_crops(tmp_path / "b.npz", crops(2, rendered=False))
    again = load_crops(tmp_path, 36)
    assert len(again) == 5
    assert np.array_equal(again.mask, joined([crops(3), crops(2)]).mask)
    assert again.rendered.tolist() == [True] * 3 + [False] * 2


def test_a_lot_cut_in_half_and_an_empty_folder_are_refused(tmp_path):
    with pytest.raises(UsageError, match="no crops"):
        load_crops(tmp_path, 36)
    save_crops(tmp_path / "a.npz", crops(3))
    data = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(data[: len(data) // 2])
    with pytest.raises(UsageError, match=r"a\.npz"):
        load_crops(tmp_path, 36)


def test_the_split_keeps_hashes_below_1a_for_tests():
    assert is_test_only("19" + "f" * 62)
    assert not is_test_only("1a" + "0" * 62)
