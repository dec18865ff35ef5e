"""Check: look for the hand again in the repainted picture (SPEC §1, MPJPE; misses count as 100 %)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import UInt8

from handwright.hand.kinematics import mesh_of
from handwright.perception.close import confirm
from handwright.perception.fit import fit_hand
from handwright.perception.landmarker import Landmarker
from handwright.perception.merge import landmark_distance
from handwright.types import HandFit, HandObservation

_SAME_HAND = 0.35


def find_again(
    pixels: UInt8[np.ndarray, "h w 3"], wanted: HandObservation, landmarker: Landmarker
) -> HandObservation | None:
    """The hand near ``wanted`` as a fresh look sees it, or None."""
    seen = confirm(pixels, [wanted], landmarker)
    return seen[0] if seen and landmark_distance(seen[0], wanted) <= _SAME_HAND else None


def joint_error(
    pixels: UInt8[np.ndarray, "h w 3"], observation: HandObservation, fit: HandFit, landmarker: Landmarker
) -> tuple[bool, float]:
    """Whether the hand is found again, and MPJPE as a fraction of hand size (1.0 when it is not).

    2-D mean distance between the 16 joints of the painted mesh and of a mesh fitted afresh to ``pixels``.
    """
    height, width = pixels.shape[:2]
    seen = find_again(pixels, observation, landmarker)
    if seen is None:
        return False, 1.0
    again = fit_hand(replace(seen, side=observation.side), width, height).hand
    here = fit.hand.camera.project(mesh_of(fit.hand).joints_cam_m)
    there = again.camera.project(mesh_of(again).joints_cam_m)
    size = float(np.ptp(here, axis=0).max())
    return True, float(min(np.linalg.norm(here - there, axis=1).mean() / size, 1.0))
