"""A person's own two hands brought together before the chest: both arms of body parameters solved at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import product

import numpy as np
from jaxtyping import Float

from handwright.body import BodyParameters, pose_body
from handwright.body.free_body import parameters_with, rest_body, template_turns
from handwright.body.skeleton import JOINT, SIDES
from handwright.data.hands.arrange import Turned
from handwright.data.people.figure.hand_graft import TO_CAMERA
from handwright.data.people.figure.makehuman import load_figure
from handwright.data.people.figure.mesh_cutting import Posed, bone
from handwright.data.people.posture.arms import tag_of
from handwright.data.people.posture.meeting import MEETINGS, PALM, own_hands
from handwright.data.people.posture.reach import Capsules, Solution, solve_arm
from handwright.data.shapes import Matrix, Vector
from handwright.hand.kinematics import pose_of_dofs
from handwright.hand.rig import axis_angle_matrix, matrix_axis_angle
from handwright.prompts.parse import parse_prompt
from handwright.types import Side

_OWNER = np.diag([-1.0, -1.0, 1.0])
"""How the owner sees it (x right, y down, z ahead) → axes of the body (x left, y up, z ahead)."""

_TRUNK_M = 0.11  # Radius of what arms keep out of, about the line from pelvis to neck; by eye
_TURNED_DEG = 15.0  # Whose chest is turned farther from the camera has one hand behind the other; by eye
_ROUNDS = 5  # Of solving: a shoulder follows its arm
_ELBOW_M = 0.05  # An elbow that moves so far between two rounds costs 1, a ninth of a limit; by eye
_SWIVELS = 48  # Places of each elbow that are tried
_OFF_M = 0.004  # By so much the hands may lie otherwise to each other than the meeting has them


def meeting_of(text: str) -> str | None:
    """How one person's own hands meet by a text, of ``posture.meeting.MEETINGS``; None where they do not."""
    expected = parse_prompt(text)
    own = len(expected.hands) == 2 and (expected.people or 1) == 1
    return expected.meeting if own and expected.meeting in MEETINGS else None


def with_meeting(body: BodyParameters, meeting: str, seed: int) -> BodyParameters | None:
    """The same person, both hands brought together; None where arms do not get there, or it is not seen.

    Args:
        body: The person.
        meeting: One of ``posture.meeting.MEETINGS``.
        seed: Same seed, same hands.
    """
    size = float(np.exp(pose_body(body).hands["right"].shape[0]))
    pair: dict[Side, Turned] = {
        hand.side: hand for hand in own_hands(np.random.default_rng(seed), meeting, size)
    }
    axes, places = _chest_axes(body), MEETINGS[meeting]
    if axes[2, 2] > -np.cos(np.deg2rad(_TURNED_DEG)):
        return None
    arms = _Arms.of(body, axes)
    best: tuple[float, Mapping[Side, _Place]] | None = None
    for ahead, below, tilt in product(places.ahead, places.below, places.tilts_deg):
        wanted = _wanted(arms, pair, np.array([0.0, -below, ahead]), np.deg2rad(tilt))
        found = arms.solved(wanted, seed)
        discomfort = sum(arm.discomfort for arm in found.values()) if len(found) == 2 else np.inf
        if discomfort < (np.inf if best is None else best[0]):
            best = discomfort, wanted
    if best is None:
        return None
    for k in range(_ROUNDS):
        found = _Arms.of(body, axes).solved(best[1], seed, stays=k > 0)
        if len(found) < 2:
            return None
        body = _with_arms(body, axes, best[1], found)
    off = [axes.T @ hand.translation_m - best[1][side].at_m for side, hand in pose_body(body).hands.items()]
    return body if np.linalg.norm(off[0] - off[1]) < _OFF_M else None


@dataclass(frozen=True, eq=False)
class _Place:
    """Where a hand is wanted, in the chest's level axes about the camera."""

    hand: Turned
    turn: Matrix  # Of the hand
    at_m: Vector  # The hand's wrist


@dataclass(frozen=True, eq=False)
class _Arms:
    """What solving a person's arms reads, in the chest's level axes about the camera."""

    bones: Posed  # The synthetic world's skeleton, at the person's joints; arms alone
    trunk: Capsules  # What arms keep out of
    hands: Mapping[Side, Matrix]  # Axes of the hand on the resting body
    wrists_m: Mapping[Side, Vector]  # From the wrist joint to the hand's wrist, on the resting body

    @classmethod
    def of(cls, body: BodyParameters, axes: Matrix) -> _Arms:
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

    def solved(
        self, wanted: Mapping[Side, _Place], seed: int, *, stays: bool = False
    ) -> dict[Side, Solution]:
        """The arms that bring the hands there, as far as there are such; elbows stay about where they are."""
        found: dict[Side, Solution] = {}
        for k, side in enumerate(SIDES):
            turn, hand_rest = wanted[side].turn, self.hands[side]
            joint = wanted[side].at_m - turn @ hand_rest.T @ self.wrists_m[side]
            rng = np.random.default_rng([seed, k])
            elbow_m = self.bones.heads_m[bone(f"lowerarm01.{tag_of(side)}")]
            moved = partial(_moved, elbow_m) if stays else None
            arm = solve_arm(
                self.bones, side, hand_rest, joint[None], turn[None], self.trunk, rng,
                swivels=_SWIVELS, elbow_cost=moved,
            )  # fmt: skip
            if arm is not None:
                found[side] = arm
        return found

    def chain(self, heads_m: Float[np.ndarray, "b 3"]) -> Float[np.ndarray, "2 3 3"]:
        """Shoulder, elbow and wrist of both arms."""
        return np.array([[heads_m[bone(f"{name}.{tag_of(side)}")] for name in _JOINTS] for side in SIDES])


def _moved(elbow_m: Vector, places_m: Float[np.ndarray, "n k 3"]) -> Float[np.ndarray, "n k"]:
    """What it costs to move an elbow: rounds of solving else jump between ways that are about as easy."""
    return (np.linalg.norm(places_m - elbow_m, axis=-1) / _ELBOW_M) ** 2


_JOINTS = {"upperarm01": "shoulder", "lowerarm01": "elbow", "wrist": "wrist"}  # By the bone that begins there


def _chest_axes(body: BodyParameters) -> Matrix:
    """[3, 3] upright axes that turn with the chest (x to its left, y up, z ahead) → camera."""
    ahead = TO_CAMERA @ pose_body(body).rotations[JOINT["spine3"]] @ np.array([0.0, 0.0, 1.0])
    return TO_CAMERA @ axis_angle_matrix(np.array([0.0, np.arctan2(ahead[0], ahead[2]), 0.0]))


def _wanted(arms: _Arms, pair: Mapping[Side, Turned], middle: Vector, tilt_rad: float) -> dict[Side, _Place]:
    """Both hands about a place before the shoulders' middle, in lengths of the arm."""
    length_m = float(np.linalg.norm(np.diff(arms.chain(arms.bones.rest_heads_m)[0], axis=0), axis=1).sum())
    centre = arms.chain(arms.bones.heads_m)[:, 0].mean(0) + length_m * middle
    view = axis_angle_matrix(np.array([tilt_rad, 0.0, 0.0])) @ _OWNER
    between = np.mean([hand.at_m + hand.turn @ PALM for hand in pair.values()], 0)
    return {
        side: _Place(hand, view @ hand.turn, centre + view @ (hand.at_m - between))
        for side, hand in pair.items()
    }


def _with_arms(
    body: BodyParameters, axes: Matrix, wanted: Mapping[Side, _Place], arms: Mapping[Side, Solution]
) -> BodyParameters:
    posed = pose_body(body)
    turned, hands = posed.rotations.copy(), dict(posed.hands)
    for side, arm in arms.items():
        for name, joint in (("upperarm02", "shoulder"), ("lowerarm02", "elbow")):
            k = JOINT[f"{side}_{joint}"]
            turned[k] = axes @ arm.turned[f"{name}.{tag_of(side)}"] @ template_turns()[k].T
        pose, arch = pose_of_dofs(wanted[side].hand.posed.dofs_rad)
        wrist = matrix_axis_angle(axes @ wanted[side].turn)
        hands[side] = replace(hands[side], pose=pose, palm_arch=arch, wrist=wrist)
    return parameters_with(body, turned, hands)
