"""Our own hand on the body's arm: same topology, joined at the wrist's loop of vertices, exact truth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Float, Int

from handwright.data.people.figure.makehuman import SKIN_VERTICES, load_figure
from handwright.data.people.figure.skeleton import Posed, bone
from handwright.hand.dense import load_dense_rig
from handwright.hand.kinematics import mesh_of
from handwright.hand.rig import load_rig, matrix_axis_angle
from handwright.types import Camera, Hand, Side

SIDES: tuple[Side, Side] = ("right", "left")
TO_CAMERA: Float[np.ndarray, "3 3"] = np.diag([1.0, -1.0, -1.0])
"""Axes of the body → axes of a camera that it faces."""

_MIRROR = np.diag([-1.0, 1.0, 1.0])
_EASE_M, _NEAREST = 0.11, 6
_FOREARM = ("lowerarm", "wrist", "metacarpal", "finger")


@dataclass(frozen=True, eq=False)
class Socket:
    """Where a hand sits on the resting body: rig point p → ``turn @ (mirror) @ (scale · p) + at_m``."""

    # [3, 3] columns: thumb's side (of a left hand the other), fingers, out of the palm
    turn: Float[np.ndarray, "3 3"]
    at_m: Float[np.ndarray, "3"]  # [3] the rig's wrist
    scale: float  # Size of the hand against our mean hand


@dataclass(frozen=True, eq=False)
class Joint:
    """One body's side of the seam, in indices."""

    hand: Int[np.ndarray, " h"]  # [1609] body vertex of each of the rig's
    loop: Int[np.ndarray, " l"]  # [L] the rig's vertices at the open wrist
    arm: Int[np.ndarray, " a"]  # [A] body vertices beside the seam that give way
    nearest: Int[np.ndarray, "a k"]  # [A, 6] positions in ``loop`` of each one's nearest loop vertices
    shares: Float[np.ndarray, "a k"]  # [A, 6] of their offsets, falling to 0 with distance


@lru_cache(maxsize=2)
def joint(side: Side) -> Joint:
    """The seam of this side."""
    figure, rig = load_figure(), load_rig()
    hand = figure.hand_vertices if side == "right" else figure.mirror[figure.hand_vertices]
    loop = _open_loop(rig.faces)
    vertices = figure.vertices_m[:SKIN_VERTICES]
    mine: Bool[np.ndarray, " v"] = np.zeros(SKIN_VERTICES, np.bool_)
    mine[hand] = True
    gap = np.linalg.norm(vertices[:, None] - vertices[hand[loop]][None], axis=2)
    arm = np.flatnonzero(~mine & (gap.min(1) < _EASE_M))
    nearest = np.argsort(gap[arm], axis=1)[:, :_NEAREST]
    near = np.take_along_axis(gap[arm], nearest, 1)
    closeness = 1 / (near + 0.002) ** 2
    t = np.clip(near[:, :1] / _EASE_M, 0, 1)
    fade = 1 - t * t * (3 - 2 * t)
    return Joint(hand, loop, arm, nearest, fade * closeness / closeness.sum(1, keepdims=True))


def socket_of(vertices_m: Float[np.ndarray, "v 3"], side: Side) -> Socket:
    """Where the hand of a resting body sits: the best similarity between our rest hand and the body's."""
    rig = load_rig()
    source = rig.vertices_m if side == "right" else rig.vertices_m @ _MIRROR
    target = vertices_m[joint(side).hand]
    a, b = source - source.mean(0), target - target.mean(0)
    u, _, vt = np.linalg.svd(b.T @ a)
    turn = u @ np.diag([1.0, 1.0, float(np.sign(np.linalg.det(u @ vt)))]) @ vt
    scale = float(np.linalg.norm(b) / np.linalg.norm(a))
    return Socket(turn, target.mean(0) - turn @ (scale * source.mean(0)), scale)


def hand_on(
    posed: Posed,
    socket: Socket,
    side: Side,
    pose: Float[np.ndarray, "15 3"],
    palm_arch: Float[np.ndarray, "2"],
    shape: Float[np.ndarray, "9"],
    camera: Camera,
    place_m: Float[np.ndarray, "3"],
) -> Hand:
    """Our hand on the posed arm, in camera space.

    Args:
        posed: The body.
        socket: Where the hand sits at rest.
        side: Which hand.
        pose: [15, 3] of the fingers.
        palm_arch: [2].
        shape: [9]; its scale is taken times the socket's.
        camera: The picture's camera.
        place_m: [3] of the body's origin in camera space.
    """
    wrist = bone(f"wrist.{'R' if side == 'right' else 'L'}")
    at = posed.heads_m[wrist] + posed.turns[wrist] @ (socket.at_m - posed.rest_heads_m[wrist])
    turn = TO_CAMERA @ posed.turns[wrist] @ socket.turn
    sized = shape.copy()
    sized[0] += np.log(socket.scale)
    return Hand(
        pose=pose,
        palm_arch=palm_arch,
        wrist=matrix_axis_angle(turn),
        translation_m=TO_CAMERA @ at + place_m,
        shape=sized,
        side=side,
        camera=camera,
    )


def give_way(skin_m: Float[np.ndarray, "v 3"], hand: Hand) -> Float[np.ndarray, "v 3"]:
    """The body's skin in camera space with its forearm led smoothly to the hand's open wrist."""
    seam = joint(hand.side)
    offset = mesh_of(hand).vertices_cam_m[seam.loop] - skin_m[seam.hand[seam.loop]]
    out = skin_m.copy()
    out[seam.arm] += (seam.shares[..., None] * offset[seam.nearest]).sum(1)
    return out


@lru_cache(maxsize=1)
def dense_faces() -> tuple[Int[np.ndarray, "f 3"], Float[np.ndarray, "f 3 2"], int]:
    """The dense hand without its stump of forearm: faces, corners' texture coordinates, vertices."""
    dense, rig = load_dense_rig().rig, load_rig()
    count = 4 * len(rig.faces)
    return dense.faces[:count], dense.corner_uv[:count], int(dense.faces[:count].max()) + 1


@lru_cache(maxsize=1)
def handless_faces() -> Bool[np.ndarray, " f"]:
    """Faces of the body's skin that are of neither hand."""
    mine = np.zeros(len(load_figure().vertices_m), np.bool_)
    for side in SIDES:
        mine[joint(side).hand] = True
    within = mine[load_figure().groups["body"].faces]
    return np.logical_not(within.all(1))


@lru_cache(maxsize=2)
def arm_share(side: Side) -> Float[np.ndarray, " v"]:
    """How much of each skin vertex hangs on the bones from the elbow on, 0 … 1."""
    figure = load_figure()
    tag = "R" if side == "right" else "L"
    mine = [b for b, name in enumerate(figure.bones) if name.startswith(_FOREARM) and name.endswith(tag)]
    return (figure.weights * np.isin(figure.weight_bones, mine)).sum(1)[:SKIN_VERTICES]


def _open_loop(faces: Int[np.ndarray, "f 3"]) -> Int[np.ndarray, " l"]:
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), 1)
    unique, count = np.unique(edges, axis=0, return_counts=True)
    return np.unique(unique[count == 1])
