"""Per-finger trust: which observed landmarks to believe before and after a fit.

A detector that meets a hand with a finger missing puts that finger's four landmarks in a bunch at the
knuckle. A finger that is really bent between two straight ones is held down by the thumb (training
photographs: thumb tip within .14 of hand size, once .34; rendered hands with a missing finger: .42 and more).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from handwright.types import HandFit, HandObservation

DOUBTED_WEIGHT = 0.03
_LENGTH_RATIO = np.array([0.92, 1.0, 0.95, 0.76])
_BUNCHED, _LONG, _STRAIGHT, _THUMB_AWAY = 0.6, 0.75, 0.93, 0.38
_LEAST_MISFIT = 0.025


def bunched_finger_weights(seen: HandObservation) -> Float[np.ndarray, "21"]:
    """Weights [21]: low beyond the knuckle of a finger that is bunched up between straight neighbours.

    Args:
        seen: The observation; only its 2-D landmarks count.
    """
    chains = seen.landmarks_px[5:].reshape(4, 4, 2)
    steps = np.linalg.norm(np.diff(chains, axis=1), axis=2)
    length = steps.sum(1)
    straight = np.linalg.norm(chains[:, 3] - chains[:, 0], axis=1) / np.maximum(length, 1e-6)
    length = length / _LENGTH_RATIO / max(float((length / _LENGTH_RATIO).max()), 1e-6)
    thumb = np.linalg.norm(chains[:, 3] - seen.landmarks_px[4], axis=1) / seen.size_px
    weights = np.ones(21)
    for finger in range(4):
        neighbours = [k for k in (finger - 1, finger + 1) if 0 <= k < 4]
        beside = all(length[k] > _LONG and straight[k] > _STRAIGHT for k in neighbours)
        if beside and length[finger] < _BUNCHED and thumb[finger] > _THUMB_AWAY:
            weights[6 + 4 * finger : 9 + 4 * finger] = DOUBTED_WEIGHT
    return weights


def misfit_finger_weights(seen: HandObservation, fit: HandFit) -> Float[np.ndarray, "21"]:
    """Weights [21]: low beyond the knuckle of fingers that lie far from where the fit could put them."""
    miss = np.linalg.norm(fit.landmarks_px - seen.landmarks_px, axis=1) / seen.size_px
    weights = np.ones(21)
    for finger in range(5):
        beyond = slice(2 + 4 * finger, 5 + 4 * finger)
        if miss[beyond].mean() > max(_LEAST_MISFIT, 2 * float(np.median(miss))):
            weights[beyond] = DOUBTED_WEIGHT
    return weights
