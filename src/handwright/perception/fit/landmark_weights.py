"""Weights of landmarks in a fit: fingers whose observed landmarks are implausible count little.

On a hand with a finger missing the detector puts that finger's four landmarks in a bunch at the knuckle. A
finger that is really bent between two straight ones is held down by the thumb (training photographs: thumb
tip within .14 of hand size, once .34; rendered hands with a missing finger: .42 and more).
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, UInt8

from handwright.errors import HandsFileError
from handwright.hand.depth import FAR_SHARE, NEAR, hand_window, render_hand
from handwright.types import HandFit, HandObservation

MIN_LANDMARKS = 6  # Least number of a hand's 21 landmarks that must lie on the depth image (chosen by eye)


def with_depth(
    observation: HandObservation, fit: HandFit, depth: UInt8[np.ndarray, "h w"]
) -> HandObservation:
    """Return the observation with its landmarks' relative depth taken from a depth control image.

    The image holds 255 · (1 − 0.8 · (d − d_min)/(d_max − d_min)) (``hand.depth``); the range in metres is not
    in it and is taken from the hand's first fit. Landmarks on background keep their depth, shifted to the
    rest.

    Raises:
        HandsFileError: The image is empty where this hand is.
    """
    height, width = depth.shape
    at = np.floor(observation.landmarks_px).astype(int)
    inside = (at >= 0).all(1) & (at[:, 0] < width) & (at[:, 1] < height)
    values = np.zeros(21)
    for k in np.flatnonzero(inside):
        x, y = at[k]
        values[k] = depth[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2].max()
    on_hand = values > 0
    window = hand_window(fit.hand, height, width)
    if on_hand.sum() < MIN_LANDMARKS or window is None:
        raise HandsFileError(
            "the depth image is empty where a hand is",
            f"only {int(on_hand.sum())} of its 21 landmarks lie on it",
            "edit the depth image that `handwright hands` writes for this picture",
        )
    drawn = render_hand(fit.hand, height, width, window=window).depth_m
    metres = drawn[np.isfinite(drawn)]
    pixels_per_m = fit.hand.camera.focal_px / float(np.median(metres))
    away = (1 - values / NEAR) / FAR_SHARE * float(np.ptp(metres)) * pixels_per_m
    shift = float(np.median((away - observation.depth_px)[on_hand]))
    return replace(observation, depth_px=np.where(on_hand, away, observation.depth_px + shift))


_LENGTH_RATIO = np.array([0.92, 1.0, 0.95, 0.76])
"""Lengths of index, middle, ring and little finger over the middle finger's, of the rig's mean hand."""


@dataclass(frozen=True, kw_only=True)
class LandmarkWeightParams:
    """When a finger's landmarks are implausible; chosen on the measurements above and by eye.

    Lengths are those of a finger's chain of landmarks over the longest finger's, corrected by
    ``_LENGTH_RATIO``.
    """

    doubtful_weight: float = 0.03  # Weight of an implausible landmark, in [0, 1]
    bunched_length: float = 0.6  # A finger below this length is bunched
    neighbour_length: float = 0.75  # Least length of the fingers beside it
    neighbour_straightness: float = 0.93  # Their least distance from knuckle to tip over the chain's length
    # Least distance of the thumb's tip from the bunched finger's, a fraction of hand size
    thumb_distance: float = 0.38
    # Mean misfit beyond the knuckle, a fraction of hand size, that makes a fitted finger doubtful
    min_misfit: float = 0.025
    misfit_ratio: float = 2.0  # The same over the hand's median misfit


PARAMS = LandmarkWeightParams()


def bunched_finger_weights(observation: HandObservation) -> Float[np.ndarray, "21"]:
    """Weights [21] in [0, 1], low beyond the knuckle of a finger bunched between straight neighbours."""
    chains = observation.landmarks_px[5:].reshape(4, 4, 2)
    steps = np.linalg.norm(np.diff(chains, axis=1), axis=2)
    length = steps.sum(1)
    straight = np.linalg.norm(chains[:, 3] - chains[:, 0], axis=1) / np.maximum(length, 1e-6)
    length = length / _LENGTH_RATIO / max(float((length / _LENGTH_RATIO).max()), 1e-6)
    thumb = np.linalg.norm(chains[:, 3] - observation.landmarks_px[4], axis=1) / observation.size_px
    weights = np.ones(21)
    for finger in range(4):
        neighbours = [k for k in (finger - 1, finger + 1) if 0 <= k < 4]
        beside = all(
            length[k] > PARAMS.neighbour_length and straight[k] > PARAMS.neighbour_straightness
            for k in neighbours
        )
        if beside and length[finger] < PARAMS.bunched_length and thumb[finger] > PARAMS.thumb_distance:
            weights[6 + 4 * finger : 9 + 4 * finger] = PARAMS.doubtful_weight
    return weights


def misfit_finger_weights(observation: HandObservation, fit: HandFit) -> Float[np.ndarray, "21"]:
    """Return weights [21] in [0, 1], low beyond the knuckle of fingers that the fit could not reach."""
    miss = np.linalg.norm(fit.landmarks_px - observation.landmarks_px, axis=1) / observation.size_px
    weights = np.ones(21)
    for finger in range(5):
        distal = slice(2 + 4 * finger, 5 + 4 * finger)
        if miss[distal].mean() > max(PARAMS.min_misfit, PARAMS.misfit_ratio * float(np.median(miss))):
            weights[distal] = PARAMS.doubtful_weight
    return weights
