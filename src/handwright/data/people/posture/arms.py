"""Arms that raise a hand to the camera, let it hang, or rest it on the hip."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from handwright.data.hands.arrange import jitter, thumb_view
from handwright.data.hands.hold import Posed as HandPose
from handwright.data.hands.hold import draw_pose, named_pose
from handwright.data.people.figure.hand_graft import TO_CAMERA, Socket
from handwright.data.people.figure.mesh_cutting import Posed, bone
from handwright.data.people.posture.reach import Capsules, Solution, slerp, solve_arm
from handwright.data.shapes import Matrix, Points, Vector
from handwright.hand.grammar import NAMED, wrist_of
from handwright.hand.grammar.words import Direction
from handwright.hand.rig import axis_angle_matrix
from handwright.types import Side

_TRIES, _PLACES, _LOW_PLACES, _EASY = 8, 22, 12, 0.45
_SLIM = 0.75  # Share of the body's capsules that lowered arms keep out of

_VIEWS: tuple[tuple[float, Direction, Direction], ...] = (
    (0.50, "camera", "up"), (0.18, "away", "up"), (0.07, "left", "up"), (0.07, "right", "up"),
    (0.05, "camera", "left"), (0.05, "camera", "right"), (0.04, "away", "left"), (0.04, "away", "right"),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class HeldHand:
    """One hand of someone."""

    side: Side  # Which hand
    posed: HandPose  # What its fingers do
    doing: str  # 'raised', 'hanging' or 'on the hip'
    socket: Socket  # Where it sits on the resting body


def raise_hand(
    rng: np.random.Generator,
    trunk: Posed,
    side: Side,
    socket: Socket,
    body: Capsules,
    like: HandPose | None = None,
) -> tuple[HeldHand, dict[str, Matrix]] | None:
    """A hand held up to the camera: the easiest of several draws, the last with the palm to it; or None."""
    best: tuple[HandPose, Solution] | None = None
    for attempt in range(_TRIES):
        posed = like if like is not None and rng.random() < 0.4 else draw_pose(rng)
        palm, points = _view(rng, posed, side) if attempt < _TRIES // 2 else ("camera", "up")
        turn = TO_CAMERA @ jitter(rng, 13.0, 2.0) @ axis_angle_matrix(wrist_of(palm, points))
        wrists = _in_view(rng, trunk, side)
        hands = np.repeat(turn[None], len(wrists), 0)
        solution = solve_arm(trunk, side, socket.turn, wrists, hands, body, rng)
        if solution is not None and (best is None or solution.discomfort < best[1].discomfort):
            best = posed, solution
        if best is not None and best[1].discomfort < _EASY:
            break
    return None if best is None else (HeldHand(side, best[0], "raised", socket), best[1].turned)


def lower_hand(
    rng: np.random.Generator,
    trunk: Posed,
    side: Side,
    socket: Socket,
    body: Capsules,
    tall_m: float,
    doing: str,
) -> tuple[HeldHand, dict[str, Matrix]]:
    """A hand that rests on the hip as a loose fist, or hangs; it hangs where the hip is out of reach."""
    out = 1.0 if side == "left" else -1.0
    turn = trunk.turns[bone("spine03")]
    slim = replace(body, radii_m=_SLIM * body.radii_m)
    if doing == "on the hip":
        spots = (
            rng.uniform([0.135, 0.02, -0.01], [0.165, 0.07, 0.03], (_LOW_PLACES, 3)) * [out, 1, 1] * tall_m
        )
        wrists = trunk.heads_m[bone("root")] + spots @ turn.T
        hands = _hands(rng, turn, np.array([-0.55 * out, -0.45, 0.65]), np.array([-0.6 * out, -0.5, -0.6]))
        solution = solve_arm(trunk, side, socket.turn, wrists, hands, slim, rng)
        if solution is not None:
            return HeldHand(side, named_pose("fist", rng), doing, socket), solution.turned
    spots = rng.uniform([0.06, -0.97, -0.02], [0.3, -0.9, 0.22], (_LOW_PLACES, 3)) * [out, 1, 1]
    shoulder = trunk.heads_m[bone(f"upperarm01.{tag_of(side)}")]
    wrists = shoulder + _arm_length_m(trunk, side) * spots @ turn.T
    hands = _hands(rng, turn, np.array([0.0, -1.0, 0.12]), np.array([-out, 0.0, -rng.uniform(0.0, 0.8)]))
    solution = solve_arm(trunk, side, socket.turn, wrists, hands, slim, rng)
    turned = solution.turned if solution is not None else {}
    return HeldHand(side, named_pose("relaxed", rng), "hanging", socket), turned


def tag_of(side: Side) -> str:
    """How the rig's bones call a side."""
    return "R" if side == "right" else "L"


def _view(rng: np.random.Generator, posed: HandPose, side: Side) -> tuple[Direction, Direction]:
    named = NAMED.get(posed.name or "")
    if posed.name in ("like", "dislike"):
        return thumb_view(rng, posed.name, side, 0.3)
    if named is not None and named.palm is not None and named.points is not None and rng.random() < 0.75:
        return named.palm, named.points
    _, palm, points = _VIEWS[int(rng.choice(len(_VIEWS), p=[view[0] for view in _VIEWS]))]
    return palm, points


def _in_view(rng: np.random.Generator, trunk: Posed, side: Side) -> Points:
    """Places for a raised wrist: beside and before the shoulder, chest to face."""
    spots = rng.uniform([-0.1, -0.42, 0.25], [0.36, 0.36, 0.72], (_PLACES, 3))
    spots *= [1.0 if side == "left" else -1.0, 1, 1]
    turn = slerp(trunk.turns[bone("spine01")], np.eye(3), 0.4)
    shoulder = trunk.heads_m[bone(f"upperarm01.{tag_of(side)}")]
    return shoulder + _arm_length_m(trunk, side) * spots @ turn.T


def _arm_length_m(trunk: Posed, side: Side) -> float:
    names = ("upperarm01", "lowerarm01", "wrist")
    shoulder, elbow, wrist = (trunk.rest_heads_m[bone(f"{name}.{tag_of(side)}")] for name in names)
    return float(np.linalg.norm(elbow - shoulder) + np.linalg.norm(wrist - elbow))


def _hands(
    rng: np.random.Generator, turn: Matrix, fingers: Vector, palm: Vector
) -> Float[np.ndarray, "n 3 3"]:
    """Hand axes about one direction of fingers and palm."""
    y = fingers / np.linalg.norm(fingers)
    z = palm - (palm @ y) * y
    z /= np.linalg.norm(z)
    axes = turn @ np.stack([np.cross(y, z), y, z], 1)
    return np.stack([axes @ jitter(rng, 6.0, 2.0) for _ in range(_LOW_PLACES)])
