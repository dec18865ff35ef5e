"""Second look at proportions: palm width and finger thickness that agree with the old hand's outline.

Landmarks say where the bones are, not how thick the flesh is. A few steps of coordinate search on the overlap
of silhouettes, at a small size, with a price on leaving the mean hand (a malformed hand must not be copied).
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from jaxtyping import Bool, Float

from handwright.hand.anatomy import FINGER_BONES, SHAPE_NAMES
from handwright.hand.kinematics import mesh_of
from handwright.hand.raster import rasterize
from handwright.perception.fit import fit_given
from handwright.types import Hand, HandFit, HandObservation, HandRegion

_WORK_HAND_PX = 130.0
_STEPS = (("thickness", 0.08), ("palm_width", 0.05), ("thickness", 0.04), ("palm_width", 0.025))
_PIP = np.array([FINGER_BONES[f][1] - 1 for f in range(1, 5)])
_BENT_RAD = (0.8, 1.5)
_PRESSED = 0.10
_LIMITS = {"thickness": (-0.2, 0.24), "palm_width": (-0.15, 0.22)}
_PRICE = 0.15
_LEAST_GAIN = 0.002
_WRIST_SHARE = 0.15


def fit_outline(
    observation: HandObservation, fit: HandFit, region: HandRegion, window: tuple[int, int, int, int]
) -> HandFit:
    """The fit with palm width and thickness adjusted to the old hand's outline beyond the wrist.

    Args:
        observation: What was seen.
        fit: Fit to its landmarks.
        region: The old hand inside ``window``.
        window: x0, y0, x1, y1 of the crop in the picture.
    """
    scale = min(1.0, _WORK_HAND_PX / observation.size_px)
    height, width = region.inside.shape
    size = max(8, round(width * scale)), max(8, round(height * scale))
    factor = np.array(size) / np.array([width, height])
    beyond = _beyond_wrist((observation.landmarks_px - np.array(window[:2])) * factor, size)
    old = cv2.resize(region.inside.astype(np.uint8), size, interpolation=cv2.INTER_AREA) > 0
    old &= beyond
    if old.sum() < 50:
        return fit

    def score(hand: Hand) -> float:
        mesh = mesh_of(hand)
        points = (hand.camera.project(mesh.vertices_cam_m) - np.array(window[:2])) * factor
        drawn = (
            rasterize(points, mesh.vertices_cam_m[:, 2], mesh.faces, size[1], size[0]).face >= 0
        ) & beyond
        return float((drawn & old).sum() / max((drawn | old).sum(), 1))

    best = _pressed(fit.hand)
    start = best.shape.copy()
    overlap = score(best)
    for name, step in _STEPS:
        index = SHAPE_NAMES.index(name)
        for sign in (1, -1):
            moved = False
            for _ in range(3):
                shape = best.shape.copy()
                shape[index] = np.clip(shape[index] + sign * step, *_LIMITS[name])
                trial = replace(best, shape=shape)
                gain = score(trial) - overlap
                if gain - _PRICE * step * abs(shape[index] - start[index]) < _LEAST_GAIN:
                    break
                best, overlap, moved = trial, overlap + gain, True
            if moved:
                break
    return fit if best is fit.hand else replace(fit_given(observation, best), trust=fit.trust)


def _pressed(hand: Hand) -> Hand:
    """Bent fingers lie pressed together: their flesh is as wide as their gap, which no outline shows."""
    straight, folded = _BENT_RAD
    bent = np.clip((np.linalg.norm(hand.pose[_PIP], axis=1) - straight) / (folded - straight), 0, 1)
    shape = hand.shape.copy()
    shape[SHAPE_NAMES.index("thickness")] += _PRESSED * float(bent.mean())
    return replace(hand, shape=shape)


def outline_overlap(
    observation: HandObservation,
    silhouette: Bool[np.ndarray, "h w"],
    region: HandRegion,
    window: tuple[int, int, int, int],
) -> float:
    """Intersection over union of a rendered silhouette and the old hand, beyond the wrist."""
    height, width = silhouette.shape
    beyond = _beyond_wrist(observation.landmarks_px - np.array(window[:2]), (width, height))
    drawn, old = silhouette & beyond, region.inside & beyond
    return float((drawn & old).sum() / max((drawn | old).sum(), 1))


def _beyond_wrist(landmarks: Float[np.ndarray, "21 2"], size: tuple[int, int]) -> Bool[np.ndarray, "h w"]:
    """Pixels on the fingers' side of the wrist."""
    wrist = landmarks[0]
    towards = landmarks[[5, 9, 13, 17]].mean(0) - wrist
    y, x = np.mgrid[: size[1], : size[0]]
    along = (x - wrist[0]) * towards[0] + (y - wrist[1]) * towards[1]
    return along > _WRIST_SHARE * float(towards @ towards)
