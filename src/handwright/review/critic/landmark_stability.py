"""How steadily the landmark network follows a hand: what it makes of the same hand in several views.

The network learnt many real hands. One whose fingers it can follow has the same landmarks in every view, and
it is sure of a hand and of its side; of fused, doubled and melted fingers it finds others in every view.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, UInt8

from handwright.perception.detect.crop_network import INPUT_PX
from handwright.perception.detect.landmarker import Landmarker
from handwright.perception.detect.views import View
from handwright.review.calibration.calibration import logit
from handwright.review.critic.upright_crops import OrientedSquare

VIEWS = ((1.5, False), (2.0, False), (2.6, False), (2.0, True))
"""Side of each view in hand sizes, and whether it is mirrored. With the features of ``image_features`` these
four tell malformed hands as well as twenty views do (weights/appearance/README.md)."""

COUNT = 3  # Numbers a hand

_CERTAIN = 1e-4  # Probabilities are clipped so far from 0 and 1; chosen by eye
_STILL = 1e-3  # Added to distances before the logarithm, in hand sizes; chosen by eye


def landmark_stability(
    pixels: UInt8[np.ndarray, "h w 3"], regions: Sequence[OrientedSquare], landmarker: Landmarker
) -> Float[np.ndarray, "n 3"]:
    """Three numbers for each of these hands of a picture.

    Mean log odds that there is a hand; standard deviation of the probability of a right hand; logarithm of
    the median distance of a landmark from its median over the views, in hand sizes.
    """
    return np.array([_of_hand(pixels, region, landmarker) for region in regions]).reshape(-1, COUNT)


def _of_hand(
    pixels: UInt8[np.ndarray, "h w 3"], region: OrientedSquare, landmarker: Landmarker
) -> Float[np.ndarray, "3"]:
    turn = region.toward_rad + math.pi / 2
    size = max(region.size_px, 1.0)
    views = [View(region.center_px, side * size, INPUT_PX, turn, mirrored) for side, mirrored in VIEWS]
    seen = [view.landmarks_in_crop(pixels, landmarker) for view in views]
    presence = np.clip([present for present, _ in seen], _CERTAIN, 1 - _CERTAIN)
    right = [hand.score if hand.side == "right" else 1 - hand.score for _, hand in seen]
    points = np.stack([hand.landmarks_px for _, hand in seen])
    away = np.linalg.norm(points - np.median(points, axis=0), axis=-1) / size
    return np.array([logit(presence).mean(), np.std(right), math.log(float(np.median(away)) + _STILL)])
