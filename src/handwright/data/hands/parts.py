"""Meshes of a scene: the hand with its forearm, copied fingers, a sleeve. Right-hand space, metres."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Float, Int

from handwright.data.hands.defects.malformed import FingerCopy, PosedHand
from handwright.data.shapes import CornerUV, Faces, Points
from handwright.hand.anatomy import FINGER_BONES
from handwright.hand.dense import load_dense_rig
from handwright.hand.kinematics import pose_points
from handwright.hand.rig import axis_angle_matrix

_ARM_M, _ARM_RINGS = 0.60, 48
_BEND_FROM_M, _BEND_TO_M = 0.004, -0.038
_ROUND = 72


@dataclass(frozen=True, eq=False)
class Part:
    """A mesh of one material."""

    vertices: Points  # [V, 3] metres, right-hand space
    faces: Faces  # [F, 3] counter-clockwise from outside
    corner_uv: CornerUV  # [F, 3, 2] texture coordinates
    # [V, 3] where each vertex is on the resting hand; sleeves: around, along, 0
    rest: Points
    cloth: bool = False  # It is a sleeve, not skin


@dataclass(frozen=True)
class Arm:
    """How the arm goes on below the hand."""

    flexion: float  # Of the wrist, radians, + palmwards
    deviation: float  # Of the wrist, radians, + thumbwards
    girth: float  # Thickness against the mean forearm
    sleeve_m: float | None  # Distance of the cuff from the wrist; None for a bare arm
    looseness: float  # The sleeve's radius over the arm's
    seed: int  # Of its folds


def body_parts(posed: PosedHand, arm: Arm) -> list[Part]:
    """Everything that is seen of a person: skin first."""
    dense = load_dense_rig().rig
    skin = pose_points(dense.vertices_m, dense.weight_bones, dense.weights, posed.bones)
    loop, size = _last_ring(), float(np.exp(posed.hand.shape[0]))
    arm_points, arm_uv = _forearm(skin[loop], arm, size)
    parts = [
        Part(
            _bend(np.concatenate([skin, arm_points]), arm),
            np.concatenate([dense.faces, _lathe(loop, len(skin), _ARM_RINGS)]),
            np.concatenate([dense.corner_uv, arm_uv]),
            np.concatenate([dense.vertices_m, arm_points]),
        )
    ]
    parts += [_copied_finger(copy) for copy in posed.copies]
    if arm.sleeve_m is not None:
        parts.append(_sleeve(skin[loop], arm, size))
    return parts


def _copied_finger(copy: FingerCopy) -> Part:
    dense = load_dense_rig().rig
    faces, corner_uv = _finger_faces(copy.finger)
    used = np.unique(faces)
    number = np.full(len(dense.vertices_m), -1)
    number[used] = np.arange(len(used))
    points = pose_points(dense.vertices_m[used], dense.weight_bones[used], dense.weights[used], copy.bones)
    return Part(points, number[faces], corner_uv, dense.vertices_m[used])


@lru_cache
def _finger_faces(finger: int) -> tuple[Faces, CornerUV]:
    dense = load_dense_rig().rig
    mine = np.isin(dense.weight_bones, FINGER_BONES[finger])
    share = (dense.weights * mine).sum(1)
    kept: Bool[np.ndarray, " f"] = (share[dense.faces] > 0.3).all(1)
    return dense.faces[kept], dense.corner_uv[kept]


def rim_of(faces: Faces) -> Int[np.ndarray, "e 2"]:
    """Edges of one triangle only, as that triangle runs through them."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    _, where, count = np.unique(np.sort(edges, 1), axis=0, return_index=True, return_counts=True)
    return edges[where[count == 1]]


@lru_cache(maxsize=1)
def _last_ring() -> Int[np.ndarray, " n"]:
    """The stump's open end, in order."""
    follow: dict[int, int] = dict(rim_of(load_dense_rig().rig.faces).tolist())
    loop = [min(follow)]
    while (following := follow[loop[-1]]) != loop[0]:
        loop.append(following)
    return np.array(loop)


def _lathe(loop: Int[np.ndarray, " n"], first: int, rings: int) -> Faces:
    """Triangles between a loop and the rings of its size that follow it, wound like the dense rig's stump."""
    size = len(loop)
    index = np.concatenate([loop, first + np.arange(rings * size)]).reshape(-1, size)
    near, far = index[:-1], index[1:]
    here, there = near.ravel(), np.roll(near, -1, 1).ravel()
    out, beside = far.ravel(), np.roll(far, -1, 1).ravel()
    return np.concatenate([np.stack([there, here, out], 1), np.stack([there, out, beside], 1)])


def _forearm(ring: Points, arm: Arm, size: float) -> tuple[Float[np.ndarray, "p 3"], CornerUV]:
    """Rings from the stump on: wider and rounder towards the elbow."""
    along = size * np.linspace(0, _ARM_M, _ARM_RINGS + 1)[1:]
    points = _tube(ring, along, arm.girth, size)
    dense = load_dense_rig().rig
    uv = np.zeros((len(dense.vertices_m), 2))
    uv[dense.faces.ravel()] = dense.corner_uv.reshape(-1, 2)
    corner = np.tile(uv[_last_ring()], (_ARM_RINGS, 1))
    corner_uv = np.repeat(np.concatenate([corner, corner])[:, None], 3, 1)
    return points, corner_uv


def _tube(
    ring: Points, along: Float[np.ndarray, " r"], girth: float, size: float
) -> Float[np.ndarray, "p 3"]:
    centre = ring.mean(0)
    t = np.clip(along / (0.24 * size), 0, 1)[:, None, None]
    ease = t * t * (3 - 2 * t)
    offset = ring - centre
    angle = np.arctan2(offset[:, 2], offset[:, 0])
    round_ring = np.stack([0.037 * np.cos(angle), np.zeros_like(angle), 0.034 * np.sin(angle)], 1) * size
    swell = 1 + (girth - 1) * np.clip(4 * t, 0, 1)
    rings = centre + (offset * (1 - ease) + round_ring * ease) * swell
    rings[..., 1] = ring[:, 1] * (1 - np.clip(5 * t[..., 0], 0, 1)) + centre[1] * np.clip(5 * t[..., 0], 0, 1)
    rings[..., 1] -= along[:, None]
    return rings.reshape(-1, 3)


def _sleeve(ring: Points, arm: Arm, size: float) -> Part:
    """A looser tube with folds and a turned-in cuff."""
    assert arm.sleeve_m is not None
    rng = np.random.default_rng(arm.seed)
    order = np.linspace(0, 2 * np.pi, _ROUND, endpoint=False)
    span = np.ptp(ring, axis=0) / 2
    even = ring.mean(0) + np.stack([span[0] * np.cos(order), 0 * order, span[2] * np.sin(order)], 1)
    reach = np.concatenate([[0.012, 0.004, 0.0], np.linspace(0.002, _ARM_M, 90)]) * size
    along = np.maximum(arm.sleeve_m * size - 0.047 * size, -0.035 * size) + reach
    centre = ring.mean(0)
    tube = _tube(even, np.maximum(along, 0), arm.girth, size).reshape(len(along), _ROUND, 3)
    tube[..., 1] = centre[1] - along[:, None]
    around, down = np.meshgrid(order, along, indexing="xy")
    folds = np.zeros_like(around)
    for _ in range(7):
        turns, pitch, phase = rng.integers(0, 4), rng.uniform(25, 110), rng.uniform(0, 2 * np.pi)
        folds += rng.uniform(0.2, 1) * np.sin(turns * around + pitch * down / size + phase)
    inset = np.array([-0.16, -0.05, 0.0])[:, None]
    loose = arm.looseness + 0.022 * folds * np.clip((down - along[2]) / (0.03 * size), 0.15, 1)
    loose = np.maximum(loose, 1.16)
    loose[:3] += inset
    axis = np.stack([np.full(len(along), centre[0]), tube[..., 1].mean(1), np.full(len(along), centre[2])], 1)
    tube = axis[:, None] + (tube - axis[:, None]) * loose[..., None]
    index = np.arange(_ROUND)
    faces = _lathe(index, _ROUND, len(along) - 1)
    outwards = np.cross(
        tube.reshape(-1, 3)[faces[:, 1]] - tube.reshape(-1, 3)[faces[:, 0]],
        tube.reshape(-1, 3)[faces[:, 2]] - tube.reshape(-1, 3)[faces[:, 0]],
    )
    away = tube.reshape(-1, 3)[faces].mean(1) - np.array([centre[0], 0, centre[2]])
    if (outwards * away * [1, 0, 1]).sum() < 0:
        faces = faces[:, ::-1]
    rest = np.stack([around.ravel() * 0.04, down.ravel(), 0 * down.ravel()], 1)
    points = _bend(tube.reshape(-1, 3), arm)
    return Part(points, faces, np.zeros((len(faces), 3, 2)), rest, cloth=True)


def _bend(points: Points, arm: Arm) -> Points:
    """Bend what lies below the wrist: the hand stays, the forearm swings, smoothly in between."""
    t = np.clip((points[:, 1] - _BEND_FROM_M) / (_BEND_TO_M - _BEND_FROM_M), 0, 1)
    turn = axis_angle_matrix(t[:, None] * np.array([arm.flexion, 0.0, arm.deviation]))
    pivot = np.array([0.0, (_BEND_FROM_M + _BEND_TO_M) / 2, 0.0])
    return np.einsum("vij,vj->vi", turn, points - pivot) + pivot
