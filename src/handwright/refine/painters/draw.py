"""The painter without diffusion: the drawn hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from handwright.refine.painters.contract import PaintJob, PaintResult

if TYPE_CHECKING:
    from handwright.refine.painters.learnt_finish import LearntFinish


class DrawPainter:
    """``--painter draw``: a drawn hand, see ``handwright.drawing``, and its learnt finish.

    Args:
        finish: What stays of the old hand and what the drawing lacks; None: the hand stays as it is drawn.
    """

    together, side_by_side, varied = False, True, False

    def __init__(self, finish: LearntFinish | None = None) -> None:
        self.finish = finish

    def paint(self, job: PaintJob) -> PaintResult:
        """Draw the meshes, the farthest first, with the picture's own skin, light, blur and grain."""
        from handwright.drawing.painter import draw_hand

        pixels, inside = job.crop.copy(), np.zeros(job.repair_mask.shape, np.bool_)
        for task, others in zip(job.tasks, job.others, strict=True):
            place = job.place(task)
            crop = np.ascontiguousarray(pixels[place])
            drawn = draw_hand(
                crop,
                task.window,
                task.fit.hand,
                task.landmarks_px,
                task.region,
                seed=job.seed,
                repair_mask=task.repair_mask & ~others,
                occluders=others,
                align_to_arm=task.underlay is None,
            )
            if self.finish is not None:
                drawn = self.finish.apply(crop, drawn)
            pixels[place] = drawn.pixels
            inside[place] |= drawn.painted
        return PaintResult(pixels, inside.astype(np.float32), toned=True)
