"""Whether a backwards bend shows: a foreshortened or hidden finger looks sound."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from handwright.hand.kinematics import hand_landmarks_m
from handwright.types import Hand

_ACROSS = 0.12
"""Least distance of the bent fingertip from the sound finger's line, in hand sizes; chosen by eye."""
_CLEAR = 0.08  # Least distance of the bent fingertip from every other finger, in hand sizes; chosen by eye
_CHAIN_POINTS = 9


def bend_shows(sound: Hand, bent: Hand, finger: int) -> tuple[bool, float]:
    """Whether a bent finger lies where, in the picture, no sound finger could.

    A finger that is bent towards or away from the camera is only foreshortened, and one behind its
    neighbours is hidden: such a picture shows nothing wrong.

    Args:
        sound: The hand as it should be.
        bent: The same with one finger bent.
        finger: Index into ``anatomy.FINGERS``.

    Returns:
        Whether its tip is far enough off across the sound finger and clear of the other fingers; and how far
        off it is, in hand sizes.
    """
    sound_px, bent_px = (hand.camera.project(hand_landmarks_m(hand)) for hand in (sound, bent))
    size = float(np.ptp(sound_px, axis=0).max())
    tip, root = 4 + 4 * finger, 1 + 4 * finger
    along = sound_px[tip] - sound_px[root]
    along = along / max(float(np.hypot(*along)), 1e-6)
    off = bent_px[tip] - sound_px[tip]
    across = abs(float(off[0] * along[1] - off[1] * along[0])) / size
    others = [_chain(bent_px[1 + 4 * k : 5 + 4 * k]) for k in range(5) if k != finger]
    clear = float(np.hypot(*(np.concatenate(others) - bent_px[tip]).T).min()) / size
    return across >= _ACROSS and clear >= _CLEAR, across


def _chain(joints: Float[np.ndarray, "4 2"]) -> Float[np.ndarray, "n 2"]:
    """Points along a finger."""
    at = np.linspace(0, 3, _CHAIN_POINTS)
    return np.stack([np.interp(at, range(4), joints[:, k]) for k in range(2)], 1)
