from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from handwright.handrefiner.diffusion_settings import DiffusionSettings
from handwright.refine.compositing.blend import composite_paint
from handwright.refine.compositing.occluders import job_occluders
from handwright.refine.painters.diffusing import DiffusePainter
from handwright.refine.settings import RefineSettings
from tests.drawn import region_of
from tests.handrefiner.networks import Network, noise
from tests.refine.conftest import job_of, task_of

PEN = (30, 60, 190)


@pytest.fixture(scope="module")
def held(one: Any):
    """A job whose hand holds a bar across its fingers, and the bar's pixels in the crop."""
    bar = np.zeros(one.silhouette.shape, bool)
    middle = round(one.landmarks_px[[5, 6, 9, 10, 13, 14], 1].mean())
    bar[middle - 6 : middle + 6, 20:-20] = True
    pixels = np.where(bar[..., None], np.array(PEN, np.uint8), one.pixels)
    task = task_of(one, RefineSettings())
    x0, y0, x1, y1 = task.window
    seen = region_of(one.pixels, one.silhouette & ~bar, one.landmarks_px)
    task = replace(task, region=replace(seen, inside=np.ascontiguousarray(seen.inside[y0:y1, x0:x1])))
    return job_of(replace(one, pixels=pixels), task), (bar & one.silhouette)[y0:y1, x0:x1]


def test_a_held_bar_is_in_front_and_a_bare_hand_has_nothing_before_it(one: Any, held: Any):
    job, bar = held
    assert job_occluders(job)[bar].mean() > 0.95
    assert not job_occluders(job_of(one, task_of(one, RefineSettings()))).any()


def test_another_hand_of_the_same_job_is_no_thing(held: Any):
    job, bar = held
    mate = replace(job.tasks[0], id=2, region=replace(job.tasks[0].region, inside=bar))
    both = replace(job, tasks=(job.tasks[0], mate), others=job.others * 2)
    assert not (job_occluders(both) & bar).any()


def test_diffusion_paints_around_what_is_held(held: Any):
    job, bar = held
    painter = DiffusePainter(DiffusionSettings(), lambda: Network(noise))
    pixels, inside = composite_paint(job, painter.paint(job))
    front = job_occluders(job)
    assert (front & job.repair_mask & bar).sum() > 300
    assert np.array_equal(pixels[front], job.crop[front])
    assert inside.sum() > 3000
