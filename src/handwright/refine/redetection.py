"""Check: look for the hand again in the repainted picture (SPEC §1, MPJPE; misses count as 100 %)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import UInt8

from handwright.hand.kinematics import mesh_of
from handwright.perception.detect.confirm import confirm_candidates
from handwright.perception.detect.duplicates import landmark_distance
from handwright.perception.detect.landmarker import Landmarker
from handwright.perception.fit.hand_fit import fit_hand
from handwright.review.checks.assessability import reasons_not_assessable
from handwright.review.checks.finger_count import count_fingers
from handwright.review.checks.hand_measurements import measure_hand
from handwright.review.checks.joint_bending import check_joints
from handwright.types import HandFit, HandObservation, Image

_SAME_HAND = 0.35


@dataclass(frozen=True, eq=False)
class Look:
    """What a second look sees of a hand.

    Attributes:
        seen: The hand, with the side that it is known to have; None when it is not found.
        joint_error: MPJPE to the mesh as a fraction of hand size; 1 when it is not found.
    """

    seen: HandObservation | None
    joint_error: float


def find_again(
    pixels: UInt8[np.ndarray, "h w 3"], wanted: HandObservation, landmarker: Landmarker
) -> HandObservation | None:
    """The hand near ``wanted`` as a fresh look sees it, or None."""
    seen = confirm_candidates(pixels, [wanted], landmarker)
    return seen[0] if seen and landmark_distance(seen[0], wanted) <= _SAME_HAND else None


def look_again(
    pixels: UInt8[np.ndarray, "h w 3"], observation: HandObservation, fit: HandFit, landmarker: Landmarker
) -> Look:
    """Find a hand again and measure its joint error.

    2-D mean distance between the 16 joints of the painted mesh and of a mesh fitted afresh to ``pixels``.
    """
    height, width = pixels.shape[:2]
    seen = find_again(pixels, observation, landmarker)
    if seen is None:
        return Look(None, 1.0)
    seen = replace(seen, side=observation.side)
    again = fit_hand(seen, width, height).hand
    here = fit.hand.camera.project(mesh_of(fit.hand).joints_cam_m)
    there = again.camera.project(mesh_of(again).joints_cam_m)
    size = float(np.ptp(here, axis=0).max())
    return Look(seen, float(min(np.linalg.norm(here - there, axis=1).mean() / size, 1.0)))


def joint_error(
    pixels: UInt8[np.ndarray, "h w 3"], observation: HandObservation, fit: HandFit, landmarker: Landmarker
) -> tuple[bool, float]:
    """Whether the hand is found again, and its joint error (``look_again``)."""
    look = look_again(pixels, observation, fit, landmarker)
    return look.seen is not None, look.joint_error


def failed_checks(
    pixels: UInt8[np.ndarray, "h w 3"], hand: HandObservation, others: Sequence[HandObservation]
) -> tuple[str, ...]:
    """Reasons of the checks of finger count and joint bending that fail by geometry; none that is in doubt.

    Args:
        pixels: The picture.
        hand: As it is seen there.
        others: The picture's other hands.
    """
    evidence = measure_hand(Image(pixels), hand)
    doubted = reasons_not_assessable(evidence)
    checks = (
        ("finger_count", lambda: count_fingers(evidence, others)),
        ("joint_bending", lambda: check_joints(evidence)),
    )
    made = [make() for name, make in checks if name not in doubted]
    return tuple(check.reason for check in made if check.verdict == "fail")
