"""Contacts: bring fingertips together, or resolve self-penetration, by damped Gauss–Newton steps."""

import numpy as np
from jaxtyping import Float

from handwright.hand.grammar.motion import landmarks_of, overlaps_m

TOUCHING_M = 0.0125
APART_M = 0.021
"""Distances in metres of two fingertip landmarks that touch, and of two that certainly do not (by eye)."""

_SKIN_M = 0.0008  # Overlap of collision spheres that soft skin allows, metres (by eye)
_STEPS = 24  # Most steps of either search
_CLOSE_M = 1.5e-3  # Largest error, metres, at which a contact counts as reached
_PROBE = 1e-4  # Angle in radians of the numerical derivative
_DAMPING = 3e-5  # Damping of the normal equations, square metres


def touch(
    dofs_rad: Float[np.ndarray, "24"],
    contacts: tuple[int, ...],
    bounds: Float[np.ndarray, "24 2"],
    steps: int = _STEPS,
    gap_m: float = TOUCHING_M,
) -> Float[np.ndarray, "24"]:
    """Return angles near ``dofs_rad`` at which the thumb's tip touches these fingers' tips and no others.

    Damped least squares with a numerical Jacobian minimise Σ (|tip − thumb tip| − gap)² over the contacts,
    and the approach of other tips to less than ``APART_M``.
    """
    tips, touching = np.array([8, 12, 16, 20]), np.isin([1, 2, 3, 4], contacts)
    dofs = np.clip(dofs_rad, *bounds.T)

    def miss(angles: Float[np.ndarray, "24"]) -> Float[np.ndarray, "4"]:
        points = landmarks_of(angles)
        apart = np.linalg.norm(points[tips] - points[4], axis=1)
        return np.where(touching, apart - gap_m, np.minimum(apart - APART_M, 0))

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


def untangle(
    dofs_rad: Float[np.ndarray, "24"], bounds: Float[np.ndarray, "24 2"], steps: int = 8
) -> Float[np.ndarray, "24"]:
    """Angles near ``dofs_rad`` at which the hand does not run into itself.

    Minimises Σ max(overlap − 0.8 mm, 0)² over the rig's sphere pairs by damped least squares.
    """
    dofs = np.clip(dofs_rad, *bounds.T)
    for _ in range(steps):
        overlap = overlaps_m(dofs)
        active = overlap > _SKIN_M
        if not active.any():
            break
        residual = overlap[active] - _SKIN_M
        jacobian = np.empty((len(residual), 24))
        for index in range(24):
            probe = dofs.copy()
            probe[index] += _PROBE
            jacobian[:, index] = (overlaps_m(probe)[active] - overlap[active]) / _PROBE
        normal = jacobian.T @ jacobian + _DAMPING * np.eye(24)
        dofs = np.clip(dofs - np.clip(np.linalg.solve(normal, jacobian.T @ residual), -0.2, 0.2), *bounds.T)
    return dofs
