"""The user's own SMPL-H file as a back end: the same parameters posed on the licensed body, never shipped.

The file is the model's ``.npz`` (Romero, Tzionas, Black, *Embodied Hands*, 2017); nothing in it is unpickled.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from jaxtyping import Float, Int

from handwright.body.parameters import BodyParameters
from handwright.body.skeleton import JOINTS, PARENTS
from handwright.errors import InvalidValueError
from handwright.hand.rig import axis_angle_matrix

_FINGER_JOINTS = 15
_COUNT = len(JOINTS) + 2 * _FINGER_JOINTS  # 52
_FIX = "give the model.npz of SMPL-H as its authors publish it"


@dataclass(frozen=True, eq=False)
class SmplhModel:
    """The numbers of an SMPL-H file that posing needs."""

    template_m: Float[np.ndarray, "v 3"]  # Mean body in its T
    shape_directions: Float[np.ndarray, "v 3 b"]  # Displacements for one standard deviation of each beta
    pose_directions: Float[np.ndarray, "v 3 p"]  # Displacements for each number of the joints' rotations
    joint_regressor: Float[np.ndarray, "52 v"]  # Joints from vertices
    weights: Float[np.ndarray, "v 52"]  # Shares of the joints in each vertex
    faces: Int[np.ndarray, "f 3"]  # Triangles
    parents: tuple[int, ...]  # Of each joint; −1 of the pelvis


@dataclass(frozen=True, eq=False)
class SmplhBody:
    """A posed SMPL-H body in camera space."""

    vertices_cam_m: Float[np.ndarray, "v 3"]  # Metres
    joints_cam_m: Float[np.ndarray, "52 3"]  # 22 of the body, 15 of the left hand, 15 of the right
    faces: Int[np.ndarray, "f 3"]  # Triangles


def read_smplh(path: Path) -> SmplhModel:
    """Read an SMPL-H file.

    Raises:
        InvalidValueError: It cannot be read, holds pickled objects, or is another model.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
            arrays = {
                name: np.asarray(data[name], np.float64)
                for name in ("v_template", "shapedirs", "posedirs", "J_regressor", "weights")
            }
            faces, tree = np.asarray(data["f"], np.int64), np.asarray(data["kintree_table"], np.int64)
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise InvalidValueError(f"cannot read {path} as SMPL-H", str(error), _FIX) from error
    vertices = len(arrays["v_template"])
    shapes = {
        "shapedirs": (vertices, 3, None),
        "posedirs": (vertices, 3, 9 * (_COUNT - 1)),
        "J_regressor": (_COUNT, vertices),
        "weights": (vertices, _COUNT),
    }
    for name, shape in shapes.items():
        found = arrays[name].shape
        if len(found) != len(shape) or any(w not in (None, n) for w, n in zip(shape, found, strict=True)):
            wanted = " × ".join("any" if n is None else str(n) for n in shape)
            raise InvalidValueError(f"{path} is not SMPL-H", f"{name} is {found}, not {wanted}", _FIX)
    parents = (-1, *(int(k) for k in tree[0][1:])) if tree.ndim == 2 else ()
    if (
        len(parents) != _COUNT
        or parents[: len(JOINTS)] != PARENTS
        or any(p >= k for k, p in enumerate(parents))
    ):
        raise InvalidValueError(f"{path} is not SMPL-H", "its joints hang together otherwise", _FIX)
    return SmplhModel(
        arrays["v_template"],
        arrays["shapedirs"],
        arrays["posedirs"],
        arrays["J_regressor"],
        arrays["weights"],
        faces,
        parents,
    )


def pose_smplh(
    model: SmplhModel, parameters: BodyParameters, betas: Float[np.ndarray, " b"] | None = None
) -> SmplhBody:
    """Pose the licensed body: linear blend skinning with shape and pose displacements.

    Args:
        model: The file.
        parameters: Pose, place and camera. Palm arches and our hands' shape have no place in SMPL-H.
        betas: Shape numbers of SMPL-H, at most as many as the file has; by default its mean body: those of
            ``parameters`` belong to the free body's own components.

    Raises:
        InvalidValueError: There are more shape numbers than the file has.
    """
    betas = np.zeros(0) if betas is None else betas
    if len(betas) > model.shape_directions.shape[2]:
        raise InvalidValueError(
            f"{len(betas)} betas are too many",
            f"the file has {model.shape_directions.shape[2]}",
            "give fewer",
        )
    shaped = model.template_m + model.shape_directions[:, :, : len(betas)] @ betas
    rest = model.joint_regressor @ shaped
    pose = np.concatenate(
        [
            parameters.global_orient[None],
            parameters.body_pose,
            parameters.left_hand_pose,
            parameters.right_hand_pose,
        ]
    )
    local = axis_angle_matrix(pose)
    posed = shaped + model.pose_directions @ (local[1:] - np.eye(3)).ravel()
    turned, at = local.copy(), rest.copy()
    at[0] = parameters.transl
    for joint in range(1, _COUNT):
        parent = model.parents[joint]
        turned[joint] = turned[parent] @ local[joint]
        at[joint] = at[parent] + turned[parent] @ (rest[joint] - rest[parent])
    moves = at - np.einsum("jab,jb->ja", turned, rest)
    blended = np.tensordot(model.weights, turned, 1)
    vertices = np.einsum("vab,vb->va", blended, posed) + model.weights @ moves
    return SmplhBody(vertices, at, model.faces)


def smplh_translation(model: SmplhModel, parameters: BodyParameters) -> Float[np.ndarray, "3"]:
    """SMPL-H's ``trans`` for the mean body: added to its template, where ours is the pelvis joint's place."""
    return parameters.transl - model.joint_regressor[0] @ model.template_m
