from __future__ import annotations

import numpy as np
import pytest

from handwright.errors import InvalidValueError
from handwright.metrics.crops import foreground_only, hand_crop
from handwright.metrics.joints import confidence_where_found, detection_confidence, found_rate
from tests.metrics.sets.picture_folders import hand


def test_the_crop_is_the_square_around_the_hand():
    pixels = np.random.default_rng(0).integers(0, 256, (100, 100, 3), dtype=np.uint8)
    crop = hand_crop(pixels, (40, 45, 60, 55), 32)
    assert np.array_equal(crop, pixels[34:66, 34:66])


def test_beyond_the_picture_its_edge_goes_on():
    pixels = np.zeros((50, 50, 3), np.uint8)
    pixels[:, 0] = 200
    crop = hand_crop(pixels, (0, 20, 10, 30), 16)
    assert (crop[:, :3] == 200).all() and (crop[:, 4:] == 0).all()
    assert hand_crop(pixels, (0, 0, 400, 300)).shape == (224, 224, 3)


def test_a_box_without_extent_is_refused():
    with pytest.raises(InvalidValueError, match="extent"):
        hand_crop(np.zeros((9, 9, 3), np.uint8), (3, 3, 3, 3))


def test_foreground_keeps_itself_and_blackens_the_rest():
    pixels = np.full((4, 4, 3), 9, np.uint8)
    inside = np.eye(4, dtype=bool)
    kept = foreground_only(pixels, inside)
    assert (kept[inside] == 9).all() and (kept[~inside] == 0).all()
    with pytest.raises(InvalidValueError, match="mask"):
        foreground_only(pixels, inside[:3])


def test_confidence_with_and_without_misses():
    detected = [[hand(0, 0, 0.8), hand(9, 9, 0.6)], [], [hand(0, 0, 1.0)], []]
    assert found_rate(detected).value == 0.5
    assert detection_confidence(detected).value == pytest.approx((0.8 + 1.0) / 4)
    published = confidence_where_found(detected)
    assert published.value == pytest.approx(0.8) and published.n == 3
