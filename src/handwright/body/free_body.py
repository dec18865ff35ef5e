"""The free body: from ``BodyParameters`` to joints, both hands, COCO-WholeBody's points and skin.

Its file comes from MakeHuman's CC0 body (``scripts/export_body.py``): a mean body, ten principal components.
At rest its arms hang at 45°, while SMPL-H's template stands in a T: ``template_turns`` holds the rotation
between the two for every joint. Hands are the packaged rig's, so that fingers are exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files

import numpy as np
from jaxtyping import Float, Int

from handwright.body.geometry import BodyGeometry
from handwright.body.parameters import BodyParameters
from handwright.body.skeleton import JOINT, JOINTS, PARENTS, SIDES, WHOLEBODY_JOINTS
from handwright.hand.files.mano import ManoParameters, from_mano, rotation_between, to_mano
from handwright.hand.kinematics import blend_skin, hand_landmarks_m, mesh_of, pose_of_dofs
from handwright.hand.rig import axis_angle_matrix, matrix_axis_angle
from handwright.types import Camera, Hand, Side

SHOULDER_SHARE = 0.35
"""Share of the upper arm's swing that the shoulder girdle takes, as of the synthetic world's arms
(``posture.reach``)."""


@dataclass(frozen=True, eq=False)
class FreeBody:
    """The packaged body; arrays of linear shape have the mean first, then one row a principal component."""

    vertices_m: Float[np.ndarray, "11 v 3"]  # Skin and both eyes' fronts about the pelvis
    joints_m: Float[np.ndarray, "11 22 3"]  # ``skeleton.JOINTS``
    arms_m: Float[np.ndarray, "11 4 3"]  # Where the girdle turns, left and right; where the upper arm begins
    hands_m: Float[np.ndarray, "11 2 3"]  # From the wrist joint to our hand's wrist, left first
    hand_scale: Float[np.ndarray, "11"]  # Natural logarithm of the hands' size against the mean hand's
    weight_joints: Int[np.ndarray, "v 4"]  # Joints that carry each vertex
    weights: Float[np.ndarray, "v 4"]  # Their shares; rows sum to 1
    faces: Int[np.ndarray, "f 3"]  # Without the hands; counter-clockwise from outside
    points: Int[np.ndarray, "79"]  # Vertices at nose, eyes, ears, feet, face of COCO-WholeBody


@lru_cache(maxsize=1)
def load_body() -> FreeBody:
    """Load the packaged body, once a process."""
    with files("handwright.body").joinpath("body.npz").open("rb") as stream, np.load(stream) as data:
        arrays = {name: data[name] for name in data.files}
    whole = {"weight_joints", "faces", "points"}
    return FreeBody(**{k: a.astype(np.int64 if k in whole else np.float64) for k, a in arrays.items()})


@dataclass(frozen=True, eq=False)
class RestBody:
    """A body of its own shape at rest, its pelvis at the origin."""

    joints_m: Float[np.ndarray, "22 3"]  # Joints
    girdle_m: Float[np.ndarray, "2 3"]  # Where the shoulder girdle turns, left first
    arms_m: Float[np.ndarray, "2 3"]  # Where the upper arms begin
    hands_m: Float[np.ndarray, "2 3"]  # From wrist joint to our hand's wrist
    hand_scale: float  # Natural logarithm


@dataclass(frozen=True, eq=False)
class PosedBody:
    """A body before the camera."""

    rotations: Float[np.ndarray, "22 3 3"]  # Template → camera, of every joint
    joints_cam_m: Float[np.ndarray, "22 3"]  # Joints in camera space
    hands: dict[Side, Hand]  # Both hands on the packaged rig


def rest_body(betas: Float[np.ndarray, "10"]) -> RestBody:
    """The resting body of these shape numbers."""
    body, mix = load_body(), np.concatenate([[1.0], betas])
    arms = np.tensordot(mix, body.arms_m, 1)
    return RestBody(
        np.tensordot(mix, body.joints_m, 1),
        arms[:2],
        arms[2:],
        np.tensordot(mix, body.hands_m, 1),
        float(mix @ body.hand_scale),
    )


@lru_cache(maxsize=1)
def template_turns() -> Float[np.ndarray, "22 3 3"]:
    """Per joint the rotation from the resting body (arms at 45°) to SMPL-H's template (arms in a T)."""
    mean = rest_body(np.zeros(10)).joints_m
    turns = np.repeat(np.eye(3)[None], len(JOINTS), 0)
    for side, out in (("left", 1.0), ("right", -1.0)):
        for name, end in (("shoulder", "elbow"), ("elbow", "wrist")):
            joint = JOINT[f"{side}_{name}"]
            along = mean[JOINT[f"{side}_{end}"]] - mean[joint]
            turns[joint] = rotation_between(along, np.array([out, 0.0, 0.0]))
        turns[JOINT[f"{side}_wrist"]] = turns[JOINT[f"{side}_elbow"]]
    return turns


def global_rotations(parameters: BodyParameters) -> Float[np.ndarray, "22 3 3"]:
    """Rotation template → camera of every joint, by forward kinematics."""
    local = axis_angle_matrix(np.concatenate([parameters.global_orient[None], parameters.body_pose]))
    turned = local.copy()
    for joint in range(1, len(JOINTS)):
        turned[joint] = turned[PARENTS[joint]] @ local[joint]
    return turned


def all_rotations(parameters: BodyParameters) -> Float[np.ndarray, "52 3 3"]:
    """Rotation template → camera of the body's joints, then of each hand's in MANO's order, left first."""
    body = global_rotations(parameters)
    parts = [body]
    for side in SIDES:
        turned = axis_angle_matrix(parameters.hand_pose(side)).reshape(5, 3, 3, 3)  # Fingers, joints
        turned[:, 0] = body[JOINT[f"{side}_wrist"]] @ turned[:, 0]
        for k in (1, 2):
            turned[:, k] = turned[:, k - 1] @ turned[:, k]
        parts.append(turned.reshape(15, 3, 3))
    return np.concatenate(parts)


def local_rotations(turned: Float[np.ndarray, "22 3 3"]) -> Float[np.ndarray, "22 3"]:
    """Axis-angle of every joint against its parent: the inverse of :func:`global_rotations`, pelvis first."""
    local = turned.copy()
    for joint in range(1, len(JOINTS)):
        local[joint] = turned[PARENTS[joint]].T @ turned[joint]
    return matrix_axis_angle(local)


def pose_body(parameters: BodyParameters) -> PosedBody:
    """Joints and hands in camera space."""
    rest, turned = rest_body(parameters.betas), global_rotations(parameters)
    bones = turned @ template_turns()
    at = np.zeros((len(JOINTS), 3))
    at[0] = parameters.transl
    for joint in range(1, len(JOINTS)):
        parent = PARENTS[joint]
        at[joint] = at[parent] + bones[parent] @ (rest.joints_m[joint] - rest.joints_m[parent])
        if JOINTS[joint].endswith("shoulder"):
            at[joint] = _shoulder(rest, SIDES.index(_side(joint)), bones, at, joint)
    hands: dict[Side, Hand] = {side: _hand_at(parameters, side, rest, bones, at) for side in SIDES}
    return PosedBody(turned, at, hands)


def _side(joint: int) -> Side:
    return "left" if JOINTS[joint].startswith("left") else "right"


def _shoulder(
    rest: RestBody, k: int, bones: Float[np.ndarray, "22 3 3"], at: Float[np.ndarray, "22 3"], joint: int
) -> Float[np.ndarray, "3"]:
    """Where the shoulder is: the girdle follows the arm part of the way."""
    collar, elbow = PARENTS[joint], JOINTS.index(f"{SIDES[k]}_elbow")
    above = bones[collar]
    along = rest.joints_m[elbow] - rest.joints_m[joint]
    swing = rotation_between(above @ along, bones[joint] @ along)
    part = axis_angle_matrix(SHOULDER_SHARE * matrix_axis_angle(swing))
    girdle = at[collar] + above @ (rest.girdle_m[k] - rest.joints_m[collar])
    return girdle + part @ above @ (rest.joints_m[joint] - rest.girdle_m[k])


def _hand_at(
    parameters: BodyParameters,
    side: Side,
    rest: RestBody,
    bones: Float[np.ndarray, "22 3 3"],
    at: Float[np.ndarray, "22 3"],
) -> Hand:
    joint, k = JOINT[f"{side}_wrist"], SIDES.index(side)
    turned = bones[joint] @ template_turns()[joint].T
    shape = parameters.hand_shape.copy()
    shape[0] += rest.hand_scale
    mano = ManoParameters(
        global_orient=matrix_axis_angle(turned),
        hand_pose=parameters.hand_pose(side),
        betas=None,
        transl=at[joint] + bones[joint] @ rest.hands_m[k],
        side=side,
        palm_arch=parameters.palm_arch[k],
    )
    return from_mano(mano, parameters.camera, shape=shape)


def parameters_with(
    parameters: BodyParameters, turned: Float[np.ndarray, "22 3 3"], hands: dict[Side, Hand]
) -> BodyParameters:
    """The same person with these rotations (template → camera) and fingers; wrists turn as the hands do.

    Args:
        parameters: Shape, place and camera.
        turned: Rotation of every joint; those of the wrists are replaced by the hands'.
        hands: Both hands on the packaged rig; their places are not looked at.
    """
    turned = turned.copy()
    scale = rest_body(parameters.betas).hand_scale
    poses: dict[Side, Float[np.ndarray, "15 3"]] = {}
    arches: list[Float[np.ndarray, "2"]] = []
    for side in SIDES:
        mano = to_mano(hands[side])
        turned[JOINT[f"{side}_wrist"]] = axis_angle_matrix(mano.global_orient)
        poses[side] = mano.hand_pose
        arches.append(mano.palm_arch)
    local = local_rotations(turned)
    shape = hands["right"].shape.copy()
    shape[0] -= scale
    return replace(
        parameters,
        global_orient=local[0],
        body_pose=local[1:],
        left_hand_pose=poses["left"],
        right_hand_pose=poses["right"],
        palm_arch=np.array(arches),
        hand_shape=shape,
    )


def skin_of(
    parameters: BodyParameters, vertices: Int[np.ndarray, " n"] | None = None
) -> Float[np.ndarray, "n 3"]:
    """Vertices of the body (hands left out of ``FreeBody.faces``) in camera space, metres; all by default."""
    body, mix, posed = load_body(), np.concatenate([[1.0], parameters.betas]), pose_body(parameters)
    chosen = slice(None) if vertices is None else vertices
    points = np.tensordot(mix, body.vertices_m[:, chosen], 1)
    return blend_skin(
        points,
        body.weight_joints[chosen],
        body.weights[chosen],
        posed.rotations @ template_turns(),
        posed.joints_cam_m,
        rest_body(parameters.betas).joints_m,
    )


def wholebody_of(parameters: BodyParameters) -> Float[np.ndarray, "133 2"]:
    """COCO-WholeBody's 133 points in pixels, whether in the picture or not."""
    posed, vertices = pose_body(parameters), skin_of(parameters, load_body().points)
    landmarks = [hand_landmarks_m(posed.hands[side]) for side in SIDES]
    return parameters.camera.project(_wholebody_m(posed.joints_cam_m, vertices, landmarks))


def geometry_of(parameters: BodyParameters) -> BodyGeometry:
    """The free body as a back end: all that a body model makes of parameters."""
    body, posed, skin = load_body(), pose_body(parameters), skin_of(parameters)
    meshes = [mesh_of(posed.hands[side]) for side in SIDES]
    starts = np.cumsum([len(skin), *(len(mesh.vertices_cam_m) for mesh in meshes)])
    faces = [body.faces, *(start + mesh.faces for start, mesh in zip(starts, meshes, strict=False))]
    landmarks = [mesh.landmarks_cam_m for mesh in meshes]
    return BodyGeometry(
        joints_cam_m=np.concatenate([posed.joints_cam_m, *(mesh.joints_cam_m[1:] for mesh in meshes)]),
        rotations=all_rotations(parameters),
        vertices_cam_m=np.concatenate([skin, *(mesh.vertices_cam_m for mesh in meshes)]),
        faces=np.concatenate(faces),
        hand_vertices={side: np.arange(*starts[k : k + 2]) for k, side in enumerate(SIDES)},
        points_cam_m=_wholebody_m(posed.joints_cam_m, skin[body.points], landmarks),
        known=np.ones(133, np.bool_),
        camera=parameters.camera,
    )


def _wholebody_m(
    joints_m: Float[np.ndarray, "22 3"],
    vertices_m: Float[np.ndarray, "79 3"],
    hands_m: Sequence[Float[np.ndarray, "21 3"]],
) -> Float[np.ndarray, "133 3"]:
    """COCO-WholeBody's order: head, joints, feet and face, both hands."""
    joints = joints_m[[JOINT[name] for name in WHOLEBODY_JOINTS]]
    return np.concatenate([vertices_m[:5], joints, vertices_m[5:], *hands_m])


def mean_parameters(size_px: int = 256) -> BodyParameters:
    """The mean body in SMPL-H's template pose, its hands at rest, upright and whole in a square picture."""
    camera, poses = Camera(1.6 * size_px, (size_px / 2, size_px / 2)), dict[Side, Float[np.ndarray, "15 3"]]()
    for side in SIDES:
        rest = Hand(
            pose=np.zeros((15, 3)),
            palm_arch=np.zeros(2),
            wrist=np.zeros(3),
            translation_m=np.array([0.0, 0.0, 1.0]),
            shape=np.zeros(9),
            side=side,
            camera=camera,
        )
        poses[side] = to_mano(rest).hand_pose
    return BodyParameters(
        global_orient=np.array([np.pi, 0.0, 0.0]),
        body_pose=np.zeros((21, 3)),
        left_hand_pose=poses["left"],
        right_hand_pose=poses["right"],
        betas=np.zeros(10),
        transl=np.array([0.0, 0.0, 4.0]),
        camera=camera,
        size_px=(size_px, size_px),
        palm_arch=np.zeros((2, 2)),
        hand_shape=np.zeros(9),
    )


def with_fingers(
    parameters: BodyParameters, dofs_rad: Mapping[Side, Float[np.ndarray, "24"]]
) -> BodyParameters:
    """The person, these hands' fingers at these angles (``anatomy.DOF_NAMES``)."""
    if not dofs_rad:
        return parameters
    hands = dict(pose_body(parameters).hands)
    for side, angles in dofs_rad.items():
        fingers, arch = pose_of_dofs(angles)
        hands[side] = replace(hands[side], pose=fingers, palm_arch=arch)
    return parameters_with(parameters, global_rotations(parameters), hands)
