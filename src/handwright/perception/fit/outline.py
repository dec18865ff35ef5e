"""Second look at proportions: palm width and finger thickness that agree with the old hand's outline.

Landmarks say where the bones are, not how thick the flesh is. A few steps of coordinate search on the overlap
of silhouettes, at a small size, with a price on leaving the mean hand (a malformed hand must not be copied).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Bool, Float

from handwright.hand.anatomy import FINGER_BONES, SHAPE_NAMES
from handwright.hand.kinematics import skin_of
from handwright.hand.raster import silhouette_of
from handwright.hand.rig import load_rig
from handwright.hand.skeleton import distal_of_wrist, palm_span_px, skeleton_masks
from handwright.perception.fit.hand_fit import fit_hand, fit_of_given_hand
from handwright.types import Hand, HandFit, HandObservation, HandRegion

_WORK_HAND_PX = 130.0
_STEPS = (("thickness", 0.08), ("palm_width", 0.05), ("thickness", 0.04), ("palm_width", 0.025))
_PIP = np.array([FINGER_BONES[f][1] - 1 for f in range(1, 5)])
_BENT_RAD = (0.8, 1.5)
_PRESSED = 0.10
_PALM_WIDTH, _THICKNESS = SHAPE_NAMES.index("palm_width"), SHAPE_NAMES.index("thickness")
_SPARE_FAR = 0.08
"""What lies farther from the stick figure (in wrist-to-knuckles spans) may be a spare finger: not counted."""

_LIMITS = {"thickness": (-0.2, 0.2), "palm_width": (-0.15, 0.22)}
_PRICE = 0.15
_LEAST_GAIN = 0.002
_WRIST_SHARE = 0.15
_LEAST_OLD, _MOST_MOVES = 50, 3


def fit_with_outline(
    observation: HandObservation,
    fit: HandFit,
    region: HandRegion,
    window: tuple[int, int, int, int],
    size_px: tuple[int, int],
    landmark_weights: Float[np.ndarray, "21"] | None = None,
) -> HandFit:
    """Proportions from the outline (:func:`fit_outline`), then the landmarks fitted again with these.

    Args:
        observation: What was seen.
        fit: First fit to its landmarks.
        region: The old hand inside ``window``.
        window: x0, y0, x1, y1 of the crop in the picture.
        size_px: The picture's width and height.
        landmark_weights: As for ``fit_hand``.
    """
    shape = fit_outline(observation, fit, region, window).hand.shape
    proportions = float(shape[_PALM_WIDTH]), float(shape[_THICKNESS])
    return fit_hand(
        observation, *size_px, landmark_weights=landmark_weights, proportions=proportions, begun=fit.hand
    )


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
    outline = _small_outline(observation, region, window)
    if outline.old.sum() < _LEAST_OLD:
        return fit
    start = best = _pressed(fit.hand)
    overlap = outline.overlap(best)
    for name, step in _STEPS:
        index = SHAPE_NAMES.index(name)
        for change in (step, -step):
            before = best
            for _ in range(_MOST_MOVES):
                value = float(np.clip(best.shape[index] + change, *_LIMITS[name]))
                trial = _with_shape(best, index, value)
                gain = outline.overlap(trial) - overlap
                if gain - _PRICE * step * abs(value - start.shape[index]) < _LEAST_GAIN:
                    break
                best, overlap = trial, overlap + gain
            if best is not before:
                break
    return replace(fit_of_given_hand(observation, best), landmark_weights=fit.landmark_weights)


@dataclass(frozen=True, eq=False)
class _Outline:
    """The old hand beyond its wrist, at a small size.

    Attributes:
        old: bool [h, w] the old hand's pixels that count.
        beyond: bool [h, w] pixels that count.
        origin_px: [2] top left corner of the crop in the picture.
        factor: [2] small pixels per pixel.
    """

    old: Bool[np.ndarray, "h w"]
    beyond: Bool[np.ndarray, "h w"]
    origin_px: Float[np.ndarray, "2"]
    factor: Float[np.ndarray, "2"]

    def overlap(self, hand: Hand) -> float:
        """Intersection over union with a hand's silhouette."""
        skin = skin_of(hand)
        points = (hand.camera.project(skin) - self.origin_px) * self.factor
        drawn = silhouette_of(points, skin[:, 2], load_rig().faces, *self.old.shape) & self.beyond
        return float((drawn & self.old).sum() / max((drawn | self.old).sum(), 1))


def _small_outline(
    observation: HandObservation, region: HandRegion, window: tuple[int, int, int, int]
) -> _Outline:
    scale = min(1.0, _WORK_HAND_PX / max(observation.size_px, 1.0))
    height, width = region.inside.shape
    size = max(8, round(width * scale)), max(8, round(height * scale))
    factor, origin = np.array(size) / np.array([width, height]), np.array(window[:2], np.float64)
    landmarks = (observation.landmarks_px - origin) * factor
    _, thick = skeleton_masks(landmarks, size[1], size[0])
    far = cv2.distanceTransform((~thick).astype(np.uint8), cv2.DIST_L2, 3)
    counted = distal_of_wrist(landmarks, size[1], size[0], _WRIST_SHARE) & (
        far < _SPARE_FAR * palm_span_px(landmarks)
    )
    old = cv2.resize(region.inside.astype(np.uint8), size, interpolation=cv2.INTER_AREA) > 0
    return _Outline(old & counted, counted, origin, factor)


def _with_shape(hand: Hand, index: int, value: float) -> Hand:
    shape = hand.shape.copy()
    shape[index] = value
    return replace(hand, shape=shape)


def _pressed(hand: Hand) -> Hand:
    """Bent fingers lie pressed together: their flesh is as wide as their gap, which no outline shows."""
    straight, folded = _BENT_RAD
    bent = np.clip((np.linalg.norm(hand.pose[_PIP], axis=1) - straight) / (folded - straight), 0, 1)
    return _with_shape(hand, _THICKNESS, hand.shape[_THICKNESS] + _PRESSED * float(bent.mean()))


def outline_overlap(
    observation: HandObservation,
    silhouette: Bool[np.ndarray, "h w"],
    region: HandRegion,
    window: tuple[int, int, int, int],
) -> float:
    """Intersection over union of a rendered silhouette and the old hand, beyond the wrist."""
    height, width = silhouette.shape
    beyond = distal_of_wrist(observation.landmarks_px - np.array(window[:2]), height, width, _WRIST_SHARE)
    drawn, old = silhouette & beyond, region.inside & beyond
    return float((drawn & old).sum() / max((drawn | old).sum(), 1))
