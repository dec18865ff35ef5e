from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handwright.drawing.skin.illumination import (
    IlluminationParams,
    Shading,
    field_basis,
    fit_shading,
    harmonic_basis,
    strided_sample,
)

SKY = np.array([0.42, -0.06, -0.09, -0.12, 0.01, 0.0, 0.015, -0.01, 0.005])
LEVEL = np.zeros(5)


def normals_facing_the_camera(count: int, seed: int) -> np.ndarray:
    normals = np.random.default_rng(seed).standard_normal((count, 3))
    normals[:, 2] = -np.abs(normals[:, 2])
    return normals / np.linalg.norm(normals, axis=1, keepdims=True)


def places(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (count, 2))


def lit(normals: np.ndarray, place: np.ndarray, occlusion: np.ndarray, harmonics=SKY, field=LEVEL):
    return (harmonic_basis(normals) @ harmonics + field_basis(place) @ field) * occlusion


def seen_and_unseen(*, outliers=0.0, noise=0.0, field=LEVEL) -> tuple[np.ndarray, np.ndarray]:
    """Brightness at unseen points: fitted, and true."""
    rng = np.random.default_rng(3)
    normals, place, occlusion = normals_facing_the_camera(3000, 0), places(3000, 1), rng.uniform(0.5, 1, 3000)
    seen = lit(normals, place, occlusion, field=field) + noise * rng.standard_normal(3000)
    wrong = rng.random(3000) < outliers
    seen[wrong] = rng.uniform(0.0, 1.0, wrong.sum())
    shading = fit_shading(seen, normals, place, occlusion, IlluminationParams(stiffness=1e-5))
    fresh, there, open_sky = normals_facing_the_camera(800, 5), places(800, 6), np.ones(800)
    return shading.brightness(fresh, there, open_sky), lit(fresh, there, open_sky, field=field)


def test_a_known_light_is_recovered_within_2_percent_on_unseen_normals():
    fitted, true = seen_and_unseen()
    assert np.abs(fitted / true - 1).max() < 0.02


def test_a_gradient_over_the_picture_is_recovered_too():
    fitted, true = seen_and_unseen(field=np.array([0.08, -0.05, 0.02, 0.01, -0.03]))
    assert np.median(np.abs(fitted / true - 1)) < 0.005
    assert np.percentile(np.abs(fitted / true - 1), 95) < 0.02


def test_outliers_and_noise_hardly_move_it():
    fitted, true = seen_and_unseen(outliers=0.15, noise=0.01)
    assert np.abs(fitted / true - 1).max() < 0.02


def test_occlusion_is_not_taken_for_dark_skin():
    normals, place = normals_facing_the_camera(2000, 0), places(2000, 1)
    half = fit_shading(lit(normals, place, np.full(2000, 0.5)), normals, place, np.full(2000, 0.5))
    full = fit_shading(lit(normals, place, np.ones(2000)), normals, place, np.ones(2000))
    assert half.harmonics == pytest.approx(full.harmonics, abs=0.03)


def test_the_light_comes_from_where_it_is_brightest():
    normals, place, one = normals_facing_the_camera(3000, 0), places(3000, 1), np.ones(3000)
    towards = np.array([-0.5, -0.6, -0.62]) / np.linalg.norm([-0.5, -0.6, -0.62])
    shading = fit_shading(0.2 + 0.3 * np.clip(normals @ towards, 0, 1), normals, place, one)
    direction, directional = shading.direction
    assert direction @ towards > 0.85
    assert 0.2 < directional <= 1
    flat = fit_shading(np.full(3000, 0.4), normals, place, one)
    assert flat.direction[1] < 0.02


def test_brightness_stays_within_reach_of_what_was_observed():
    shading = Shading(SKY * 50, np.zeros(5), low=0.2, high=0.5)
    bright = shading.brightness(normals_facing_the_camera(100, 0), np.zeros((100, 2)), np.ones(100))
    dark = shading.brightness(normals_facing_the_camera(100, 0), np.zeros((100, 2)), np.zeros(100))
    assert bright.max() == pytest.approx(0.625)
    assert dark.min() == pytest.approx(0.12)


@settings(max_examples=15, deadline=None)
@given(st.floats(0.01, 2.0))
def test_a_light_twice_as_strong_fits_twice_as_bright(strength):
    normals, place, one = normals_facing_the_camera(500, 0), places(500, 1), np.ones(500)
    once = fit_shading(lit(normals, place, one), normals, place, one)
    again = fit_shading(strength * lit(normals, place, one), normals, place, one)
    assert again.brightness(normals, place, one) == pytest.approx(
        strength * once.brightness(normals, place, one), rel=0.02
    )


@settings(deadline=None)
@given(st.integers(1, 200000), st.integers(1, 5000))
def test_a_sample_is_spread_evenly_and_bounded(count, most):
    index = strided_sample(count, most)
    assert 1 <= len(index) <= most
    assert index[0] == 0
    assert index[-1] < count
    assert count - index[-1] <= -(-count // most)
