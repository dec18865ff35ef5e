"""What is measured of a hand is worked out once, and never taken for another hand's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from handwright.review.checks.hand_measurements import measure_hand
from handwright.types import Image
from tests.review.drawn import grainy, seen


@pytest.fixture
def shot():
    return grainy()


def test_the_same_hand_in_another_copy_of_its_picture_is_not_looked_at_again(shot):
    first = measure_hand(Image(shot.pixels), seen(shot.hand))
    assert measure_hand(Image(shot.pixels.copy()), seen(shot.hand)) is first


def test_one_pixel_of_its_crop_makes_another_hand_of_it(shot):
    first = measure_hand(Image(shot.pixels), seen(shot.hand))
    x0, y0, x1, y1 = first.window
    other = shot.pixels.copy()
    other[y0, x0] ^= 128
    again = measure_hand(Image(other), seen(shot.hand))
    assert again is not first
    np.testing.assert_array_equal(again.crop, other[y0:y1, x0:x1])


@pytest.mark.parametrize("change", [{"side": "left"}, {"score": 0.5}, {"found_by": "tile"}])
def test_another_observation_has_evidence_of_its_own(shot, change):
    other = replace(seen(shot.hand), **change)
    first = measure_hand(Image(shot.pixels), seen(shot.hand))
    again = measure_hand(Image(shot.pixels), other)
    assert again is not first
    assert again.observation is other
