"""Squares of redrawn hands: cut in place, written whole, read back."""

import numpy as np
import pytest

from handwright.errors import UsageError
from handwright.training.finish_pairs import cut_pair, load_pairs, save_pairs
from handwright.training.finish_planes import OLD, PAINTED, PLANES, SIDE


def crop(side, box):
    """A crop in which a box was painted; red rises from left to right in all three pictures of it."""
    x0, y0, x1, y1 = box
    ramp = np.linspace(0, 1, side, dtype=np.float32)[None, :, None]
    planes = np.zeros((side, side, PLANES), np.float32)
    planes[..., :1] = 2 * ramp - 1
    planes[..., OLD.start : OLD.start + 1] = 2 * ramp - 1
    planes[y0:y1, x0:x1, PAINTED] = 1
    photograph = np.zeros((side, side, 3), np.uint8)
    photograph[..., :1] = np.rint(255 * ramp)
    return planes, photograph


@pytest.mark.parametrize(("side", "box"), [(150, (40, 30, 100, 110)), (600, (100, 150, 500, 450))])
def test_all_pictures_of_a_square_show_the_same_place(side, box):
    pair = cut_pair(*crop(side, box), "p left", False)
    assert pair is not None
    planes = pair.planes[0].astype(np.float32)
    assert planes.shape == (SIDE, SIDE, PLANES)
    assert pair.photograph.shape == (1, SIDE, SIDE, 3)
    inside = planes[..., PAINTED] > 0.99
    for red in (planes[..., 0], planes[..., OLD.start]):
        assert np.abs((red + 1) * 127.5 - pair.photograph[0, ..., 0])[inside].max() < 1
    rows, columns = np.nonzero(inside)
    assert abs(rows.mean() - (SIDE - 1) / 2) < 1
    assert abs(columns.mean() - (SIDE - 1) / 2) < 1


def test_small_hands_keep_their_pixels():
    planes, photograph = crop(150, (40, 30, 100, 110))
    planes[..., 1] = np.random.default_rng(0).uniform(-1, 1, (150, 150)).astype(np.float32)
    pair = cut_pair(planes, photograph, "p left", False)
    assert pair is not None
    found = pair.planes[0, ..., 1].astype(np.float32)[pair.planes[0, ..., PAINTED] > 0.99]
    assert np.abs(found - planes[30:110, 40:100, 1].ravel()).max() < 1e-3


def test_where_nothing_was_painted_there_is_no_pair():
    planes, photograph = crop(150, (40, 30, 100, 110))
    planes[..., PAINTED] = 0
    assert cut_pair(planes, photograph, "p left", False) is None


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
