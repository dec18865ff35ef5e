"""Measures of keypoints: `joints` (MPJPE, PCK, detection scores) and `average_precision` (OKS, DAP)."""

from handwright.metrics.keypoints.average_precision import FoundPerson, dap
from handwright.metrics.keypoints.joints import (
    JointErrors,
    confidence_where_found,
    detection_confidence,
    found_rate,
    joint_errors,
    match_hands,
    miss_rate,
    mpjpe,
    pck,
)

__all__ = [
    "FoundPerson", "JointErrors", "confidence_where_found", "dap", "detection_confidence", "found_rate",
    "joint_errors", "match_hands", "miss_rate", "mpjpe", "pck",
]  # fmt: skip
