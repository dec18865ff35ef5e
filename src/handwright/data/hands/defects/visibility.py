"""Whether a finger that is bent the wrong way is seen to be: beside all others, across its own direction."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from handwright.hand.kinematics import hand_landmarks_m
from handwright.types import Hand

_ACROSS, _CLEAR = 0.12, 0.08
_CHAIN_POINTS = 9


def sticks_out(sound: Hand, bent: Hand, finger: int) -> tuple[bool, float]:
    """Whether a finger lies where, in the picture, it should not.

    A finger that is bent towards or away from the camera is only foreshortened, and one behind its
    neighbours is not seen: such a picture shows nothing wrong.

    Args:
        sound: The hand as it should be.
        bent: The same with one finger bent.
        finger: Index into ``anatomy.FINGERS``.

    Returns:
        Whether its tip is far enough off across the sound finger and clear of the other fingers; and how far
        off it is, in sizes of the hand.
    """
    should, seen = (hand.camera.project(hand_landmarks_m(hand)) for hand in (sound, bent))
    size = float(np.ptp(should, axis=0).max())
    tip, root = 4 + 4 * finger, 1 + 4 * finger
    way = should[tip] - should[root]
    way = way / max(float(np.hypot(*way)), 1e-6)
    off = seen[tip] - should[tip]
    across = abs(float(off[0] * way[1] - off[1] * way[0])) / size
    others = [_chain(seen[1 + 4 * k : 5 + 4 * k]) for k in range(5) if k != finger]
    clear = float(np.hypot(*(np.concatenate(others) - seen[tip]).T).min()) / size
    return across >= _ACROSS and clear >= _CLEAR, across


def _chain(joints: Float[np.ndarray, "4 2"]) -> Float[np.ndarray, "n 2"]:
    """Points along a finger."""
    at = np.linspace(0, 3, _CHAIN_POINTS)
    return np.stack([np.interp(at, range(4), joints[:, k]) for k in range(2)], 1)
