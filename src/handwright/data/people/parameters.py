"""The synthetic world's people as SMPL-H's numbers.

MakeHuman's skeleton has more bones than SMPL-H: chains of spine, neck and arm become one joint each, which
moves joints a little (``tests/body/test_people.py`` holds how much).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from handwright.body.free_body import load_body, mean_parameters, parameters_with, template_turns
from handwright.body.parameters import BodyParameters
from handwright.body.skeleton import JOINT
from handwright.data.people.figure.hand_graft import TO_CAMERA
from handwright.data.people.figure.makehuman import SKIN_VERTICES
from handwright.data.people.figure.mesh_cutting import bone, rest_heads_m
from handwright.data.people.posture.stance import Stance
from handwright.data.shapes import Points, Vector
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
    "foot.R", "spine01", "foot.L", "foot.R", "neck02", "clavicle.L", "clavicle.R", "head", "upperarm02.L",
    "upperarm02.R", "lowerarm02.L", "lowerarm02.R", "wrist.L", "wrist.R",
)  # fmt: skip
"""Bone whose rotation each of ``JOINTS`` has."""

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
    stance: Stance, hands: tuple[Hand, Hand], place_m: Vector, betas: Betas, side_px: int
) -> BodyParameters:
    """The numbers of someone posed by the synthetic world.

    Args:
        stance: The posed body.
        hands: Both hands in camera space, in the order of ``stance.hands``.
        place_m: [3] of the body's origin in camera space.
        betas: [10] shape; see :func:`betas_of`.
        side_px: Side of the square picture.
    """
    by_side: dict[Side, Hand] = {hand.side: hand for hand in hands}
    turns = TO_CAMERA @ stance.bones.turns[[bone(name) for name in TURN_BONES]]
    turned = turns @ template_turns().transpose(0, 2, 1)
    heads = stance.bones.heads_m
    pelvis = (heads[bone("upperleg01.L")] + heads[bone("upperleg01.R")]) / 2
    start = replace(
        mean_parameters(side_px), betas=betas, transl=TO_CAMERA @ pelvis + place_m, camera=hands[0].camera
    )
    return parameters_with(start, turned, by_side)


def betas_of(vertices_m: Points) -> Betas:
    """The ten shape numbers of a resting body [19158, 3]: its projection on the principal components."""
    body = load_body()
    heads = rest_heads_m(vertices_m)
    pelvis = (heads[bone("upperleg01.L")] + heads[bone("upperleg01.R")]) / 2
    offset = vertices_m[:SKIN_VERTICES] - pelvis - body.vertices_m[0, :SKIN_VERTICES]
    axes = body.vertices_m[1:, :SKIN_VERTICES].reshape(10, -1)
    return (axes @ offset.ravel()) / (axes**2).sum(1)  # principal components are orthogonal
