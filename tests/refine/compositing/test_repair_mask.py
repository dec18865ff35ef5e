from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handwright.hand.depth import render_hand
from handwright.hand.skeleton import distal_of_wrist, skeleton_masks
from handwright.perception.analysis import crop_window
from handwright.perception.fit.hand_fit import fit_of_given_hand
from handwright.refine.compositing.repair_mask import PARAMS, compute_repair_mask
from tests.drawn import SIZE, flat_hand, region_of, shoot


def window_of(shot, width=SIZE, height=SIZE):
    seen = shot.observation()
    return crop_window(seen, fit_of_given_hand(seen, shot.hand), width, height)


def test_the_crop_holds_hand_and_fit_with_room_around(one):
    moved = fit_of_given_hand(one.observation(), flat_hand(at=(0.03, 0.07)))
    x0, y0, x1, y1 = crop_window(one.observation(), moved, 2000, 2000)
    points = np.concatenate([one.landmarks_px, moved.landmarks_px])
    room = 0.2 * one.hand_px
    assert (points > (x0 + (room if x0 else 0), y0 + (room if y0 else 0))).all()
    assert (points < (x1 - room, y1 - room)).all()


@given(
    st.integers(1, 700),
    st.integers(1, 700),
    st.floats(-3000, 3000),
    st.floats(-3000, 3000),
    st.floats(0.001, 30),
)
def test_every_crop_lies_in_the_picture_and_is_not_empty(width, height, dx, dy, grow):
    marks = SHOT.landmarks_px * grow + (dx, dy)
    seen = SHOT.observation(landmarks_px=marks)
    x0, y0, x1, y1 = crop_window(seen, fit_of_given_hand(seen, SHOT.hand), width, height)
    assert 0 <= x0 < x1 <= width
    assert 0 <= y0 < y1 <= height


SHOT = shoot()


def test_the_mask_holds_the_silhouette_and_the_old_hand_and_is_no_box(one):
    mask = compute_repair_mask(flat_hand(), one.window, one.landmarks_px, one.region)
    silhouette = render_hand(flat_hand(), SIZE, SIZE).face >= 0
    fingers = one.silhouette.copy()
    fingers[round(one.landmarks_px[0, 1]) :] = False
    assert mask[silhouette].all()
    assert mask[fingers].all()
    assert mask.sum() < 2.2 * (silhouette | one.silhouette).sum()


@pytest.mark.parametrize("reach", [34, 60])
def test_a_sixth_finger_is_inside_the_mask(one, reach):
    marks = one.landmarks_px
    extra = np.zeros(one.silhouette.shape, np.uint8)
    start, end = marks[17] + (0, 6), marks[17] + (-reach, -reach)
    cv2.line(extra, *(tuple(int(v) for v in p) for p in (start, end)), 1, 12)
    region = region_of(one.pixels, one.silhouette | (extra > 0), marks)
    mask = compute_repair_mask(one.hand, one.window, marks, region)
    assert mask[extra > 0].all()


def test_a_second_thumb_that_hangs_below_the_wrist_is_inside_and_the_arm_is_not(one):
    marks = one.landmarks_px
    thumb = np.zeros(one.silhouette.shape, np.uint8)
    start, end = marks[0] - (0, 6), marks[0] + (-44, 10)
    cv2.line(thumb, *(tuple(int(v) for v in p) for p in (start, end)), 1, 10)
    region = region_of(one.pixels, one.silhouette | (thumb > 0), marks)
    region = replace(region, certain=region.inside)
    (x0, y0, x1, y1) = one.window
    mask = compute_repair_mask(one.hand, one.window, marks, region)
    assert mask[thumb[y0:y1, x0:x1] > 0].all()


def test_a_known_limb_across_the_wrist_leaves_no_pit_in_the_mask(one):
    """Its lower side lies where the arm would be: what is next to what goes, goes too."""
    marks = one.landmarks_px
    x0, y0, x1, y1 = one.window
    at = distal_of_wrist(marks, *one.silhouette.shape, -0.4)
    limb = np.zeros(one.silhouette.shape, np.uint8)
    edge = marks[0] + 0.4 * (marks[0] - marks[9])
    cv2.line(limb, *(tuple(int(v) for v in edge + shift) for shift in ((-70, 0), (-10, 0))), 1, 6)
    assert (limb > 0)[at].any()
    assert (limb > 0)[~at].any()
    region = region_of(one.pixels, one.silhouette, marks)
    mask = compute_repair_mask(one.hand, one.window, marks, replace(region, certain=limb > 0))
    assert mask[limb[y0:y1, x0:x1] > 0].all()


def test_a_face_far_from_the_skeleton_is_outside_the_mask(one):
    inside = one.silhouette.copy()
    inside[:, -60:] = True
    mask = compute_repair_mask(
        one.hand, one.window, one.landmarks_px, region_of(one.pixels, inside, one.landmarks_px)
    )
    assert not mask[:, -30:].any()


def test_what_is_known_to_be_the_hand_is_inside_the_mask_however_far(one):
    known = np.zeros(one.silhouette.shape, np.bool_)
    known[20:60, -40:] = True
    region = region_of(one.pixels, one.silhouette | known, one.landmarks_px)
    without = compute_repair_mask(one.hand, one.window, one.landmarks_px, region)
    given = compute_repair_mask(one.hand, one.window, one.landmarks_px, replace(region, certain=known))
    assert given[known].all()
    assert not without[known].all()


def test_the_rim_grows_with_the_hand():
    rims = []
    for size in (150, 600):
        shot = shoot(flat_hand(size), size=size)
        mask = compute_repair_mask(shot.hand, shot.window, shot.landmarks_px, shot.region)
        silhouette = render_hand(shot.hand, size, size).face >= 0
        away = cv2.distanceTransform((~silhouette & ~shot.silhouette).astype(np.uint8), cv2.DIST_L2, 5)
        fingers = mask.copy()
        fingers[round(shot.landmarks_px[9, 1]) :] = False
        rims.append(away[fingers].max())
    assert rims[0] >= 5
    assert rims[1] > 1.6 * rims[0]


@pytest.mark.parametrize("translation", [(4.0, 0, 0.4), (0, 0, -0.4)])
def test_a_hand_out_of_sight_with_no_old_hand_has_an_empty_mask(one, translation):
    away = replace(one.hand, translation_m=np.array(translation, float))
    nothing = replace(one.region, inside=np.zeros_like(one.silhouette))
    assert not compute_repair_mask(away, one.window, one.landmarks_px, nothing).any()


def test_the_rim_is_as_wide_as_its_numbers_ask_for(one):
    """The outermost pixels of the mask lie within the rim, and one pixel farther there is none."""
    nothing = replace(one.region, inside=np.zeros_like(one.region.inside))
    mask = compute_repair_mask(one.hand, one.window, one.landmarks_px, nothing)
    _, _, x1, y1 = one.window
    silhouette = render_hand(one.hand, y1, x1, window=one.window).face >= 0
    away = cv2.distanceTransform((~silhouette).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    width = np.ceil(PARAMS.dilation * one.hand_px + PARAMS.dilation_px)
    assert width - 1 < away[mask].max() <= width < away[~mask].min()


@pytest.mark.parametrize(("more", "goes"), [(-0.03, True), (0.03, False)])
def test_old_skin_goes_up_to_a_distance_from_its_skeleton(one, more, goes):
    """A broad patch beside the wrist, no finger: what lies beyond the reach stays."""
    _, thick = skeleton_masks(one.landmarks_px, *one.region.inside.shape)
    far = cv2.distanceTransform((~thick).astype(np.uint8), cv2.DIST_L2, 3) / one.region.span_px
    beyond = ~distal_of_wrist(one.landmarks_px, *far.shape, PARAMS.finger_start)
    everything = replace(one.region, inside=np.ones_like(one.region.inside))
    old = compute_repair_mask(one.hand, one.window, one.landmarks_px, everything)
    rim = np.ceil(PARAMS.dilation * one.hand_px + PARAMS.dilation_px) / one.region.span_px
    edge = PARAMS.reach + more + (0 if goes else rim)
    ring = beyond & (np.abs(far - edge) < 0.01)
    assert ring.any()
    assert old[ring].all() if goes else not old[ring].any()
