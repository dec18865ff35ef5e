"""The way back: exact outside, no step at the edge."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from handwright.image import feather, feathered_blend, match_colour_ramp
from handwright.image.compositing import (
    depth_inside,
    smoothstep,
    spread_colours,
    spread_smoothly,
    well_inside,
)

SIZE = 120
YS, XS = np.mgrid[:SIZE, :SIZE]
DISC = (XS - 60) ** 2 + (YS - 60) ** 2 < 40**2
RIM = DISC & ((XS - 60) ** 2 + (YS - 60) ** 2 > 37**2)
MIDDLE = (XS - 60) ** 2 + (YS - 60) ** 2 < 10**2
EVERYWHERE = np.ones((SIZE, SIZE), np.bool_)


def flat(colour: tuple[int, int, int], noise: float = 0.0, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    clean = np.broadcast_to(np.array(colour, float), (SIZE, SIZE, 3))
    return np.clip(np.rint(clean + noise * random.standard_normal(clean.shape)), 0, 255).astype(np.uint8)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 1000))
def test_a_blend_is_the_background_at_0_the_patch_at_1_and_between_them_otherwise(seed: int) -> None:
    random = np.random.default_rng(seed)
    below, above = random.integers(0, 256, (2, 9, 9, 3), dtype=np.uint8)
    alpha = np.clip(random.uniform(-0.5, 1.5, (9, 9)), 0, 1)
    blended = feathered_blend(below, above, alpha)
    assert np.array_equal(blended[alpha == 0], below[alpha == 0])
    assert np.array_equal(blended[alpha == 1], above[alpha == 1])
    assert (blended >= np.minimum(below, above)).all()
    assert (blended <= np.maximum(below, above)).all()


def test_rubbish_in_the_patch_does_no_harm_where_alpha_is_0() -> None:
    below = flat((10, 20, 30))
    patch = np.where(DISC[..., None], 300.0, np.nan)
    alpha = np.where(DISC, 1.0000001, np.nan)
    blended = feathered_blend(below, patch, alpha)
    assert np.array_equal(blended[~DISC], below[~DISC])
    assert (blended[DISC] == 255).all()


def test_a_feather_rises_from_0_outside_to_1_inside() -> None:
    alpha = feather(DISC, 8.0)
    assert (alpha[~DISC] == 0).all()
    assert (alpha[DISC] > 0).all()
    assert alpha[60, 60] == 1.0
    along = alpha[60, 60:105]
    assert (np.diff(along) <= 0).all()
    assert np.array_equal(feather(DISC, 0.0), DISC.astype(np.float32))
    assert (feather(EVERYWHERE, 5.0) == 1).all()


def test_an_equal_patch_is_not_moved() -> None:
    skin = flat((200, 150, 120), noise=3)
    matched = match_colour_ramp(skin, skin, DISC, EVERYWHERE, band_px=6, reach_px=30)
    assert np.abs(matched - skin)[DISC].mean() < 0.3


def test_an_offset_is_removed_at_the_edge_and_left_in_the_middle() -> None:
    below, patch = flat((200, 150, 120), 2, 1), flat((188, 144, 118), 2, 2)
    matched = match_colour_ramp(patch, below, DISC, EVERYWHERE, band_px=6, reach_px=25)
    assert np.abs(matched[RIM].mean(0) - (200, 150, 120)).max() < 1.5
    assert np.abs(matched[MIDDLE].mean(0) - (188, 144, 118)).max() < 0.5
    assert np.array_equal(matched[~DISC], patch[~DISC].astype(np.float32))


def test_a_gradient_of_light_along_the_edge_is_followed() -> None:
    light = (XS[..., None] - 60) * 0.15
    below = np.clip(np.array([190, 150, 120]) + light, 0, 255).astype(np.uint8)
    patch = flat((190, 150, 120))
    matched = match_colour_ramp(patch, below, DISC, EVERYWHERE, band_px=6, reach_px=60)
    step_before = np.abs(patch.astype(float) - below)[RIM].mean()
    assert np.abs(matched - below)[RIM].mean() < 0.45 * step_before


def test_only_the_same_material_counts() -> None:
    wall = flat((30, 90, 200))
    wrist = YS > 85
    below = np.where(wrist[..., None], flat((200, 150, 120)), wall)
    patch = flat((190, 144, 116))
    matched = match_colour_ramp(patch, below, DISC, wrist | DISC, band_px=6, reach_px=30)
    at_wrist, at_top = RIM & (YS > 92), RIM & (YS < 30)
    assert np.abs(matched[at_wrist].mean(0) - (200, 150, 120)).max() < 2.5
    assert np.abs(matched[at_top].mean(0) - (190, 144, 116)).max() < 0.5


def test_a_shift_is_never_larger_than_its_limit() -> None:
    below, patch = flat((200, 200, 200)), flat((40, 40, 40))
    matched = match_colour_ramp(patch, below, DISC, EVERYWHERE, band_px=6, reach_px=30, limit=5.0)
    assert matched.max() < 60


def test_nothing_to_compare_means_nothing_is_moved() -> None:
    below, patch = flat((200, 150, 120)), flat((100, 90, 80))
    nowhere = np.zeros_like(DISC)
    for inside, material in ((DISC, nowhere), (nowhere, EVERYWHERE), (EVERYWHERE, EVERYWHERE)):
        matched = match_colour_ramp(patch, below, inside, material, band_px=6, reach_px=30)
        assert np.array_equal(matched, patch.astype(np.float32))


def test_colours_from_inside_stand_along_an_outline_and_beyond():
    mask = np.zeros((40, 40), np.bool_)
    mask[10:30, 10:30] = True
    picture = np.where(mask[..., None], (200, 150, 120), (10, 20, 30)).astype(np.uint8)
    picture[10:13, 10:30] = (100, 90, 80)
    own = well_inside(mask, 3.0)
    assert own.sum() == 14**2
    assert (spread_colours(picture, own) == (200, 150, 120)).all()
    assert np.array_equal(spread_colours(picture, np.zeros_like(mask)), picture)


def test_of_thin_parts_the_deepest_pixels_are_inside():
    mask = np.zeros((40, 40), np.bool_)
    mask[4:36, 18:23] = True
    own = well_inside(mask, 6.0)
    assert own[10:30, 20].all()
    assert own.sum() < 1.5 * 32


def test_a_mask_has_no_end_at_the_border():
    assert np.isinf(depth_inside(np.ones((5, 5), np.bool_))).all()
    half = np.zeros((6, 6), np.bool_)
    half[:, :3] = True
    assert depth_inside(half)[0].tolist() == [3, 2, 1, 0, 0, 0]


def test_smoothly_spread_colours_are_the_things_and_have_no_stripes():
    own = np.zeros((80, 80), np.bool_)
    own[:, :30] = True
    even = np.full((80, 80, 3), (200.0, 150.0, 120.0)) * own[..., None]
    assert np.abs(spread_smoothly(even, own) - (200, 150, 120)).max() < 0.01
    noisy = even + np.random.default_rng(0).normal(0, 20, even.shape)
    spread = spread_smoothly(noisy, own)
    assert spread[:, 40:].std(0).max() < spread_colours(noisy, own)[:, 40:].std(0).max() / 4
    two = even + np.where(np.arange(80)[:, None, None] < 40, 20.0, -20.0) * own[..., None]
    assert np.abs(spread_smoothly(two, own)[[20, 60], 20, 0] - (220, 180)).max() < 1, "narrow averages inside"
    assert np.array_equal(spread_smoothly(noisy, own & False), noisy.astype(np.float32))


@settings(deadline=None)
@given(st.floats(-3, 3), st.floats(-3, 3))
def test_smoothstep_rises_from_0_to_1(a, b):
    low, high = sorted((a, b))
    values = smoothstep(-1.0, 1.0, np.array([low, high]))
    assert 0 <= values[0] <= values[1] <= 1
    assert smoothstep(0.0, 1.0, np.array([-0.1, 0.0, 0.5, 1.0, 1.1])).tolist() == [0, 0, 0.5, 1, 1]
