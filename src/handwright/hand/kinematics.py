"""Forward kinematics and skinning: a ``Hand`` becomes a ``HandMesh``; joint angles in closed form."""
# pyright: reportMissingParameterType=false

from dataclasses import dataclass, replace

import numba as nb
import numpy as np
from jaxtyping import Float, Int

from handwright.hand.anatomy import BONE_PARENTS, DOF_NAMES, FINGER_BONES
from handwright.hand.rig import Rig, axis_angle_matrix, load_rig, matrix_axis_angle, rest_bones
from handwright.types import Camera, Hand, HandMesh, Side

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


_PARENT_FIRST = tuple(sorted(range(20), key=lambda b: (0 if b == 0 else 1 if b >= 16 else 2, b)))
_DOF_FINGER = np.array([0] * 6 + [f for f in range(1, 5) for _ in range(4)])
_DOF_AXIS = np.array([0, 1, 2, 0, 1, 0] + [1, 0, 0, 0] * 4)
"""Finger, and axis (0 flexion, 1 abduction, 2 along), of each of the fingers' 22 angles."""

_MIRROR = np.diag([-1.0, 1.0, 1.0])


@dataclass(frozen=True, eq=False)
class PosedBones:
    """Posed bones: rest point x on bone b → ``linear[b] @ (x − joints_rest_m[b]) + joints_m[b]``."""

    rotations: Float[np.ndarray, "20 3 3"]  # [20, 3, 3] of each bone from rest, in hand space
    linear: Float[np.ndarray, "20 3 3"]  # [20, 3, 3] rotation after shape
    joints_m: Float[np.ndarray, "20 3"]  # [20, 3] posed pivots, in hand space
    joints_rest_m: Float[np.ndarray, "20 3"]  # [20, 3] the rig's own pivots


def pose_bones(rig: Rig, hand: Hand) -> PosedBones:
    """Compute forward kinematics in right-hand space, wrist at the origin, without the wrist's rotation."""
    linear, joints = rest_bones(rig, hand.shape)
    local = np.repeat(np.eye(3)[None], 20, 0)
    arches = rig.finger_axes[[4, 3], 0] * hand.palm_arch[::-1, None]
    local[[*range(1, 16), 18, 19]] = axis_angle_matrix(np.concatenate([hand.pose, arches]))
    rotations, posed = local.copy(), joints.copy()
    for b in _PARENT_FIRST[1:]:
        parent = BONE_PARENTS[b]
        rotations[b] = rotations[parent] @ local[b]
        posed[b] = rotations[parent] @ (joints[b] - joints[parent]) + posed[parent]
    return PosedBones(rotations, rotations @ linear, posed, rig.joints_m)


def to_camera(points_m: Float[np.ndarray, "*n 3"], hand: Hand) -> Float[np.ndarray, "*n 3"]:
    """Transform points [..., 3] from right-hand space to camera space, metres; left hands are mirrored."""
    matrix = axis_angle_matrix(hand.wrist)
    if hand.side == "left":
        matrix = matrix @ _MIRROR
    return points_m @ matrix.T + hand.translation_m


def pose_points(
    points_m: Float[np.ndarray, "n 3"],
    bones: Int[np.ndarray, "n k"],
    weights: Float[np.ndarray, "n k"],
    posed: PosedBones,
) -> Float[np.ndarray, "n 3"]:
    """Pose rest points by linear blend skinning: the fast path of :func:`pose_points_reference`."""
    return blend_skin(points_m, bones, weights, posed.linear, posed.joints_m, posed.joints_rest_m)


def pose_points_reference(
    points_m: Float[np.ndarray, "n 3"],
    bones: Int[np.ndarray, "n k"],
    weights: Float[np.ndarray, "n k"],
    posed: PosedBones,
) -> Float[np.ndarray, "n 3"]:
    """Compute X = Σ_k w_k (L_b (x0 − J0_b) + J_b): the readable reference."""
    offset = points_m[:, None] - posed.joints_rest_m[bones]
    moved = np.einsum("nkij,nkj->nki", posed.linear[bones], offset) + posed.joints_m[bones]
    return (weights[..., None] * moved).sum(1)


def hand_landmarks_m(hand: Hand, rig: Rig | None = None) -> Float[np.ndarray, "21 3"]:
    """Return the 21 landmarks in camera space, metres, MediaPipe order."""
    rig = rig or load_rig()
    return to_camera(_landmarks(rig, pose_bones(rig, hand)), hand)


def mesh_of(hand: Hand, rig: Rig | None = None) -> HandMesh:
    """Pose and shape the rig's skin (or a denser one's): surface, landmarks and joints in camera space."""
    rig = rig or load_rig()
    posed = pose_bones(rig, hand)
    faces = rig.faces if hand.side == "right" else rig.faces[:, ::-1]
    return HandMesh(
        vertices_cam_m=_skin_m(rig, posed, hand),
        faces=np.ascontiguousarray(faces),
        landmarks_cam_m=to_camera(_landmarks(rig, posed), hand),
        joints_cam_m=to_camera(posed.joints_m[:16], hand),
        side=hand.side,
    )


def skin_of(hand: Hand) -> Float[np.ndarray, "v 3"]:
    """Return only the vertices of :func:`mesh_of` with the packaged rig, in camera space, metres."""
    rig = load_rig()
    return _skin_m(rig, pose_bones(rig, hand), hand)


def pose_of_dofs(
    dofs_rad: Float[np.ndarray, "24"], rig: Rig | None = None
) -> tuple[Float[np.ndarray, "15 3"], Float[np.ndarray, "2"]]:
    """Return pose [15, 3] (axis-angle) and palm arch [2] of the 24 angles of ``DOF_NAMES``, radians."""
    rig = rig or load_rig()
    if dofs_rad.shape != (len(DOF_NAMES),):
        raise ValueError(f"expected {len(DOF_NAMES)} angles, got {dofs_rad.shape}")
    local = np.repeat(np.eye(3)[None], 16, 0)
    turns = axis_angle_matrix(rig.finger_axes[_DOF_FINGER, _DOF_AXIS] * dofs_rad[:22, None])
    cmc, mcp, ip = FINGER_BONES[0]
    local[cmc], local[mcp], local[ip] = turns[0] @ turns[1] @ turns[2], turns[3] @ turns[4], turns[5]
    for f in range(1, 5):
        spread, first, second, third = turns[6 + 4 * (f - 1) : 10 + 4 * (f - 1)]
        mcp, pip, dip = FINGER_BONES[f]
        local[mcp], local[pip], local[dip] = spread @ first, second, third
    return matrix_axis_angle(local[1:]), np.array(dofs_rad[22:24], np.float64)


def hand_landmarks_px(hand: Hand) -> Float[np.ndarray, "21 2"]:
    """The 21 landmarks in pixels of the hand's picture."""
    return hand.camera.project(hand_landmarks_m(hand))


def hand_in_window(hand: Hand, left: float, top: float, scale: float) -> Hand:
    """The hand in a window that begins at left, top and is shown ``scale`` times as large."""
    x, y = hand.camera.center_px
    return replace(hand, camera=Camera(hand.camera.focal_px * scale, ((x - left) * scale, (y - top) * scale)))


def mirror_hand_x(hand: Hand, width_px: float) -> Hand:
    """Return the hand in the picture flipped left to right: the same pose and shape, the other side."""
    side: Side = "left" if hand.side == "right" else "right"
    x, y = hand.camera.center_px
    camera = replace(hand.camera, center_px=(width_px - x, y))
    wrist = hand.wrist * np.array([1.0, -1.0, -1.0])
    translation_m = hand.translation_m * np.array([-1.0, 1.0, 1.0])
    return replace(hand, wrist=wrist, translation_m=translation_m, side=side, camera=camera)


def _skin_m(rig: Rig, posed: PosedBones, hand: Hand) -> Float[np.ndarray, "v 3"]:
    return to_camera(pose_points(rig.vertices_m, rig.weight_bones, rig.weights, posed), hand)


def _landmarks(rig: Rig, posed: PosedBones) -> Float[np.ndarray, "21 3"]:
    half = np.full((21, 2), 0.5)
    return pose_points_reference(rig.landmarks_m, rig.landmark_bones, half, posed)


@nb.njit(cache=True, fastmath=True, nogil=True)
def blend_skin(points, bones, weights, linear, joints, joints_rest):  # noqa: ANN001, ANN201
    """Linear blend skinning: points [V, 3] moved by bones [V, K] with weights [V, K].

    Bone b takes a point p to linear[b] (p − joints_rest[b]) + joints[b].
    """
    out = np.zeros_like(points)
    for i in range(points.shape[0]):
        for k in range(bones.shape[1]):
            w = weights[i, k]
            if w <= 0.0:
                continue
            b = bones[i, k]
            x = points[i, 0] - joints_rest[b, 0]
            y = points[i, 1] - joints_rest[b, 1]
            z = points[i, 2] - joints_rest[b, 2]
            for c in range(3):
                moved = linear[b, c, 0] * x + linear[b, c, 1] * y + linear[b, c, 2] * z + joints[b, c]
                out[i, c] += w * moved
    return out
