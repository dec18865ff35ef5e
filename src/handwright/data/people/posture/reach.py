"""An arm that brings a hand where it is wanted: two bones, a swivel, what wrists and elbows can do.

What arms and hair must not go through is torso, head and thighs as capsules.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from handwright.body.free_body import SHOULDER_SHARE
from handwright.data.people.figure.makehuman import SKIN_VERTICES
from handwright.data.people.figure.mesh_cutting import Posed, bone
from handwright.data.shapes import Matrix, Points, Vector
from handwright.hand.rig import axis_angle_matrix, matrix_axis_angle
from handwright.types import Side


@dataclass(frozen=True, eq=False)
class Capsules:
    """What arms must not go through."""

    starts_m: Float[np.ndarray, "k 3"]  # [K, 3] one end of each axis
    ends_m: Float[np.ndarray, "k 3"]  # [K, 3]
    radii_m: Float[np.ndarray, " k"]  # [K]

    def moved(self, turn: Matrix, by_m: Vector) -> Capsules:
        """The same elsewhere: each point p → p·turn + by_m."""
        return Capsules(self.starts_m @ turn + by_m, self.ends_m @ turn + by_m, self.radii_m)

    def pushed_out(self, points_m: Points, gap_m: float) -> Points:
        """Points; those nearer than ``gap_m`` to a surface moved out of the capsule they are deepest in."""
        offset, inside = self._offsets(points_m)
        worst = inside.argmax(-1)[:, None, None]
        away = np.take_along_axis(offset, worst, 1)[:, 0]
        deep = np.take_along_axis(inside, worst[..., 0], 1) + gap_m
        far = np.linalg.norm(away, axis=1, keepdims=True)
        return points_m + np.maximum(deep, 0) * away / np.maximum(far, 1e-6)

    def depth_m(self, points_m: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n"]:
        """How deep each point lies inside, negative outside."""
        return self._offsets(points_m)[1].max(-1)

    def _offsets(self, points_m: Float[np.ndarray, "*n 3"]) -> tuple[np.ndarray, np.ndarray]:
        """From every capsule's axis to every point [..., K, 3], and how deep the point is inside [..., K]."""
        along = self.ends_m - self.starts_m
        offset = points_m[..., None, :] - self.starts_m
        share = np.clip((offset * along).sum(-1) / (along**2).sum(-1), 0, 1)
        away = offset - share[..., None] * along
        return away, self.radii_m - np.linalg.norm(away, axis=-1)


def capsules_of(vertices_m: Points, posed: Posed) -> Capsules:
    """Torso, head and thighs of a posed body."""
    rest = posed.rest_heads_m
    pelvis, chest, head = rest[bone("root")], rest[bone("spine01")], rest[bone("head")]
    tall = float(np.ptp(vertices_m[:SKIN_VERTICES, 1]))
    near = vertices_m[:SKIN_VERTICES]
    ring = near[
        (np.abs(near[:, 1] - rest[bone("spine03")][1]) < 0.02 * tall) & (np.abs(near[:, 0]) < 0.12 * tall)
    ]
    half_depth, half_width = np.ptp(ring[:, 2]) / 2, np.ptp(ring[:, 0]) / 2
    middle = np.array([0.0, 0.0, float(ring[:, 2].mean() + 0.01)])
    shift = np.array([max(float(half_width - half_depth), 0.02), 0.0, 0.0])
    top = chest * [0, 1, 0] + middle - [0, 0.02 * tall, 0]
    base = pelvis * [0, 1, 0] + middle
    crown = head + np.array([0.0, 0.065 * tall, 0.03 * tall])
    pairs = [(base + k * shift, top + k * shift, half_depth, "spine03") for k in (-1, 0, 1)]
    pairs += [(head, crown, 0.062 * tall, "head"), (rest[bone("neck01")], head, 0.05 * tall, "neck02")]
    for tag in "LR":
        hip, knee = rest[bone(f"upperleg01.{tag}")], rest[bone(f"lowerleg01.{tag}")]
        pairs.append((hip, knee, 0.05 * tall, f"upperleg01.{tag}"))
    ends = [[_carried(posed, end, name) for end in (a, b)] for a, b, _, name in pairs]
    return Capsules(
        np.array([e[0] for e in ends]), np.array([e[1] for e in ends]), np.array([float(p[2]) for p in pairs])
    )


def below_head(body: Capsules, bones: Posed, vertices_m: Points) -> Capsules:
    """Torso, neck and shoulders of a posed body: what hair hangs over."""
    keep = [0, 1, 2, 4]
    tall = float(np.ptp(vertices_m[:SKIN_VERTICES, 1]))
    neck = bones.heads_m[bone("neck01")]
    ends = [bones.heads_m[bone(f"upperarm01.{tag}")] for tag in "LR"]
    return Capsules(
        np.concatenate([body.starts_m[keep], [neck - [0, 0.03 * tall, 0]] * 2]),
        np.concatenate([body.ends_m[keep], ends]),
        np.concatenate([body.radii_m[keep], [0.042 * tall] * 2]),
    )


def _carried(posed: Posed, point: Vector, name: str) -> Vector:
    b = bone(name)
    return posed.heads_m[b] + posed.turns[b] @ (point - posed.rest_heads_m[b])


_SWIVELS = 14
WRIST_FLEXION, WRIST_DEVIATION = np.deg2rad([62.0, 24.0])
SUPINATION = np.deg2rad([-12.0, 172.0])
"""Least and most angle from palm-to-the-shoulder (full supination) through thumb-up (90°) to palm-away."""

LIMIT = 9.0  # Cost of an arm at a limit
_ARM_RADIUS_M = 0.045
_UPPER_SHARE = 0.4  # Of the upper arm's twist that its first half has

FORE_SHARES = (0.25, 0.8)
"""Shares of the hand's twist against the elbow that both halves of the forearm have."""


ElbowCost = Callable[[Float[np.ndarray, "n k 3"]], Float[np.ndarray, "n k"]]
"""What places of an elbow cost, by where they are."""


@dataclass(frozen=True, eq=False)
class Solution:
    """An arm."""

    turned: dict[str, Matrix]  # Rotation of its bones against the resting body, by name
    discomfort: float  # 0 easy … 1 at a limit
    place: int  # Which of the wanted places it brings the hand to


def solve_arm(
    posed: Posed,
    side: Side,
    hand_rest: Matrix,
    wrists_m: Points,
    hands: Float[np.ndarray, "n 3 3"],
    body: Capsules,
    rng: np.random.Generator,
    *,
    swivels: int = _SWIVELS,
    elbow_cost: ElbowCost | None = None,
    worst: float = LIMIT,
) -> Solution | None:
    """The easiest way to one of several wanted places of a hand; None if there is none within limits.

    Args:
        posed: The body, its clavicles included.
        side: Which arm.
        hand_rest: [3, 3] axes of our hand (columns: thumb's side, fingers, out of the palm) on the resting
            body; of a left hand the first is the little finger's side.
        wrists_m: [N, 3] where the wrist may be, about.
        hands: [N, 3, 3] the hand's axes there.
        body: Torso, head and legs.
        rng: Chooses among ways that are about as easy.
        swivels: How many places of the elbow are tried for each of the wrist.
        elbow_cost: What places of the elbow [N, K, 3] cost beside discomfort, [N, K]; none by default.
        worst: Cost from which on there is no way; infinite: the hand gets there, whatever joints can do.
    """
    tag = "R" if side == "right" else "L"
    shoulder_bone, elbow_bone, wrist_bone = (
        bone(f"{name}.{tag}") for name in ("upperarm01", "lowerarm01", "wrist")
    )
    rest = posed.rest_heads_m
    upper0, fore0 = rest[elbow_bone] - rest[shoulder_bone], rest[wrist_bone] - rest[elbow_bone]
    length_u, length_f = float(np.linalg.norm(upper0)), float(np.linalg.norm(fore0))
    shoulder = posed.heads_m[shoulder_bone]
    offset = wrists_m - shoulder
    far = np.linalg.norm(offset, axis=1)
    reach = np.clip(far, 1.02 * abs(length_u - length_f) + 0.08, 0.985 * (length_u + length_f))
    ahead = offset / far[:, None]
    along = (length_u**2 - length_f**2 + reach**2) / (2 * reach)
    out = np.sqrt(np.maximum(length_u**2 - along**2, 1e-8))
    first, second = _perpendicular(ahead)
    angle = np.linspace(0, 2 * np.pi, swivels, endpoint=False) + rng.uniform(0, 2 * np.pi / swivels)
    ring = np.cos(angle)[:, None] * first[:, None] + np.sin(angle)[:, None] * second[:, None]
    elbow = shoulder + along[:, None, None] * ahead[:, None] + out[:, None, None] * ring
    wrist = np.broadcast_to((shoulder + reach[:, None] * ahead)[:, None], elbow.shape)
    upper, fore = (elbow - shoulder) / length_u, (wrist - elbow) / length_f
    hinge = np.cross(upper, fore)
    hinge /= np.maximum(np.linalg.norm(hinge, axis=-1, keepdims=True), 1e-9)
    cost = _discomfort(side, upper, fore, hinge, hands[:, None])
    cost = cost + _through(body, shoulder, elbow, wrist, hands[:, None])
    cost = cost + 0.25 * (np.abs(reach - far) / 0.05)[:, None] + rng.uniform(0, 0.25, cost.shape)
    if elbow_cost is not None:
        cost = cost + elbow_cost(elbow)
    n, k = np.unravel_index(int(cost.argmin()), cost.shape)
    if cost[n, k] > worst:
        return None
    bones = _bones(tag, posed, (upper0, fore0), (upper[n, k], fore[n, k]), hands[n] @ hand_rest.T)
    return Solution(bones, float(cost[n, k]) / LIMIT, int(n))


def _perpendicular(axis: Points) -> tuple[Points, Points]:
    first = np.cross(axis, [0.12, 0.3, 0.95])
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    return first, np.cross(axis, first)


def wrist_angles(
    fore: Float[np.ndarray, "*n 3"], hand: Float[np.ndarray, "*n 3 3"], side: Side
) -> np.ndarray:
    """[..., 2] flexion (+ to the palm) and deviation (+ to the thumb) of the wrist, radians."""
    inside = np.einsum("...ji,...j->...i", hand, fore)
    thumb = -inside[..., 0] if side == "right" else inside[..., 0]
    return np.stack([np.arctan2(-inside[..., 2], inside[..., 1]), np.arctan2(thumb, inside[..., 1])], -1)


def supination(
    fore: Float[np.ndarray, "*n 3"],
    hinge: Float[np.ndarray, "*n 3"],
    hand: Float[np.ndarray, "*n 3 3"],
    side: Side,
) -> np.ndarray:
    """Turn of the forearm: 0 palm to the shoulder, π/2 thumb up, π palm away."""
    bends = np.cross(hinge, fore)
    inwards = hinge if side == "left" else -hinge
    palm = hand[..., :, 2] - (hand[..., :, 2] * fore).sum(-1, keepdims=True) * fore
    return np.arctan2((palm * inwards).sum(-1), (palm * bends).sum(-1))


def _discomfort(
    side: Side,
    upper: Float[np.ndarray, "n k 3"],
    fore: Float[np.ndarray, "n k 3"],
    hinge: Float[np.ndarray, "n k 3"],
    hand: Float[np.ndarray, "n 1 3 3"],
) -> Float[np.ndarray, "n k"]:
    flexion, deviation = np.moveaxis(wrist_angles(fore, hand, side), -1, 0)
    turn = supination(fore, hinge, hand, side)
    turn = np.where(turn < -np.pi / 2, turn + 2 * np.pi, turn)
    low, high = SUPINATION
    outwards = upper[..., 0] * (1 if side == "left" else -1)
    cost = 2 * (flexion / WRIST_FLEXION) ** 2 + 2 * (deviation / WRIST_DEVIATION) ** 2
    cost = cost + 1.0 * ((turn - np.pi / 2) / (np.pi / 2)) ** 4
    cost = cost + 4 * np.maximum(upper[..., 1] + 0.15, 0) + 3 * np.maximum(-0.05 - outwards, 0)
    cost = cost + 6 * np.maximum(-upper[..., 2] - 0.45, 0) + 1.2 * np.maximum(outwards - 0.55, 0)
    beyond: Bool[np.ndarray, "n k"] = (
        (np.abs(flexion) > WRIST_FLEXION)
        | (np.abs(deviation) > WRIST_DEVIATION)
        | (turn < low)
        | (turn > high)
        | (upper[..., 1] > 0.45)
        | (outwards < -0.45)
        | (upper[..., 2] < -0.75)
    )
    return cost + 100.0 * beyond


def _through(
    body: Capsules,
    shoulder: Vector,
    elbow: Float[np.ndarray, "n k 3"],
    wrist: Float[np.ndarray, "n k 3"],
    hand: Float[np.ndarray, "n 1 3 3"],
) -> Float[np.ndarray, "n k"]:
    """Grows with how deep forearm and hand are in the body."""
    along = np.linspace(0, 1, 6)[:, None]
    fore = elbow[..., None, :] + along * (wrist - elbow)[..., None, :]
    upper = shoulder + np.array([0.65, 0.85])[:, None] * (elbow - shoulder)[..., None, :]
    spots = np.array([[0, 0.05], [0, 0.1], [0, 0.16], [-0.04, 0.09], [0.05, 0.09]])
    reach = hand[..., None, :, 0] * spots[:, :1] + hand[..., None, :, 1] * spots[:, 1:]
    points = np.concatenate([fore, upper, wrist[..., None, :] + reach], -2)
    deep = body.depth_m(points) + _ARM_RADIUS_M
    return 100 * np.maximum(deep, 0).max(-1) / 0.02


def _bones(
    tag: str, posed: Posed, rest: tuple[Vector, Vector], now: tuple[Vector, Vector], hand: Matrix
) -> dict[str, Matrix]:
    """Rotations of the arm's bones; twists are spread along upper arm and forearm."""
    upper0, fore0 = (v / np.linalg.norm(v) for v in rest)
    upper, fore = now
    hinge0, hinge = np.cross(upper0, fore0), np.cross(upper, fore)
    upper_turn = _frame(upper, hinge) @ _frame(upper0, hinge0).T
    above = posed.turns[bone(f"clavicle.{tag}")]
    fore_turn = _frame(fore, hinge) @ _frame(fore0, hinge0).T
    twisted = twist_angle(fore_turn.T @ hand, fore0)
    first, second = FORE_SHARES
    return {
        **upper_arm(tag, above, (upper0, upper), upper_turn),
        f"lowerarm01.{tag}": fore_turn @ axis_angle_matrix(first * twisted * fore0),
        f"lowerarm02.{tag}": fore_turn @ axis_angle_matrix(second * twisted * fore0),
        f"wrist.{tag}": hand,
    }


def upper_arm(tag: str, above: Matrix, along: tuple[Vector, Vector], turn: Matrix) -> dict[str, Matrix]:
    """Rotations of the girdle's and the upper arm's bones, which share its swing and its twist.

    Args:
        tag: 'L' or 'R'.
        above: The clavicle's rotation.
        along: Direction of the upper arm at rest and now.
        turn: The upper arm's rotation at the elbow.
    """
    swing = turn_between(above @ along[0], along[1]) @ above
    return {
        f"shoulder01.{tag}": slerp(above, swing, SHOULDER_SHARE),
        f"upperarm01.{tag}": slerp(swing, turn, _UPPER_SHARE),
        f"upperarm02.{tag}": turn,
    }


def slerp(a: Matrix, b: Matrix, share: float) -> Matrix:
    """Part of the way from one rotation to another."""
    return a @ axis_angle_matrix(share * matrix_axis_angle(a.T @ b))


def _frame(along: Vector, across: Vector) -> Matrix:
    along, across = along / np.linalg.norm(along), across / np.linalg.norm(across)
    return np.stack([along, across, np.cross(along, across)], 1)


def turn_between(a: Vector, b: Vector) -> Matrix:
    """The least rotation that takes one unit vector to another."""
    axis = np.cross(a, b)
    sine = float(np.linalg.norm(axis))
    return axis_angle_matrix(axis * (np.arctan2(sine, float(a @ b)) / max(sine, 1e-12)))


def twist_angle(turn: Matrix, axis: Vector) -> float:
    """Angle of a rotation about an axis, the swing away from it taken off, in −π … π."""
    swing = turn_between(axis, turn @ axis)
    return float(matrix_axis_angle(swing.T @ turn) @ axis)
