from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from handwright.drawing.geometry.surface import ambient_occlusion, render_surface
from handwright.hand.depth import render_hand
from handwright.hand.kinematics import mirror_hand_x
from tests.drawn import SIZE, flat_hand, shoot

WINDOW = (0, 0, SIZE, SIZE)


@pytest.fixture(scope="module")
def surface():
    return render_surface(flat_hand(), WINDOW, 330.0)


def test_normals_are_unit_and_face_the_camera(surface):
    assert np.linalg.norm(surface.normals, axis=1) == pytest.approx(1.0, abs=1e-4)
    assert (surface.normals[:, 2] <= 0).all()


def test_fingers_are_round_normals_lean_outwards_at_the_silhouette(surface):
    leaning = surface.place(surface.normals[:, :1])[..., 0]
    row = surface.visible.shape[0] // 3
    starts, ends = (np.flatnonzero(np.diff(surface.visible[row].astype(int)) == step) for step in (1, -1))
    fingers = [(a, b) for a, b in zip(starts, ends, strict=True) if b - a > 6]
    assert fingers
    for left, right in fingers:
        assert leaning[row, left + 1] < -0.3
        assert leaning[row, right] > 0.3


def test_occlusion_lies_in_0_1_and_darkens_the_clefts_between_fingers():
    surface = render_surface(flat_hand(curl=0.9), WINDOW, 330.0)
    assert (surface.occlusion >= 0).all()
    assert (surface.occlusion <= 1.0001).all()
    assert surface.occlusion.min() < 0.75
    assert np.median(surface.occlusion) > 0.85


def test_a_flat_wall_is_not_occluded_and_the_foot_of_a_step_is():
    wall = np.full((120, 120), 0.5, np.float32)
    assert ambient_occlusion(wall, 1500.0) == pytest.approx(np.ones((120, 120)), abs=1e-6)
    wall[:, :60] = 0.49
    shade = ambient_occlusion(wall, 1500.0)
    assert shade[60, 64] < 0.85
    assert shade[60, 20] == shade[60, 110] == pytest.approx(1.0, abs=1e-6)
    assert ambient_occlusion(np.full((9, 9), np.inf), 1500.0) == pytest.approx(np.ones((9, 9)))


def test_the_left_hand_is_the_mirror_image_of_the_right(surface):
    left = render_surface(mirror_hand_x(flat_hand(), SIZE), WINDOW, 330.0)
    assert (left.visible ^ surface.visible[:, ::-1]).mean() < 1e-3
    both = left.visible & surface.visible[:, ::-1]
    for name, sign in (("normals", (-1, 1, 1)), ("rest_m", (1, 1, 1)), ("uv", (1, 1))):
        ours, theirs = left.place(getattr(left, name)), surface.place(getattr(surface, name))[:, ::-1]
        off = np.abs(ours - theirs * np.array(sign))[both].max(1)
        assert np.median(off) < 1e-4
        assert np.percentile(off, 99) < 0.02


def test_depth_and_silhouette_agree_with_the_coarse_mesh(surface):
    coarse = render_hand(flat_hand(), SIZE, SIZE)
    both = (coarse.face >= 0) & surface.visible
    dense_only = surface.visible & (coarse.face < 0)
    assert ((coarse.face >= 0) & ~surface.visible).sum() < 0.02 * both.sum()
    off = np.abs(coarse.depth_m[both] - surface.depth_m[both])
    assert np.median(off) < 0.001
    assert np.percentile(off, 99) < 0.005
    assert np.nonzero(dense_only)[0].mean() > np.nonzero(both)[0].mean(), "what is new is forearm"


def test_place_and_shrink_are_each_others_inverse_on_the_average():
    surface = render_surface(flat_hand(), WINDOW, 110.0)
    assert surface.scale == 3
    coverage = surface.shrink(surface.place(np.ones((len(surface.normals), 1), np.float32)))
    assert coverage.shape == (SIZE, SIZE, 1)
    assert coverage.sum() * 9 == pytest.approx(surface.visible.sum(), rel=1e-4)


def test_a_window_shows_its_part_of_the_picture(surface):
    part = render_surface(flat_hand(), (40, 60, 200, 190), 330.0)
    assert np.array_equal(part.visible, surface.visible[60:190, 40:200])


def test_another_size_shows_the_same_hand(surface):
    half = render_surface(flat_hand(), WINDOW, 330.0, (SIZE // 2, SIZE // 2))
    assert half.visible.sum() * 4 == pytest.approx(surface.visible.sum(), rel=0.02)
    assert half.pixels_per_m == pytest.approx(surface.pixels_per_m / 2)


@pytest.mark.parametrize("translation", [(0, 0.06, -0.4), (3.0, 0, 0.4), (0, 0.06, 1e-4)])
def test_hands_behind_or_beside_the_camera_give_finite_surfaces(translation):
    hand = replace(flat_hand(), translation_m=np.array(translation, float))
    surface = render_surface(hand, WINDOW, 100.0)
    assert len(surface.normals) == surface.visible.sum()
    for values in (surface.normals, surface.rest_m, surface.uv, surface.occlusion):
        assert np.isfinite(values).all()


def test_the_fixture_shows_what_it_says():
    shot = shoot()
    assert shot.silhouette[shot.landmarks_px[9, 1].astype(int), shot.landmarks_px[9, 0].astype(int)]
    assert not shot.silhouette[:12].any()
