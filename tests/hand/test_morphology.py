"""Masks grown, shrunk and cleaned by a disc."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from handwright.hand.rig import dilated, eroded, opened


@pytest.fixture
def blots():
    rng = np.random.default_rng(0)
    soft = cv2.GaussianBlur(rng.standard_normal((90, 130)).astype(np.float32), (0, 0), 4)
    return soft > 0.05


def _away(mask):
    """Distance of each pixel from the mask, pixel by pixel."""
    there, rows = np.argwhere(mask), np.arange(mask.shape[0])
    columns = np.arange(mask.shape[1])[:, None]
    return np.stack([np.hypot(row - there[:, 0], columns - there[:, 1]).min(1) for row in rows])


@pytest.mark.parametrize("radius", [1, 2, 5, 14])
def test_dilation_is_all_within_the_radius(blots, radius):
    away, grown = _away(blots), dilated(blots, radius)
    assert grown[away <= radius - 0.5].all()
    assert not grown[away > radius + 0.8].any()


@pytest.mark.parametrize("radius", [1, 6])
def test_erosion_is_the_dilation_of_all_else_inside_the_picture(blots, radius):
    assert (eroded(blots, radius) == ~dilated(~blots, radius)).all()


@pytest.mark.parametrize("change", [dilated, eroded, opened])
@pytest.mark.parametrize("radius", [1, 4, 25])
def test_the_size_of_the_picture_does_not_matter(blots, change, radius):
    blots[:3] = blots[-3:] = blots[:, :3] = blots[:, -3:] = False
    wide = change(np.pad(blots, 80), radius)
    assert (wide[80:-80, 80:-80] == change(blots, radius)).all()


def test_a_radius_of_one_is_a_cross():
    mask = np.zeros((5, 5), np.bool_)
    mask[2, 2] = True
    assert sorted(map(tuple, np.argwhere(dilated(mask, 1)))) == [(1, 2), (2, 1), (2, 2), (2, 3), (3, 2)]


def test_opening_takes_what_is_narrow_and_leaves_what_is_broad():
    mask = np.zeros((60, 80), np.bool_)
    mask[10:50, 10:50], mask[28:32, 50:75] = True, True
    kept = opened(mask, 6)
    assert kept[16:44, 16:44].all()
    assert not kept[:, 58:].any()


@pytest.mark.parametrize("change", [dilated, eroded, opened])
@pytest.mark.parametrize("value", [True, False])
def test_nothing_and_everything_stay_what_they_are(change, value):
    mask = np.full((20, 30), value)
    assert (change(mask, 7) == mask).all()
