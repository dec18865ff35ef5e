"""A finger that is too many: found whole, taken out of the picture, and removed alone."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import pytest

from handwright.hand.depth import depth_control
from handwright.progress import Stopwatch
from handwright.refine import pose_hypotheses, repair_sizes
from handwright.refine.attempt import attempt_hand
from handwright.refine.candidates import RefineContext
from handwright.refine.compositing import surplus_finger as module
from handwright.refine.compositing.surplus_finger import surplus_finger, without_finger
from handwright.refine.hand_task import HandTask, with_part_maps
from handwright.refine.painters import DrawPainter
from handwright.refine.pose_hypotheses import without_surplus_finger
from handwright.refine.repair_sizes import sized_tasks, surplus_task
from handwright.refine.scene import Scene
from handwright.refine.settings import RefineSettings
from handwright.review.critic.output_maps import PartMaps
from handwright.review.judge import Judge
from tests.refine.conftest import reviewed, task_of
from tests.review.predictions import prediction

SAME = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


@dataclass
class SixFingers:
    """A hand with a sixth finger that points away from the edge of its palm."""

    pixels: np.ndarray
    finger: np.ndarray  # Where it lies
    task: HandTask  # The hand by its five others
    prediction: object  # Of a critic that marks half of it


@pytest.fixture
def six(one) -> SixFingers:
    heel, knuckle = one.landmarks_px[0], one.landmarks_px[17]
    span = float(np.linalg.norm(one.landmarks_px[9] - heel))
    outwards = (knuckle - one.landmarks_px[5]) / np.linalg.norm(knuckle - one.landmarks_px[5])
    root = 0.45 * heel + 0.55 * knuckle
    finger, half = (np.zeros(one.silhouette.shape, np.uint8) for _ in range(2))
    for mask, begin in ((finger, 0.0), (half, 0.55)):
        ends = [tuple(np.round(root + t * span * outwards).astype(int).tolist()) for t in (begin, 0.85)]
        cv2.line(mask, *ends, 1, round(0.2 * span))
    flesh = (finger > 0) & ~one.silhouette
    pixels = np.where(flesh[..., None], one.pixels[one.silhouette].mean(0), one.pixels).astype(np.uint8)
    marked = ((half > 0) & flesh).astype(np.float32)
    maps = PartMaps(np.maximum(one.silhouette.astype(np.float32), flesh), marked, SAME)
    told = prediction(0.9, {"extra": 0.9}, fingers=6)
    told = replace(told, part_maps=maps, thresholds={**told.thresholds, "surplus": 0.02})
    task = task_of(one, RefineSettings())
    region = replace(task.region, inside=task.region.inside | flesh)
    task = with_part_maps(pixels, replace(task, region=region), maps, None)
    return SixFingers(pixels, flesh, task, told)


@pytest.fixture
def found(one, monkeypatch):
    """Hands that a detector was asked for again; it finds the five."""
    asked = []

    def redetect(pixels, wanted, landmarker):
        asked.append(pixels)
        return one.observation()

    monkeypatch.setattr(pose_hypotheses, "redetect_hand", redetect)
    return asked


def overlap(mask, other):
    return (mask & other).sum() / (mask | other).sum()


def test_half_a_finger_that_is_marked_is_the_whole_finger_and_no_more(six):
    assert six.task.surplus.sum() < 0.7 * six.finger.sum()
    assert overlap(surplus_finger(six.task.region, six.task.surplus), six.finger) > 0.8


def test_marks_on_the_palm_nowhere_or_all_over_are_no_finger(six, one):
    palm = np.zeros_like(six.finger)
    x, y = one.landmarks_px[[0, 5, 17]].mean(0).astype(int)
    palm[y - 8 : y + 8, x - 8 : x + 8] = True
    for marked in (palm, np.zeros_like(palm), six.task.region.inside):
        assert surplus_finger(six.task.region, marked) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("palm_radius", 0.05), ("least_radius", 0.3), ("min_marked", 1.01), ("min_share", 0.99),
        ("area", (0.0, 0.01)),
    ],
)  # fmt: skip
def test_numbers_decide_what_is_a_finger(six, monkeypatch, name, value):
    monkeypatch.setattr(module, "PARAMS", module.SurplusFingerParams(**{name: value}))
    assert surplus_finger(six.task.region, six.task.surplus) is None


def test_where_it_was_the_background_goes_on_and_all_else_stays(six, one, monkeypatch):
    clean = without_finger(six.pixels, six.task.region, six.finger, 0)
    inner = cv2.erode(six.finger.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert np.abs(clean[inner].mean(0) - one.pixels[inner].mean(0)).max() < 4
    changed = (clean != six.pixels).any(2)
    around = cv2.dilate(six.finger.astype(np.uint8), np.ones((25, 25), np.uint8)) > 0
    assert not (changed & ~around).any()
    monkeypatch.setattr(module, "PARAMS", module.SurplusFingerParams(rim=0.2))
    more = (without_finger(six.pixels, six.task.region, six.finger, 0) != six.pixels).any(2)
    assert more.sum() > changed.sum()


def test_a_hand_is_found_again_without_it(six, one, found):
    task = without_surplus_finger(six.pixels, six.task, six.prediction, None)
    (cleared,) = found
    inner = cv2.erode(six.finger.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert np.abs(cleared[inner].astype(int) - six.pixels[inner]).mean() > 20
    assert task.pose_hypothesis == "without the finger that is too many"
    assert np.abs(task.fit.landmarks_px - one.landmarks_px).mean() < 0.05 * one.hand_px
    assert overlap(task.surplus, six.finger) > 0.8
    assert task.repair_mask[task.surplus].all(), "all of it may go"


def test_it_is_looked_at_with_it_where_nothing_single_is_marked_or_it_is_not_found(six, monkeypatch):
    bare = replace(six.task, surplus=np.zeros_like(six.finger))
    dim = replace(six.prediction, assessable=0.01)
    few = replace(six.prediction, thresholds={**six.prediction.thresholds, "surplus": 0.9})
    five = replace(six.prediction, fingers=prediction().fingers)
    assert surplus_task(six.pixels, six.task, five) is None
    cases = (bare, six.prediction), (six.task, dim), (six.task, few), (six.task, five), (six.task, None)
    for task, told in cases:
        assert without_surplus_finger(six.pixels, task, told, None) is None
    monkeypatch.setattr(pose_hypotheses, "redetect_hand", lambda *_: None)
    assert without_surplus_finger(six.pixels, six.task, six.prediction, None) is None


def test_only_it_and_its_rim_are_painted(six, one):
    small = surplus_task(six.pixels, six.task, six.prediction)
    assert small.size == "surplus"
    inner = cv2.erode(six.finger.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    assert small.share[inner].min() > 0.99
    tips = np.round(one.landmarks_px[[4, 8, 12, 16, 20]]).astype(int)
    assert small.share[tips[:, 1], tips[:, 0]].max() == 0
    assert small.repair_mask.sum() < 0.2 * six.task.repair_mask.sum()
    sizes = [task.size for task in sized_tasks(six.pixels, six.task, six.prediction)]
    assert sizes == ["surplus"]


def test_the_tip_goes_with_the_finger_though_a_thin_line_parts_it_and_only_the_rest_is_marked(six, one):
    rows, columns = np.indices(six.finger.shape)
    outwards = (one.landmarks_px[17] - one.landmarks_px[5]) / np.linalg.norm(
        one.landmarks_px[17] - one.landmarks_px[5]
    )
    along = columns * outwards[0] + rows * outwards[1]
    line = np.quantile(along[six.finger], 0.75)
    parted, tip = six.finger & (np.abs(along - line) < 1), six.finger & (along > line + 1)
    pixels = np.where(parted[..., None], np.uint8([30, 60, 200]), six.pixels)
    region = replace(six.task.region, inside=six.task.region.inside & ~parted)
    task = replace(six.task, region=region, surplus=six.finger & (along < line - 1))
    small = surplus_task(pixels, task, six.prediction)
    assert tip.sum() > 50
    assert small.share[tip].min() > 0.99
    far = replace(task, repair_mask=task.repair_mask & ~tip)
    assert surplus_task(pixels, far, six.prediction) is None, "a tip would be left"


def test_what_lies_on_the_fitted_hand_is_not_removed_alone(six, one):
    on_hand = replace(six.task, surplus=six.task.surplus | one.silhouette)
    assert surplus_task(six.pixels, on_hand, six.prediction) is None
    assert surplus_task(six.pixels, replace(six.task, surplus=None), six.prediction) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [("max_surplus_on_fit", -1.0), ("min_surplus_share", 1.01), ("surplus_area", (0.5, 1.0)), ("rim", 0.3)],
)
def test_numbers_decide_what_is_removed_alone(six, monkeypatch, name, value):
    before = surplus_task(six.pixels, six.task, six.prediction).repair_mask.sum()
    monkeypatch.setattr(repair_sizes, "PARAMS", repair_sizes.RepairSizeParams(**{name: value}))
    after = surplus_task(six.pixels, six.task, six.prediction)
    assert (after is None) == (name != "rim")
    assert after is None or after.repair_mask.sum() > 1.2 * before


def test_it_is_removed_before_anything_else_is_tried(six, one, models, found):
    review = replace(reviewed(1, one.observation(), "fail"), prediction=six.prediction)
    scene = Scene((six.task,), depth_control([six.task.fit.hand], *six.pixels.shape[:2]))
    context = RefineContext(
        painter=DrawPainter(), settings=RefineSettings(), judge=Judge(None), watch=Stopwatch(),
        reviews={1: review},
    )  # fmt: skip
    three = replace(context, settings=RefineSettings(candidates=3))
    assert len(attempt_hand(six.pixels, six.task, scene, three).candidates) >= 3
    (only,) = attempt_hand(six.pixels, six.task, scene, context).candidates
    assert (only.accepted, only.size) == (True, "surplus")
    assert only.pose_hypothesis == "without the finger that is too many"
    kept = ~only.inside
    assert np.array_equal(only.pixels[kept], six.pixels[kept])
    inner = cv2.erode(six.finger.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert np.abs(only.pixels[inner].mean(0) - one.pixels[inner].mean(0)).max() < 6
