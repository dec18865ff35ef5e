"""Repair sizes: how much of a painting counts, and that the rest of the old hand stays as pixels."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from handwright.hand.depth import depth_control
from handwright.handrefiner.diffusion_settings import DiffusionSettings
from handwright.progress import Stopwatch
from handwright.refine import repair_sizes
from handwright.refine.attempt import _ranked as ranked
from handwright.refine.candidates import RefineContext, paint_in_sizes, score_originals
from handwright.refine.hand_task import Underlay
from handwright.refine.painters import PaintResult
from handwright.refine.pose_hypotheses import wrong_fingers
from handwright.refine.repair_sizes import finger_share, finger_task, sized_tasks
from handwright.refine.scene import Scene
from handwright.refine.settings import RefineSettings
from handwright.review.judge import Judge
from handwright.types import Mask
from tests.refine.conftest import candidate_of, reviewed, task_of
from tests.review.predictions import prediction


class White:
    """Paints white what it may, and counts its paintings."""

    together, side_by_side, varied = False, True, False

    def __init__(self):
        self.paintings = 0

    def paint(self, job):
        self.paintings += 1
        return PaintResult(np.full_like(job.crop, 255), job.repair_mask.astype(np.float32), toned=True)


@pytest.fixture
def task(one):
    return task_of(one, RefineSettings())


def at(task, landmark):
    """Row and column of a fitted landmark in the crop."""
    x, y = np.floor(task.fit.landmarks_px[landmark] - task.window[:2]).astype(int)
    return y, x


def review_of(one, task, defect="sideways"):
    """A review that fails the hand for its index finger."""
    where = {defect: tuple(task.observation.landmarks_px[7])}
    told = replace(prediction(0.9, {defect: 0.9}), where_px=where)
    return replace(reviewed(1, task.observation, "fail"), prediction=told)


def sizes(one, task, review, **settings):
    """Every candidate of one painting, with the painter."""
    chosen, painter = RefineSettings(**settings), White()
    scene = Scene((task,), depth_control([task.fit.hand], *one.pixels.shape[:2]))
    context = RefineContext(
        painter=painter, settings=chosen, judge=Judge(None), watch=Stopwatch(), reviews={1: review}
    )
    (original,) = score_originals(one.pixels, [task], context)
    made = list(paint_in_sizes(one.pixels, task, scene, 1, None, context, original))
    return made, painter


def test_one_finger_is_painted_and_palm_and_neighbours_are_not(task):
    for finger in range(5):
        share = finger_share(task, [finger])
        tips = [share[at(task, 4 + 4 * other)] for other in range(5)]
        assert tips.pop(finger) == pytest.approx(1, abs=0.02)
        assert max(tips) < 0.1
        palm = (task.fit.landmarks_px[[0, 5, 9, 13, 17]] - task.window[:2]).mean(0)
        assert share[tuple(np.floor(palm[::-1]).astype(int))] < 0.02
        assert share.dtype == np.float32 and share.min() >= 0 and share.max() <= 1


def test_a_share_rises_along_the_knuckle_without_a_step(task):
    share = finger_share(task, [2])
    knuckle, joint = (task.fit.landmarks_px[k] - task.window[:2] for k in (9, 10))
    along = [knuckle + t * (joint - knuckle) for t in np.linspace(-0.5, 0.9, 40)]
    values = np.array([share[int(y), int(x)] for x, y in along])
    assert values[0] < 0.05 and values[-1] > 0.95
    assert np.abs(np.diff(values)).max() < 0.3


def test_what_the_critic_sees_decides_about_a_finger_alone(one, task):
    finger = finger_task(task, review_of(one, task).prediction)
    assert finger.size == "finger"
    assert 0 < finger.repair_mask.sum() < task.repair_mask.sum() / 2
    assert not (finger.repair_mask & ~task.repair_mask).any()
    assert finger_task(task, prediction(0.9, {"extra": 0.9})) is None, "no single finger is wrong"
    assert sized_tasks(one.pixels, task, None) == []
    unsure = replace(review_of(one, task).prediction, assessable=0.01)
    assert sized_tasks(one.pixels, task, unsure) == []
    (sized,) = sized_tasks(one.pixels, task, review_of(one, task).prediction)
    assert sized.size == "finger"


def test_fingers_that_are_grown_together_or_missing_are_painted_without_the_rest(one, task):
    """Grown together: the two beside the place that the critic marks. Missing: those it sees no finger of."""
    points = task.observation.landmarks_px
    between = tuple((points[11] + points[15]) / 2)
    fused = replace(prediction(0.9, {"fused": 0.9}), where_px={"fused": between})
    assert wrong_fingers(task.observation, fused) == (2, 3)
    pair = finger_task(task, fused)
    assert pair.size == "fingers"
    tips = [pair.share[at(task, 4 + 4 * finger)] for finger in range(5)]
    assert min(tips[2:4]) > 0.98 and max(tips[:2] + tips[4:]) < 0.1
    gone = replace(prediction(0.9, {"missing": 0.9}), present={"ring": 0.2, "pinky": 0.9})
    assert wrong_fingers(task.observation, gone) == (3,)
    assert finger_task(task, gone).size == "finger"
    most = replace(gone, present=dict.fromkeys(("thumb", "index", "middle", "ring"), 0.1))
    assert len(wrong_fingers(task.observation, most)) == 4
    assert finger_task(task, most) is None, "hardly anything of the old hand would stay"
    far = replace(fused, where_px={"fused": tuple(points[9] + 2 * task.observation.size_px)})
    assert wrong_fingers(task.observation, far) == ()


def test_flesh_far_beside_the_hand_goes_with_the_finger(task):
    share, visible = finger_share(task, [1]), np.zeros(task.repair_mask.shape, np.uint8)
    points = np.round(task.fit.landmarks_px - task.window[:2]).astype(np.int32)
    cv2.fillConvexPoly(visible, cv2.convexHull(points), 1)
    away = cv2.distanceTransform(1 - visible, cv2.DIST_L2, 5)
    far = away > 0.5 * task.region.span_px
    assert far.any() and share[far].min() > 0.98


def test_sizes_are_judged_from_small_to_large_of_one_painting(one, task, models):
    models.again = lambda wanted, pixels: None
    made, painter = sizes(one, task, review_of(one, task))
    assert [(c.candidate.size, c.candidate.accepted) for c in made] == [("finger", False), ("hand", False)]
    assert painter.paintings == 1
    finger, hand = (c.candidate.inside for c in made)
    assert 0 < finger.sum() < hand.sum() / 2
    assert not (finger & ~hand).any()


def test_the_smallest_accepted_ends_it_and_everything_else_stays_bit_for_bit(one, task, models):
    (only,), _ = sizes(one, task, review_of(one, task))
    assert (only.candidate.size, only.candidate.accepted) == ("finger", True)
    patch, inside = only.candidate.pixels, only.candidate.inside
    assert np.array_equal(patch[~inside], task.cut(one.pixels)[~inside])
    assert not (inside & ~only.task.repair_mask).any()


def test_where_the_user_says_what_changes_the_whole_of_it_does(one, task, models):
    models.again = lambda wanted, pixels: None
    mask = Mask(np.ones(one.pixels.shape[:2], np.bool_))
    made, _ = sizes(one, task, review_of(one, task), mask=mask)
    assert [c.candidate.size for c in made] == ["hand"]
    under = replace(task, underlay=Underlay(task.cut(one.pixels), task.repair_mask))
    made, _ = sizes(one, under, review_of(one, task))
    assert [c.candidate.size for c in made] == ["hand"], "a hand joined to its arm"
    assert not RefineSettings(hand_pose=task.fit.hand).any_size
    boxed = DiffusionSettings(box_mask=True)
    assert not RefineSettings(painter="diffuse", diffusion=boxed).any_size
    assert RefineSettings(all_hands=True).any_size


def test_of_what_is_as_likely_malformed_the_smallest_repair_is_best():
    def one(size, malformed, error):
        scores = {"malformed": malformed, "joint_error": error, "fit_share": 0.5}
        return candidate_of(scores, size=size)

    tried = [[one("hand", 0.1, 0.01)], [one("finger", 0.1, 0.05)], [one("finger", 0.4, 0.01)]]
    assert ranked(tried, [False] * 3) == (1, 0, 2)
    tried = [[one(size, 0.1, 0.01)] for size in ("hand", "fingers", "surplus", "finger")]
    assert ranked(tried, [False] * 4) == (2, 3, 1, 0)


@pytest.mark.parametrize(
    ("name", "value", "larger"),
    [("knuckle", (0.0, 0.2), True), ("softness", 0.2, True), ("beside", (0.5, 0.6), False)],
)
def test_numbers_decide_how_much_is_painted(one, task, monkeypatch, name, value, larger):
    before = (finger_share(task, [1]) > 1 / 512).sum()
    monkeypatch.setattr(repair_sizes, "PARAMS", repair_sizes.RepairSizeParams(**{name: value}))
    after = (finger_share(task, [1]) > 1 / 512).sum()
    assert after != before
    assert (after > before) == larger
