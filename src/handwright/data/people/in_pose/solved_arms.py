"""Both arms of body parameters, solved for hands that are wanted somewhere and turned somehow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from jaxtyping import Float

from handwright.body import BodyParameters, pose_body
from handwright.body.free_body import parameters_with, rest_body, template_turns
from handwright.body.skeleton import JOINT, SIDES
from handwright.data.people.figure.hand_graft import TO_CAMERA
from handwright.data.people.figure.makehuman import load_figure
from handwright.data.people.figure.mesh_cutting import Posed, bone
from handwright.data.people.posture.arms import tag_of
from handwright.data.people.posture.reach import LIMIT, Capsules, ElbowCost, Solution, solve_arm
from handwright.data.shapes import Matrix, Vector
from handwright.hand.kinematics import pose_of_dofs
from handwright.hand.rig import axis_angle_matrix, matrix_axis_angle
from handwright.types import Side

_ROUNDS = 5  # Of solving: a shoulder follows its arm

_TRUNK_M = 0.11  # Radius of what arms keep out of, about the line from pelvis to neck; by eye
_ELBOW_M = 0.05  # An elbow that moves so far between two rounds costs 1, a ninth of a limit; by eye
_SWIVELS = 48  # Places of each elbow that are tried


@dataclass(frozen=True, eq=False)
class Place:
    """Where a hand is wanted, in the chest's level axes about the camera."""

    dofs_rad: Float[np.ndarray, "24"] | None  # What its fingers do; None: as before
    turn: Matrix  # Of the hand
    at_m: Vector  # The hand's wrist


@dataclass(frozen=True, eq=False)
class Arms:
    """What solving a person's arms reads, in the chest's level axes about the camera."""

    bones: Posed  # The synthetic world's skeleton, at the person's joints; arms alone
    trunk: Capsules  # What arms keep out of
    hands: Mapping[Side, Matrix]  # Axes of the hand on the resting body
    wrists_m: Mapping[Side, Vector]  # From the wrist joint to the hand's wrist, on the resting body

    @classmethod
    def of(cls, body: BodyParameters, axes: Matrix) -> Arms:
        """The arms of a person."""
        rest, posed, count = rest_body(body.betas), pose_body(body), len(load_figure().bones)
        turns, (heads, rest_heads) = np.repeat(np.eye(3)[None], count, 0), np.zeros((2, count, 3))
        joints, hands = posed.joints_cam_m @ axes, dict[Side, Matrix]()
        for side in SIDES:
            for name, joint in _JOINTS.items():
                rest_heads[bone(f"{name}.{tag_of(side)}")] = rest.joints_m[JOINT[f"{side}_{joint}"]]
                heads[bone(f"{name}.{tag_of(side)}")] = joints[JOINT[f"{side}_{joint}"]]
            turns[bone(f"clavicle.{tag_of(side)}")] = axes.T @ posed.rotations[JOINT[f"{side}_collar"]]
            wrist = posed.rotations[JOINT[f"{side}_wrist"]] @ template_turns()[JOINT[f"{side}_wrist"]]
            hands[side] = wrist.T @ axis_angle_matrix(posed.hands[side].wrist)
        trunk = Capsules(joints[[JOINT["pelvis"]]], joints[[JOINT["neck"]]], np.array([_TRUNK_M]))
        return cls(Posed(turns, heads, rest_heads), trunk, hands, dict(zip(SIDES, rest.hands_m, strict=True)))

    def solved(self, wanted: Mapping[Side, Place], seed: int, *, stays: bool = False) -> dict[Side, Solution]:
        """The arms that bring the hands there, as far as there are such; elbows stay about where they are."""
        found: dict[Side, Solution] = {}
        for side, place in wanted.items():
            elbow_m = self.bones.heads_m[bone(f"lowerarm01.{tag_of(side)}")]
            arm = self._easiest(side, [place], seed, partial(_moved, elbow_m) if stays else None)
            if arm is not None:
                found[side] = arm
        return found

    def easiest(
        self, side: Side, places: Sequence[Place], costs: Float[np.ndarray, " n"], seed: int
    ) -> Place | None:
        """Of several places of a hand that which is easiest to get to; None if there is no way to any.

        Args:
            side: Which hand.
            places: Where it may be.
            costs: What each costs beside its discomfort, in shares of a limit.
            seed: Chooses among ways that are about as easy.
        """
        beside: ElbowCost = lambda elbows_m: np.broadcast_to(LIMIT * costs[:, None], elbows_m.shape[:2])  # noqa: E731
        arm = self._easiest(side, places, seed, beside)
        return None if arm is None else places[arm.place]

    def _easiest(
        self, side: Side, places: Sequence[Place], seed: int, cost: ElbowCost | None
    ) -> Solution | None:
        turns, hand_rest = np.stack([place.turn for place in places]), self.hands[side]
        joints = np.stack([place.at_m for place in places]) - turns @ hand_rest.T @ self.wrists_m[side]
        rng = np.random.default_rng([seed, SIDES.index(side)])
        return solve_arm(
            self.bones, side, hand_rest, joints, turns, self.trunk, rng, swivels=_SWIVELS, elbow_cost=cost
        )

    def chain(self, heads_m: Float[np.ndarray, "b 3"]) -> Float[np.ndarray, "2 3 3"]:
        """Shoulder, elbow and wrist of both arms."""
        return np.array([[heads_m[bone(f"{name}.{tag_of(side)}")] for name in _JOINTS] for side in SIDES])


def _moved(elbow_m: Vector, places_m: Float[np.ndarray, "n k 3"]) -> Float[np.ndarray, "n k"]:
    """What it costs to move an elbow: rounds of solving else jump between ways that are about as easy."""
    return (np.linalg.norm(places_m - elbow_m, axis=-1) / _ELBOW_M) ** 2


_JOINTS = {"upperarm01": "shoulder", "lowerarm01": "elbow", "wrist": "wrist"}  # By the bone that begins there


def chest_axes(body: BodyParameters) -> Matrix:
    """[3, 3] upright axes that turn with the chest (x to its left, y up, z ahead) → camera."""
    ahead = TO_CAMERA @ pose_body(body).rotations[JOINT["spine3"]] @ np.array([0.0, 0.0, 1.0])
    return TO_CAMERA @ axis_angle_matrix(np.array([0.0, np.arctan2(ahead[0], ahead[2]), 0.0]))


def with_hands_at(
    body: BodyParameters, axes: Matrix, places: Mapping[Side, Place], seed: int
) -> BodyParameters | None:
    """The person with hands at these places; None where an arm does not get there.

    Args:
        body: The person.
        axes: As of ``Arms.of``.
        places: Where hands are wanted; an arm that is missing stays as it is.
        seed: Same seed, same arms.
    """
    for k in range(_ROUNDS):
        found = Arms.of(body, axes).solved(places, seed, stays=k > 0)
        if len(found) < len(places):
            return None
        body = with_arms(body, axes, places, found)
    return body


def with_arms(
    body: BodyParameters, axes: Matrix, wanted: Mapping[Side, Place], arms: Mapping[Side, Solution]
) -> BodyParameters:
    """The person with these arms, and hands as they are wanted at their ends; ``axes`` as of ``Arms.of``."""
    posed = pose_body(body)
    turned, hands = posed.rotations.copy(), dict(posed.hands)
    for side, arm in arms.items():
        for name, joint in (("upperarm02", "shoulder"), ("lowerarm02", "elbow")):
            k = JOINT[f"{side}_{joint}"]
            turned[k] = axes @ arm.turned[f"{name}.{tag_of(side)}"] @ template_turns()[k].T
        fingers = wanted[side].dofs_rad
        if fingers is not None:
            pose, arch = pose_of_dofs(fingers)
            hands[side] = replace(hands[side], pose=pose, palm_arch=arch)
        wrist = matrix_axis_angle(axes @ wanted[side].turn)
        hands[side] = replace(hands[side], wrist=wrist)
    return parameters_with(body, turned, hands)
