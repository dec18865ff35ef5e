"""MANO parameters both ways, without the licensed file.

What is taken to be MANO's convention (Romero, Tzionas, Black, *Embodied Hands*, 2017, and the axes that
public tools built on it print): 16 joints in the order of ``anatomy.MANO_JOINTS``; ``hand_pose`` [15, 3]
axis-angle, each joint relative to its parent, about a rest pose whose frames are all parallel to the
model's; poses are absolute, as with ``flat_hand_mean=True`` (else add the file's ``hands_mean`` first); the
right template lies flat with fingers along −x, thumb towards +z, palm facing −y; the left template is its
mirror image in x; the global rotation turns about the template's own wrist joint, and ``transl`` is added
afterwards.

Our rest hand is relaxed, MANO's is flat, so each joint's turn is corrected by the rotation between the rest
directions of its bone: a bone points the same way on both sides. The directions of MANO's flat bones are
written down here as angles in the palm plane to the nearest 5°; they are an approximation, not data of the
model (its bones leave that plane by up to about 10°). Palm arch, which MANO does not have, is carried by
the first joints of ring and pinky, and beside the parameters so that it comes back.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from handwright.errors import InvalidValueError
from handwright.hand.anatomy import BONE_PARENTS, FINGER_BONES, SHAPE_NAMES
from handwright.hand.rig import Rig, axis_angle_matrix, load_rig, matrix_axis_angle, rest_bones
from handwright.types import Camera, Hand, Side

MANO_FROM_OURS: Float[np.ndarray, "3 3"] = np.array([[0.0, -1.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]])
"""Turns our rest frame (x thumb side, y fingers, z out of the palm) into the right template's."""

FLAT_DEG = (
    (50.0, 35.0, 35.0), (5.0, 0.0, 0.0), (-10.0, -10.0, -10.0), (-10.0, -20.0, -20.0), (-35.0, -35.0, -35.0),
)  # fmt: skip
"""Angle in the palm plane of MANO's flat bones, per finger (``anatomy.FINGERS``) and bone: 0 along fingers,
+ to the thumb's side."""

_FLIP = np.array([1.0, -1.0, -1.0])
_MIRROR = np.diag([-1.0, 1.0, 1.0])


@dataclass(frozen=True, eq=False, kw_only=True)
class ManoParameters:
    """MANO's numbers for one hand."""

    global_orient: Float[np.ndarray, "3"]  # float64 [3] axis-angle, template → camera
    hand_pose: Float[np.ndarray, "15 3"]  # float64 [15, 3] axis-angle per finger joint, about the flat hand
    betas: Float[np.ndarray, "10"] | None  # float64 [10], or None when nobody has fitted them
    # float64 [3] metres, added after the rotation about the template's wrist joint
    transl: Float[np.ndarray, "3"]
    side: Side  # 'left' or 'right': which of MANO's two models they belong to
    # float64 [2] radians, ours beside MANO's; zeros for a hand that comes from elsewhere
    palm_arch: Float[np.ndarray, "2"]

    def __post_init__(self) -> None:
        for name, shape in (
            ("global_orient", (3,)),
            ("hand_pose", (15, 3)),
            ("transl", (3,)),
            ("palm_arch", (2,)),
        ):
            value: np.ndarray = getattr(self, name)
            if value.shape != shape or not np.isfinite(value).all():
                raise InvalidValueError(f"ManoParameters.{name} must be finite with shape {list(shape)}")
        if self.betas is not None and self.betas.shape != (10,):
            raise InvalidValueError(
                f"ManoParameters.betas must have shape [10], got {list(self.betas.shape)}"
            )
        if self.side not in ("left", "right"):
            raise InvalidValueError(f"ManoParameters.side must be 'left' or 'right', got {self.side!r}")


def to_mano(
    hand: Hand, *, wrist_rest_m: Float[np.ndarray, "3"] | None = None, rig: Rig | None = None
) -> ManoParameters:
    """MANO parameters of a hand; ``betas`` pass through untouched.

    Args:
        hand: The hand.
        wrist_rest_m: [3] rest position of the wrist joint in the model file that the numbers are for (row 0
            of ``J_regressor @ v_template``); zeros by default, as in tools that centre the wrist.
        rig: The rig; the packaged one by default.
    """
    rig = rig or load_rig()
    arch = _arch_turns(rig, hand.palm_arch)
    ours = np.concatenate([np.eye(3)[None], axis_angle_matrix(hand.pose)])
    for first, turn in arch.items():
        ours[first] = turn @ ours[first]
    turned = _chain(ours) @ _rest_correction(rig, hand.shape)
    local = _unchain(MANO_FROM_OURS @ turned @ MANO_FROM_OURS.T)
    pose = matrix_axis_angle(local[1:])
    if hand.side == "left":
        pose = pose * _FLIP
    orient = axis_angle_matrix(hand.wrist) @ template_frame(hand.side).T
    rest = np.zeros(3) if wrist_rest_m is None else wrist_rest_m
    return ManoParameters(
        global_orient=matrix_axis_angle(orient),
        hand_pose=pose,
        betas=hand.betas,
        transl=hand.translation_m - rest,
        side=hand.side,
        palm_arch=hand.palm_arch,
    )


def from_mano(
    parameters: ManoParameters,
    camera: Camera,
    *,
    shape: Float[np.ndarray, " s"] | None = None,
    wrist_rest_m: Float[np.ndarray, "3"] | None = None,
    rig: Rig | None = None,
) -> Hand:
    """Return the hand of MANO parameters on the package's rig: the exact inverse of :func:`to_mano`.

    Args:
        parameters: MANO's numbers, in camera space (metres, y down, z away).
        camera: The picture's camera.
        shape: Our shape numbers; zeros (the mean hand) by default: ``betas`` mean nothing without MANO's
            own data.
        wrist_rest_m: As in :func:`to_mano`.
        rig: The rig; the packaged one by default.
    """
    rig = rig or load_rig()
    shape = np.zeros(len(SHAPE_NAMES)) if shape is None else shape
    pose = parameters.hand_pose * (_FLIP if parameters.side == "left" else 1.0)
    local = np.concatenate([np.eye(3)[None], axis_angle_matrix(pose)])
    turned = MANO_FROM_OURS.T @ _chain(local) @ MANO_FROM_OURS
    ours = _unchain(turned @ _rest_correction(rig, shape).transpose(0, 2, 1))
    for first, turn in _arch_turns(rig, parameters.palm_arch).items():
        ours[first] = turn.T @ ours[first]
    rest = np.zeros(3) if wrist_rest_m is None else wrist_rest_m
    return Hand(
        pose=matrix_axis_angle(ours[1:]),
        palm_arch=parameters.palm_arch,
        wrist=matrix_axis_angle(
            axis_angle_matrix(parameters.global_orient) @ template_frame(parameters.side)
        ),
        translation_m=parameters.transl + rest,
        shape=shape,
        side=parameters.side,
        camera=camera,
        betas=parameters.betas,
    )


def template_frame(side: Side) -> Float[np.ndarray, "3 3"]:
    """Return the rotation [3, 3] from our rest frame to MANO's template of a side."""
    return MANO_FROM_OURS if side == "right" else _MIRROR @ MANO_FROM_OURS @ _MIRROR


def _rest_correction(rig: Rig, shape: Float[np.ndarray, " s"]) -> Float[np.ndarray, "16 3 3"]:
    """Per joint the smallest rotation from MANO's flat bone direction to our rest bone's, in our frame."""
    linear, joints = rest_bones(rig, shape)
    correction = np.repeat(np.eye(3)[None], 16, 0)
    chains, last = np.array(FINGER_BONES), np.array(FINGER_BONES)[:, 2]
    tips = joints[last] + np.einsum("fij,fj->fi", linear[last], rig.tips_m - rig.joints_m[last])
    ends = np.stack([joints[chains[:, 1]], joints[last], tips], 1)
    angle = np.deg2rad(FLAT_DEG)
    flat = np.stack([np.sin(angle), np.cos(angle), np.zeros_like(angle)], -1)
    correction[chains] = rotation_between(flat, ends - joints[chains])
    return correction


def rotation_between(
    a: Float[np.ndarray, "*n 3"], b: Float[np.ndarray, "*n 3"]
) -> Float[np.ndarray, "*n 3 3"]:
    """Return the smallest rotation [..., 3, 3] from direction ``a`` to ``b``, which must not be opposite."""
    a, b = (v / np.linalg.norm(v, axis=-1, keepdims=True) for v in (a, b))
    axis = np.cross(a, b)
    sine = np.linalg.norm(axis, axis=-1, keepdims=True)
    angle = np.arctan2(sine, (a * b).sum(-1, keepdims=True))
    return axis_angle_matrix(axis * (angle / np.maximum(sine, 1e-15)))


def _arch_turns(rig: Rig, palm_arch: Float[np.ndarray, "2"]) -> dict[int, Float[np.ndarray, "3 3"]]:
    """First joint of ring and pinky → the turn of the metacarpal that carries it."""
    return {FINGER_BONES[f][0]: axis_angle_matrix(rig.finger_axes[f, 0] * palm_arch[f - 3]) for f in (3, 4)}


def _parent(joint: int) -> int:
    return max(BONE_PARENTS[joint], 0) if BONE_PARENTS[joint] < 16 else 0


def _chain(local: Float[np.ndarray, "16 3 3"]) -> Float[np.ndarray, "16 3 3"]:
    """Rotations of each joint from rest, of rotations relative to the parents."""
    turned = local.copy()
    for joint in range(1, 16):
        turned[joint] = turned[_parent(joint)] @ local[joint]
    return turned


def _unchain(turned: Float[np.ndarray, "16 3 3"]) -> Float[np.ndarray, "16 3 3"]:
    """Inverse of :func:`_chain`."""
    local = turned.copy()
    for joint in range(1, 16):
        local[joint] = turned[_parent(joint)].T @ turned[joint]
    return local
