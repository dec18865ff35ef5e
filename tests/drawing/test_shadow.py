from __future__ import annotations

import cv2
import numpy as np
import pytest

from handwright.drawing.fill.patch_fill import FillParams
from handwright.drawing.painter import draw_hand
from handwright.drawing.params import DrawParams
from handwright.drawing.photo.srgb import to_linear
from handwright.drawing.shadow import CastShadow, move_shadow, relit
from tests.drawing.test_shadow_search import relit as photographed
from tests.drawing.test_shadow_search import shade
from tests.drawn import WALL, Shot, flat_hand, region_of, shoot

SHADOW = CastShadow(0.4, (0.15, 0.1), 0.04)
HAND_PX = 100.0


def half_plane(size=200) -> np.ndarray:
    mask = np.zeros((size, size), np.float32)
    mask[:, : size // 2] = 1
    return mask


def finger(at: int, size=200) -> np.ndarray:
    mask = np.zeros((size, size), np.float32)
    mask[60:160, at : at + 16] = 1
    return mask


def everywhere(mask: np.ndarray) -> np.ndarray:
    return np.ones(mask.shape, bool)


def move(old, new, *, may_change=None, shadow=SHADOW):
    allowed = everywhere(old) if may_change is None else may_change
    return move_shadow(shadow, old, new, (old < 0.5), allowed, HAND_PX)


def test_a_half_plane_s_shadow_is_a_shifted_error_function():
    light = SHADOW.light(half_plane(), HAND_PX)[100]
    edge, sigma = 100 + 15, 4
    assert light[edge - 1 : edge + 1].mean() == pytest.approx(0.8, abs=0.01)
    assert light[edge - 1 - sigma] == pytest.approx(1 - 0.4 * 0.8413, abs=0.02)
    assert light[edge + sigma] == pytest.approx(1 - 0.4 * 0.1587, abs=0.02)
    assert light[80] == pytest.approx(0.6, abs=1e-3)
    assert light[-1] == pytest.approx(1.0, abs=1e-3)


def test_large_hands_cast_the_same_shadow_as_small_ones():
    small = SHADOW.light(finger(90), HAND_PX)
    large = SHADOW.light(cv2.resize(finger(90), (800, 800), interpolation=cv2.INTER_NEAREST), 4 * HAND_PX)
    assert cv2.resize(large, (200, 200), interpolation=cv2.INTER_AREA) == pytest.approx(small, abs=0.02)


def test_light_is_multiplied_in_linear_light_and_alike_in_all_colours():
    colours = np.random.default_rng(0).integers(20, 250, (30, 30, 3), np.uint8)
    half = relit(colours, np.full((30, 30), 0.5))
    assert to_linear(np.round(half).astype(np.uint8)) == pytest.approx(to_linear(colours) / 2, abs=0.004)
    assert np.array_equal(relit(colours, np.ones((30, 30))), colours)


def test_a_hand_that_keeps_its_shape_changes_nothing():
    old = finger(90)
    moved = move(old, old)
    assert np.array_equal(moved.after, moved.before)
    assert not moved.inside.any()


def test_slivers_between_two_outlines_of_one_hand_are_no_change():
    old = finger(90)
    moved = move(old, cv2.dilate(old, np.ones((3, 3), np.uint8)))
    assert not moved.inside.any()


def test_a_finger_that_goes_takes_its_shadow_along():
    moved = move(finger(60) + finger(120), finger(60))
    alone = SHADOW.light(finger(60), HAND_PX)
    assert moved.before.min() < 0.65
    assert moved.after == pytest.approx(alone, abs=0.01)


def test_a_shadow_that_is_there_is_not_laid_down_twice():
    old, new = finger(60), finger(60) + finger(120)
    wall = np.full((200, 200, 3), 180, np.uint8)
    picture = np.round(relit(wall, SHADOW.light(old, HAND_PX))).astype(np.uint8)
    wanted = relit(wall, SHADOW.light(new, HAND_PX))
    kept = move(old, new).kept(picture)
    background = (old < 0.5) & (cv2.dilate(old, np.ones((7, 7), np.uint8)) < 0.5)
    assert np.abs(kept - wanted)[background].max() < 2


def test_lifting_and_laying_down_again_gives_the_picture_back():
    old = finger(60)
    picture = np.random.default_rng(0).integers(40, 200, (200, 200, 3), np.uint8)
    moved = move(old, old)
    assert np.abs(moved.laid_on(moved.lifted(picture)) - picture).max() < 1.5


def test_the_change_fades_out_at_the_mask_s_edge_and_leaves_no_outline():
    may_change = np.zeros((200, 200), bool)
    may_change[40:180, 40:150] = True
    wall = np.full((200, 200, 3), 180, np.uint8)
    moved = move(finger(60), finger(60) + finger(120), may_change=may_change)
    changed = moved.kept(wall) - wall
    assert (changed[~may_change] == 0).all()
    assert changed.min() < -15
    rim = may_change & (cv2.erode(may_change.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0)
    assert np.abs(changed[rim]).max() < 0.15 * np.abs(changed).max()


def with_spare_finger(shot: Shot, strength=0.45) -> tuple[np.ndarray, np.ndarray, Shot]:
    """A picture with a sixth finger and the shadow of all, the same without it, and its region's mask."""
    spare = np.zeros(shot.silhouette.shape, np.uint8)
    tip, root = shot.landmarks_px[20] + (22, 4), shot.landmarks_px[17] + (2, 8)
    cv2.line(spare, tuple(np.intp(root)), tuple(np.intp(tip)), 1, 13)
    both = shot.silhouette | (spare > 0)
    light = {"strength": strength, "offset": (0.10, 0.06), "softness": 0.035}
    painted = photographed(shot, shade_of(shot, both, **light))
    skin = shot.pixels[shot.silhouette].mean(0)
    share = cv2.GaussianBlur(spare.astype(np.float32), (0, 0), 0.7)[..., None] * ~shot.silhouette[..., None]
    painted = np.round(painted * (1 - share) + skin * share).astype(np.uint8)
    return painted, photographed(shot, shade(shot, **light)), both


def shade_of(shot: Shot, mask: np.ndarray, **light) -> np.ndarray:
    class Outline:
        silhouette, hand_px = mask, shot.hand_px

    return shade(Outline, **light)


@pytest.fixture(scope="module")
def six():
    shot = shoot(flat_hand(at=(-0.02, 0.07)))
    return shot, *with_spare_finger(shot)


def drawn_over(shot: Shot, picture: np.ndarray, mask: np.ndarray, **options):
    region = region_of(picture, mask, shot.landmarks_px)
    return draw_hand(picture, shot.window, shot.hand, shot.landmarks_px, region, seed=0, **options)


def wall_of(shot: Shot, drawn) -> np.ndarray:
    near = cv2.dilate(shot.silhouette.astype(np.uint8), np.ones((61, 61), np.uint8)) > 0
    hand = cv2.dilate(shot.silhouette.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    return near & ~hand & (drawn.layers.reach_m > 0.04)


def test_an_extra_finger_s_shadow_goes_with_it(six):
    shot, picture, truth, mask = six
    drawn = drawn_over(shot, picture, mask)
    assert drawn.shadow is not None
    assert drawn.shadow.strength == pytest.approx(0.45, rel=0.25)
    without = drawn_over(shot, picture, mask, params=DrawParams(shadow=False))
    wall = wall_of(shot, drawn)
    stiff = DrawParams(shadow=False, fill=FillParams(membrane_levels=10.0))
    stiff = drawn_over(
        shot, picture, mask, params=stiff
    )  # a fill that does not bend to the shadow at its rim
    off = [np.abs(p.pixels.astype(float) - truth)[wall].mean() for p in (stiff, without, drawn)]
    assert off[2] < 0.6 * off[0]
    assert off[2] < 0.7 * off[1]


def test_what_may_not_change_or_lies_in_front_stays_bit_for_bit(six):
    shot, picture, _, mask = six
    near = cv2.dilate(mask.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    front = np.zeros(mask.shape, bool)
    front[90:110] = True
    drawn = drawn_over(shot, picture, mask, repair_mask=near, occluders=front)
    assert drawn.shadow is not None
    assert np.array_equal(drawn.pixels[~near | front], picture[~near | front])
    assert np.array_equal(drawn.pixels[~drawn.painted], picture[~drawn.painted])


def test_the_same_seed_gives_the_same_bytes_with_a_shadow_too(six):
    shot, picture, _, mask = six
    assert (
        drawn_over(shot, picture, mask).pixels.tobytes() == drawn_over(shot, picture, mask).pixels.tobytes()
    )


def test_without_a_shadow_nothing_is_other_than_before():
    shot = shoot(grain=2.0)
    drawn = drawn_over(shot, shot.pixels, shot.silhouette)
    assert drawn.shadow is None
    without = drawn_over(shot, shot.pixels, shot.silhouette, params=DrawParams(shadow=False))
    assert drawn.pixels.tobytes() == without.pixels.tobytes()
    assert np.array_equal(drawn.painted, without.painted)


def test_an_unchanged_hand_keeps_the_wall_s_shadow():
    shot = shoot(wall=WALL)
    picture = photographed(shot, shade(shot, 0.4, (0.12, 0.08), 0.04))
    drawn = drawn_over(shot, picture, shot.silhouette)
    assert drawn.shadow is not None
    kept = wall_of(shot, drawn) & (drawn.layers.hole_alpha < 1 / 512)
    assert np.abs(drawn.pixels.astype(int) - picture)[kept].max() <= 1
    filled = wall_of(shot, drawn) & (drawn.layers.hole_alpha > 0.5)
    if filled.any():
        assert np.abs(drawn.pixels.astype(float) - picture)[filled].mean() < 4
