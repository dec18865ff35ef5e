"""Landmarks, collision spheres and self-penetration of the mean hand at 24 angles, fast."""

import numpy as np
from jaxtyping import Float

from handwright.hand.anatomy import BONE_PARENTS, FINGER_BONES
from handwright.hand.grammar._motion import carry, move_bones, overlaps
from handwright.hand.kinematics import dofs_of_pose, to_camera
from handwright.hand.rig import load_rig
from handwright.types import Hand

_ORDER = np.array(sorted(range(20), key=lambda b: (0 if b == 0 else 1 if b >= 16 else 2, b)))
_PARENTS, _CHAINS = np.array(BONE_PARENTS), np.array(FINGER_BONES)


def landmarks_of(dofs_rad: Float[np.ndarray, "24"]) -> Float[np.ndarray, "21 3"]:
    """Landmarks of the mean right hand in its own frame, metres, MediaPipe order."""
    rig = load_rig()
    return carry(rig.landmarks_m, rig.landmark_bones, *_bones(dofs_rad), rig.joints_m)


def spheres_of(dofs_rad: Float[np.ndarray, "24"]) -> Float[np.ndarray, "s 3"]:
    """Centres of the rig's collision spheres in the hand's own frame, metres."""
    rig = load_rig()
    return carry(rig.spheres_m, rig.sphere_bones[:, None], *_bones(dofs_rad), rig.joints_m)


def overlaps_m(dofs_rad: Float[np.ndarray, "24"]) -> Float[np.ndarray, " p"]:
    """Return the overlap of each of the rig's ``sphere_pairs`` in metres, negative where they are apart."""
    rig = load_rig()
    return overlaps(spheres_of(dofs_rad), rig.sphere_radii_m, rig.sphere_pairs)


def penetration_m(dofs_rad: Float[np.ndarray, "24"]) -> float:
    """Return the deepest self-penetration of the hand by its collision spheres, in metres."""
    return max(float(overlaps_m(dofs_rad).max()), 0.0)


def _bones(dofs: Float[np.ndarray, "24"]) -> tuple[Float[np.ndarray, "20 3 3"], Float[np.ndarray, "20 3"]]:
    rig = load_rig()
    return move_bones(
        np.ascontiguousarray(dofs, np.float64), rig.joints_m, rig.finger_axes, _PARENTS, _ORDER, _CHAINS
    )


TOUCH_M = 0.01  # Hands whose skin is nearer than that touch: fitted wrists are off by so much


def clearance_m(first: Hand, second: Hand) -> float:
    """Least distance of two hands in camera space, metres, by their collision spheres; negative inside."""
    (a, a_radii), (b, b_radii) = _spheres_cam_m(first), _spheres_cam_m(second)
    return float((np.linalg.norm(a[:, None] - b, axis=2) - a_radii[:, None] - b_radii).min())


def _spheres_cam_m(hand: Hand) -> tuple[Float[np.ndarray, "s 3"], Float[np.ndarray, " s"]]:
    size, spheres = float(np.exp(hand.shape[0])), spheres_of(dofs_of_pose(hand.pose, hand.palm_arch))
    return to_camera(size * spheres, hand), size * load_rig().sphere_radii_m
