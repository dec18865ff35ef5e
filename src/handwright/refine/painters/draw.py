"""The painter without a network: the drawn hand."""

from __future__ import annotations

import numpy as np

from handwright.refine.painters.contract import PaintJob, PaintResult


class DrawPainter:
    """``--painter draw``: no network, see ``handwright.drawing``."""

    together, side_by_side, varied = False, True, False

    def paint(self, job: PaintJob) -> PaintResult:
        """Draw the meshes, the farthest first, with the picture's own skin, light, blur and grain."""
        from handwright.drawing.painter import draw_hand

        pixels, inside = job.crop.copy(), np.zeros(job.repair_mask.shape, np.bool_)
        for task, others in zip(job.tasks, job.others, strict=True):
            place = job.place(task)
            drawn = draw_hand(
                np.ascontiguousarray(pixels[place]),
                task.window,
                task.fit.hand,
                task.landmarks_px,
                task.region,
                seed=job.seed,
                repair_mask=task.repair_mask & ~others,
                occluders=others,
                align_to_arm=task.underlay is None,
            )
            pixels[place] = drawn.pixels
            inside[place] |= drawn.painted
        return PaintResult(pixels, inside.astype(np.float32), toned=True)
