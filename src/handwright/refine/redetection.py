"""Redetection: detect a hand again in the repainted picture and measure its joint error (HandRefiner §4.1).

The joint error is the MPJPE between rendered and redetected joints; a miss counts as 100 %.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import UInt8

from handwright.hand.kinematics import mesh_of
from handwright.perception.analysis import HandAnalysis, analyse_hand
from handwright.perception.detect.confirm import confirm_candidates
from handwright.perception.detect.landmarker import Landmarker
from handwright.perception.detect.views import landmark_distance
from handwright.perception.fit.own_fitter import OwnFitter
from handwright.review.checks.assessability import reasons_not_assessable
from handwright.review.checks.finger_count import count_fingers
from handwright.review.checks.joint_bending import check_joints
from handwright.types import HandFit, HandObservation, Image


@dataclass(frozen=True, kw_only=True)
class RedetectionParams:
    """When a detection is the hand that was painted; chosen by eye."""

    max_distance: float = 0.35  # Mean distance of its landmarks from the expected ones, in hand sizes


PARAMS = RedetectionParams()


@dataclass(frozen=True, eq=False)
class Redetection:
    """A hand as it is found again."""

    # The hand, with the side that it is known to have; None when it is not found
    analysis: HandAnalysis | None
    joint_error: float  # MPJPE to the mesh as a fraction of hand size, 0 … 1; 1 when it is not found


def redetect_hand(
    pixels: UInt8[np.ndarray, "h w 3"], wanted: HandObservation, landmarker: Landmarker
) -> HandObservation | None:
    """Detect the hand near ``wanted`` afresh; None where there is none."""
    found = confirm_candidates(pixels, [wanted], landmarker)
    return found[0] if found and landmark_distance(found[0], wanted) <= PARAMS.max_distance else None


def measure_redetection(
    pixels: UInt8[np.ndarray, "h w 3"],
    observation: HandObservation,
    fit: HandFit,
    landmarker: Landmarker,
    fitter: OwnFitter | None = None,
) -> Redetection:
    """Detect a hand again and measure its joint error.

    The error is the mean 2-D distance between the 16 joints of the rendered mesh and those of a mesh fitted
    afresh to ``pixels`` (by the user's fitter, where there is one), over the longer side of the box of the
    former.
    """
    found = redetect_hand(pixels, observation, landmarker)
    if found is None:
        return Redetection(None, 1.0)
    analysis = analyse_hand(Image(pixels), replace(found, side=observation.side), fitter=fitter)
    again = analysis.landmark_fit.hand
    here = fit.hand.camera.project(mesh_of(fit.hand).joints_cam_m)
    there = again.camera.project(mesh_of(again).joints_cam_m)
    size = float(np.ptp(here, axis=0).max())
    return Redetection(analysis, float(min(np.linalg.norm(here - there, axis=1).mean() / size, 1.0)))


def failed_checks(analysis: HandAnalysis, others: Sequence[HandObservation]) -> tuple[str, ...]:
    """Reasons of the checks of finger count and joint bending that fail by geometry, without any doubt."""
    not_assessable = reasons_not_assessable(analysis)
    checks = (
        ("finger_count", lambda: count_fingers(analysis, others)),
        ("joint_bending", lambda: check_joints(analysis)),
    )
    judged = [make() for name, make in checks if name not in not_assessable]
    return tuple(check.reason for check in judged if check.verdict == "fail")
