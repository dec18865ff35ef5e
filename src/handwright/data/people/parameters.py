"""The synthetic world's people as SMPL-H's numbers, and such numbers as one of these people.

MakeHuman's skeleton has more bones than SMPL-H: chains of spine, neck and arm become one joint each, which
moves joints a little (``tests/body/test_people.py`` holds how much).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from handwright.body.free_body import (
    load_body,
    mean_parameters,
    parameters_with,
    pose_body,
    template_turns,
)
from handwright.body.parameters import BodyParameters
from handwright.body.skeleton import JOINT, SIDES
from handwright.data.people.figure.hand_graft import TO_CAMERA, hand_on, socket_of
from handwright.data.people.figure.makehuman import SKIN_VERTICES
from handwright.data.people.figure.mesh_cutting import Posed, bone, pose_bones, rest_heads_m
from handwright.data.people.posture.reach import FORE_SHARES, slerp, twist_angle, upper_arm
from handwright.data.people.setup import PersonSetup
from handwright.data.shapes import Matrix, Points, Vector
from handwright.hand.rig import axis_angle_matrix
from handwright.types import Hand, Side

Betas = Float[np.ndarray, "10"]

HEAD_BONES = (
    None, "upperleg01.L", "upperleg01.R", "spine04", "lowerleg01.L", "lowerleg01.R", "spine03", "foot.L",
    "foot.R", "spine01", "toe2-1.L", "toe2-1.R", "neck01", "clavicle.L", "clavicle.R", "head", "upperarm01.L",
    "upperarm01.R", "lowerarm01.L", "lowerarm01.R", "wrist.L", "wrist.R",
)  # fmt: skip
"""Bone whose head each of ``JOINTS`` is; the pelvis lies halfway between the hips."""

TURN_BONES = (
    "root", "upperleg01.L", "upperleg01.R", "spine04", "lowerleg01.L", "lowerleg01.R", "spine02", "foot.L",
    "foot.R", "spine01", "toe2-1.L", "toe2-1.R", "neck02", "clavicle.L", "clavicle.R", "head", "upperarm02.L",
    "upperarm02.R", "lowerarm02.L", "lowerarm02.R", "wrist.L", "wrist.R",
)  # fmt: skip
"""Bone whose rotation each of ``JOINTS`` has."""

_BETWEEN = {"spine03": ("spine04", "spine02"), "neck01": ("spine01", "neck02"), "neck03": ("neck02", "head")}
"""Bones that are no joint's, and the two that they turn halfway between."""

_TOES = tuple(f"toe{k}-1" for k in range(1, 6))

_GROUPS = (
    (("root", "pelvis", "spine05"), "pelvis"), (("spine04",), "spine1"), (("spine03", "spine02"), "spine2"),
    (("spine01", "breast"), "spine3"), (("neck",), "neck"), (("clavicle", "shoulder01"), "collar"),
    (("upperarm",), "shoulder"), (("lowerarm",), "elbow"), (("wrist", "metacarpal", "finger"), "wrist"),
    (("upperleg",), "hip"), (("lowerleg",), "knee"), (("foot",), "ankle"), (("toe",), "foot"),
)  # fmt: skip
"""Beginnings of bones' names and the joint that carries their skin; all others hang on the head."""


def joint_of_bone(name: str) -> int:
    """Index in ``JOINTS`` of the joint that carries a bone's skin."""
    for beginnings, joint in _GROUPS:
        if name.startswith(beginnings):
            if joint in JOINT:
                return JOINT[joint]
            return JOINT[f"{'left' if name.endswith('L') else 'right'}_{joint}"]
    return JOINT["head"]


def parameters_of(
    bones: Posed, hands: tuple[Hand, Hand], place_m: Vector, betas: Betas, side_px: int
) -> BodyParameters:
    """The numbers of someone posed by the synthetic world.

    Args:
        bones: The posed body's.
        hands: Both hands in camera space.
        place_m: [3] of the body's origin in camera space.
        betas: [10] shape; see :func:`betas_of`.
        side_px: Side of the square picture.
    """
    by_side: dict[Side, Hand] = {hand.side: hand for hand in hands}
    turns = TO_CAMERA @ bones.turns[[bone(name) for name in TURN_BONES]]
    turned = turns @ template_turns().transpose(0, 2, 1)
    pelvis = _pelvis_m(bones.heads_m)
    start = replace(
        mean_parameters(side_px), betas=betas, transl=TO_CAMERA @ pelvis + place_m, camera=hands[0].camera
    )
    return parameters_with(start, turned, by_side)


def body_of_setup(setup: PersonSetup, side_px: int) -> BodyParameters:
    """The numbers of a person of the synthetic world, in a square picture of this side in pixels."""
    someone = setup.someone
    betas = betas_of(setup.rest_m)
    return parameters_of(someone.stance.bones, someone.hands, someone.place_m, betas, side_px)


@dataclass(frozen=True, eq=False)
class RigPose:
    """Someone posed on MakeHuman's skeleton."""

    bones: Posed  # All of them, the body's origin where it is at rest
    hands: tuple[Hand, Hand]  # The right one, then the left one, in camera space
    place_m: Vector  # Of the body's origin in camera space


def rig_pose_of(parameters: BodyParameters, vertices_m: Points) -> RigPose:
    """The inverse of :func:`parameters_of`: bones and hands of someone whose numbers are known.

    Joints have the numbers' rotations. What lies between two of them is shared as the synthetic world shares
    it, so that its own people come back as they were (``tests/body/test_people.py`` holds how nearly).

    Args:
        parameters: The numbers; ``betas`` count for the size of the hands only.
        vertices_m: [19158, 3] the resting body that is posed, as of ``rest_vertices_m``: the person's own, or
            another, which then takes their pose.
    """
    heads, posed = rest_heads_m(vertices_m), pose_body(parameters)
    turned = TO_CAMERA @ posed.rotations @ template_turns()  # The camera's axes are their own inverse
    turns: dict[str, Matrix] = dict(zip(TURN_BONES, turned, strict=True))
    for tag, side in zip("LR", SIDES, strict=True):
        turns |= {f"{toe}.{tag}": turned[JOINT[f"{side}_foot"]] for toe in _TOES}
        socket, wrist = socket_of(vertices_m, side), axis_angle_matrix(posed.hands[side].wrist)
        turns[f"wrist.{tag}"] = TO_CAMERA @ wrist @ socket.turn.T
        turns |= _arm_between(tag, turns, heads)
    turns |= {name: slerp(turns[one], turns[other], 0.5) for name, (one, other) in _BETWEEN.items()}
    bones = pose_bones(heads, {}, turns)
    place = parameters.transl - TO_CAMERA @ _pelvis_m(bones.heads_m)
    right, left = (_hand_of(posed.hands[side], bones, vertices_m, place) for side in ("right", "left"))
    return RigPose(bones, (right, left), place)


def _arm_between(tag: str, turns: Mapping[str, Matrix], heads_m: Points) -> dict[str, Matrix]:
    """Rotations of the arm's bones that are no joint's."""
    chain = heads_m[[bone(f"{name}.{tag}") for name in ("upperarm01", "lowerarm01", "wrist")]]
    upper, fore = (v / np.linalg.norm(v) for v in np.diff(chain, axis=0))
    whole, low = turns[f"upperarm02.{tag}"], turns[f"lowerarm02.{tag}"]
    first, second = FORE_SHARES
    beyond = twist_angle(low.T @ turns[f"wrist.{tag}"], fore)  # What is left of the twist at the wrist
    twisted = np.clip(beyond / (1 - second), -np.pi, np.pi)
    return {
        **upper_arm(tag, turns[f"clavicle.{tag}"], (upper, whole @ upper), whole),
        f"lowerarm01.{tag}": low @ axis_angle_matrix((first - second) * twisted * fore),
    }


def _hand_of(hand: Hand, bones: Posed, vertices_m: Points, place_m: Vector) -> Hand:
    """The same hand at the end of its posed arm; its size stays."""
    socket = socket_of(vertices_m, hand.side)
    shape = hand.shape.copy()
    shape[0] -= np.log(socket.scale)
    return hand_on(bones, socket, hand.side, hand.pose, hand.palm_arch, shape, hand.camera, place_m)


def _pelvis_m(heads_m: Points) -> Vector:
    return (heads_m[bone("upperleg01.L")] + heads_m[bone("upperleg01.R")]) / 2


def betas_of(vertices_m: Points) -> Betas:
    """The ten shape numbers of a resting body [19158, 3]: its projection on the principal components."""
    body = load_body()
    about_pelvis = vertices_m[:SKIN_VERTICES] - _pelvis_m(rest_heads_m(vertices_m))
    offset = about_pelvis - body.vertices_m[0, :SKIN_VERTICES]
    axes = body.vertices_m[1:, :SKIN_VERTICES].reshape(10, -1)
    return (axes @ offset.ravel()) / (axes**2).sum(1)  # principal components are orthogonal
