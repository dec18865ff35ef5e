from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handwright.drawing.photo.srgb import to_linear, to_srgb
from handwright.drawing.skin.illumination import LUMA
from handwright.drawing.skin.tone import (
    InlierParams,
    RelightParams,
    ToneParams,
    chroma_inliers,
    colourfulness,
    desaturated,
    fit_tone_curve,
    illumination_ratio,
    match_colour_distribution,
)

SKIN = np.array([0.50, 0.27, 0.18])
SLOPES = np.array([0.85, 1.05, 1.25])


def skin_colours(count=4000, slopes=SLOPES, spread=0.35, seed=0) -> np.ndarray:
    """Skin whose channels follow brightness with known log–log slopes."""
    steps = np.random.default_rng(seed).normal(0, spread, count).clip(-0.8, 0.5)
    return SKIN * np.exp(slopes * steps[:, None])


def test_to_linear_and_to_srgb_are_inverse_within_half_a_level():
    levels = np.arange(256, dtype=np.uint8)
    assert np.abs(to_srgb(to_linear(levels)) - levels).max() < 0.5
    assert to_linear(levels)[[0, 255]] == pytest.approx([0, 1])


def test_light_out_of_range_is_clipped_and_never_nan():
    values = to_srgb(np.array([-1.0, -1e-9, 0.0, 1.0000001, 7.0]))
    assert values.tolist() == pytest.approx([0, 0, 0, 255, 255], abs=1e-3)


@settings(deadline=None)
@given(st.floats(0, 1), st.floats(0, 1))
def test_more_light_is_never_darker(a, b):
    low, high = sorted((a, b))
    assert to_srgb(np.array(low)) <= to_srgb(np.array(high))


def test_known_slopes_are_recovered():
    colours = skin_colours()
    tone = fit_tone_curve(colours)
    between = SLOPES / (LUMA * SKIN * SLOPES).sum() * (LUMA * SKIN).sum()
    assert tone.slope == pytest.approx(between, abs=0.05)
    assert tone.colour(colours @ LUMA) == pytest.approx(colours, rel=0.06)


def test_the_median_of_the_skin_is_met():
    colours = skin_colours()
    assert fit_tone_curve(colours).colour(np.median(colours @ LUMA)[None])[0] == pytest.approx(
        np.median(colours, 0), rel=0.02
    )


@settings(max_examples=20, deadline=None)
@given(st.floats(0.02, 1.0))
def test_dark_skin_stays_dark(share):
    light, dark = skin_colours(800), share * skin_colours(800)
    at = np.linspace(0.08, 0.5, 20)
    assert fit_tone_curve(dark).colour(share * at) == pytest.approx(
        share * fit_tone_curve(light).colour(at), rel=0.05
    )


def test_no_brightness_gives_a_colour_that_is_negative_or_nan():
    for colours in (skin_colours(), np.zeros((50, 3)), np.full((50, 3), 0.3)):
        painted = fit_tone_curve(colours).colour(np.array([-0.1, 0.0, 1e-6, 0.5, 3.0]))
        assert np.isfinite(painted).all()
        assert (painted >= 0).all()


def test_rings_and_background_are_no_inliers():
    colours = np.concatenate([skin_colours(900), np.tile([0.1, 0.3, 0.6], (60, 1)), np.full((40, 3), 0.8)])
    kept = chroma_inliers(colours)
    assert kept[:900].mean() > 0.97
    assert not kept[900:].any()


def test_match_spread_meets_the_old_skins_mean_and_contrast():
    reference, drawn = skin_colours(spread=0.4), skin_colours(spread=0.3, seed=1) * (1.1, 0.95, 0.9)
    matched = match_colour_distribution(drawn, reference, np.ones(len(drawn), bool), 0.01)
    assert matched.mean(0) == pytest.approx(reference.mean(0), rel=0.01)
    wanted, got, was = (
        np.ptp(np.percentile(np.log(c.mean(1)), [10, 90])) for c in (reference, matched, drawn)
    )
    assert abs(got / wanted - 1) < 0.1 < abs(was / wanted - 1)


def test_match_spread_of_equal_skin_changes_hardly_anything():
    colours = skin_colours()
    assert match_colour_distribution(colours, colours, np.ones(len(colours), bool), 0.01) == pytest.approx(
        colours, rel=0.05
    )


def test_match_spread_scales_with_the_skin():
    reference, drawn = skin_colours(seed=2), skin_colours(spread=0.25, seed=3)
    everywhere = np.ones(len(drawn), bool)
    light = match_colour_distribution(drawn, reference, everywhere, 0.03 * 0.3)
    dark = match_colour_distribution(0.1 * drawn, 0.1 * reference, everywhere, 0.1 * 0.03 * 0.3)
    assert dark == pytest.approx(0.1 * light, rel=0.05)


def test_too_few_points_to_compare_leave_the_paint_alone():
    drawn = skin_colours(100)
    assert match_colour_distribution(drawn, drawn * 2, np.arange(100) < 19, 0.01) is drawn


def picture(size=120) -> np.ndarray:
    y, x = np.mgrid[:size, :size]
    return (0.3 + 0.1 * np.sin(x / 40) + 0.001 * y).astype(np.float32)


def test_illumination_ratio_is_1_where_old_and_drawn_are_equal():
    ratio = illumination_ratio(picture(), picture(), np.ones((120, 120), bool), 12.0, 0.01)
    assert ratio == pytest.approx(np.ones((120, 120)), abs=1e-5)


def test_illumination_ratio_passes_a_wide_shadow_and_no_detail():
    y, x = np.mgrid[:240, :240]
    everywhere = np.ones((240, 240), bool)
    stripes = np.exp(0.4 * np.sin(x * 2 * np.pi / 10)) * 0.3
    shadow = np.where(y < 120, 0.3, 0.2)
    flat = np.full((240, 240), 0.3)
    fine = illumination_ratio(stripes, flat, everywhere, 15.0, 0.01)[40:-40, 40:-40]
    assert np.ptp(np.log(fine)) < 0.02
    wide = illumination_ratio(shadow, flat, everywhere, 15.0, 0.01)
    assert wide[200, 120] == pytest.approx(0.677, abs=0.03)
    assert wide[40, 120] == pytest.approx(1.0, abs=0.02)
    assert np.abs(np.diff(wide, axis=0)).max() < 0.02


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (3, 2)])
def test_illumination_ratio_of_slivers_and_of_black_is_finite(size):
    ratio = illumination_ratio(np.zeros(size), np.zeros(size), np.ones(size, bool), 9.0, 0.0)
    assert ratio.shape == size
    assert ratio == pytest.approx(np.ones(size))


def test_colourfulness_tells_skin_from_black_and_white():
    grey = np.repeat(skin_colours()[:, :1], 3, 1)
    assert colourfulness(skin_colours()) == 1
    assert colourfulness(0.05 * skin_colours()) == 1
    assert colourfulness(grey) == colourfulness(np.zeros((9, 3))) == 0


def test_greyed_keeps_brightness_and_loses_hue():
    colours = skin_colours(50)
    assert desaturated(colours, 0.3) @ LUMA == pytest.approx(colours @ LUMA, rel=1e-6)
    assert np.ptp(desaturated(colours, 0.0), axis=1).max() < 1e-9
    assert desaturated(colours, 1.0) == pytest.approx(colours)


@pytest.mark.parametrize(("blue", "limited"), [(1.35, False), (1.55, True)])
def test_a_channel_is_no_steeper_than_the_limit(blue, limited):
    slope = fit_tone_curve(skin_colours(slopes=np.array([1.0, 1.0, blue]))).slope[2]
    assert bool(slope == ToneParams().steepest) is limited


@pytest.mark.parametrize(("blue", "limited"), [(0.8, False), (0.6, True)])
def test_a_channel_is_no_flatter_than_the_limit(blue, limited):
    slope = fit_tone_curve(skin_colours(slopes=np.array([1.0, 1.0, blue]))).slope[2]
    assert bool(slope == ToneParams().flattest) is limited


@pytest.mark.parametrize(("factor", "is_skin"), [(0.98, True), (1.02, False)])
def test_chroma_within_some_deviations_of_flat_skin_is_skin(factor, is_skin):
    params, skin = InlierParams(), np.tile(SKIN, (200, 1))
    blues = np.linspace(SKIN[2], 1.5 * SKIN[2], 4000)
    colours = np.column_stack([*np.tile(SKIN[:2, None], (1, 4000)), blues])
    off = np.log(blues + 0.01) - np.log(colours @ LUMA + 0.01)
    wanted = off[0] + factor * params.deviations * params.least_spread
    skin[-1, 2] = np.interp(wanted, off, blues)
    inliers = chroma_inliers(skin)
    assert inliers[:-1].all()
    assert bool(inliers[-1]) is is_skin


@pytest.mark.parametrize(("factor", "passed_on"), [(0.98, 0.98), (1.02, 1.0)])
def test_a_shadow_is_passed_on_up_to_a_log_ratio(factor, passed_on):
    params, drawn = RelightParams(), np.full((60, 60), 0.3)
    old = drawn * np.exp(-factor * params.most)
    ratio = illumination_ratio(old, drawn, np.ones((60, 60), bool), sigma=3.0, floor=0.0)
    expected = np.exp(-passed_on * params.most / (1 + params.prior_weight))
    assert ratio == pytest.approx(np.full((60, 60), expected), rel=1e-4)
