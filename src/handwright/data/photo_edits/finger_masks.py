"""Which pixels are which finger: soft shares of a patient's picture."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from handwright.data.photo_edits.subject import Patient
from handwright.drawing.geometry.layer_assignment import smoothstep

FROM_WEB = (0.12, 0.5)
"""A finger that is set in grows out of the palm over this share of its first bone."""
FROM_PALM = (-0.3, -0.15)
"""A lifted finger brings so much of the palm along, for where there is none."""
STUMP = (0.16, 0.27)
"""An erased one ends here, at its sides; in its middle farther out by ``_CAP``."""
_CAP = 0.14
_TUBE = 1.75


def finger_share(
    patient: Patient, number: int, hand: Float[np.ndarray, "w w"], start: tuple[float, float] = FROM_PALM
) -> Float[np.ndarray, "w w"]:
    """How much of each pixel is this finger, beginning where it grows out of the palm.

    Args:
        patient: Whose.
        number: Which finger.
        hand: float32 [W, W] share of each pixel that is hand.
        start: Where it begins and where it is whole, in shares of its first bone.
    """
    own = patient.fingers[number]
    mine = patient.reach(number) / own.radius
    others = [patient.reach(k) / f.radius for k, f in enumerate(patient.fingers) if k != number]
    nearest = smoothstep(-0.25, 0.25, np.minimum.reduce(others) - mine)
    tube = 1 - smoothstep(_TUBE, _TUBE + 0.3, mine)
    return (hand * nearest * tube * smoothstep(*start, rise(patient, own.chain))).astype(np.float32)


def stump_share(patient: Patient, number: int, hand: Float[np.ndarray, "w w"]) -> Float[np.ndarray, "w w"]:
    """What of a finger goes when it is taken away: all but a round end at its web."""
    own = patient.fingers[number]
    away = patient.reach(number) / own.radius
    cap = _CAP * np.sqrt(np.clip(1 - away**2, 0, 1))
    whole = finger_share(patient, number, hand, (-0.2, -0.1))
    return (whole * smoothstep(*STUMP, rise(patient, own.chain) - cap)).astype(np.float32)


def rise(patient: Patient, chain: Float[np.ndarray, "4 2"]) -> Float[np.ndarray, "w w"]:
    """How far each pixel lies along a chain's first bone, in its lengths; float32 [W, W]."""
    x, y = patient.places
    way = chain[1] - chain[0]
    at = ((x - chain[0, 0]) * way[0] + (y - chain[0, 1]) * way[1]) / max(float(way @ way), 1e-6)
    return at.astype(np.float32)
