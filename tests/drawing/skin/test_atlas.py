from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from handwright.drawing.geometry.surface import render_surface
from handwright.drawing.skin.atlas import skin_at
from tests.drawn import SIZE, flat_hand

WINDOW = (0, 0, SIZE, SIZE)


def turned(back: bool, size_px: float = 330.0):
    hand = flat_hand()
    upright = np.array([0.0, 0.0, np.pi]) if back else hand.wrist
    return render_surface(replace(hand, wrist=upright), WINDOW, size_px)


@pytest.fixture(scope="module")
def palm():
    return turned(back=False)


@pytest.fixture(scope="module")
def back():
    return turned(back=True)


def test_lookups_are_finite_and_in_range(palm, back):
    for surface in (palm, back):
        skin = skin_at(surface)
        assert len(skin.albedo) == len(skin.nail) == surface.visible.sum()
        assert np.isfinite(skin.albedo).all()
        assert (skin.albedo > 0.1).all()
        assert (skin.albedo < 2).all()
        assert skin.nail.min() >= 0
        assert skin.nail.max() <= 1


def test_albedo_is_relative_the_hand_keeps_its_mean(palm, back):
    for surface in (palm, back):
        assert skin_at(surface).albedo.mean(0) == pytest.approx(np.ones(3), abs=0.15)


def test_nails_are_on_the_nail_side_and_only_at_the_fingertips(palm, back):
    behind, before = skin_at(back), skin_at(palm)
    plates = behind.nail > 0.5
    assert 0.005 < plates.mean() < 0.06
    assert (before.nail > 0.5).mean() < 0.15 * plates.mean()
    assert back.rest_m[plates, 1].min() > 0.08
    nail = back.place(behind.nail[:, None])[..., 0]
    shown = nail[nail > 0.5]
    assert len(shown) == plates.sum()


def test_five_nails_are_seen_from_the_back(back):
    nail = (back.place(skin_at(back).nail[:, None])[..., 0] > 0.5).astype(np.uint8)
    count, _ = cv2.connectedComponents(cv2.dilate(nail, np.ones((5, 5), np.uint8)))
    assert count - 1 == 5


def test_small_hands_look_up_a_smaller_atlas_and_keep_their_mean(palm):
    coarse = render_surface(flat_hand(distance_m=3.0, at=(0, 0.0)), WINDOW, 330.0)
    assert coarse.visible.sum() < 0.03 * palm.visible.sum()
    assert skin_at(coarse).albedo.mean(0) == pytest.approx(skin_at(palm).albedo.mean(0), abs=0.06)


def test_no_points_are_no_skin():
    nothing = render_surface(flat_hand(), (0, 0, 4, 4), 330.0)
    assert not nothing.visible.any()
    assert skin_at(nothing).albedo.shape == (0, 3)
