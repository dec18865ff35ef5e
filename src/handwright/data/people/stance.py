"""How someone stands before the camera: turn, head, and arms that show their hands."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from handwright.data.hands.poses import Posed as HandPose
from handwright.data.hands.poses import draw_pose, named_pose
from handwright.data.people.graft import SIDES, TO_CAMERA, Socket, socket_of
from handwright.data.people.pose import Posed, bone, pose_bones, rest_heads_m, skin
from handwright.data.people.reach import Capsules, Matrix, Solution, slerp, solve_arm
from handwright.hand.grammar import NAMED, wrist_of
from handwright.hand.grammar.words import Direction
from handwright.hand.rig import axis_angle_matrix
from handwright.types import Side

_TRIES, _PLACES = 8, 22
_TURN_DEG = 20.0
_VIEWS: tuple[tuple[float, Direction, Direction], ...] = (
    (0.50, "camera", "up"),
    (0.18, "away", "up"),
    (0.07, "left", "up"),
    (0.07, "right", "up"),
    (0.05, "camera", "left"),
    (0.05, "camera", "right"),
    (0.04, "away", "left"),
    (0.04, "away", "right"),
)
_OTHER_SHARES = (0.28, 0.5, 0.22)
"""The second hand: raised too, hanging, on the hip."""


@dataclass(frozen=True, eq=False)
class HeldHand:
    """One hand of someone.

    Attributes:
        side: Which hand.
        posed: What its fingers do.
        doing: 'raised', 'hanging' or 'on the hip'.
        socket: Where it sits on the resting body.
    """

    side: Side
    posed: HandPose
    doing: str
    socket: Socket


@dataclass(frozen=True, eq=False)
class Stance:
    """A posed body.

    Attributes:
        bones: Where the bones went.
        skin_m: [19158, 3] skin and helper meshes; the body's axes, standing at the origin.
        hands: The raised hand first.
        below_head: Torso, neck and shoulders, what hair hangs over.
    """

    bones: Posed
    skin_m: Float[np.ndarray, "v 3"]
    hands: tuple[HeldHand, HeldHand]
    below_head: Capsules


def draw_stance(rng: np.random.Generator, vertices_m: Float[np.ndarray, "v 3"]) -> Stance:
    """Someone who shows a hand, within the limits of joints and not through themselves.

    Args:
        rng: The picture's own random numbers.
        vertices_m: [19158, 3] the resting body.
    """
    heads = rest_heads_m(vertices_m)
    first: Side = "right" if rng.random() < 0.6 else "left"
    second: Side = "left" if first == "right" else "right"
    other = ("raised", "hanging", "on the hip")[int(rng.choice(3, p=_OTHER_SHARES))]
    local = _trunk(rng) | _legs(rng)
    local |= _clavicle(rng, first, 0.55) | _clavicle(rng, second, 0.45 if other == "raised" else 0.0)
    trunk = pose_bones(heads, local)
    body = capsules(vertices_m, trunk)
    sockets = {side: socket_of(vertices_m, side) for side in SIDES}
    raised, turned = _raise(rng, trunk, first, sockets[first], body)
    held = [raised]
    if other == "raised":
        also, moves = _raise(rng, trunk, second, sockets[second], body, raised.posed)
        apart = pose_bones(heads, local, turned | moves)
        if _hands_meet(apart):
            other = "hanging"
        else:
            held.append(also)
            turned |= moves
    if other != "raised":
        also, moves = _lower(rng, trunk, second, sockets[second], body, vertices_m, other)
        held.append(also)
        turned |= moves
    bones = pose_bones(heads, local, turned)
    return Stance(bones, skin(vertices_m, bones), (held[0], held[1]), _below_head(body, bones, vertices_m))


def capsules(vertices_m: Float[np.ndarray, "v 3"], posed: Posed) -> Capsules:
    """Torso, head and thighs of a posed body."""
    rest = posed.rest_heads_m
    pelvis, chest, head = rest[bone("root")], rest[bone("spine01")], rest[bone("head")]
    tall = float(np.ptp(vertices_m[:13380, 1]))
    near = vertices_m[:13380]
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


def _below_head(body: Capsules, bones: Posed, vertices_m: Float[np.ndarray, "v 3"]) -> Capsules:
    keep = [0, 1, 2, 4]
    tall = float(np.ptp(vertices_m[:13380, 1]))
    neck = bones.heads_m[bone("neck01")]
    ends = [bones.heads_m[bone(f"upperarm01.{tag}")] for tag in "LR"]
    return Capsules(
        np.concatenate([body.starts_m[keep], [neck - [0, 0.03 * tall, 0]] * 2]),
        np.concatenate([body.ends_m[keep], ends]),
        np.concatenate([body.radii_m[keep], [0.042 * tall] * 2]),
    )


def _carried(posed: Posed, point: Float[np.ndarray, "3"], name: str) -> Float[np.ndarray, "3"]:
    b = bone(name)
    return posed.heads_m[b] + posed.turns[b] @ (point - posed.rest_heads_m[b])


def _degrees(x: float, y: float, z: float) -> Matrix:
    return axis_angle_matrix(np.deg2rad([x, y, z]))


def _trunk(rng: np.random.Generator) -> dict[str, Matrix]:
    """The body's turn, a leaning and twisting spine, a head that mostly looks our way."""
    turn = float(np.clip(rng.normal(0, _TURN_DEG), -45, 45))
    bend, twist, lean = rng.normal(0, [4, 5, 3])
    nod, shake, tilt = rng.normal(0, [5, 9, 5])
    look = -0.7 * (turn + twist) + shake
    parts = {"root": _degrees(0, turn, 0)}
    for name in ("spine04", "spine03", "spine02", "spine01"):
        parts[name] = _degrees(bend / 4, twist / 4, lean / 4)
    for name in ("neck01", "neck02", "neck03", "head"):
        parts[name] = _degrees(nod / 4, look / 4, tilt / 4)
    return parts


def _legs(rng: np.random.Generator) -> dict[str, Matrix]:
    """Feet nearer to each other than at rest, one knee a little bent."""
    parts: dict[str, Matrix] = {}
    for tag, sign in (("L", 1.0), ("R", -1.0)):
        close, turn, knee = rng.uniform(3, 7), rng.uniform(-3, 9), max(0.0, rng.normal(0, 6))
        parts[f"upperleg01.{tag}"] = _degrees(-0.5 * knee, sign * turn, -sign * close)
        parts[f"lowerleg01.{tag}"] = _degrees(knee, 0, 0)
        parts[f"foot.{tag}"] = _degrees(-0.5 * knee, 0, sign * close)
    return parts


def _clavicle(rng: np.random.Generator, side: Side, raised: float) -> dict[str, Matrix]:
    sign = 1.0 if side == "left" else -1.0
    up = sign * (raised * rng.uniform(4, 14) - 4)
    return {f"clavicle.{'L' if side == 'left' else 'R'}": _degrees(0, -sign * raised * 8, up)}


def _raise(
    rng: np.random.Generator,
    trunk: Posed,
    side: Side,
    socket: Socket,
    body: Capsules,
    like: HandPose | None = None,
) -> tuple[HeldHand, dict[str, Matrix]]:
    """A hand held up to the camera; the last tries are an open palm, which always works."""
    best: tuple[float, HandPose, Solution] | None = None
    for attempt in range(_TRIES):
        posed = like if like is not None and rng.random() < 0.4 else draw_pose(rng)
        palm, points = _view(rng, posed, side)
        if attempt >= _TRIES // 2:
            palm, points = "camera", "up"
        turn = TO_CAMERA @ _jitter(rng, 13.0) @ axis_angle_matrix(wrist_of(palm, points))
        wrists = _in_view(rng, trunk, side)
        hands = np.repeat(turn[None], len(wrists), 0)
        solution = solve_arm(trunk, side, socket.turn, wrists, hands, body, rng)
        if solution is None:
            continue
        if best is None or solution.discomfort < best[0]:
            best = solution.discomfort, posed, solution
        if best[0] < 0.45:
            break
    if best is None:
        return _lower(rng, trunk, side, socket, body, None, "hanging")
    return HeldHand(side, best[1], "raised", socket), best[2].turned


def _view(rng: np.random.Generator, posed: HandPose, side: Side) -> tuple[Direction, Direction]:
    named = NAMED.get(posed.name or "")
    if posed.name in ("like", "dislike"):
        palm: Direction = "camera" if rng.random() < 0.3 else "away"
        up: Direction = "left" if palm == "camera" else "right"
        down: Direction = "right" if palm == "camera" else "left"
        points = up if posed.name == "like" else down
        if side == "left":
            points = "right" if points == "left" else "left"
        return palm, points
    if named is not None and named.palm is not None and named.points is not None and rng.random() < 0.75:
        return named.palm, named.points
    _, palm, points = _VIEWS[int(rng.choice(len(_VIEWS), p=[view[0] for view in _VIEWS]))]
    return palm, points


def _in_view(rng: np.random.Generator, trunk: Posed, side: Side) -> Float[np.ndarray, "n 3"]:
    """Places for a raised wrist: beside and before the shoulder, chest to face."""
    tag = "R" if side == "right" else "L"
    shoulder, elbow, wrist = (bone(f"{name}.{tag}") for name in ("upperarm01", "lowerarm01", "wrist"))
    rest = trunk.rest_heads_m
    length = float(np.linalg.norm(rest[elbow] - rest[shoulder]) + np.linalg.norm(rest[wrist] - rest[elbow]))
    low, high = np.array([-0.1, -0.42, 0.25]), np.array([0.36, 0.36, 0.72])
    spots = length * rng.uniform(low, high, (_PLACES, 3)) * [1.0 if side == "left" else -1.0, 1, 1]
    turn = slerp(trunk.turns[bone("spine01")], np.eye(3), 0.4)
    return trunk.heads_m[shoulder] + spots @ turn.T


def _lower(
    rng: np.random.Generator,
    trunk: Posed,
    side: Side,
    socket: Socket,
    body: Capsules,
    vertices_m: Float[np.ndarray, "v 3"] | None,
    doing: str,
) -> tuple[HeldHand, dict[str, Matrix]]:
    """A hand that hangs, or rests on the hip as a loose fist."""
    sign = 1.0 if side == "left" else -1.0
    tag = "R" if side == "right" else "L"
    shoulder = trunk.heads_m[bone(f"upperarm01.{tag}")]
    turn = trunk.turns[bone("spine03")]
    rest = trunk.rest_heads_m
    length = float(np.linalg.norm(rest[bone(f"wrist.{tag}")] - rest[bone(f"lowerarm01.{tag}")]))
    length += float(np.linalg.norm(rest[bone(f"lowerarm01.{tag}")] - rest[bone(f"upperarm01.{tag}")]))
    if doing == "on the hip" and vertices_m is not None:
        hip = trunk.heads_m[bone("root")]
        tall = float(np.ptp(vertices_m[:13380, 1]))
        spots = hip + np.stack(
            [sign * tall * rng.uniform(0.135, 0.165, 10), tall * rng.uniform(0.02, 0.07, 10), tall * rng.uniform(-0.01, 0.03, 10)], 1
        ) @ turn.T  # fmt: skip
        fingers, palm = np.array([-0.55 * sign, -0.45, 0.65]), np.array([-0.6 * sign, -0.5, -0.6])
        hands = np.stack([turn @ _axes(fingers, palm) @ _jitter(rng, 6.0) for _ in range(10)])
        solution = solve_arm(trunk, side, socket.turn, spots, hands, _no_torso(body), rng)
        if solution is not None:
            return HeldHand(side, named_pose("fist", rng), doing, socket), solution.turned
    spots = shoulder + length * np.stack(
        [sign * rng.uniform(0.06, 0.3, 14), -rng.uniform(0.9, 0.97, 14), rng.uniform(-0.02, 0.22, 14)], 1
    ) @ turn.T  # fmt: skip
    fingers, palm = np.array([0.0, -1.0, 0.12]), np.array([-sign, 0.0, -rng.uniform(0.0, 0.8)])
    hands = np.stack([turn @ _axes(fingers, palm) @ _jitter(rng, 6.0) for _ in range(14)])
    solution = solve_arm(trunk, side, socket.turn, spots, hands, _no_torso(body), rng)
    return HeldHand(side, named_pose("relaxed", rng), "hanging", socket), solution.turned if solution else {}


def _no_torso(body: Capsules) -> Capsules:
    return replace(body, radii_m=0.75 * body.radii_m)


def _axes(fingers: Float[np.ndarray, "3"], palm: Float[np.ndarray, "3"]) -> Matrix:
    """Hand axes whose fingers and palm go about these ways."""
    y = fingers / np.linalg.norm(fingers)
    z = palm - (palm @ y) * y
    z /= np.linalg.norm(z)
    return np.stack([np.cross(y, z), y, z], 1)


def _jitter(rng: np.random.Generator, degrees: float) -> Matrix:
    return axis_angle_matrix(np.deg2rad(np.clip(rng.normal(0, degrees, 3), -2 * degrees, 2 * degrees)))


def _hands_meet(posed: Posed) -> bool:
    ends = [
        posed.heads_m[bone(f"wrist.{tag}")]
        + posed.turns[bone(f"wrist.{tag}")]
        @ (posed.rest_heads_m[bone(f"finger3-1.{tag}")] - posed.rest_heads_m[bone(f"wrist.{tag}")])
        for tag in "LR"
    ]
    return float(np.linalg.norm(ends[0] - ends[1])) < 0.2
