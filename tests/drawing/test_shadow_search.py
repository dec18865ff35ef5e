from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handwright.drawing.photo.srgb import to_linear, to_srgb
from handwright.drawing.shadow_search import find_shadow
from tests.drawn import Shot, shoot


def background_of(shot: Shot) -> np.ndarray:
    return cv2.dilate(shot.silhouette.astype(np.uint8), np.ones((9, 9), np.uint8)) == 0


def found_in(shot: Shot, pixels: np.ndarray):
    return find_shadow(pixels, shot.silhouette, background_of(shot), shot.hand_px)


def relit(shot: Shot, light: np.ndarray, *, grain=1.0, seed=0) -> np.ndarray:
    """The shot with so much light, [h, w] or [h, w, 3], on its background."""
    hand = shot.surface.shrink(shot.surface.visible.astype(np.float32)[..., None])
    light = light if light.ndim == 3 else light[..., None]
    lit = to_srgb(to_linear(shot.pixels) * (hand + (1 - hand) * light))
    lit = lit + np.random.default_rng(seed).normal(0, grain, lit.shape)
    return np.clip(np.round(lit), 0, 255).astype(np.uint8)


def shade(shot: Shot, strength: float, offset: tuple[float, float], softness: float) -> np.ndarray:
    """Light behind the hand, at full size: the silhouette shifted and blurred; all lengths in hand sizes."""
    move = np.array([[1, 0, offset[0] * shot.hand_px], [0, 1, offset[1] * shot.hand_px]])
    mask = shot.silhouette.astype(np.float32)
    cast = cv2.warpAffine(mask, move, mask.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
    cast = cv2.GaussianBlur(cast, (0, 0), softness * shot.hand_px, borderType=cv2.BORDER_REPLICATE)
    return 1 - strength * cast


def texture(size: int, contrast: float, seed: int) -> np.ndarray:
    """Uneven light on a wall at several scales."""
    rng, total = np.random.default_rng(seed), np.zeros((size, size), np.float32)
    for cells in (3, 7, 15, 40):
        total += cv2.resize(rng.standard_normal((cells, cells)).astype(np.float32), (size, size))
    return np.exp(contrast * total / 2)


@pytest.fixture(scope="module")
def shot() -> Shot:
    return shoot()


@pytest.mark.parametrize("strength", [0.15, 0.3, 0.5])
@pytest.mark.parametrize("offset", [(0.12, 0.08), (-0.2, 0.05), (0.0, -0.1)])
@pytest.mark.parametrize("softness", [0.03, 0.08])
def test_a_known_shadow_is_recovered(shot, strength, offset, softness):
    shadow = found_in(shot, relit(shot, shade(shot, strength, offset, softness)))
    assert shadow is not None
    assert shadow.strength == pytest.approx(strength, rel=0.2)
    assert np.hypot(*np.subtract(shadow.offset, offset)) < 0.035
    assert shadow.softness == pytest.approx(softness, rel=0.4)


def test_a_shadow_right_beneath_the_hand_is_seen_around_it(shot):
    shadow = found_in(shot, relit(shot, shade(shot, 0.5, (0.0, 0.0), 0.08)))
    assert shadow is not None
    assert np.hypot(*shadow.offset) < 0.03
    assert shadow.strength == pytest.approx(0.5, rel=0.3)


def test_it_is_recovered_from_an_uneven_wall_with_an_edge(shot):
    wall = texture(len(shot.pixels), 0.05, 1)
    wall[:, 200:] *= 0.4
    shadow = found_in(shot, relit(shot, wall * shade(shot, 0.4, (0.12, 0.08), 0.04), grain=2))
    assert shadow is not None
    assert shadow.strength == pytest.approx(0.4, rel=0.25)
    assert np.hypot(*np.subtract(shadow.offset, (0.12, 0.08))) < 0.04


@pytest.mark.parametrize("grain", [0.0, 2.0, 6.0])
def test_where_no_shadow_is_none_is_found(shot, grain):
    assert found_in(shot, relit(shot, np.ones(shot.silhouette.shape), grain=grain)) is None


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.02, 0.5))
def test_texture_is_no_shadow(seed, contrast):
    shot = shoot()
    assert found_in(shot, relit(shot, texture(len(shot.pixels), contrast, seed), seed=seed)) is None


def test_a_lamp_s_gradient_is_no_shadow(shot):
    y, x = np.mgrid[: len(shot.pixels), : len(shot.pixels)] / len(shot.pixels)
    assert found_in(shot, relit(shot, 0.4 + 0.6 * x * y)) is None
    assert found_in(shot, relit(shot, np.exp(-2 * (x - 0.4) ** 2 - 2 * (y - 0.6) ** 2))) is None


def test_a_glow_around_the_hand_is_no_shadow(shot):
    assert found_in(shot, relit(shot, 0.5 / shade(shot, 0.4, (0.1, 0.1), 0.05))) is None


def test_what_changes_colour_is_no_shadow(shot):
    dark = shade(shot, 0.4, (0.12, 0.08), 0.05)
    stain = np.stack([np.ones_like(dark), dark, dark], -1)
    assert found_in(shot, relit(shot, stain)) is None


def test_a_dark_table_beside_the_hand_is_no_shadow(shot):
    light = np.ones(shot.silhouette.shape)
    light[150:] = 0.5
    assert found_in(shot, relit(shot, cv2.GaussianBlur(light, (0, 0), 3))) is None


def test_without_background_there_is_none(shot):
    nothing = np.zeros(shot.silhouette.shape, bool)
    assert find_shadow(shot.pixels, shot.silhouette, nothing, shot.hand_px) is None


@pytest.mark.parametrize("size", [(1, 1), (1, 60), (60, 1), (9, 9), (40, 40)])
@pytest.mark.parametrize("hand_px", [1.0, 20.0, 4000.0])
def test_tiny_crops_and_hands_of_any_size_are_survived(size, hand_px):
    pixels = np.random.default_rng(0).integers(0, 255, (*size, 3), np.uint8)
    caster = np.zeros(size, bool)
    caster[size[0] // 2 :] = True
    assert find_shadow(pixels, caster, ~caster, hand_px) is None


def test_the_same_picture_gives_the_same_shadow(shot):
    pixels = relit(shot, shade(shot, 0.3, (0.1, 0.1), 0.05))
    assert found_in(shot, pixels) == found_in(shot, pixels.copy())
