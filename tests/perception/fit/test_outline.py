from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from handwright.hand.anatomy import SHAPE_NAMES
from handwright.hand.depth import render_hand
from handwright.perception.fit.hand_fit import fit_of_given_hand
from handwright.perception.fit.outline import fit_outline, outline_overlap
from tests.drawn import SIZE, flat_hand, region_of, shoot

THICKNESS, PALM = SHAPE_NAMES.index("thickness"), SHAPE_NAMES.index("palm_width")


def shaped(thickness=0.0, palm=0.0):
    hand = flat_hand()
    shape = hand.shape.copy()
    shape[[THICKNESS, PALM]] = thickness, palm
    return replace(hand, shape=shape)


def outlined(true, guess=None):
    """The outline fit of a mean (or other) hand to the silhouette of a true one."""
    shot = shoot(true)
    seen = shot.observation()
    return fit_outline(seen, fit_of_given_hand(seen, guess or flat_hand()), shot.region, shot.window)


@pytest.mark.parametrize("thickness", [-0.15, 0.0, 0.15])
def test_thickness_is_recovered_from_the_outline(thickness):
    assert outlined(shaped(thickness)).hand.shape[THICKNESS] == pytest.approx(thickness, abs=0.06)


def test_a_wide_palm_is_distinguished_from_a_narrow_one():
    wide, narrow = (outlined(shaped(palm=palm)).hand.shape[PALM] for palm in (0.12, -0.1))
    assert wide > 0.03
    assert narrow < -0.03


def test_the_outline_never_fits_worse_than_before():
    for true in (shaped(0.2, 0.1), shaped(-0.2, -0.1), flat_hand(curl=0.4)):
        shot = shoot(true)
        seen, start = shot.observation(), replace(flat_hand(), pose=true.pose)
        fit = fit_outline(seen, fit_of_given_hand(seen, start), shot.region, shot.window)
        before, after = (
            outline_overlap(seen, render_hand(h, SIZE, SIZE).face >= 0, shot.region, shot.window)
            for h in (start, fit.hand)
        )
        assert after >= before - 0.003


def test_only_the_proportions_change():
    fit = outlined(shaped(0.15, 0.1))
    untouched = [k for k in range(len(SHAPE_NAMES)) if k not in (THICKNESS, PALM)]
    assert not fit.hand.shape[untouched].any()
    assert np.array_equal(fit.hand.pose, flat_hand().pose)
    assert np.array_equal(fit.hand.translation_m, flat_hand().translation_m)


def test_a_swollen_outline_is_not_copied_beyond_anatomy():
    shot = shoot()
    swollen = np.zeros_like(shot.silhouette)
    swollen[30:200, 40:250] = True
    seen = shot.observation()
    region = region_of(shot.pixels, swollen, shot.landmarks_px)
    shape = fit_outline(seen, fit_of_given_hand(seen, shot.hand), region, shot.window).hand.shape
    assert shape[THICKNESS] <= 0.24
    assert shape[PALM] <= 0.22


def test_without_an_old_hand_the_fit_stays():
    shot = shoot()
    seen = shot.observation()
    fit = fit_of_given_hand(seen, shot.hand)
    nothing = region_of(shot.pixels, np.zeros_like(shot.silhouette), shot.landmarks_px)
    assert fit_outline(seen, fit, nothing, shot.window) is fit


def test_the_trust_of_the_fit_is_handed_on():
    shot = shoot(shaped(0.15))
    seen = shot.observation()
    doubted = replace(fit_of_given_hand(seen, flat_hand()), landmark_weights=np.linspace(0, 1, 21))
    assert np.array_equal(
        fit_outline(seen, doubted, shot.region, shot.window).landmark_weights, doubted.landmark_weights
    )


def test_overlap_of_equal_outlines_is_1_and_of_apart_ones_0():
    shot = shoot()
    seen = shot.observation()
    assert outline_overlap(seen, shot.silhouette, shot.region, shot.window) == 1.0
    assert outline_overlap(seen, ~shot.silhouette, shot.region, shot.window) == 0.0
