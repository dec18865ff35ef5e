"""A hand that has come off: skin between it and its arm, and nothing where nothing is missing."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from handwright.data.hands import render_defects, render_hands
from handwright.hand.skin_colour import skin_distance
from handwright.perception.analysis import analyse_hand
from handwright.refine.detached.gap import Section, _in_sleeve, gap_to_arm
from handwright.refine.detached.joined_arm import between, joined_to_arm, with_skin
from handwright.refine.detached.moved_hand import moved_to_arm
from handwright.refine.hand_task import plan_hand
from handwright.refine.pose_hypotheses import other_hypotheses
from handwright.refine.settings import RefineSettings
from handwright.types import HandObservation, Image
from tests.review.predictions import prediction

GAP_TO_ARM, GAP_TO_BORDER, GAP_TO_SLEEVE, ASIDE = 19, 0, 5, 3
"""Pictures of a world of hands that have come off: with the arm in sight, without, in a sleeve, and with
the arm in sight beside the hand."""


def task_of(made, **settings):
    image, (hand,) = Image(made.pixels), made.hands
    seen = HandObservation(
        landmarks_px=np.asarray(hand.keypoints_px),
        depth_px=np.zeros(21),
        side=hand.hand.side,
        score=0.9,
        found_by="picture",
    )
    return plan_hand(1, image, analyse_hand(image, seen), RefineSettings(**settings))


def beyond(made, task, spans):
    """Pixel of the crop so far beyond the wrist."""
    points = np.asarray(made.hands[0].keypoints_px)
    away = points[0] - points[9]
    x, y = points[0] + spans * away - np.array(task.window[:2])
    return round(float(y)), round(float(x))


@pytest.mark.parametrize(("index", "spans"), [(GAP_TO_ARM, 0.4), (GAP_TO_BORDER, 0.55), (GAP_TO_SLEEVE, 0.3)])
def test_the_gap_is_filled_with_the_hand_s_skin_and_nothing_of_its_ends_stays(index, spans):
    made = render_defects(645000, index, 256, defect="detached")
    task = task_of(made)
    found = gap_to_arm(made.pixels, task)
    assert found is not None
    assert (found.arm is not None) == (index == GAP_TO_ARM)
    x0, y0, x1, y1 = task.window
    crop = np.ascontiguousarray(made.pixels[y0:y1, x0:x1])
    joined = joined_to_arm(made.pixels, task, found)
    under = joined.underlay
    assert np.array_equal(under.pixels[~under.inside], crop[~under.inside])
    gap = beyond(made, task, spans)
    assert under.inside[gap]
    unlike, was = skin_distance(under.pixels, task.region), skin_distance(crop, task.region)
    assert unlike[gap] < 9 < was[gap]
    assert joined.region.inside[gap]
    assert 0.005 < under.inside.mean() < 0.2
    beside = between(found, task.region) & ~cv2.dilate(
        joined.region.inside.astype(np.uint8), np.ones((5, 5), np.uint8)
    ).astype(bool)
    if index != GAP_TO_ARM:  # there the new skin covers all of them
        assert beside.sum() > 20
        assert (unlike[beside] < 9).mean() < 0.1


def test_a_hand_that_touches_its_arm_at_a_corner_has_come_off_too():
    made = render_defects(645000, GAP_TO_ARM, 256, defect="detached")
    task = task_of(made)
    apart = gap_to_arm(made.pixels, task)
    thread = np.zeros(made.pixels.shape[:2], np.uint8)
    ends = np.stack([apart.start.ends.mean(0), apart.end.ends.mean(0)]) + task.window[:2]
    cv2.line(thread, *(tuple(int(v) for v in end) for end in ends), 1, round(0.13 * task.region.span_px))
    skin = made.pixels[tuple(ends[0].astype(int)[::-1])]
    touching = np.where(thread[..., None] > 0, skin, made.pixels).astype(np.uint8)
    found = gap_to_arm(touching, task)
    assert found is not None
    assert np.abs(found.end.ends.mean(0) - apart.end.ends.mean(0)).max() < 0.2 * task.region.span_px


def test_skin_across_a_gap_leaves_both_limbs_along_their_own_way():
    start = Section(np.array([[80.0, 60.0], [40.0, 60.0]]), np.full((48, 3), 150, np.float32))
    end = Section(np.array([[140.0, 110.0], [100.0, 110.0]]), start.colours)
    laid, skin = with_skin(np.zeros((160, 160, 3), np.uint8), start, end)
    assert start.axis == pytest.approx([0, 1])
    assert (laid[skin] > 60).all(), "its own edge is soft, no more"
    assert not laid[~cv2.dilate(skin.astype(np.uint8), np.ones((7, 7))).astype(bool)].any()
    left = [int(np.nonzero(skin[row])[0][0]) for row in (62, 65, 105, 108)]
    assert abs(left[0] - left[1]) <= 2, "not yet aside where it begins"
    assert abs(left[2] - left[3]) <= 2, "no longer aside where it ends"
    assert left[2] - left[1] > 50


def test_a_hand_on_its_bare_arm_gets_no_other():
    whole = 0
    for index in range(20):
        made = render_hands(645000, index, 256)
        if len(made.hands) != 1 or made.hands[0].gloved:
            continue
        task = task_of(made)
        row, column = beyond(made, task, 0.3)
        height, width = task.repair_mask.shape
        if not (0 <= row < height and 0 <= column < width):
            continue
        x0, y0, x1, y1 = task.window
        bare = skin_distance(np.ascontiguousarray(made.pixels[y0:y1, x0:x1]), task.region)[row, column] < 4
        if bare:
            whole += 1
            assert gap_to_arm(made.pixels, task) is None, index
    assert whole >= 3


def test_it_is_tried_where_the_critic_sees_the_hand_come_off():
    made = render_defects(645000, GAP_TO_ARM, 256, defect="detached")
    task, off = task_of(made), prediction(defects={"detached": 0.9})
    hypotheses = {way.pose_hypothesis: way for way in other_hypotheses(made.pixels, task, None, off)}
    joined = hypotheses["with its arm joined to it"]
    assert joined.repair_mask[joined.underlay.inside].all()
    others = other_hypotheses(made.pixels, task, None, prediction(defects={"melted": 0.9}))
    assert all(other.underlay is None for other in others)


def test_a_hand_beside_its_arm_is_moved_across_to_it_with_its_pixels():
    made = render_defects(645000, ASIDE, 256, defect="detached")
    task = task_of(made)
    gap = gap_to_arm(made.pixels, task)
    moved, joined, *_ = other_hypotheses(made.pixels, task, None, prediction(defects={"detached": 0.9}))
    assert moved.pose_hypothesis == "moved to its arm"
    assert joined.pose_hypothesis == "with its arm joined to it", (
        "or where it is, whichever the critic likes better"
    )
    shift = moved.observation.landmarks_px[0] - task.observation.landmarks_px[0]
    along = np.array([gap.end.ends[1, 1] - gap.end.ends[0, 1], gap.end.ends[0, 0] - gap.end.ends[1, 0]])
    assert abs(shift @ along) < 0.1 * np.hypot(*shift) * np.hypot(*along), "across, not along"
    assert np.abs(moved.fit.landmarks_px - task.fit.landmarks_px - shift).max() < 1.5
    before = np.abs((gap.end.ends - gap.start.ends).mean(0) @ shift)
    after = np.abs((gap.end.ends - gap.start.ends - shift).mean(0) @ shift)
    assert after < 0.1 * before
    x0, y0, x1, y1 = task.window
    crop, under = made.pixels[y0:y1, x0:x1], moved.underlay
    assert np.array_equal(under.pixels[~under.inside], crop[~under.inside])
    assert moved.repair_mask[under.inside].all()
    x, y = task.landmarks_px[9].round().astype(int)
    dx, dy = shift.astype(int)
    patch, old = (
        under.pixels[y + dy - 3 : y + dy + 4, x + dx - 3 : x + dx + 4],
        crop[y - 3 : y + 4, x - 3 : x + 4],
    )
    assert np.abs(patch.astype(int) - old).max() <= 1, "the old skin lights the drawn one"
    left = np.sign(-shift) * 2 + task.landmarks_px[[5, 17]][np.argmin(task.landmarks_px[[5, 17]] @ shift)]
    column, row = left.round().astype(int)
    assert skin_distance(under.pixels, task.region)[row, column] > 9, "background where the hand was"
    assert moved_to_arm(made.pixels, moved, replace(gap, start=gap.start.shifted(shift))) is None


@pytest.mark.parametrize(("deep", "covers"), [(60, True), (14, False)])
def test_an_arm_comes_out_of_a_sleeve_and_is_laid_over_a_stripe(deep, covers):
    crop = np.full((160, 160, 3), 128, np.uint8)
    crop[100 : 100 + deep] = (20, 120, 40)
    start = Section(np.array([[100.0, 60.0], [60.0, 60.0]]), np.full((48, 3), 200, np.float32))
    end, sleeve = _in_sleeve(crop, start, np.array([0.0, 1.0]), 80.0)
    assert (sleeve is not None) == covers
    laid, skin = with_skin(crop, start, end, sleeve)
    assert (laid[80, 70:90] > 150).all()
    assert skin[104, 80] != covers
    if covers:
        assert np.array_equal(laid[104:], crop[104:])
