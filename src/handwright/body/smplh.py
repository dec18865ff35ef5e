"""The user's own SMPL-H file as a back end: the same parameters posed on the licensed body, never shipped.

The file is the model's ``.npz`` (Romero, Tzionas, Black, *Embodied Hands*, 2017); nothing in it is unpickled.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from jaxtyping import Bool, Float, Int

from handwright.body.free_body import all_rotations, load_body
from handwright.body.geometry import BodyGeometry
from handwright.body.parameters import BodyParameters
from handwright.body.skeleton import ALL_PARENTS, FINGER_JOINTS, JOINT, JOINTS, SIDES, WHOLEBODY_JOINTS
from handwright.errors import InvalidValueError
from handwright.hand.anatomy import JOINT_OF_LANDMARK
from handwright.hand.rig import axis_angle_matrix, similarity
from handwright.types import Side

POINTS = (
    332, 2800, 6260, 583, 4071,
    3216, 3226, 3387, 6617, 6624, 6787,
    2746, 2319, 2445, 2556, 2673, 6191, 5782, 5905, 6016, 6133,
)  # fmt: skip
"""Vertices of the published mesh at nose, left and right eye and ear; at the left, then the right foot's big
toe, small toe and heel; at the tips of the left, then the right hand's fingers, thumb first: as its authors'
own tools number them."""

_COUNT = len(ALL_PARENTS)  # 52
_MOSTLY = 0.5  # A vertex is a hand's that hangs on wrist and fingers by more than this share
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
    # Vertices at head, feet and fingertips, as of ``POINTS``; of a number that it lacks there is no vertex
    points: tuple[int, ...] = POINTS


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
    if faces.ndim != 2 or faces.shape[1] != 3 or not ((faces >= 0) & (faces < vertices)).all():
        raise InvalidValueError(f"{path} is not SMPL-H", "its triangles name vertices that it lacks", _FIX)
    if broken := [name for name, values in arrays.items() if not np.isfinite(values).all()]:
        raise InvalidValueError(f"{path} is damaged", f"{broken[0]} is not finite", _FIX)
    if tree.ndim != 2 or (-1, *tree[0][1:].tolist()) != ALL_PARENTS:
        raise InvalidValueError(f"{path} is not SMPL-H", "its joints hang together otherwise", _FIX)
    return SmplhModel(
        arrays["v_template"],
        arrays["shapedirs"],
        arrays["posedirs"],
        arrays["J_regressor"],
        arrays["weights"],
        faces,
    )


def pose_smplh(
    model: SmplhModel, parameters: BodyParameters, betas: Float[np.ndarray, " b"] | None = None
) -> BodyGeometry:
    """Pose the licensed body: linear blend skinning with shape and pose displacements.

    Of the 133 points the 68 of the face are the free body's, laid onto nose, eyes and ears by the best
    similarity: SMPL-H has no vertices of that name. Points whose vertices the file lacks are not known.

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
    local = axis_angle_matrix(
        np.concatenate([parameters.body_pose, parameters.left_hand_pose, parameters.right_hand_pose])
    )
    posed = shaped + model.pose_directions @ (local - np.eye(3)).ravel()
    turned, at = all_rotations(parameters), rest.copy()
    at[0] = parameters.transl
    for joint in range(1, _COUNT):
        parent = ALL_PARENTS[joint]
        at[joint] = at[parent] + turned[parent] @ (rest[joint] - rest[parent])
    moves = at - np.einsum("jab,jb->ja", turned, rest)
    blended = np.tensordot(model.weights, turned, 1)
    vertices = np.einsum("vab,vb->va", blended, posed) + model.weights @ moves
    points, known = _points_of(model, vertices, at)
    return BodyGeometry(
        at, turned, vertices, model.faces, {side: _hand_of(model, side) for side in SIDES}, points, known,
        parameters.camera,
    )  # fmt: skip


def _hand_joints(side: Side) -> list[int]:
    """The joints of a hand, its wrist first: MANO's 16."""
    first = len(JOINTS) + FINGER_JOINTS * SIDES.index(side)
    return [JOINT[f"{side}_wrist"], *range(first, first + FINGER_JOINTS)]


def _hand_of(model: SmplhModel, side: Side) -> Int[np.ndarray, " n"]:
    return np.flatnonzero(model.weights[:, _hand_joints(side)].sum(1) > _MOSTLY)


def _points_of(
    model: SmplhModel, vertices_m: Float[np.ndarray, "v 3"], joints_m: Float[np.ndarray, "52 3"]
) -> tuple[Float[np.ndarray, "133 3"], Bool[np.ndarray, "133"]]:
    """COCO-WholeBody's points, and which of them the file has."""
    numbers = np.array(model.points)
    there = numbers < len(vertices_m)
    named = np.where(there[:, None], vertices_m[np.where(there, numbers, 0)], 0.0)
    points, known = np.zeros((133, 3)), np.ones(133, np.bool_)
    points[:5], known[:5] = named[:5], there[:5]
    points[5:17] = joints_m[[JOINT[name] for name in WHOLEBODY_JOINTS]]
    points[17:23], known[17:23] = named[5:11], there[5:11]
    known[23:91] = there[:5].all()
    if known[23]:
        mean = load_body().vertices_m[0, load_body().points]  # Head, feet, face
        points[23:91] = _laid_onto(mean[:5], named[:5], mean[11:])
    for k, side in enumerate(SIDES):
        joints, tips = _hand_joints(side), iter(range(11 + 5 * k, 16 + 5 * k))
        for landmark, joint in enumerate(JOINT_OF_LANDMARK, start=91 + 21 * k):
            if joint >= 0:
                points[landmark] = joints_m[joints[joint]]
            else:
                tip = next(tips)
                points[landmark], known[landmark] = named[tip], there[tip]
    return points, known


def _laid_onto(
    model: Float[np.ndarray, "n 3"], target: Float[np.ndarray, "n 3"], points: Float[np.ndarray, "k 3"]
) -> Float[np.ndarray, "k 3"]:
    """Points moved by the similarity that lays ``model`` onto ``target`` best."""
    middle, centre = model.mean(0), target.mean(0)
    return (points - middle) @ similarity(model - middle, target - centre) + centre


def smplh_translation(model: SmplhModel, parameters: BodyParameters) -> Float[np.ndarray, "3"]:
    """SMPL-H's ``trans`` for the mean body: added to its template, where ours is the pelvis joint's place."""
    return parameters.transl - model.joint_regressor[0] @ model.template_m
