"""Squares of drawn hands: cut in place, written whole, read back."""

import numpy as np
import pytest

from handwright.errors import UsageError
from handwright.training.finish_pairs import PLANES, SIDE, cut_pair, load_pairs, save_pairs


def crop(side, box):
    """A crop whose drawn hand is a box; red and the photograph's red rise from left to right."""
    x0, y0, x1, y1 = box
    ramp = np.linspace(0, 1, side, dtype=np.float32)[None, :, None]
    planes = np.zeros((side, side, PLANES), np.float32)
    planes[..., :1] = 2 * ramp - 1
    planes[y0:y1, x0:x1, 3] = 1
    photograph = np.zeros((side, side, 3), np.uint8)
    photograph[..., :1] = np.rint(255 * ramp)
    return planes, photograph, planes[..., 3] > 0


@pytest.mark.parametrize(("side", "box"), [(150, (40, 30, 100, 110)), (600, (100, 150, 500, 450))])
def test_drawn_and_photographed_squares_show_the_same_place(side, box):
    pair = cut_pair(*crop(side, box), "p left", False)
    assert pair is not None
    planes = pair.planes[0].astype(np.float32)
    assert planes.shape == (SIDE, SIDE, PLANES)
    assert pair.photograph.shape == (1, SIDE, SIDE, 3)
    inside = planes[..., 3] > 0.99
    rise = (planes[..., 0] + 1) * 127.5
    assert np.abs(rise - pair.photograph[0, ..., 0])[inside].max() < 1
    rows, columns = np.nonzero(inside)
    assert abs(rows.mean() - (SIDE - 1) / 2) < 1
    assert abs(columns.mean() - (SIDE - 1) / 2) < 1


def test_small_hands_keep_their_pixels():
    planes, photograph, old = crop(150, (40, 30, 100, 110))
    planes[..., 1] = np.random.default_rng(0).uniform(-1, 1, (150, 150)).astype(np.float32)
    pair = cut_pair(planes, photograph, old, "p left", False)
    assert pair is not None
    found = pair.planes[0, ..., 1].astype(np.float32)[pair.planes[0, ..., 3] > 0.99]
    assert np.abs(found - planes[30:110, 40:100, 1].ravel()).max() < 1e-3


def test_a_drawn_hand_that_the_photograph_hardly_shows_is_left_out():
    planes, photograph, old = crop(150, (40, 30, 100, 110))
    old[:, 75:] = False  # 35 of 60 columns are left: .583, below .6
    assert cut_pair(planes, photograph, old, "p left", False) is None
    old[30:110, 75:77] = True  # 37: .617
    assert cut_pair(planes, photograph, old, "p left", False) is not None


def test_what_is_saved_is_read_back_in_the_order_of_files(tmp_path):
    pairs = [cut_pair(*crop(150, (40, 30, 100, 110)), f"p{k} left", k == 1) for k in range(3)]
    save_pairs(tmp_path / "a.npz", pairs[:2])
    save_pairs(tmp_path / "b.npz", pairs[2:])
    save_pairs(tmp_path / "c.npz", [])
    loaded = load_pairs(tmp_path)
    assert list(loaded.name) == ["p0 left", "p1 left", "p2 left"]
    assert list(loaded.rendered) == [False, True, False]
    assert not (tmp_path / "c.npz").exists()
    assert np.array_equal(loaded.planes[1], pairs[1].planes[0])


def test_a_folder_without_pairs_is_refused(tmp_path):
    with pytest.raises(UsageError, match="make_finish_pairs"):
        load_pairs(tmp_path)
