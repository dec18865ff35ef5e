from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from handwright.drawing.geometry.layer_assignment import assign_layers
from tests.drawn import flat_hand, region_of, shoot


@pytest.fixture(scope="module")
def open_hand():
    return shoot()


@pytest.fixture(scope="module")
def same(open_hand):
    """Shares of a drawn hand that equals the old one."""
    s = open_hand
    return assign_layers(s.surface, s.region, s.landmarks_px, 0.8, s.hand_px)


@pytest.fixture(scope="module")
def curled():
    return shoot(flat_hand(curl=0.5))


@pytest.fixture(scope="module")
def straightened(open_hand, curled):
    """Shares of an open hand drawn over a curled one."""
    return assign_layers(open_hand.surface, curled.region, curled.landmarks_px, 0.8, curled.hand_px)


def test_every_share_lies_in_0_1(same, straightened):
    for own in (same, straightened):
        for share in (own.alpha, own.coverage, own.hole_alpha):
            assert share.dtype == np.float32
            assert share.min() >= 0
            assert share.max() <= 1.0001


def test_a_drawn_hand_that_equals_the_old_one_uncovers_hardly_anything(open_hand, same):
    beyond = open_hand.silhouette & (same.reach_m > 0.03)
    uncovered = (same.hole_alpha * (1 - same.alpha))[beyond].sum()
    assert uncovered < 0.02 * beyond.sum()


def test_the_old_fingers_are_uncovered_where_the_drawn_ones_are_not(open_hand, curled):
    own = assign_layers(curled.surface, open_hand.region, open_hand.landmarks_px, 0.8, open_hand.hand_px)
    bare = open_hand.silhouette & (own.coverage < 0.01) & (own.reach_m > 0.07)
    away = cv2.erode(bare.astype(np.uint8), np.ones((3, 3))) > 0
    assert away.sum() > 100
    assert own.hole_alpha[away].min() > 0.9


def test_beyond_the_heel_the_drawn_hand_owns_its_pixels(straightened):
    inner = (straightened.coverage > 0.99) & (straightened.reach_m > 0.05)
    inner = cv2.erode(inner.astype(np.uint8), np.ones((7, 7))) > 0
    assert inner.sum() > 1000
    assert straightened.alpha[inner].min() > 0.95


def test_below_the_wrist_the_photograph_is_kept(same, straightened):
    for own in (same, straightened):
        below = own.reach_m < -0.012
        assert below.sum() > 500
        assert own.alpha[below].max() < 0.02
        assert own.hole_alpha[below].max() < 0.02


def test_reach_grows_from_the_wrist_to_the_fingertips(open_hand, same):
    rows, columns = (open_hand.landmarks_px.astype(int)[:, i] for i in (1, 0))
    along = same.reach_m[rows, columns]
    assert along[0] < along[9] < along[10] < along[11] < along[12]
    assert along[12] == pytest.approx(0.18, abs=0.03)


def test_the_hole_lies_near_the_old_hand(curled, straightened):
    near = cv2.dilate(curled.silhouette.astype(np.uint8), np.ones((25, 25))) > 0
    assert not (straightened.hole & ~near).any()
    assert not (straightened.hole_alpha[~near] > 0.01).any()


def test_no_old_pixel_is_a_source_of_background(open_hand, same):
    assert same.old_hand[open_hand.silhouette].all()
    assert same.old_hand.sum() > open_hand.silhouette.sum()


def test_a_face_behind_the_hand_is_none_of_our_business(open_hand):
    """A broad patch of skin that GrabCut took along stays."""
    s = open_hand
    inside = s.silhouette.copy()
    inside[:, -70:] = True
    own = assign_layers(
        s.surface, region_of(s.pixels, inside, s.landmarks_px), s.landmarks_px, 0.8, s.hand_px
    )
    assert own.hole_alpha[:, -50:].max() < 0.01


def test_a_broad_patch_that_is_known_to_be_the_hand_goes(open_hand):
    """A second thumb is as broad as a face."""
    s = open_hand
    inside = s.silhouette.copy()
    row = round(s.landmarks_px[[0, 17], 1].mean())
    patch = np.s_[row - 20 : row + 20, :60]
    inside[patch] = True
    region = region_of(s.pixels, inside, s.landmarks_px)
    known = np.zeros(inside.shape, np.bool_)
    known[patch] = True
    doubted, gone = (
        assign_layers(s.surface, one, s.landmarks_px, 0.8, s.hand_px)
        for one in (region, replace(region, certain=known))
    )
    bare = known & (gone.coverage < 0.5) & (gone.reach_m > 0.02)
    assert bare.sum() > 300
    assert gone.hole[bare].mean() > 0.95
    assert doubted.hole[bare].mean() < 0.5


def test_no_stump_of_a_known_second_thumb_stays_beside_the_heel(open_hand):
    s = open_hand
    drawn = assign_layers(
        s.surface, region_of(s.pixels, s.silhouette, s.landmarks_px), s.landmarks_px, 0.8, s.hand_px
    )
    low = np.nonzero((drawn.reach_m > 0.035) & (drawn.reach_m < 0.055))[0]
    thumb = np.zeros(s.silhouette.shape, np.bool_)
    thumb[low.min() : low.max() + 1, : round(s.landmarks_px[0, 0])] = True
    region = region_of(s.pixels, s.silhouette | thumb, s.landmarks_px)
    region = replace(region, certain=thumb | s.silhouette)
    own = assign_layers(s.surface, region, s.landmarks_px, 0.8, s.hand_px)
    root = cv2.dilate(s.silhouette.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    root &= thumb & (own.coverage < 0.01) & (own.reach_m > 0.035)
    assert root.sum() > 20
    assert own.hole_alpha[root].min() > 0.9


@pytest.mark.parametrize(("height", "goes"), [(4, True), (40, False)])
def test_a_sliver_beside_the_wrist_goes_and_what_is_as_broad_as_an_arm_stays(open_hand, same, height, goes):
    s = open_hand
    inside = s.silhouette.copy()
    row = int(np.nonzero(same.reach_m[:, 40] > 0.02)[0][-1]) - 2
    piece = np.zeros(inside.shape, np.bool_)
    piece[row : row + height, 12:52] = True
    piece &= ~cv2.dilate(s.silhouette.astype(np.uint8), np.ones((31, 31))).astype(bool)
    assert same.reach_m[piece].min() < 0.025
    region = region_of(s.pixels, inside | piece, s.landmarks_px)
    own = assign_layers(s.surface, region, s.landmarks_px, 0.8, s.hand_px)
    assert own.hole[piece].mean() == goes


def test_the_rim_of_a_finger_that_is_known_to_be_too_much_goes_with_it(open_hand):
    """What a blur leaves around it is no other skin."""
    s = open_hand
    tip = s.landmarks_px[20]
    finger = np.zeros(s.silhouette.shape, np.uint8)
    start, end = (tuple(int(v) for v in tip + shift) for shift in ((-60, 20), (-20, 60)))
    cv2.line(finger, start, end, 1, 22)
    region = region_of(s.pixels, s.silhouette | (finger > 0), s.landmarks_px)
    region = replace(region, certain=finger > 0)
    own = assign_layers(s.surface, region, s.landmarks_px, 0.8, s.hand_px)
    around = cv2.dilate(finger, np.ones((7, 7), np.uint8)) > 0
    assert own.hole[around & (own.coverage < 0.5) & (own.reach_m > 0.03)].all()


def test_a_loose_piece_of_the_old_hand_is_removed(open_hand, same):
    """What is left of a sixth finger, beyond the hand's own skeleton, goes too."""
    s = open_hand
    inside = s.silhouette.copy()
    row, column = s.landmarks_px[20].astype(int)[::-1]
    piece = np.s_[row - 20 : row - 2, column - 44 : column - 34]
    inside[piece] = True
    own = assign_layers(
        s.surface, region_of(s.pixels, inside, s.landmarks_px), s.landmarks_px, 0.8, s.hand_px
    )
    assert own.hole[piece].all()


def test_a_hand_out_of_sight_owns_nothing(open_hand):
    from handwright.drawing.geometry.surface import render_surface

    away = render_surface(flat_hand(at=(2.0, 0.0)), open_hand.window, 100.0)
    own = assign_layers(away, open_hand.region, open_hand.landmarks_px, 0.8, 100.0)
    assert own.alpha.max() == 0
    assert np.isfinite(own.reach_m).all()


def test_the_heel_is_drawn_on_over_an_arm_that_the_region_leaves_out(open_hand):
    s = open_hand
    own = assign_layers(s.surface, s.region, s.landmarks_px, 0.8, s.hand_px)
    cut = s.silhouette & (own.reach_m > 0.04)
    arm = s.silhouette & (own.reach_m > 0.02) & (own.reach_m < 0.036)
    region = region_of(s.pixels, cut, s.landmarks_px)
    without, over = (
        assign_layers(s.surface, region, s.landmarks_px, 0.8, s.hand_px, skin)
        for skin in (None, s.silhouette)
    )
    assert over.alpha[arm].mean() > 0.9
    assert without.alpha[arm].mean() < 0.6


def test_a_strip_of_wall_of_the_skins_colour_beside_the_wrist_is_no_arm(open_hand):
    s = open_hand
    narrow = cv2.erode(s.silhouette.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    region = region_of(s.pixels, narrow, s.landmarks_px)
    plain, beside = (
        assign_layers(s.surface, region, s.landmarks_px, 0.8, s.hand_px, skin).alpha
        for skin in (None, np.ones_like(narrow))
    )
    assert np.array_equal(plain, beside)
