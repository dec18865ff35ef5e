"""Anatomical limits of a body and its fingers: how far parameters lie beyond, the nearest within."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from handwright.body.free_body import global_rotations, parameters_with, pose_body
from handwright.body.parameters import BodyParameters
from handwright.body.skeleton import JOINTS, SIDES
from handwright.hand.anatomy import DOF_LIMITS_RAD
from handwright.hand.kinematics import dofs_of_pose, pose_of_dofs
from handwright.hand.rig import axis_angle_matrix, matrix_axis_angle
from handwright.types import Hand, Side

_LEFT_DEG: dict[str, tuple[tuple[float, float], tuple[float, float], tuple[float, float]]] = {
    "hip": ((-45, 45), (-30, 50), (-125, 30)),
    "knee": ((-10, 10), (-10, 10), (-10, 150)),
    "ankle": ((-35, 35), (-35, 35), (-30, 50)),
    "foot": ((-20, 20), (-20, 20), (-60, 60)),
    "spine1": ((-15, 15), (-12, 12), (-12, 30)),
    "spine2": ((-20, 20), (-15, 15), (-15, 30)),
    "spine3": ((-20, 20), (-12, 12), (-12, 25)),
    "neck": ((-40, 40), (-25, 25), (-30, 30)),
    "head": ((-40, 40), (-25, 25), (-30, 30)),
    "collar": ((-30, 30), (-15, 40), (-15, 15)),
    "shoulder": ((-140, 100), (-100, 95), (-180, 180)),
    "elbow": ((-155, 5), (-12, 12), (-95, 95)),
    "wrist": ((-65, 65), (-75, 75), (-75, 75)),
}
BODY_LIMITS_RAD: Float[np.ndarray, "21 3 2"] = np.deg2rad(
    [
        [
            (-high, -low) if JOINTS[joint].startswith("right") and axis < 2 else (low, high)
            for axis, (low, high) in enumerate(_LEFT_DEG[JOINTS[joint].split("_")[-1]])
        ]
        for joint in range(1, len(JOINTS))
    ]
)
"""Lowest and highest angle about y, z and x (R = Ry · Rz · Rx, in the template's axes) of the joints after
the pelvis.

Of arms: y is the elbow's flexion, x the turn along the bone; of legs x is flexion. Ranges of motion of
healthy adults (American Academy of Orthopaedic Surgeons, *Joint Motion*, 1965), widened where the template's
axes are not the joint's (a wrist's include what the elbow's share of the forearm's turn leaves).
"""


def angles_of(local: Float[np.ndarray, "n 3 3"]) -> Float[np.ndarray, "n 3"]:
    """Angles about y, z and x of rotations R = Ry · Rz · Rx, radians."""
    along = local[..., :, 0]
    y = np.arctan2(-along[..., 2], along[..., 0])
    z = np.arcsin(np.clip(along[..., 1], -1, 1))
    rest = (_about(1, y) @ _about(2, z)).swapaxes(-1, -2) @ local
    return np.stack([y, z, np.arctan2(rest[..., 2, 1], rest[..., 1, 1])], -1)


def rotation_of(angles_rad: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3 3"]:
    """The inverse of :func:`angles_of`."""
    y, z, x = np.moveaxis(angles_rad, -1, 0)
    return _about(1, y) @ _about(2, z) @ _about(0, x)


def _about(axis: int, angle_rad: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n 3 3"]:
    return axis_angle_matrix(np.asarray(angle_rad)[..., None] * np.eye(3)[axis])


@dataclass(frozen=True)
class Excess:
    """How far parameters lie beyond anatomical limits."""

    body_rad: float  # The largest of all body joints' angles
    fingers_rad: float  # The largest of both hands' 24 angles, and of what is no movement of a finger at all

    def beyond(self, tolerance_rad: float = np.deg2rad(2.0)) -> bool:
        """Whether any joint is outside by more than a tolerance (2° by default: nobody sees it)."""
        return max(self.body_rad, self.fingers_rad) > tolerance_rad


def excess_of(parameters: BodyParameters) -> Excess:
    """How far a body is beyond its limits."""
    angles = angles_of(axis_angle_matrix(parameters.body_pose))
    body = _outside(angles, BODY_LIMITS_RAD)
    fingers = 0.0
    for hand in pose_body(parameters).hands.values():
        dofs = dofs_of_pose(hand.pose, hand.palm_arch)
        fingers = max(fingers, _outside(dofs, DOF_LIMITS_RAD), _other_movement_rad(hand, dofs))
    return Excess(body, fingers)


def within_limits(parameters: BodyParameters) -> BodyParameters:
    """The same person with every angle clipped to its limits; what is within them stays as it is."""
    angles = angles_of(axis_angle_matrix(parameters.body_pose))
    outside = (np.clip(angles, *np.moveaxis(BODY_LIMITS_RAD, -1, 0)) != angles).any(-1)
    pose = parameters.body_pose.copy()
    if outside.any():
        clipped = np.clip(angles, *np.moveaxis(BODY_LIMITS_RAD, -1, 0))
        pose[outside] = matrix_axis_angle(rotation_of(clipped[outside]))
    straight = replace(parameters, body_pose=pose)
    posed = pose_body(straight)
    hands: dict[Side, Hand] = {}
    changed = False
    for side in SIDES:
        hand = posed.hands[side]
        dofs = dofs_of_pose(hand.pose, hand.palm_arch)
        if _outside(dofs, DOF_LIMITS_RAD) > 1e-9 or _other_movement_rad(hand, dofs) > 1e-6:
            fingers, arch = pose_of_dofs(np.clip(dofs, *DOF_LIMITS_RAD.T))
            hand, changed = replace(hand, pose=fingers, palm_arch=arch), True
        hands[side] = hand
    return parameters_with(straight, global_rotations(straight), hands) if changed else straight


def _outside(values: Float[np.ndarray, "*n"], limits: Float[np.ndarray, "*n 2"]) -> float:
    return float(np.maximum(limits[..., 0] - values, values - limits[..., 1]).max(initial=0.0))


def _other_movement_rad(hand: Hand, dofs: Float[np.ndarray, "24"]) -> float:
    """The largest turn of a finger joint that none of its anatomical angles explains."""
    allowed, _ = pose_of_dofs(dofs)
    rest = axis_angle_matrix(allowed).swapaxes(1, 2) @ axis_angle_matrix(hand.pose)
    return float(np.linalg.norm(matrix_axis_angle(rest), axis=1).max())
