"""Bring fingertips together, or apart: a few damped Gauss–Newton steps over the joints that can help."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from handwright.hand.anatomy import SHAPE_NAMES
from handwright.hand.kinematics import hand_landmarks_m, pose_of_dofs
from handwright.types import Camera, Hand

TOUCHING_M = 0.0125
APART_M = 0.021
"""Distances of two fingertip landmarks whose skins touch, and of two that surely do not."""

_STEPS, _CLOSE_M, _PROBE, _DAMPING = 24, 1.5e-3, 1e-4, 3e-5


def landmarks_of(dofs_rad: Float[np.ndarray, "24"]) -> Float[np.ndarray, "21 3"]:
    """Landmarks of the mean right hand in its own frame, metres."""
    pose, arch = pose_of_dofs(dofs_rad)
    zeros = np.zeros(3)
    return hand_landmarks_m(
        Hand(pose, arch, zeros, zeros, np.zeros(len(SHAPE_NAMES)), "right", Camera(1.0, (0.0, 0.0)))
    )


def touch(
    dofs_rad: Float[np.ndarray, "24"],
    contacts: tuple[int, ...],
    bounds: Float[np.ndarray, "24 2"],
    steps: int = _STEPS,
) -> Float[np.ndarray, "24"]:
    """Angles near ``dofs_rad`` at which the thumb's tip touches these fingers' tips and no others.

    Minimises Σ (|tip − thumb tip| − 12.5 mm)² over the contacts, and what others come nearer than 21 mm, by
    damped least squares with a numerical Jacobian.

    Args:
        dofs_rad: [24] where to start.
        contacts: Fingers (1 index … 4 pinky) to touch.
        bounds: [24, 2] lowest and highest angles.
        steps: At most so many.
    """
    tips, touching = np.array([8, 12, 16, 20]), np.isin([1, 2, 3, 4], contacts)
    dofs = np.clip(dofs_rad, *bounds.T)

    def miss(angles: Float[np.ndarray, "24"]) -> Float[np.ndarray, "4"]:
        points = landmarks_of(angles)
        apart = np.linalg.norm(points[tips] - points[4], axis=1)
        return np.where(touching, apart - TOUCHING_M, np.minimum(apart - APART_M, 0))

    residual = miss(dofs)
    for _ in range(steps):
        if np.abs(residual).max() < _CLOSE_M:
            break
        fingers = [6 + 4 * f + k for f in np.flatnonzero(touching | (residual != 0)) for k in range(4)]
        moved = np.array([0, 1, 2, 3, 5, *fingers])
        jacobian = np.empty((4, len(moved)))
        for column, index in enumerate(moved):
            probe = dofs.copy()
            probe[index] += _PROBE
            jacobian[:, column] = (miss(probe) - residual) / _PROBE
        gram = jacobian @ jacobian.T + _DAMPING * np.eye(4)
        dofs[moved] -= np.clip(jacobian.T @ np.linalg.solve(gram, residual), -0.25, 0.25)
        dofs = np.clip(dofs, *bounds.T)
        residual = miss(dofs)
    return dofs
