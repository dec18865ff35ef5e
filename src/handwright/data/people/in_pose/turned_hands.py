"""A person's hands turned as a text has them: palms up or down, fingers down or to the camera."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

import numpy as np

from handwright.body import BodyParameters, pose_body
from handwright.body.skeleton import SIDES
from handwright.data.people.in_pose.solved_arms import Arms, Place, chest_axes, with_hands_at
from handwright.data.shapes import Matrix, Vector
from handwright.hand.grammar import StatedPose, orientation_of, wrist_of
from handwright.hand.grammar.words import ORIENTATIONS
from handwright.hand.rig import axis_angle_matrix
from handwright.types import Side

_BESIDE, _ABOVE, _AHEAD = (0.0, 0.2), (-0.45, -0.25, 0.0), (0.35, 0.5, 0.65)
"""Where hands may be: outwards, above and before the shoulder, in lengths of the arm; as raised ones are in
the synthetic world (``posture.arms``), a little lower."""

_SHOWN_DEG = 25.0
"""By so much a hand whose palm is seen edge-on is turned to show it, or its back; less than half of what its
direction would be another's by. Chosen by eye on eight texts of directions."""

_RAISED_DEG = 15.0  # Fingers that point along the view are raised by so much, to be seen; by eye

_BACK = 0.1  # What it costs to show the back where the palm can be shown, in shares of a limit


def with_directions(
    body: BodyParameters, wanted: Mapping[Side, StatedPose], seed: int
) -> BodyParameters | None:
    """The same person, arms solved so that palms face and fingers point where they should.

    Args:
        body: The person.
        wanted: Of each hand that is to be turned what is stated of its ``palm`` and ``points``.
        seed: Same seed, same arms.

    Returns:
        The person; None where an arm does not get there, or no hand can be as is stated.
    """
    axes = chest_axes(body)
    arms = Arms.of(body, axes)
    places: dict[Side, Place] = {}
    for side, pose in wanted.items():
        ways = list(_ways(arms, axes, side, pose))
        if not ways:
            return None
        place = arms.easiest(side, [way for way, _ in ways], np.array([cost for _, cost in ways]), seed)
        if place is None:
            return None
        places[side] = place
    there = with_hands_at(body, axes, places, seed)
    return None if there is None or misdirected(there, wanted) else there


def with_thing_upright(
    body: BodyParameters, side: Side, up: Vector, rng: np.random.Generator
) -> BodyParameters | None:
    """The same person, one arm solved so that what the hand holds stands about upright.

    Args:
        body: The person.
        side: The hand.
        up: [3] unit vector in the hand's own frame (right-hand space) that is to point up.
        rng: Draws where the hand is and how it is turned, among what is easy.

    Returns:
        The person; None where the arm does not get there.
    """
    axes = chest_axes(body)
    arms = Arms.of(body, axes)
    for _ in range(_TRIES):
        places, seed = list(_upright(arms, axes, side, up, rng)), int(rng.integers(2**31))
        place = arms.easiest(side, places, rng.uniform(0, _WHIM, len(places)), seed)
        there = None if place is None else with_hands_at(body, axes, {side: place}, seed)
        if there is not None:
            return there
    return None


def _upright(arms: Arms, axes: Matrix, side: Side, up: Vector, rng: np.random.Generator) -> Iterator[Place]:
    """Places and rotations of a hand in which a direction of its own frame is about upright."""
    chain = arms.chain(arms.bones.heads_m)[SIDES.index(side)]
    length_m = float(np.linalg.norm(np.diff(chain, axis=0), axis=1).sum())
    out = np.array([1.0 if side == "left" else -1.0, 1.0, 1.0])
    above = up * ([1, 1, 1] if side == "right" else [-1, 1, 1])
    for palm, points in ORIENTATIONS:
        turn = axis_angle_matrix(wrist_of(palm, points))
        if (turn @ above)[1] > -_MOSTLY_UP:
            continue
        tilt = np.cross(turn @ above, [0.0, -1.0, 0.0]) + rng.normal(0, _TILT, 3)
        turn = axis_angle_matrix(np.array([0.0, rng.normal(0, _ABOUT), 0.0])) @ axis_angle_matrix(tilt) @ turn
        for spot in product(_BESIDE, _LOW, _AHEAD):
            at = length_m * (np.array(spot) + rng.normal(0, _SPOT, 3))
            yield Place(None, axes.T @ turn, chain[0] + at * out)


_TRIES = 4  # An arm's easiest place is not always one that it still gets to once the shoulder follows
_LOW = (-0.45, -0.25, -0.1)  # Above the shoulder, in lengths of the arm, of a hand that holds a thing upright
_MOSTLY_UP = 0.7  # Cosine to the vertical of what nearly stands upright before it is turned upright
_TILT, _ABOUT, _SPOT, _WHIM = 0.12, 0.3, 0.04, 0.4
"""Spread of a thing's tilt and of its turn about the vertical, radians, and of the hand's place, in lengths
of the arm; what a place costs at most by chance, in shares of a limit. By eye."""


def misdirected(body: BodyParameters, wanted: Mapping[Side, StatedPose]) -> set[Side]:
    """Hands of these whose palm or fingers go elsewhere than stated."""
    hands = pose_body(body).hands
    return {side for side, pose in wanted.items() if not pose.allows(*orientation_of(hands[side].wrist))}


def _ways(arms: Arms, axes: Matrix, side: Side, pose: StatedPose) -> Iterator[tuple[Place, float]]:
    """Places and rotations of a hand in a pose that is stated, with what each costs."""
    out = 1.0 if side == "left" else -1.0
    chain = arms.chain(arms.bones.heads_m)[SIDES.index(side)]
    length_m = float(np.linalg.norm(np.diff(chain, axis=0), axis=1).sum())
    for (turn, cost), spot in product(_turns(pose), product(_BESIDE, _ABOVE, _AHEAD)):
        yield Place(None, axes.T @ turn, chain[0] + length_m * np.array(spot) * [out, 1, 1]), cost


def _turns(pose: StatedPose) -> Iterator[tuple[Matrix, float]]:
    """Rotations of the hand, hand → camera, that fit what is stated, and what each costs."""
    for palm, points in ORIENTATIONS:
        if not pose.allows(palm, points):
            continue
        turn = axis_angle_matrix(wrist_of(palm, points))
        if pose.points in ("camera", "away"):  # Sideways they would be taken to point past the camera
            up = np.cross(turn[:, 1], [0.0, -1.0, 0.0])
            yield axis_angle_matrix(np.deg2rad(_RAISED_DEG) * up) @ turn, 0.0
        elif palm in ("camera", "away"):
            yield turn, 0.0 if palm == "camera" else _BACK
        else:
            across = np.cross(turn[:, 2], [0.0, 0.0, -1.0])  # The camera looks along z
            for sign, cost in ((1.0, 0.0), (-1.0, _BACK)):
                yield axis_angle_matrix(sign * np.deg2rad(_SHOWN_DEG) * across) @ turn, cost
