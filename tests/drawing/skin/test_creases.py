from __future__ import annotations

import numpy as np
import pytest

from handwright.drawing.geometry.surface import Surface
from handwright.drawing.skin.creases import crease_light
from tests.drawn import flat_hand, shoot

PIXELS_PER_M = 2000.0
SIZE = 60


def surface_of(depth_m: np.ndarray) -> Surface:
    """A surface that is nothing but its depth."""
    visible = np.isfinite(depth_m)
    count = int(visible.sum())
    return Surface(
        visible=visible,
        coverage=visible.astype(np.float32),
        normals=np.tile(np.array([0, 0, -1], np.float32), (count, 1)),
        rest_m=np.zeros((count, 3), np.float32),
        uv=np.zeros((count, 2), np.float32),
        occlusion=np.ones(count, np.float32),
        depth_m=depth_m,
        scale=1,
        pixels_per_m=PIXELS_PER_M,
    )


def light_across(profile_m: np.ndarray) -> np.ndarray:
    """Green light along a row of a surface that has this depth in every row, 0.5 m away."""
    depth = np.tile(0.5 + profile_m, (SIZE, 1)).astype(np.float32)
    light = crease_light(surface_of(depth), np.zeros(depth.size)).reshape(SIZE, SIZE, 3)
    return light[SIZE // 2, :, 1]


X_M = (np.arange(SIZE) - SIZE / 2 + 0.5) / PIXELS_PER_M


@pytest.mark.parametrize("slope", [0.0, 0.5, 3.0])
def test_a_plane_has_no_creases_however_it_is_tilted(slope):
    assert light_across(slope * X_M) == pytest.approx(1.0)


def test_a_ridge_has_none_and_a_valley_is_dark_where_it_is_deepest():
    assert light_across(1.5 * np.abs(X_M)) == pytest.approx(1.0)
    valley = light_across(-1.5 * np.abs(X_M))
    assert valley[[SIZE // 2 - 1, SIZE // 2]].max() < 0.6
    assert np.all(np.diff(valley[SIZE // 2 :]) >= 0)
    assert valley[SIZE // 2 + 10 :] == pytest.approx(1.0)


def test_what_lies_under_an_edge_is_dark_and_the_edge_itself_is_not():
    light = light_across(np.where(X_M < 0, 0.0, 0.004))
    assert light[SIZE // 2] < 0.6
    assert light[: SIZE // 2] == pytest.approx(1.0)


def test_a_finger_far_before_the_palm_leaves_no_line_on_it():
    assert light_across(np.where(X_M < 0, 0.0, 0.03)) == pytest.approx(1.0)


def test_a_crease_is_redder_than_the_skin_around_it():
    depth = np.tile(0.5 - 1.5 * np.abs(X_M), (SIZE, 1)).astype(np.float32)
    red, green, blue = crease_light(surface_of(depth), np.zeros(depth.size)).reshape(SIZE, SIZE, 3)[
        SIZE // 2, SIZE // 2
    ]
    assert red > green > blue > 0.2


def test_the_skin_of_an_open_hand_is_hardly_touched_and_that_of_a_fist_is():
    open_hand, fist = (
        crease_light(surface, np.zeros(len(surface.normals)))[:, 1]
        for surface in (shoot(flat_hand(curl=curl)).surface for curl in (0.0, 1.4))
    )
    assert open_hand.mean() > 0.97
    assert (fist < 0.7).mean() > 2 * (open_hand < 0.7).mean()


def test_the_step_at_a_nail_is_much_fainter():
    depth = np.tile(0.5 + np.where(X_M < 0, 0.0, 0.004), (SIZE, 1)).astype(np.float32)
    surface = surface_of(depth)
    plain, on_nail = (crease_light(surface, np.full(depth.size, nail)) for nail in (0.0, 1.0))
    assert (1 - on_nail) == pytest.approx(0.25 * (1 - plain), abs=1e-6)
