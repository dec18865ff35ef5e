from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from handwright.hand.depth import depth_control, render_hand
from handwright.perception.analysis import analyse_hand
from handwright.refine.hand_task import plan_hand
from handwright.refine.scene import PARAMS, Scene, own_depth
from handwright.refine.settings import RefineSettings
from handwright.types import DepthControl, Image
from tests.drawn import flat_hand, shoot
from tests.refine.conftest import observations_of_two, touching


def scene_of(pixels, observations) -> Scene:
    image, settings = Image(pixels), RefineSettings()
    tasks = [
        plan_hand(k + 1, image, analyse_hand(image, seen), settings) for k, seen in enumerate(observations)
    ]
    depth = depth_control([task.fit.hand for task in tasks], *pixels.shape[:2])
    return Scene(tuple(tasks), depth)


@pytest.fixture(scope="module")
def apart(two) -> Scene:
    return scene_of(two.pixels, observations_of_two(two))


@pytest.fixture(scope="module")
def meeting() -> Scene:
    return scene_of(*touching())


def ids(groups):
    return [[task.id for task in group] for group in groups]


def test_hands_whose_masks_meet_are_one_group_and_others_are_not(apart, meeting):
    assert sorted(ids(apart.groups(apart.tasks, True))) == [[1], [2]]
    assert [sorted(group) for group in ids(meeting.groups(meeting.tasks, True))] == [[1, 2]]
    assert sorted(ids(meeting.groups(meeting.tasks, False))) == [[1], [2]]


@pytest.mark.parametrize(("past", "rounds"), [(0.5, [[1], [2]]), (1.5, [[1, 2]])])
def test_hands_are_painted_at_the_same_time_from_the_least_gap_on(apart, past, rounds):
    first, second = apart.tasks
    gap = past * PARAMS.min_gap * max(first.observation.size_px, second.observation.size_px)
    left, right = (np.flatnonzero(task.repair_mask.any(0))[[0, -1]] + task.window[0] for task in apart.tasks)
    x0, y0, x1, y1 = second.window
    shift = round(left[1] + 1 + gap - right[0])
    near = replace(second, window=(x0 + shift, y0, x1 + shift, y1))
    found = apart.rounds([[first], [near]], side_by_side=True)
    assert [[task.id for (task,) in groups] for groups in found] == rounds


def test_only_hands_to_be_painted_are_grouped(meeting):
    assert ids(meeting.groups(meeting.tasks[1:], True)) == [[2]]
    assert meeting.groups([], True) == []


def test_the_farthest_comes_first(meeting):
    far = replace(meeting.tasks[1].fit.hand, translation_m=np.array([0.1, 0.07, 9.0]))
    moved = replace(meeting.tasks[1], fit=replace(meeting.tasks[1].fit, hand=far))
    assert ids(meeting.groups([meeting.tasks[0], moved], True)) == [[2, 1]]
    assert ids(meeting.groups([meeting.tasks[0], moved], False)) == [[2], [1]]


def test_one_hand_is_painted_by_the_depth_of_the_whole_picture(meeting):
    assert meeting.control(meeting.tasks[:1]) is meeting.depth


def test_hands_painted_together_share_one_range_even_where_they_do_not_overlap(apart):
    near = replace(apart.tasks[0].fit.hand, translation_m=apart.tasks[0].fit.hand.translation_m * 0.8)
    tasks = [replace(apart.tasks[0], fit=replace(apart.tasks[0].fit, hand=near)), apart.tasks[1]]
    scene = replace(apart, tasks=tuple(tasks), depth=depth_control([t.fit.hand for t in tasks], 288, 520))
    control = scene.control(tasks)
    assert np.array_equal(control.hand_id, scene.depth.hand_id)
    metres = np.minimum(*(render_hand(t.fit.hand, 288, 520).depth_m for t in tasks))
    seen = np.isfinite(metres)
    d = metres[seen]
    expected = 255 * (1 - 0.8 * (d - d.min()) / (d.max() - d.min()))
    assert np.abs(control.depth[seen] - expected).max() < 0.51
    assert scene.depth.depth[scene.depth.hand_id == 1].max() == 255
    assert control.depth[control.hand_id == 1].max() < 255


def test_the_users_depth_is_used_as_it_is(meeting):
    own = DepthControl(np.full(meeting.depth.depth.shape, 77, np.uint8), meeting.depth.hand_id)
    scene = replace(meeting, depth=own, given=True)
    assert scene.control(scene.tasks) is own
    assert scene.control([replace(scene.tasks[0])]) is own


def test_another_reading_of_a_hand_has_a_depth_of_its_own():
    shot = shoot(flat_hand())
    scene = scene_of(shot.pixels, [shot.observation()])
    bent = replace(scene.tasks[0], fit=replace(scene.tasks[0].fit, hand=flat_hand(curl=0.9)))
    assert np.array_equal(scene.control([bent]).depth, depth_control([flat_hand(curl=0.9)], 288, 288).depth)


def test_a_job_for_two_holds_both_windows_and_both_masks(meeting):
    tasks = list(meeting.tasks)
    picture = np.zeros((*meeting.depth.depth.shape, 3), np.uint8)
    job = meeting.job(picture, tasks, meeting.control(tasks), 5)
    for task in tasks:
        assert job.repair_mask[job.place(task)].shape == task.repair_mask.shape
        assert (job.repair_mask[job.place(task)] >= task.repair_mask).all()
    assert job.repair_mask.sum() < sum(task.repair_mask.sum() for task in tasks)
    assert job.crop.shape[:2] == job.repair_mask.shape
    assert job.seed == 5


def test_a_hand_in_front_is_kept_out_unless_it_is_painted_too(meeting):
    tasks = list(meeting.tasks)
    picture = np.zeros((*meeting.depth.depth.shape, 3), np.uint8)
    alone = meeting.job(picture, tasks[:1], meeting.depth, 0)
    assert alone.others[0].any()
    assert not (alone.repair_mask & alone.others[0]).any()
    both = meeting.job(picture, tasks, meeting.control(tasks), 0)
    assert (both.repair_mask[both.place(tasks[0])] & both.others[0]).any()


def test_each_hands_part_of_the_depth_is_its_own(meeting):
    parts = [own_depth(task, meeting.depth).depth for task in meeting.tasks]
    assert not (parts[0].astype(bool) & parts[1].astype(bool)).any()
    assert np.array_equal(parts[0] | parts[1], meeting.depth.depth)
