from __future__ import annotations

import numpy as np
import pytest

from handwright.drawing.photo.texture import TextureParams, add_texture, band_energies

SIZE = 200
PARAMS = TextureParams()
NOTHING = np.zeros(len(PARAMS.bands_px))


def skin(level: float = 150.0) -> np.ndarray:
    y, x = np.mgrid[:SIZE, :SIZE]
    return (level * np.array([1.1, 0.9, 0.8]) * (0.8 + 0.2 * np.sin((x + y) / 90))[..., None]).astype(
        np.float32
    )


def palm() -> np.ndarray:
    y, x = np.mgrid[:SIZE, :SIZE]
    return (x - 100) ** 2 + (y - 100) ** 2 < 75**2


def textured(target: np.ndarray, seed: int = 0) -> np.ndarray:
    alpha = np.ones((SIZE, SIZE), np.float32)
    return add_texture(skin(), target, NOTHING, alpha, np.random.default_rng(seed))


@pytest.mark.parametrize("target", [(0.02, 0.02), (0.015, 0.02), (0.03, 0.02)])
@pytest.mark.parametrize("seed", [0, 1])
def test_after_adding_the_energy_is_the_targets(target, seed):
    existing = band_energies(skin(), palm())
    painted = add_texture(
        skin(), np.array(target), existing, np.ones((SIZE, SIZE), np.float32), np.random.default_rng(seed)
    )
    assert band_energies(painted, palm()) == pytest.approx(np.array(target), rel=0.2)


def test_texture_adds_to_what_is_there():
    start = textured(np.full(2, 0.015))
    existing = band_energies(start, palm())
    target = np.full(2, 0.03)
    painted = add_texture(
        start, target, existing, np.ones((SIZE, SIZE), np.float32), np.random.default_rng(8)
    )
    assert band_energies(painted, palm()) == pytest.approx(target, rel=0.2)


def test_zero_target_changes_nothing():
    painted = textured(NOTHING)
    assert np.array_equal(painted, skin())


def test_no_texture_outside_alpha_and_hue_is_kept():
    alpha = palm().astype(np.float32)
    painted = add_texture(skin(), np.full(2, 0.03), NOTHING, alpha, np.random.default_rng(0))
    assert np.array_equal(painted[~palm()], skin()[~palm()])
    assert painted[..., 0] / painted[..., 1] == pytest.approx(skin()[..., 0] / skin()[..., 1], rel=1e-4)


def test_no_band_gains_more_than_the_cap():
    found = band_energies(textured(np.full(2, 0.5)), palm())
    assert (found < 1.25 * PARAMS.most_added).all()


def test_an_object_on_the_skin_does_not_raise_its_texture():
    plain, disturbed = skin(), skin()
    disturbed[90:110, 40:160:4] *= 0.4
    assert (band_energies(disturbed, palm()) < band_energies(plain, palm()) + 0.02).all()


def test_the_regions_outline_is_no_texture():
    crop = np.where(palm()[..., None], skin(), 10).astype(np.float32)
    assert band_energies(crop, palm()).max() < 0.003


def test_a_region_too_small_has_no_energy_to_speak_of_and_is_left_alone():
    energies = band_energies(skin(), np.zeros((SIZE, SIZE), bool))
    assert np.isnan(energies).all()
    alpha = np.ones((SIZE, SIZE), np.float32)
    assert np.array_equal(add_texture(skin(), energies, NOTHING, alpha, np.random.default_rng(0)), skin())
