"""How someone stands before the camera: turn, head, and arms that show their hands."""

from dataclasses import dataclass

import numpy as np

from handwright.data.people.figure.hand_graft import SIDES, socket_of
from handwright.data.people.figure.makehuman import SKIN_VERTICES
from handwright.data.people.figure.mesh_cutting import Posed, bone, pose_bones, rest_heads_m, skin
from handwright.data.people.posture.arms import HeldHand, lower_hand, raise_hand, tag_of
from handwright.data.people.posture.reach import Capsules, below_head, capsules_of
from handwright.data.shapes import Matrix, Points
from handwright.hand.rig import axis_angle_matrix
from handwright.types import Side

_TURN_DEG, _APART_M = 20.0, 0.2
_OTHER_SHARES = (0.28, 0.5, 0.22)  # The second hand: raised too, hanging, on the hip


@dataclass(frozen=True, eq=False)
class Stance:
    """A posed body."""

    bones: Posed  # Where the bones went
    # [19158, 3] skin and helper meshes; the body's axes, standing at the origin
    skin_m: Points
    hands: tuple[HeldHand, HeldHand]  # The raised hand first
    below_head: Capsules  # Torso, neck and shoulders, what hair hangs over


def draw_stance(rng: np.random.Generator, vertices_m: Points) -> Stance:
    """Someone who shows a hand, within the limits of joints and not through themselves."""
    heads, tall = rest_heads_m(vertices_m), float(np.ptp(vertices_m[:SKIN_VERTICES, 1]))
    first: Side = "right" if rng.random() < 0.6 else "left"
    second: Side = "left" if first == "right" else "right"
    other = ("raised", "hanging", "on the hip")[int(rng.choice(3, p=_OTHER_SHARES))]
    local = _trunk(rng) | _legs(rng)
    local |= _clavicle(rng, first, 0.55) | _clavicle(rng, second, 0.45 if other == "raised" else 0.0)
    trunk = pose_bones(heads, local)
    body = capsules_of(vertices_m, trunk)
    sockets = {side: socket_of(vertices_m, side) for side in SIDES}
    raised = raise_hand(rng, trunk, first, sockets[first], body)
    held, turned = raised or lower_hand(rng, trunk, first, sockets[first], body, tall, "hanging")
    also = None
    if other == "raised":
        also = raise_hand(rng, trunk, second, sockets[second], body, held.posed)
        if also is not None and _hands_meet(pose_bones(heads, local, turned | also[1])):
            also = None
    beside, moves = also or lower_hand(rng, trunk, second, sockets[second], body, tall, other)
    bones = pose_bones(heads, local, turned | moves)
    return Stance(bones, skin(vertices_m, bones), (held, beside), below_head(body, bones, vertices_m))


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
    return {f"clavicle.{tag_of(side)}": _degrees(0, -sign * raised * 8, up)}


def _hands_meet(posed: Posed) -> bool:
    """Whether two raised hands are about to touch."""
    right, left = (posed.heads_m[bone(f"finger3-1.{tag_of(side)}")] for side in SIDES)
    return float(np.linalg.norm(right - left)) < _APART_M
