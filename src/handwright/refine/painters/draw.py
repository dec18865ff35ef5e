"""The painter without a network: the drawn hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.refine.painters.contract import PaintJob, PaintResult

PALM_FROM_M = (0.01, 0.05)
"""Distances from the wrist along the resting hand, metres, between which ``past_wrist`` rises. By eye."""


@dataclass(frozen=True, eq=False)
class DrawnHands:
    """A crop with hands drawn into it, and what they consist of."""

    pixels: UInt8[np.ndarray, "h w 3"]  # sRGB, with the new hands
    background: UInt8[np.ndarray, "h w 3"]  # sRGB, with neither old hands nor new ones
    painted: Bool[np.ndarray, "h w"]  # What is drawn or filled; elsewhere both are the crop
    cover: Float[np.ndarray, "h w"]  # float32 in 0..1, how far drawn hands cover each pixel
    # float32 in 0..1: 0 up to the wrists, where drawn hands go on as arms, 1 from the palms on
    past_wrist: Float[np.ndarray, "h w"]


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
    from handwright.image.compositing import smoothstep

    pixels, background, painted = job.crop.copy(), job.crop.copy(), np.zeros(job.repair_mask.shape, np.bool_)
    cover, past_wrist = np.zeros(painted.shape, np.float32), np.zeros(painted.shape, np.float32)
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
        background[place][drawn.painted] = drawn.background[drawn.painted]
        painted[place] |= drawn.painted
        nearer = drawn.layers.alpha > cover[place]
        cover[place][nearer] = drawn.layers.alpha[nearer]
        past_wrist[place][nearer] = smoothstep(*PALM_FROM_M, drawn.layers.reach_m)[nearer]
    return DrawnHands(pixels, background, painted, cover, past_wrist)
