"""Anatomical joint angles of a pose: the closed-form inverse of ``kinematics.pose_of_dofs``."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from handwright.hand.anatomy import DOF_NAMES, FINGER_BONES
from handwright.hand.rig import Rig, axis_angle_matrix, load_rig

DOF_BONES = (
    *(FINGER_BONES[0][k] for k in (0, 0, 0, 1, 1, 2)),
    *(FINGER_BONES[f][k] for f in range(1, 5) for k in (0, 0, 1, 2)),
    -1,
    -1,
)
"""MANO joint that each angle of ``DOF_NAMES`` turns; −1 for the two of the palm arch."""


def dofs_of_pose(
    pose: Float[np.ndarray, "15 3"], palm_arch: Float[np.ndarray, "2"], rig: Rig | None = None
) -> Float[np.ndarray, "24"]:
    """Return the 24 anatomical angles (``DOF_NAMES``) of a pose, in radians.

    They are exact for poses that move along those angles only, with abductions within ±90°. Other components
    of a pose, such as the twist of a finger (MANO has 45 angles), are left out.

    Args:
        pose: [15, 3] axis-angle in right-hand space.
        palm_arch: [2] flexion of the ring and pinky metacarpals, radians.
        rig: The rig that defines the axes; the packaged one by default.
    """
    rig = rig or load_rig()
    dofs = np.zeros(len(DOF_NAMES))
    turns = np.concatenate([np.eye(3)[None], axis_angle_matrix(pose)])
    local = [
        [rig.finger_axes[f] @ turns[b] @ rig.finger_axes[f].T for b in FINGER_BONES[f]] for f in range(5)
    ]
    cmc, mcp, ip = local[0]
    dofs[:3] = _flexion_abduction_twist(cmc)
    dofs[3:5] = _flexion_abduction_twist(mcp)[:2]
    dofs[5] = _flexion(ip)
    for f in range(1, 5):
        mcp, pip, dip = local[f]
        spread = np.arctan2(-mcp[2, 0], mcp[0, 0])
        flexion = np.arctan2(-mcp[1, 2], mcp[1, 1])
        dofs[6 + 4 * (f - 1) : 10 + 4 * (f - 1)] = spread, flexion, _flexion(pip), _flexion(dip)
    dofs[22:24] = palm_arch
    return dofs


def _flexion_abduction_twist(matrix: Float[np.ndarray, "3 3"]) -> tuple[float, float, float]:
    """Return the angles of R = Rx(flexion) · Ry(abduction) · Rz(twist), in a finger's own axes."""
    flexion = np.arctan2(-matrix[1, 2], matrix[2, 2])
    abduction = np.arctan2(matrix[0, 2], np.hypot(matrix[0, 0], matrix[0, 1]))
    twist = np.arctan2(-matrix[0, 1], matrix[0, 0])
    return float(flexion), float(abduction), float(twist)


def _flexion(matrix: Float[np.ndarray, "3 3"]) -> float:
    """Return the angle of the rotation about x that is nearest to a rotation."""
    return float(np.arctan2(matrix[2, 1] - matrix[1, 2], matrix[1, 1] + matrix[2, 2]))
