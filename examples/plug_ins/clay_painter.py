"""A painter: the fitted hand as clay of the old hand's colour, lit from the upper left.

    handwright refine photo.png -o refined.png --painter plug_ins.clay_painter:ClayPainter

It shows what a painter is given: the picture, the depth control image, the mask that may change, the hands.
"""

import cv2
import numpy as np

from handwright.hand.skeleton import distal_of_wrist
from handwright.refine.painters import PaintJob, PaintResult

LIGHT = np.array([-0.4, -0.5, -0.77])  # Towards the light: left, up and towards the viewer
AMBIENT = 0.45  # Share of the light that comes from everywhere
ROUNDNESS = 0.15  # How far the hand bulges from its outline, in its own sizes


class ClayPainter:
    """Shades the pixels that a hand covers, and fills the rest of its mask from around."""

    version = "1"

    def paint(self, job: PaintJob) -> PaintResult:
        """Paint the hands of a job; the same job gives the same bytes."""
        x0, y0, x1, y1 = job.window
        hand = job.control[y0:y1, x0:x1] > 0
        beyond_wrist = np.zeros_like(hand)  # of the old hand; its arm stays
        for task in job.tasks:
            points = task.fit.landmarks_px - np.array(job.window[:2])
            beyond_wrist |= distal_of_wrist(points, hand.shape[0], hand.shape[1], 0.0)
        inside = job.repair_mask & (hand | beyond_wrist)
        background = cv2.inpaint(job.crop, inside.astype(np.uint8), 3, cv2.INPAINT_TELEA)
        pixels = np.where(hand[..., None], self._clay(job, hand), background)
        return PaintResult(pixels.clip(0, 255), inside.astype(np.float32), toned=True)

    def _clay(self, job: PaintJob, hand: np.ndarray) -> np.ndarray:
        old = np.zeros(hand.shape, bool)
        for task in job.tasks:
            old[job.place(task)] |= task.region.inside
        colour = np.median(job.crop[old], axis=0) if old.any() else np.array([200.0, 160.0, 140.0])
        inside = cv2.distanceTransform(hand.astype(np.uint8), cv2.DIST_L2, 5)
        height = cv2.GaussianBlur(np.sqrt(inside * ROUNDNESS * job.hand_px), (0, 0), 2.0)
        slope_y, slope_x = np.gradient(height)
        normals = np.dstack([-slope_x, -slope_y, -np.ones_like(height)])
        normals /= np.linalg.norm(normals, axis=2, keepdims=True)
        lit = np.clip(normals @ (LIGHT / np.linalg.norm(LIGHT)), 0, 1)
        return colour * (AMBIENT + (1 - AMBIENT) * lit)[..., None] * 1.15
