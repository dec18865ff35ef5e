"""The painter without a network: the drawn hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.refine.painters.contract import PaintJob, PaintResult


@dataclass(frozen=True, eq=False)
class DrawnHands:
    """A crop with hands drawn into it, the old ones gone."""

    pixels: UInt8[np.ndarray, "h w 3"]  # sRGB
    painted: Bool[np.ndarray, "h w"]  # What is drawn or filled; elsewhere it is the crop
    share: Float[np.ndarray, "h w"]  # float32 in 0..1: how far drawn hands cover each pixel


class DrawPainter:
    """``--painter draw``: no network, see ``handwright.drawing``."""

    together, side_by_side, varied = False, True, False

    def paint(self, job: PaintJob) -> PaintResult:
        """Draw the meshes with the picture's own skin, light, blur and grain."""
        drawn = draw_hands(job)
        return PaintResult(drawn.pixels, drawn.painted.astype(np.float32), toned=True)


def draw_hands(job: PaintJob) -> DrawnHands:
    """The crop with the meshes drawn into it, the farthest first."""
    from handwright.drawing.painter import draw_hand

    pixels, painted = job.crop.copy(), np.zeros(job.repair_mask.shape, np.bool_)
    share = np.zeros(painted.shape, np.float32)
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
        painted[place] |= drawn.painted
        share[place] = np.maximum(share[place], drawn.layers.alpha)
    return DrawnHands(pixels, painted, share)
