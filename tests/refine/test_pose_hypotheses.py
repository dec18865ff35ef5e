"""Other readings of a hand: by the critic, as the other hand, by its palm alone; and what flesh it has."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from handwright.hand.anatomy import SHAPE_NAMES
from handwright.perception.analysis import analyse_hand
from handwright.refine.hand_task import plan_hand, with_part_maps
from handwright.refine.pose_hypotheses import PARAMS, other_hypotheses, palm_only
from handwright.refine.settings import RefineSettings
from handwright.review.critic.output_maps import PartMaps
from handwright.types import Image, Mask
from tests.review.predictions import prediction


def task_of(shot, **settings):
    image = Image(shot.pixels)
    seen = shot.observation()
    return plan_hand(1, image, analyse_hand(image, seen), RefineSettings(**settings))


def predicted(shot, present=1.0, **changes):
    sound = replace(prediction(**changes), landmarks_px=shot.landmarks_px + 3.0, visible=np.full(21, 0.9))
    return replace(sound, present={"ring": present})


def test_the_critic_s_joints_are_read_first_on_its_side_of_the_hand(one):
    task = task_of(one)
    first, *others = other_hypotheses(one.pixels, task, None, predicted(one))
    assert first.pose_hypothesis == "as the network predicts it"
    assert first.observation.side == "right"
    assert np.array_equal(first.observation.landmarks_px, one.landmarks_px + 3.0)
    assert np.abs(first.fit.landmarks_px - one.landmarks_px - 3.0).mean() < 3
    assert [other.pose_hypothesis for other in others] == ["as a left hand"]


def test_a_finger_that_the_critic_misses_is_not_read(one):
    task = task_of(one)
    astray = predicted(one, present=0.1)
    marks = astray.landmarks_px.copy()
    marks[13:17] += (0.5 * one.hand_px, 0.0)
    bad = replace(astray, landmarks_px=marks)
    read = other_hypotheses(one.pixels, task, None, bad)[0]
    believed = other_hypotheses(one.pixels, task, None, replace(bad, present={}))[0]
    tips = [np.abs(fit.fit.landmarks_px[16] - one.landmarks_px[16]).max() for fit in (read, believed)]
    assert tips[0] < tips[1]


@pytest.mark.parametrize("sound", [None, prediction(assessable=0.1), prediction()])
def test_a_critic_that_cannot_see_the_hand_or_sees_a_point_reads_nothing(one, sound):
    hypotheses = [other.pose_hypothesis for other in other_hypotheses(one.pixels, task_of(one), None, sound)]
    assert hypotheses == ["as a left hand"]


@pytest.mark.parametrize(("past", "taken"), [(0.95, True), (1.05, False)])
def test_the_critic_s_joints_count_up_to_their_largest_size(one, past, taken):
    sound, ratio = predicted(one), past * PARAMS.max_size_ratio
    middle = one.landmarks_px.mean(0)
    larger = replace(sound, landmarks_px=middle + ratio * (one.landmarks_px - middle))
    names = [way.pose_hypothesis for way in other_hypotheses(one.pixels, task_of(one), None, larger)]
    assert ("as the network predicts it" in names) == taken


def test_by_its_palm_alone_the_palm_stays_where_it_is(one):
    rest = palm_only(one.pixels, task_of(one), None)
    palm = [0, 5, 9, 13, 17]
    assert np.abs(rest.fit.landmarks_px - one.landmarks_px)[palm].max() < 0.06 * one.hand_px


def spare(shot):
    """A critic's cells as large as pixels, with too much of the hand at the right edge."""
    side = shot.pixels.shape[0]
    hand, surplus = shot.silhouette.astype(np.float32), np.zeros((side, side), np.float32)
    surplus[30:60, -30:-10] = 1
    same = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    return PartMaps(np.maximum(hand, surplus), surplus, same)


def test_flesh_that_the_critic_sees_is_the_hand_s_and_may_go(one):
    task, (x0, y0, x1, y1) = task_of(one), one.window
    there = np.zeros(one.silhouette.shape, np.bool_)
    there[30:60, -30:-10] = True
    pixels = np.where(there[..., None], one.pixels[one.silhouette].mean(0), one.pixels).astype(np.uint8)
    seen = with_part_maps(pixels, task, spare(one), None)
    there, hand = there[y0:y1, x0:x1], one.silhouette[y0:y1, x0:x1]
    assert seen.region.certain[there].all()
    assert seen.region.certain[hand].mean() > 0.97
    assert np.array_equal(seen.surplus, there)
    assert seen.repair_mask[there].all()
    assert not task.repair_mask[there].all()
    assert seen.region.inside is task.region.inside, "what is measured by the outline must not grow"
    assert seen.region.certain.sum() < 1.1 * (there | hand).sum()


def test_what_is_plainly_no_skin_in_the_outermost_cells_of_its_flesh_is_background(one):
    """Cells of 6 px that reach 9 px too far, on skin's colour and on another."""
    x0, y0, x1, y1 = one.window
    reach = cv2.dilate(one.silhouette.astype(np.uint8), np.ones((19, 19), np.uint8))
    rows = np.arange(0, reach.shape[0], 6)
    coarse, to_cells = (
        reach[rows][:, rows].astype(np.float32),
        np.array([[1 / 6, 0.0, 0.0], [0.0, 1 / 6, 0.0]]),
    )
    hand = one.silhouette[y0:y1, x0:x1]
    beyond = []
    for colour in (one.pixels[one.silhouette].mean(0), (40, 90, 200)):
        pixels = np.where(one.silhouette[..., None], one.pixels, np.array(colour)).astype(np.uint8)
        known = with_part_maps(
            pixels, task_of(one), PartMaps(coarse, 0 * coarse, to_cells), None
        ).region.certain
        assert (known & hand).sum() > 0.97 * hand.sum()
        beyond.append((known & ~hand).sum() / hand.sum())
    assert beyond[1] < 0.5 * beyond[0]


def test_other_skin_across_a_gap_is_not_the_hand_s(one):
    """Cells of 6 px; a face begins 8 px beside the hand."""
    pixels, (x0, y0, x1, y1) = one.pixels.copy(), one.window
    column = int(np.nonzero(one.silhouette.any(0))[0][-1])
    face = np.zeros(one.silhouette.shape, np.bool_)
    face[40:160, column + 8 :] = True
    pixels[face] = pixels[one.silhouette].mean(0)
    rows = np.arange(0, one.silhouette.shape[0], 6)
    coarse = one.silhouette[rows][:, rows].astype(np.float32)
    to_cells = np.array([[1 / 6, 0.0, 0.0], [0.0, 1 / 6, 0.0]])
    seen = with_part_maps(pixels, task_of(one), PartMaps(coarse, 0 * coarse, to_cells), None)
    assert not (seen.region.certain & face[y0:y1, x0:x1]).any()
    hand = one.silhouette[y0:y1, x0:x1]
    assert (seen.region.certain & hand).sum() > 0.97 * hand.sum()


def test_the_user_s_mask_stays(one):
    given = np.zeros(one.silhouette.shape, np.bool_)
    given[50:90, 50:90] = True
    task = task_of(one, mask=Mask(given))
    seen = with_part_maps(one.pixels, task, spare(one), Mask(given))
    assert np.array_equal(seen.repair_mask, task.repair_mask)


def astray(shot, defect, place):
    """What a critic says of a hand, and where it sees what is wrong with it."""
    sound = predicted(shot)
    defects = dict.fromkeys(sound.defects, 0.01) | {defect: 0.99}
    return replace(sound, defects=defects, where_px=dict.fromkeys(defects, place))


def test_the_finger_at_which_the_shape_goes_wrong_is_laid_beside_its_neighbours(one):
    task = task_of(one)
    marks = one.landmarks_px.copy()
    marks[6:9] += np.array([[0.1, 0.1], [0.3, 0.2], [0.5, 0.3]]) * one.hand_px
    task = replace(task, observation=replace(task.observation, landmarks_px=marks))
    middle = tuple(marks[7].tolist())
    by_reading = {
        other.pose_hypothesis: other
        for other in other_hypotheses(one.pixels, task, None, astray(one, "sideways", middle))
    }
    spared, rest = by_reading["without the finger that is wrong"], [0, 9, 10, 11, 12, 17]
    assert np.abs(spared.fit.landmarks_px - one.landmarks_px)[rest].max() < 0.08 * one.hand_px
    off = np.linalg.norm(spared.fit.landmarks_px[8] - marks[8])
    assert off > 0.25 * one.hand_px


@pytest.mark.parametrize("defect", ["melted", "sideways"])
def test_what_is_wrong_with_the_whole_hand_or_beside_it_leaves_no_finger_out(one, defect):
    sound = astray(one, defect, (0.0, 0.0) if defect == "sideways" else tuple(one.landmarks_px[7].tolist()))
    hypotheses = [other.pose_hypothesis for other in other_hypotheses(one.pixels, task_of(one), None, sound)]
    assert "without the finger that is wrong" not in hypotheses


def test_fingers_of_the_wrong_length_get_their_usual_one(one):
    task = task_of(one)
    shape = task.fit.hand.shape.copy()
    index = SHAPE_NAMES.index("index_length")
    shape[index] = 0.4
    long = replace(task, fit=replace(task.fit, hand=replace(task.fit.hand, shape=shape)))
    sound = astray(one, "too_long", tuple(one.landmarks_px[8].tolist()))
    by_reading = {other.pose_hypothesis: other for other in other_hypotheses(one.pixels, long, None, sound)}
    usual = by_reading["with fingers of usual length"].fit
    assert usual.hand.shape[index] == 0
    assert np.array_equal(usual.hand.pose, task.fit.hand.pose)
    reach = [np.linalg.norm(np.diff(fit.landmarks_px[[5, 8]], axis=0)) for fit in (usual, task.fit)]
    assert 0.8 < reach[0] / reach[1] < 1.2
    sideways = other_hypotheses(one.pixels, long, None, astray(one, "sideways", sound.where_px["sideways"]))
    assert "with fingers of usual length" not in [other.pose_hypothesis for other in sideways]
