"""The hand in torch: ``kinematics``, batched and differentiable. No other module imports this one.

Everything follows the dtype and device of ``pose``. It equals the NumPy path within rounding, which the
suite tests.
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from handwright.hand.anatomy import BONE_PARENTS, BONES, FINGER_BONES, PALM_BONES, SHAPE_NAMES
from handwright.hand.rig import SPREAD_SHARE, Rig, load_rig
from handwright.types import Side

_PARENT_FIRST = (16, 17, 18, 19, *range(1, 16))


def landmarks_torch(
    pose: Float[Tensor, "b 15 3"],
    palm_arch: Float[Tensor, "b 2"],
    wrist: Float[Tensor, "b 3"],
    translation_m: Float[Tensor, "b 3"],
    shape: Float[Tensor, "b s"],
    side: Side | Sequence[Side],
    rig: Rig | None = None,
) -> Float[Tensor, "b 21 3"]:
    """Return the 21 landmarks in camera space, metres, MediaPipe order; see :func:`vertices_torch`."""
    rig = rig or load_rig()
    weights = np.zeros((21, len(BONES)))
    np.add.at(weights, (np.arange(21)[:, None], rig.landmark_bones), 0.5)
    skinned = _skin(rig.landmarks_m, weights, rig, *_pose_bones(pose, palm_arch, shape, rig))
    return _to_camera(skinned, wrist, translation_m, side)


def vertices_torch(
    pose: Float[Tensor, "b 15 3"],
    palm_arch: Float[Tensor, "b 2"],
    wrist: Float[Tensor, "b 3"],
    translation_m: Float[Tensor, "b 3"],
    shape: Float[Tensor, "b s"],
    side: Side | Sequence[Side],
    rig: Rig | None = None,
) -> Float[Tensor, "b v 3"]:
    """Return the skin's vertices [B, V, 3] in camera space, metres, of the rig or a denser one."""
    rig = rig or load_rig()
    weights = np.zeros((len(rig.vertices_m), len(BONES)))
    np.add.at(weights, (np.arange(len(weights))[:, None], rig.weight_bones), rig.weights)
    skinned = _skin(rig.vertices_m, weights, rig, *_pose_bones(pose, palm_arch, shape, rig))
    return _to_camera(skinned, wrist, translation_m, side)


def axis_angle_matrix_torch(vector: Float[Tensor, "*n 3"]) -> Float[Tensor, "*n 3 3"]:
    """Rotation matrices of axis-angle vectors (Rodrigues' formula), with exact derivatives at 0."""
    square = (vector * vector).sum(-1)[..., None, None]
    small = square < 1e-8
    safe = torch.where(small, torch.ones_like(square), square)
    angle = safe.sqrt()
    sine = torch.where(small, 1 - square / 6, torch.sin(angle) / angle)
    versine = torch.where(small, 0.5 - square / 24, (1 - torch.cos(angle)) / safe)
    x, y, z = vector.unbind(-1)
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(*vector.shape, 3)
    eye = torch.eye(3, dtype=vector.dtype, device=vector.device)
    return eye + sine * cross + versine * (cross @ cross)


def _constant(array: np.ndarray, like: Tensor) -> Tensor:
    return torch.tensor(array, dtype=like.dtype, device=like.device)


def _rest_bones(shape: Float[Tensor, "b s"], rig: Rig) -> tuple[list[Tensor], list[Tensor]]:
    """Per bone the linear map [B, 3, 3] of shape and the shaped pivot [B, 3]; twin of ``rig.rest_bones``."""
    if shape.shape[-1] != len(SHAPE_NAMES):
        raise ValueError(f"a hand's shape needs {len(SHAPE_NAMES)} numbers, got {shape.shape[-1]}")
    size, palm_width, thickness = shape[:, :3].exp().unbind(1)
    axes, rest = _constant(rig.finger_axes, shape), _constant(rig.joints_m, shape)
    one = torch.ones_like(palm_width)
    palm = torch.diag_embed(torch.stack([palm_width, one, one], 1))
    linear, joints = [palm] * len(BONES), list((rest @ palm).unbind(1))
    for f, chain in enumerate(FINGER_BONES):
        turn = axis_angle_matrix_torch(axes[f, 1] * (shape[:, 3:4] * SPREAD_SHARE[f]))
        along = torch.outer(axes[f, 2], axes[f, 2])
        thick, length = thickness[:, None, None], shape[:, 4 + f].exp()[:, None, None]
        finger = turn @ (
            thick * torch.eye(3, dtype=shape.dtype, device=shape.device) + (length - thick) * along
        )
        for k, bone in enumerate(chain):
            linear[bone] = finger
            if k:
                joints[bone] = joints[chain[k - 1]] + finger @ (rest[bone] - rest[chain[k - 1]])
    return [size[:, None, None] * m for m in linear], [size[:, None] * j for j in joints]


def _pose_bones(
    pose: Float[Tensor, "b 15 3"], palm_arch: Float[Tensor, "b 2"], shape: Float[Tensor, "b s"], rig: Rig
) -> tuple[Float[Tensor, "b 20 3 3"], Float[Tensor, "b 20 3"]]:
    """``linear`` and ``joints_m`` of ``kinematics.pose_bones``."""
    linear, joints = _rest_bones(shape, rig)
    axes = _constant(rig.finger_axes, pose)
    still = torch.eye(3, dtype=pose.dtype, device=pose.device).expand(len(pose), 3, 3)
    local = [still, *axis_angle_matrix_torch(pose).unbind(1), *[still] * (len(PALM_BONES) - 1)]
    local[19] = axis_angle_matrix_torch(axes[3, 0] * palm_arch[:, :1])
    local[18] = axis_angle_matrix_torch(axes[4, 0] * palm_arch[:, 1:])
    rotations, posed = list(local), list(joints)
    for b in _PARENT_FIRST:
        parent = BONE_PARENTS[b]
        rotations[b] = rotations[parent] @ local[b]
        arm = (joints[b] - joints[parent])[..., None]
        posed[b] = (rotations[parent] @ arm)[..., 0] + posed[parent]
    return torch.stack([r @ m for r, m in zip(rotations, linear, strict=True)], 1), torch.stack(posed, 1)


def _skin(
    points_m: np.ndarray, weights: np.ndarray, rig: Rig, linear: Tensor, joints: Tensor
) -> Float[Tensor, "b n 3"]:
    """X = (Σ_b w_b L_b) x0 + Σ_b w_b (J_b − L_b J0_b): linear blend skinning with blended transforms."""
    share, points = _constant(weights, linear), _constant(points_m, linear)
    offset = joints - (linear @ _constant(rig.joints_m, linear)[..., None])[..., 0]
    blended = torch.einsum("nb,kbij->knij", share, linear)
    return (blended @ points[..., None])[..., 0] + torch.einsum("nb,kbi->kni", share, offset)


def _to_camera(
    points: Float[Tensor, "b n 3"],
    wrist: Float[Tensor, "b 3"],
    translation_m: Float[Tensor, "b 3"],
    side: Side | Sequence[Side],
) -> Float[Tensor, "b n 3"]:
    sides = [side] * len(points) if isinstance(side, str) else list(side)
    mirror = _constant(np.array([[-1.0 if s == "left" else 1.0, 1.0, 1.0] for s in sides]), points)
    return (points * mirror[:, None]) @ axis_angle_matrix_torch(wrist).mT + translation_m[:, None]
