from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from handwright.drawing.painter import DrawResult, draw_hand
from handwright.drawing.params import DrawParams
from handwright.drawing.photo.grain import measure_grain
from handwright.types import Camera
from tests.drawn import SIZE, WALL, Shot, flat_hand, region_of, shoot


def draw(old: Shot, new: Shot | None = None, *, seed=0, **options) -> DrawResult:
    """Draw the new hand (or the old one's own) over the old one."""
    hand = (new or old).hand
    return draw_hand(old.pixels, old.window, hand, old.landmarks_px, old.region, seed=seed, **options)


def grown(mask: np.ndarray, pixels: int) -> np.ndarray:
    return cv2.dilate(mask.astype(np.uint8), np.ones((2 * pixels + 1,) * 2, np.uint8)) > 0


def shrunk(mask: np.ndarray, pixels: int) -> np.ndarray:
    return ~grown(~mask, pixels)


@pytest.fixture(scope="module")
def open_hand() -> Shot:
    return shoot()


@pytest.fixture(scope="module")
def curled() -> Shot:
    return shoot(flat_hand(curl=0.5))


@pytest.fixture(scope="module")
def grainy() -> Shot:
    return shoot(flat_hand(curl=0.3), grain=3.0)


@pytest.fixture(scope="module")
def straightened(curled, open_hand) -> DrawResult:
    """An open hand drawn over a curled one."""
    return draw(curled, open_hand)


def levels_off_the_wall(pixels: np.ndarray) -> np.ndarray:
    return np.abs(pixels.astype(int) - np.array(WALL)).max(2)


def test_a_hand_that_is_not_seen_draws_nothing_at_any_size(open_hand):
    pixels, landmarks_px = cv2.resize(open_hand.pixels, None, fx=4, fy=4), 4 * open_hand.landmarks_px
    inside = cv2.resize(open_hand.region.inside.astype(np.uint8), None, fx=4, fy=4) > 0
    region = region_of(pixels, inside, landmarks_px)
    away = replace(open_hand.hand, translation_m=open_hand.hand.translation_m + np.array([90.0, 0, 0]))
    window = (0, 0, pixels.shape[1], pixels.shape[0])
    drawn = draw_hand(pixels, window, away, landmarks_px, region, seed=0)
    assert not drawn.painted.any()
    assert drawn.layers.alpha.shape == drawn.painted.shape
    assert not drawn.layers.alpha.any()
    assert np.array_equal(drawn.background, pixels)


def test_pixels_outside_the_painted_part_are_the_pictures_own_bit_for_bit(grainy, open_hand):
    drawn = draw(grainy, open_hand)
    assert np.array_equal(drawn.pixels[~drawn.painted], grainy.pixels[~drawn.painted])
    assert 0.05 < drawn.painted.mean() < 0.6


def test_nothing_is_painted_where_nothing_may_change(grainy, open_hand):
    may_change = np.zeros(grainy.silhouette.shape, bool)
    may_change[40:150, 60:160] = True
    drawn = draw(grainy, open_hand, repair_mask=may_change)
    assert drawn.painted.any()
    assert not (drawn.painted & ~may_change).any()
    assert np.array_equal(drawn.pixels[~may_change], grainy.pixels[~may_change])


def test_what_lies_in_front_stays_in_front(grainy, open_hand):
    in_front = np.zeros(grainy.silhouette.shape, bool)
    in_front[100:120] = True
    drawn = draw(grainy, open_hand, occluders=in_front)
    assert np.array_equal(drawn.pixels[in_front], grainy.pixels[in_front])
    assert drawn.painted[80:95].any()


def test_the_same_seed_gives_the_same_bytes(grainy, open_hand):
    assert (
        draw(grainy, open_hand, seed=5).pixels.tobytes() == draw(grainy, open_hand, seed=5).pixels.tobytes()
    )


def test_another_seed_gives_other_grain_on_the_same_hand(grainy, open_hand):
    first, second = draw(grainy, open_hand, seed=1), draw(grainy, open_hand, seed=2)
    assert np.array_equal(first.painted, second.painted)
    palm = shrunk(first.layers.alpha > 0.95, 6)
    off = (first.pixels.astype(float) - second.pixels)[palm]
    assert off.std() > 1.0
    assert np.abs(off.mean()) < 1.0


def test_grain_is_matched_to_the_pictures(grainy):
    drawn = draw(grainy)
    palm = shrunk(drawn.layers.alpha > 0.95, 5)
    assert measure_grain(drawn.pixels, palm).sigma_rgb.mean() == pytest.approx(3.0, rel=0.35)


def test_a_mask_edge_leaves_no_outline(open_hand, curled, straightened):
    """On a flat wall nothing but the two hands may be seen, and of the old one nothing at all."""
    outside = ~grown(curled.silhouette | (straightened.layers.coverage > 0.004), 2)
    assert levels_off_the_wall(straightened.pixels)[outside].max() <= 3
    back = draw(open_hand, curled)
    beyond = ~grown(back.layers.coverage > 0.004, 3) & (back.layers.reach_m > 0.07)
    assert (beyond & open_hand.silhouette).sum() > 300
    assert np.percentile(levels_off_the_wall(back.pixels)[beyond], 99.5) <= 3


def test_the_drawn_hand_stands_where_the_mesh_is(open_hand, straightened):
    skin = levels_off_the_wall(straightened.pixels) > 30
    beyond = straightened.layers.reach_m > 0.05
    both = (skin & open_hand.silhouette & beyond).sum()
    assert both / ((skin | open_hand.silhouette) & beyond).sum() > 0.95


def test_below_the_wrist_the_photograph_stays(open_hand, straightened, curled):
    forearm = straightened.layers.reach_m < -0.02
    assert np.array_equal(straightened.pixels[forearm], curled.pixels[forearm])


@pytest.mark.parametrize("skin", [(0.62, 0.40, 0.30), (0.50, 0.27, 0.18), (0.10, 0.045, 0.025)])
def test_skin_keeps_its_colour_dark_skin_stays_dark(skin):
    shot = shoot(flat_hand(curl=0.1), skin=skin)
    drawn = draw(shot)
    palm = shrunk((drawn.layers.alpha > 0.95) & shot.silhouette, 4)
    old, new = (
        cv2.cvtColor(p, cv2.COLOR_RGB2LAB)[palm].astype(float).mean(0) for p in (shot.pixels, drawn.pixels)
    )
    assert np.abs(old - new).max() < 4


def test_the_light_keeps_its_side():
    shot = shoot(ambient=0.15, direct=0.85)
    drawn = draw(shot)
    palm = shrunk((drawn.layers.alpha > 0.95) & shot.silhouette, 3)
    old, new = (p.astype(float).mean(2)[palm] for p in (shot.pixels, drawn.pixels))
    assert np.corrcoef(old, new)[0, 1] > 0.8


def test_grey_pictures_stay_grey(grainy, open_hand):
    grey = np.repeat(cv2.cvtColor(grainy.pixels, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
    region = region_of(grey, grainy.silhouette, grainy.landmarks_px)
    drawn = draw_hand(grey, grainy.window, open_hand.hand, grainy.landmarks_px, region, seed=0)
    assert np.ptp(drawn.pixels.astype(int), axis=2).max() <= 2


@pytest.mark.parametrize("level", [0, 255, 97])
def test_pictures_of_one_colour_are_painted_without_a_warning(open_hand, level):
    flat = np.full_like(open_hand.pixels, level)
    drawn = draw(replace(open_hand, pixels=flat))
    assert np.array_equal(drawn.pixels[~drawn.painted], flat[~drawn.painted])


@pytest.mark.parametrize("shift", [(-0.17, 0.0), (0.13, 0.0), (0.0, 0.17), (0.0, -0.2), (0.16, -0.14)])
def test_hands_partly_outside_of_the_picture_are_painted(shift):
    shot = shoot(flat_hand(at=(shift[0], 0.07 + shift[1])))
    drawn = draw(shot)
    assert np.array_equal(drawn.pixels[~drawn.painted], shot.pixels[~drawn.painted])


@pytest.mark.parametrize(
    "translation", [(1.5, 0, 0.35), (0, -1.2, 0.35), (0, 0.07, -0.35)], ids=["beside", "above", "behind"]
)
def test_a_hand_out_of_sight_changes_nothing(open_hand, translation):
    away = replace(open_hand.hand, translation_m=np.array(translation, float))
    drawn = draw(open_hand, replace(open_hand, hand=away))
    assert not drawn.painted.any()
    assert np.array_equal(drawn.pixels, open_hand.pixels)


@pytest.mark.parametrize("size", [(1, 1), (1, 60), (60, 1), (2, 3), (9, 9), (24, 24)])
def test_tiny_crops_are_painted(size):
    shape = (*size, 3)
    pixels = np.random.default_rng(0).integers(0, 255, shape, np.uint8)
    camera = Camera(1.2 * max(size), (size[1] / 2, size[0] / 2))
    hand = replace(flat_hand(), camera=camera)
    marks = np.random.default_rng(1).uniform(0, 1, (21, 2)) * size[::-1]
    region = region_of(pixels, np.ones(size, bool), marks)
    drawn = draw_hand(pixels, (0, 0, size[1], size[0]), hand, marks, region, seed=0)
    assert drawn.pixels.shape == shape
    assert np.array_equal(drawn.pixels[~drawn.painted], pixels[~drawn.painted])


@pytest.mark.parametrize("inside", [False, True], ids=["empty", "everything"])
def test_a_region_that_is_empty_or_everything_is_survived(open_hand, inside):
    region = replace(open_hand.region, inside=np.full(open_hand.silhouette.shape, inside))
    drawn = draw_hand(
        open_hand.pixels, open_hand.window, open_hand.hand, open_hand.landmarks_px, region, seed=0
    )
    assert np.array_equal(drawn.pixels[~drawn.painted], open_hand.pixels[~drawn.painted])


def test_landmarks_that_fall_on_one_point_are_survived(open_hand):
    marks = np.full((21, 2), 100.0)
    drawn = draw_hand(open_hand.pixels, open_hand.window, open_hand.hand, marks, open_hand.region, seed=0)
    assert np.array_equal(drawn.pixels[~drawn.painted], open_hand.pixels[~drawn.painted])


def test_a_left_hand_is_painted_like_a_right_one():
    left, right = shoot(flat_hand(side="left")), shoot(flat_hand(side="right"))
    assert np.abs(left.pixels.astype(int) - right.pixels[:, ::-1]).mean() < 12
    drawn = draw(left)
    assert 0.05 < drawn.painted.mean() < 0.6


def test_a_crop_away_from_the_pictures_corner_is_painted_alike(open_hand):
    x0, y0, x1, y1 = window = 20, 10, SIZE - 10, SIZE - 5
    crop = np.ascontiguousarray(open_hand.pixels[y0:y1, x0:x1])
    marks = open_hand.landmarks_px - (x0, y0)
    region = region_of(crop, open_hand.silhouette[y0:y1, x0:x1], marks)
    part = draw_hand(crop, window, open_hand.hand, marks, region, seed=0)
    whole = draw(open_hand)
    palm = shrunk(part.layers.alpha > 0.95, 5)
    off = np.abs(part.pixels.astype(int) - whole.pixels[y0:y1, x0:x1])[palm]
    assert off.mean() < 3


def test_light_of_another_colour_on_one_side_of_the_hand_comes_back(open_hand):
    """A red wall on the left: the drawn hand is redder there, by at least half of what the old one was."""
    hand = np.nonzero(open_hand.silhouette.any(0))[0]
    left = np.interp(np.arange(open_hand.pixels.shape[1]), [hand[0], hand[-1]], [1, 0])[None, :, None]
    tinted = open_hand.pixels * (1 + left * np.array([0.12, 0, -0.12]))
    lit = replace(open_hand, pixels=np.clip(tinted, 0, 255).astype(np.uint8))
    plain = replace(DrawParams(), shading=replace(DrawParams().shading, cast=None))
    with_cast, without = draw(lit).pixels, draw(lit, params=plain).pixels
    palm = shrunk(open_hand.silhouette & (draw(lit).layers.alpha > 0.95), 5)
    columns = np.nonzero(palm)[1]
    at = [palm & (np.arange(palm.shape[1]) < np.percentile(columns, 20)), palm]

    def redder(pixels: np.ndarray) -> float:
        """Red over blue at the left end of the hand, beside the whole hand's."""
        ratio = [float(np.log(pixels[mask].mean(0) / pixels[mask].mean(0)[2])[0]) for mask in at]
        return ratio[0] - ratio[1]

    wanted = redder(lit.pixels)
    assert wanted > 0.04
    assert abs(redder(with_cast) - wanted) < 0.5 * wanted
    assert abs(redder(without) - wanted) > abs(redder(with_cast) - wanted) + 0.2 * wanted
