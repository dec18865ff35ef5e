from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from handwright.refine import pipeline
from handwright.refine.painters import PaintJob, PaintResult
from handwright.refine.pipeline import refine_picture
from handwright.refine.settings import RefineSettings
from handwright.types import Image
from tests.refine.conftest import observations_of_two, touching


@dataclass
class Painter:
    """Paints what it may in the colour of its seed; remembers the hands of its jobs."""

    together: bool = True
    side_by_side: bool = False
    varied: bool = False
    jobs: list[PaintJob] = field(default_factory=list)

    @property
    def hands(self) -> list[list[int]]:
        return [sorted(task.id for task in job.tasks) for job in self.jobs]

    def paint(self, job: PaintJob) -> PaintResult:
        self.jobs.append(replace(job, picture=job.picture.copy()))
        colour = np.full(job.crop.shape, 10 + job.seed, np.uint8)
        return PaintResult(colour, job.repair_mask.astype(np.float32), toned=True)


@pytest.fixture
def painter(monkeypatch) -> Painter:
    painter = Painter()
    monkeypatch.setattr(pipeline, "open_painter", lambda *_: painter)
    return painter


@pytest.fixture
def pixels(models) -> np.ndarray:
    pixels, models.found = touching()
    return pixels


def test_hands_that_meet_are_painted_in_one_go_and_each_has_its_own_record(pixels, engine, painter):
    repair = refine_picture(Image(pixels), RefineSettings(seed=4), engine)
    assert painter.hands == [[1, 2]]
    assert [hand.action for hand in repair.hands] == ["refined", "refined"]
    changed = (repair.after.pixels != pixels).any(2)
    masks = [hand.mask.inside for hand in repair.hands]
    assert not (changed & ~(masks[0] | masks[1])).any()
    assert (repair.after.pixels[masks[0] | masks[1]] == 14).all()
    for hand, mask in zip(repair.hands, masks, strict=True):
        (candidate,) = hand.candidates
        x, y = candidate.origin_xy_px
        height, width = candidate.inside.shape
        assert np.array_equal(candidate.inside, mask[y : y + height, x : x + width])
        own = pixels[y : y + height, x : x + width]
        assert np.array_equal(candidate.pixels[~candidate.inside], own[~candidate.inside])


def test_hands_apart_are_painted_one_by_one(two, models, engine, painter):
    models.found = observations_of_two(two)
    refine_picture(Image(two.pixels), RefineSettings(), engine)
    assert sorted(painter.hands) == [[1], [2]]


def test_a_painter_that_works_alone_gets_one_hand_at_a_time(pixels, engine, painter):
    painter.together = False
    refine_picture(Image(pixels), RefineSettings(), engine)
    assert sorted(painter.hands) == [[1], [2]]


@pytest.mark.parametrize("allowed", [1, 2])
def test_hands_apart_may_be_painted_at_the_same_time_each_in_the_picture_as_it_was(
    two, models, engine, painter, allowed, opencv_threads
):
    opencv_threads(allowed)
    models.found, painter.side_by_side = observations_of_two(two), True
    repair = refine_picture(Image(two.pixels), RefineSettings(), engine)
    assert sorted(painter.hands) == [[1], [2]]
    assert all(np.array_equal(job.picture, two.pixels) for job in painter.jobs)
    assert [hand.action for hand in repair.hands] == ["refined", "refined"]


def test_painted_at_the_same_time_is_painted_the_same(two, models, engine, painter):
    models.found = observations_of_two(two)
    after = []
    for painter.side_by_side in (False, True):
        after.append(refine_picture(Image(two.pixels), RefineSettings(), engine).after.pixels)
    assert np.array_equal(*after)


def test_hands_that_meet_see_each_other_painted_whatever_the_painter_can(pixels, engine, painter):
    painter.together, painter.side_by_side = False, True
    refine_picture(Image(pixels), RefineSettings(), engine)
    first, second = painter.jobs
    assert np.array_equal(first.picture, pixels)
    assert not np.array_equal(second.picture, pixels)


def test_when_one_hand_of_a_group_fails_the_hands_are_painted_one_by_one(pixels, models, engine, painter):
    def only_on_the_left(wanted, seen):
        there = wanted.landmarks_px[:, 0].mean() < pixels.shape[1] / 2
        return wanted if there or np.array_equal(seen, pixels) else None

    models.again = only_on_the_left
    repair = refine_picture(Image(pixels), RefineSettings(candidates=2, seed=1), engine)
    assert painter.hands[:2] == [[1, 2], [1, 2]]
    assert all(len(hands) == 1 for hands in painter.hands[2:])
    left, right = repair.hands
    assert (left.action, right.action) == ("refined", "kept")
    assert [c.accepted for c in left.candidates] == [False, False, True, True]
    assert left.candidates[left.picked].scores["found_again"] == 1.0
    assert left.picked >= 2
    assert not any(c.accepted for c in right.candidates)
    assert [c.seed for c in right.candidates][:4] == [1, 2, 1, 2]
    changed = (repair.after.pixels != pixels).any(2)
    assert changed.any() and not (changed & ~left.mask.inside).any()


def test_of_several_paintings_of_a_group_the_one_that_fits_all_hands_best_wins(
    pixels, models, engine, painter
):
    off = {10: 8.0, 11: 1.0, 12: 5.0}

    def shaken(wanted, seen):
        x, y = wanted.landmarks_px[9].astype(int)
        value = int(seen[y, x, 0])
        return replace(wanted, landmarks_px=wanted.landmarks_px + off.get(value, 0.0), score=0.9)

    models.again = shaken
    repair = refine_picture(Image(pixels), RefineSettings(candidates=3), engine)
    assert [hand.picked for hand in repair.hands] == [1, 1]
    assert painter.hands == [[1, 2]] * 3


def test_a_hand_that_is_not_asked_for_is_no_part_of_a_group(pixels, engine, painter):
    repair = refine_picture(Image(pixels), RefineSettings(hand_ids=(2,)), engine)
    assert painter.hands == [[2]]
    assert [hand.action for hand in repair.hands] == ["skipped", "refined"]
    assert not (painter.jobs[0].repair_mask & painter.jobs[0].others[0]).any()
