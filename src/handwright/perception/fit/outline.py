"""Palm width and finger thickness from the outline of the picture's own hand.

Landmarks show where the bones are, not how thick the flesh is. A few steps of coordinate search on the
overlap of silhouettes, at a small size, adjust both, with a price on leaving the mean hand, so that a
malformed hand is not copied.
"""

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
from handwright.types import Hand, HandFit, HandObservation, HandRegion, Window

_PALM_WIDTH, _THICKNESS = SHAPE_NAMES.index("palm_width"), SHAPE_NAMES.index("thickness")
_PIP = np.array([FINGER_BONES[f][1] - 1 for f in range(1, 5)])  # Rows of ``Hand.pose`` of the four PIP joints


@dataclass(frozen=True, kw_only=True)
class OutlineParams:
    """The coordinate search over palm width and thickness. All values were chosen by eye.

    Shape numbers are logarithms of ratios to the mean hand; lengths in spans are wrist-to-knuckles lengths.
    """

    hand_px: float = 130.0  # Size of the hand at which silhouettes are compared, pixels
    # Shape number and step of each pass of the search
    steps: tuple[tuple[str, float], ...] = (
        ("thickness", 0.08),
        ("palm_width", 0.05),
        ("thickness", 0.04),
        ("palm_width", 0.025),
    )
    # width_limits, thickness_limits: Lowest and highest palm width and thickness
    width_limits: tuple[float, float] = (-0.15, 0.22)
    thickness_limits: tuple[float, float] = (-0.2, 0.2)
    price: float = 0.15  # Overlap that a step's distance from the start must bring, for each unit
    min_gain: float = 0.002  # Least gain of overlap, in [0, 1], for a step
    max_moves: int = 3  # Most steps in one direction
    # PIP angles from which and up to which fingers count as pressed together
    bent_rad: tuple[float, float] = (0.8, 1.5)
    # Thickness that fully bent fingers start with: their flesh is as wide as their gap, which no outline
    # shows
    pressed_thickness: float = 0.10
    # Pixels farther from the bones, in spans, may belong to an extra finger and do not count
    max_distance: float = 0.08
    wrist_share: float = 0.15  # Pixels count from this share of the way from wrist to knuckles


PARAMS = OutlineParams()


def fit_with_outline(
    observation: HandObservation,
    fit: HandFit,
    region: HandRegion,
    window: Window,
    size_px: tuple[int, int],
    landmark_weights: Float[np.ndarray, "21"] | None = None,
) -> HandFit:
    """Take proportions from the outline (:func:`fit_outline`), then fit the landmarks again with these."""
    shape = fit_outline(observation, fit, region, window).hand.shape
    proportions = float(shape[_PALM_WIDTH]), float(shape[_THICKNESS])
    return fit_hand(
        observation, *size_px, landmark_weights=landmark_weights, proportions=proportions, start=fit.hand
    )


def fit_outline(observation: HandObservation, fit: HandFit, region: HandRegion, window: Window) -> HandFit:
    """Return the fit with palm width and thickness adjusted to the hand's outline distal of the wrist."""
    outline = _small_outline(observation, region, window)
    if not outline.observed.any():
        return fit
    limits = {"thickness": PARAMS.thickness_limits, "palm_width": PARAMS.width_limits}
    start = best = _thickened_where_bent(fit.hand)
    overlap = outline.overlap(best)
    for name, step in PARAMS.steps:
        index = SHAPE_NAMES.index(name)
        for change in (step, -step):
            previous = best
            for _ in range(PARAMS.max_moves):
                value = float(np.clip(best.shape[index] + change, *limits[name]))
                trial = _with_shape(best, index, value)
                gain = outline.overlap(trial) - overlap
                if gain - PARAMS.price * step * abs(value - start.shape[index]) < PARAMS.min_gain:
                    break
                best, overlap = trial, overlap + gain
            if best is not previous:
                break
    return replace(fit_of_given_hand(observation, best), landmark_weights=fit.landmark_weights)


def outline_overlap(
    observation: HandObservation, silhouette: Bool[np.ndarray, "h w"], region: HandRegion, window: Window
) -> float:
    """Return the intersection over union of a silhouette and the picture's own hand, distal of the wrist."""
    height, width = silhouette.shape
    landmarks = observation.landmarks_px - np.array(window[:2])
    distal = distal_of_wrist(landmarks, height, width, PARAMS.wrist_share)
    rendered, observed = silhouette & distal, region.inside & distal
    return float((rendered & observed).sum() / max((rendered | observed).sum(), 1))


@dataclass(frozen=True, eq=False)
class _Outline:
    """The picture's own hand distal of its wrist, at a small size."""

    observed: Bool[np.ndarray, "h w"]  # pixels of the hand that count
    counted: Bool[np.ndarray, "h w"]  # pixels that count
    origin_px: Float[np.ndarray, "2"]  # [2] top left corner of the crop in the picture
    factor: Float[np.ndarray, "2"]  # [2] small pixels per pixel

    def overlap(self, hand: Hand) -> float:
        """Intersection over union with a hand's silhouette."""
        skin = skin_of(hand)
        points = (hand.camera.project(skin) - self.origin_px) * self.factor
        rendered = silhouette_of(points, skin[:, 2], load_rig().faces, *self.observed.shape) & self.counted
        return float((rendered & self.observed).sum() / max((rendered | self.observed).sum(), 1))


def _small_outline(observation: HandObservation, region: HandRegion, window: Window) -> _Outline:
    scale = min(1.0, PARAMS.hand_px / max(observation.size_px, 1.0))
    height, width = region.inside.shape
    size = max(8, round(width * scale)), max(8, round(height * scale))
    factor, origin = np.array(size) / np.array([width, height]), np.array(window[:2], np.float64)
    landmarks = (observation.landmarks_px - origin) * factor
    _, thick = skeleton_masks(landmarks, size[1], size[0])
    distance = cv2.distanceTransform((~thick).astype(np.uint8), cv2.DIST_L2, 3)
    near = distance < PARAMS.max_distance * palm_span_px(landmarks)
    counted = distal_of_wrist(landmarks, size[1], size[0], PARAMS.wrist_share) & near
    inside = cv2.resize(region.inside.astype(np.uint8), size, interpolation=cv2.INTER_AREA) > 0
    return _Outline(inside & counted, counted, origin, factor)


def _with_shape(hand: Hand, index: int, value: float) -> Hand:
    shape = hand.shape.copy()
    shape[index] = value
    return replace(hand, shape=shape)


def _thickened_where_bent(hand: Hand) -> Hand:
    """Return the hand with thicker fingers the more they are bent: bent fingers lie pressed together."""
    straight, folded = PARAMS.bent_rad
    bent = np.clip((np.linalg.norm(hand.pose[_PIP], axis=1) - straight) / (folded - straight), 0, 1)
    thickness = hand.shape[_THICKNESS] + PARAMS.pressed_thickness * float(bent.mean())
    return _with_shape(hand, _THICKNESS, thickness)
