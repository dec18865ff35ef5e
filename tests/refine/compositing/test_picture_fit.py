from __future__ import annotations

import cv2
import numpy as np
import pytest

from handwright.refine.compositing.picture_fit import (
    PARAMS,
    Aspect,
    PictureFit,
    lost_share,
    measure_picture_fit,
)

SIZE, HAND_PX = 160, 100
ROWS, COLUMNS = np.mgrid[:SIZE, :SIZE] + 0.5
HAND = np.hypot(ROWS - 80, COLUMNS - 80) < 40
CHANGED = np.hypot(ROWS - 80, COLUMNS - 80) < 60
SKIN, WALL = (200.0, 160.0, 140.0), (90.0, 110.0, 130.0)


def picture(*, blur=1.0, grain=0.0, seed=0, skin=SKIN, wall=WALL, hand=HAND) -> np.ndarray:
    """A round hand before a wall: blurred by a Gaussian, then with grain."""
    pixels = np.where(hand[..., None], skin, wall).astype(np.float32)
    pixels = cv2.GaussianBlur(pixels, (0, 0), blur) if blur else pixels
    if grain:
        pixels = pixels + np.random.default_rng(seed).normal(0, grain, (SIZE, SIZE, 3))
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)


def fit(before, after, changed=CHANGED, old=HAND, new=HAND) -> PictureFit:
    return measure_picture_fit(before, after, changed, old, new, HAND_PX)


def lab(colour) -> np.ndarray:
    return cv2.cvtColor(np.array([[colour]], np.float32) / 255, cv2.COLOR_RGB2LAB)[0, 0]


def test_an_untouched_picture_fits_itself():
    before = picture(grain=3.0)
    found = fit(before, before.copy())
    assert (found.sharpness.value, found.grain.value, found.colour.value) == (0, 0, 0)
    assert found.share < 1


@pytest.mark.parametrize(("was", "becomes", "octaves"), [(1.0, 2.0, 1.0), (2.0, 1.0, 1.0), (1.0, 1.4, 0.5)])
def test_sharpness_is_the_ratio_of_the_edges_blur_in_octaves(was, becomes, octaves):
    value = fit(picture(blur=was), picture(blur=becomes)).sharpness.value
    assert value == pytest.approx(octaves, abs=0.15)


@pytest.mark.parametrize(("was", "becomes", "octaves"), [(2.0, 8.0, 2.0), (8.0, 2.0, 2.0), (4.0, 4.0, 0.0)])
def test_grain_is_the_ratio_of_its_deviations_in_octaves(was, becomes, octaves):
    value = fit(picture(grain=was), picture(grain=becomes, seed=1)).grain.value
    assert value == pytest.approx(octaves, abs=0.25)


def test_grain_too_fine_to_be_seen_does_not_count():
    assert fit(picture(), picture(grain=0.7)).grain.value < 0.2


def test_colour_is_the_distance_of_the_middle_colours_in_lab():
    other = (200.0, 150.0, 120.0)
    found = fit(picture(), picture(skin=other)).colour
    assert found.value == pytest.approx(float(np.linalg.norm(lab(SKIN) - lab(other))), rel=0.05)
    assert found.limit == pytest.approx(PARAMS.colour, abs=0.5)


def test_a_hand_of_two_colours_allows_more():
    light, dark = np.array([220.0, 180, 160]), np.array([150.0, 110, 95])
    both = np.where((ROWS < 80)[..., None], light, dark)
    before = np.where(HAND[..., None], both, np.array(WALL)).astype(np.uint8)
    found = fit(before, before.copy())
    apart = float(np.linalg.norm(lab(light) - lab(dark)))
    assert found.colour.limit == pytest.approx(PARAMS.colour + min(apart / 2, PARAMS.colour), rel=0.05)


def test_a_seam_is_the_step_across_the_rim_and_texture_is_none():
    tinted = (100.0, 118.0, 130.0)
    before, after = picture(), picture()
    after[CHANGED & ~HAND] = np.array(tinted, np.uint8)
    step = float(np.linalg.norm(lab(WALL) - lab(tinted)))
    assert fit(before, after).seam.value == pytest.approx(step, rel=0.1)
    grainy, other = picture(grain=4.0), picture(grain=4.0)
    other[CHANGED] = picture(grain=4.0, seed=1)[CHANGED]
    assert fit(grainy, other).seam.share < 0.6


def test_a_wall_with_steps_of_its_own_allows_them():
    checks = ((ROWS // 20 + COLUMNS // 20) % 2 > 0)[..., None]
    before = np.where(checks, 90, 150) * np.ones(3)
    before = np.where(HAND[..., None], np.array(SKIN), before).astype(np.uint8)
    seam = fit(before, before.copy()).seam
    assert seam.limit == pytest.approx(PARAMS.seam + seam.value)
    assert seam.share < 1


def test_a_finger_that_goes_is_no_seam_when_the_wall_goes_on():
    finger = HAND | ((np.abs(COLUMNS - 80) < 8) & (ROWS < 80) & (ROWS > 24))
    found = fit(picture(hand=finger), picture(), old=finger)
    assert found.seam.value < 1


@pytest.mark.parametrize(
    ("changed", "old", "new"),
    [
        (np.zeros_like(HAND), HAND, HAND),
        (np.ones_like(HAND), HAND, HAND),
        (CHANGED, np.zeros_like(HAND), HAND),
        (CHANGED, HAND, np.zeros_like(HAND)),
    ],
)
def test_what_cannot_be_compared_does_not_stand_out(changed, old, new):
    before = picture()
    found = fit(before, before, changed, old, new)
    assert found.share <= 1
    assert all(np.isfinite(aspect.value) for aspect in found.aspects.values())


@pytest.mark.parametrize("shape", [(1, 1), (3, 40), (12, 12)])
def test_tiny_crops_are_survived(shape):
    pixels, everywhere = np.zeros((*shape, 3), np.uint8), np.ones(shape, bool)
    assert measure_picture_fit(pixels, pixels, everywhere, everywhere, everywhere, 5.0).share <= 1


def test_what_is_lost_is_the_share_of_the_old_hand_beside_the_new_one_that_changed():
    finger = HAND | ((np.abs(COLUMNS - 80) < 8) & (ROWS < 80) & (ROWS > 24))
    before, after = picture(hand=finger, blur=0), picture(blur=0)
    gone = (finger & ~HAND).sum() / finger.sum()
    lost = lost_share(before, after, CHANGED, finger, HAND, HAND_PX)
    assert gone * 0.7 < lost < gone
    assert lost_share(before, before, CHANGED, finger, HAND, HAND_PX) == 0
    assert lost_share(before, after, CHANGED, finger, finger, HAND_PX) == 0
    assert lost_share(before, after, np.zeros_like(CHANGED), finger, HAND, HAND_PX) == 0
    assert lost_share(before, after, CHANGED, np.zeros_like(HAND), HAND, HAND_PX) == 0


@pytest.mark.parametrize(("past", "lost"), [(0.9, False), (1.1, True)])
def test_only_plainly_another_colour_is_lost(past, lost):
    """Grey hands, whose Lab distance is that of their lightness."""
    finger = HAND | ((np.abs(COLUMNS - 80) < 8) & (ROWS < 80) & (ROWS > 24))
    before = picture(blur=0, skin=(119.0,) * 3, wall=(119.0,) * 3, hand=finger)
    levels = np.arange(256, dtype=np.uint8)[None, :, None].repeat(3, 2)
    lightness = cv2.cvtColor(levels.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0, :, 0]
    grey = float(np.argmin(np.abs(lightness - lightness[119] - past * PARAMS.other_lab)))
    after = picture(blur=0, skin=(119.0,) * 3, wall=(grey,) * 3)
    assert (lost_share(before, after, CHANGED, finger, HAND, HAND_PX) > 0) == lost


def test_the_worst_aspect_decides():
    aspects = [Aspect(0.5, PARAMS.sharpness), Aspect(3 * PARAMS.grain, PARAMS.grain), Aspect(0, 1)]
    assert PictureFit(*aspects, Aspect(1.0, PARAMS.seam)).share == pytest.approx(3)


@pytest.mark.parametrize(("past", "compared"), [(0.7, False), (1.4, True)])
def test_less_new_skin_than_a_share_of_the_old_is_not_compared(past, compared):
    """It is the shaded rim of a finger that was removed."""
    left = HAND & (np.cumsum(HAND).reshape(HAND.shape) <= past * PARAMS.min_skin_share * HAND.sum())
    before = picture(grain=2.0)
    after = np.where(left[..., None], picture(grain=8.0, seed=1, skin=(160.0, 90.0, 60.0)), before)
    found = fit(before, after.astype(np.uint8), changed=left)
    assert (found.colour.value > 10) == compared
    assert (found.grain.value > 0) == compared
