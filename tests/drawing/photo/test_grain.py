from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given as over
from hypothesis import settings
from hypothesis import strategies as st

from handwright.drawing.photo.grain import Grain, SkinGrainParams, add_grain, measure_grain, skin_grain

NONE = Grain(np.zeros(3), 0.0, 0.0)


def clean(size: int = 140) -> np.ndarray:
    y, x = np.mgrid[:size, :size]
    return np.stack([150 + 20 * np.sin(x / 40), 120 + 0.2 * y, 100 + 0.1 * x], -1).astype(np.float32)


def grainy(grain: Grain, seed: int = 0) -> np.ndarray:
    picture = clean()
    return add_grain(
        picture, grain, NONE, np.ones(picture.shape[:2], np.float32), np.random.default_rng(seed)
    )


def samples(picture: np.ndarray) -> np.ndarray:
    return np.clip(picture + 0.5, 0, 255).astype(np.uint8)


def everywhere(picture: np.ndarray) -> np.ndarray:
    return np.ones(picture.shape[:2], bool)


@pytest.mark.parametrize("sigma", [1.0, 2.0, 4.0, 8.0])
@pytest.mark.parametrize(("correlation", "share"), [(0.0, 0.0), (0.5, 0.7), (0.8, 0.3)])
def test_known_grain_is_recovered(sigma, correlation, share):
    grain = Grain(sigma * np.array([1.0, 0.8, 1.2]), correlation, share)
    picture = samples(grainy(grain))
    found = measure_grain(picture, everywhere(picture))
    assert found.sigma_rgb == pytest.approx(grain.sigma_rgb, rel=0.2)
    assert found.correlation_px == pytest.approx(correlation, abs=0.2)
    assert found.luma_share == pytest.approx(share, abs=0.2)


def test_jpeg_leaves_less_grain():
    picture = samples(grainy(Grain(np.full(3, 4.0), 0.0, 0.5)))
    squeezed = cv2.imdecode(
        cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 75])[1], cv2.IMREAD_COLOR
    )
    found = measure_grain(squeezed, everywhere(picture))
    assert (found.sigma_rgb < 0.85 * measure_grain(picture, everywhere(picture)).sigma_rgb).all()


def test_texture_on_half_of_the_skin_is_not_taken_for_grain():
    grain = Grain(np.full(3, 3.0), 0.0, 0.5)
    picture = grainy(grain)
    x = np.mgrid[:140, :140][1]
    picture = samples(picture + (15 * np.sin(x * 1.3) * (x < 80))[..., None])
    assert measure_grain(picture, everywhere(picture)).sigma_rgb == pytest.approx(grain.sigma_rgb, rel=0.2)


def test_blown_highlights_are_not_taken_for_clean_skin():
    picture = grainy(Grain(np.full(3, 4.0), 0.0, 0.5))
    picture[:70] += 300
    found = measure_grain(samples(picture), everywhere(picture))
    assert found.sigma_rgb == pytest.approx(np.full(3, 4.0), rel=0.2)


def test_added_grain_makes_up_what_is_missing():
    wanted, have = Grain(np.array([4.0, 3.0, 5.0]), 0.5, 0.6), Grain(np.full(3, 2.0), 0.5, 0.6)
    alpha = np.ones((140, 140), np.float32)
    painted = add_grain(grainy(have), wanted, have, alpha, np.random.default_rng(9))
    found = measure_grain(samples(painted), everywhere(painted))
    assert found.sigma_rgb == pytest.approx(wanted.sigma_rgb, rel=0.2)


def test_grain_goes_only_where_alpha_is_and_never_away():
    picture = clean()
    alpha = np.zeros((140, 140), np.float32)
    alpha[:, 70:] = 1
    grain = Grain(np.full(3, 4.0), 0.5, 0.6)
    painted = add_grain(picture, grain, NONE, alpha, np.random.default_rng(0))
    assert np.array_equal(painted[:, :70], picture[:, :70])
    assert np.abs(painted - picture)[:, 70:].mean() > 1
    assert np.array_equal(add_grain(picture, NONE, grain, alpha, np.random.default_rng(0)), picture)


def test_same_generator_state_same_grain():
    grain = Grain(np.full(3, 4.0), 0.5, 0.6)
    assert np.array_equal(grainy(grain, 5), grainy(grain, 5))
    assert not np.array_equal(grainy(grain, 5), grainy(grain, 6))


@pytest.mark.parametrize("size", [1, 8, 9, 20])
def test_tiny_and_flat_crops_have_no_grain(size):
    flat = np.full((size, size, 3), 90, np.uint8)
    found = measure_grain(flat, np.zeros((size, size), bool))
    assert found.sigma_rgb.max() < 1e-3


def grain_of(sigma: float, correlation_px: float = 1.0, luma_share: float = 0.7) -> Grain:
    return Grain(np.full(3, sigma), correlation_px, luma_share)


@pytest.mark.parametrize("skin", [0.5, 2.0, 3.0])
def test_skin_as_grainy_as_its_surroundings_keeps_its_own_grain(skin):
    own = grain_of(skin, 1.4)
    assert skin_grain(own, grain_of(2.0)) is own


@settings(max_examples=40)
@over(st.floats(0, 3), st.floats(0.1, 12), st.floats(0.3, 1.6), st.floats(0, 1))
def test_skin_gets_no_more_grain_than_it_had_and_no_less_than_its_surroundings(around, extra, width, share):
    skin, surroundings = grain_of(around + extra, width, share), grain_of(around, 0.7, share)
    given = skin_grain(skin, surroundings)
    assert (given.sigma_rgb <= skin.sigma_rgb + 1e-9).all()
    assert (given.sigma_rgb >= surroundings.sigma_rgb - 1e-9).all()
    assert share - 1e-9 <= given.luma_share <= 1
    assert given.correlation_px <= skin.correlation_px


def test_faint_grain_that_compression_left_on_skin_alone_keeps_its_strength_and_loses_its_colour():
    given = skin_grain(grain_of(1.9), grain_of(0.6))
    assert given.sigma_rgb == pytest.approx(np.full(3, 1.9))
    assert given.luma_share > 0.9


def test_what_only_skin_shows_comes_back_fainter_finer_and_grey():
    given = skin_grain(grain_of(7.0, 1.6, 0.8), grain_of(0.5, 0.9, 0.8))
    assert (given.sigma_rgb < 5.2).all()
    assert given.correlation_px == pytest.approx(1.1)
    assert given.luma_share > 0.95


MOST, WHOLE = SkinGrainParams().most_ratio, SkinGrainParams().whole


def test_skin_keeps_its_own_grain_up_to_a_ratio_to_that_of_its_surroundings():
    below, above = grain_of(2 * (MOST - 0.01)), grain_of(2 * (MOST + 0.01))
    assert skin_grain(below, grain_of(2.0)) is below
    assert skin_grain(above, grain_of(2.0)).luma_share > above.luma_share


def test_texture_keeps_its_strength_up_to_a_deviation():
    below, above = (grain_of(float(np.hypot(MOST, WHOLE + more))) for more in (-0.05, 0.05))
    assert skin_grain(below, grain_of(1.0)).sigma_rgb == pytest.approx(below.sigma_rgb)
    assert (skin_grain(above, grain_of(1.0)).sigma_rgb < above.sigma_rgb - 0.01).all()
