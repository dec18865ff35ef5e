"""Regular hands of a pose's points."""

import numpy as np

from handwright.perception.body.body_pose import HANDS, BodyPose
from handwright.perception.fit.hand_fit import fit_hand
from handwright.perception.fit.landmark_weights import bunched_finger_weights
from handwright.types import HandFit, HandObservation, Side

_LEAST_WEIGHT = 0.3  # Of a point that is hidden or outside the picture (chosen by eye)


def observed_hand(pose: BodyPose, side: Side) -> HandObservation:
    """The 21 points of a hand of a pose as an observation; depth that is not known is 0."""
    return HandObservation(
        landmarks_px=pose.points_px[HANDS[side]],
        depth_px=np.zeros(21) if pose.depth_px is None else pose.depth_px[HANDS[side]],
        side=side,
        score=1.0,
        found_by="file",
    )


def fit_hand_of_pose(pose: BodyPose, side: Side, width: int, height: int) -> HandFit:
    """Fit a regular hand to the points of a hand of a pose; points count by their visibility.

    Args:
        pose: The pose, in pixels of the picture; all 21 points of the hand are known.
        side: Which hand.
        width: Width of the picture, pixels.
        height: Height of the picture, pixels.
    """
    weights = np.clip(pose.visibility[HANDS[side]], _LEAST_WEIGHT, 1.0)
    seen = observed_hand(pose, side)
    has_depth = bool(np.ptp(seen.depth_px) > 0)  # No hand's 21 points are all equally far away
    if has_depth:  # Then a detector found the points
        weights = np.minimum(weights, bunched_finger_weights(seen))
    return fit_hand(seen, width, height, landmark_weights=weights, has_depth=has_depth)
