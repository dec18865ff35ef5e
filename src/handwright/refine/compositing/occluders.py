"""What stays in front of the hands of a job: held things, by the rules of the drawing painter."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool

from handwright.drawing.geometry.layer_assignment import assign_layers
from handwright.drawing.geometry.occluders import occluder_mask
from handwright.drawing.geometry.surface import render_surface
from handwright.drawing.geometry.working_resolution import to_working_resolution
from handwright.drawing.photo.sharpness import edge_blur_sigma
from handwright.hand.skin_colour import not_skin
from handwright.refine.hand_task import HandTask
from handwright.refine.painters.contract import PaintJob


def job_occluders(job: PaintJob) -> Bool[np.ndarray, "h w"]:
    """Find the things in front of the hands of a job, as the painter ``draw`` does.

    Another of the hands themselves is no such thing.

    Returns:
        bool [h, w] in the crop of the job.
    """
    crop, occluders = job.crop, np.zeros(job.repair_mask.shape, np.bool_)
    for task in job.tasks:
        found = np.zeros(occluders.shape, np.bool_)
        found[job.place(task)] = _hand_occluders(np.ascontiguousarray(crop[job.place(task)]), task)
        for mate in job.tasks:
            if mate is not task:
                found[job.place(mate)] &= ~mate.region.inside
        occluders |= found
    return occluders


def _hand_occluders(crop: np.ndarray, task: HandTask) -> Bool[np.ndarray, "h w"]:
    work = to_working_resolution(crop, task.landmarks_px, task.region)
    hand_px = max(float(np.ptp(work.landmarks_px, axis=0).max()), 1.0)
    blur = work.blur(edge_blur_sigma(crop, task.region.inside))
    surface = render_surface(task.fit.hand, task.window, hand_px, work.crop.shape[:2])
    own = assign_layers(surface, work.region, work.landmarks_px, blur, hand_px)
    found = occluder_mask(
        work.crop,
        own.coverage > 0.5,
        own.reach_m,
        work.region,
        not_skin(work.crop, work.region),
        work.landmarks_px,
    )
    return work.enlarge_mask(found)
