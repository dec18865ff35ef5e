"""A body of one's own (weights of MakeHuman's targets), and our hand on its arm.

The hand joins the arm at the wrist's loop of vertices, with the same topology and exact truth.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Float, Int

from handwright.data.hands.parts import rim_of
from handwright.data.people.figure.makehuman import (
    AGES,
    FACE_TARGETS,
    MUSCLES,
    RACES,
    SEXES,
    SKIN_VERTICES,
    WEIGHTS,
    load_figure,
)
from handwright.data.people.figure.mesh_cutting import Posed, bone
from handwright.data.shapes import CornerUV, Faces, Matrix, PerVertex, Points, Vector, Vector2
from handwright.hand.dense import load_dense_rig
from handwright.hand.kinematics import mesh_of
from handwright.hand.rig import load_rig, matrix_axis_angle
from handwright.types import Camera, Hand, Side

_AGE_MIX = {
    "child": ((0.55, 1.0), (0.0, 0.45), (0.0, 0.0)),
    "young": ((0.0, 0.0), (0.85, 1.0), (0.0, 0.15)),
    "middle-aged": ((0.0, 0.0), (0.45, 0.7), (0.3, 0.55)),
    "elderly": ((0.0, 0.0), (0.0, 0.25), (0.75, 1.0)),
}
"""Per age of ``hands.person`` the shares of the child's, the young and the old body."""


@dataclass(frozen=True, eq=False)
class Build:
    """What a body looks like before it is posed."""

    feminine: float  # Share of the female body, 0 … 1
    age: str  # One of ``hands.person.AGES``
    weights: dict[str, float]  # Target → how much of it
    stature: float  # Height against the mean of the kind

    @property
    def noun(self) -> str:
        """'woman', 'man', 'girl' or 'boy'."""
        if self.age == "child":
            return "girl" if self.feminine > 0.5 else "boy"
        return "woman" if self.feminine > 0.5 else "man"


def draw_build(rng: np.random.Generator, age: str) -> Build:
    """Someone of this age."""
    female = bool(rng.random() < 0.5)
    feminine = float(np.clip((0.93 if female else 0.05) + rng.normal(0, 0.06), 0, 1))
    shares = np.array([rng.uniform(low, high) for low, high in _AGE_MIX[age]])
    ages: list[float] = (shares / shares.sum()).tolist()
    races = rng.dirichlet([0.5, 0.5, 0.5])
    muscle, weight = np.clip(rng.normal([-0.05, 0.0], [0.4, 0.45]), -0.85, 0.95)
    weights: dict[str, float] = {}
    for sex, share in zip(SEXES, (feminine, 1 - feminine), strict=True):
        for years, of_age in zip(AGES, ages, strict=True):
            for race, of_race in zip(RACES, races, strict=True):
                weights[f"{race}-{sex}-{years}"] = share * of_age * float(of_race)
            for strong, of_muscle in zip(MUSCLES, _three(float(muscle)), strict=True):
                for heavy, of_weight in zip(WEIGHTS, _three(float(weight)), strict=True):
                    name = f"universal-{sex}-{years}-{strong}-{heavy}"
                    weights[name] = share * of_age * of_muscle * of_weight
    for name in FACE_TARGETS:
        weights[name] = float(rng.uniform(0, 0.7)) * float(rng.random() < 0.3)
    weights |= _look(rng)
    return Build(feminine, age, {k: w for k, w in weights.items() if w > 1e-3}, float(rng.normal(1, 0.035)))


def rest_vertices_m(build: Build) -> Points:
    """The body and its helper meshes at rest: arms 45° down, standing on y = 0."""
    figure = load_figure()
    vertices = figure.vertices_m.copy()
    for name, weight in build.weights.items():
        index, moves = figure.macros[name]
        vertices[index] += weight * moves
    vertices *= build.stature
    return vertices - [0.0, float(vertices[:SKIN_VERTICES, 1].min()), 0.0]


def _three(value: float) -> tuple[float, float, float]:
    """Shares of least, average and most for a value in −1 … 1."""
    return max(-value, 0.0), 1 - abs(value), max(value, 0.0)


def _look(rng: np.random.Generator) -> dict[str, float]:
    smile = float(rng.choice([0.0, rng.uniform(0.1, 0.4), rng.uniform(0.4, 0.85)]))
    raised, frown, blink = rng.random(3) < (0.25, 0.12, 0.5)
    sides = ("Left", "Right")
    look = {f"mouthSmile{side}": smile * float(rng.uniform(0.8, 1)) for side in sides}
    look |= {f"eyeSquint{side}": 0.5 * smile for side in sides}
    look |= {f"eyeBlink{side}": float(rng.uniform(0, 0.25)) * float(blink) for side in sides}
    look |= {f"browOuterUp{side}": float(rng.uniform(0.1, 0.7)) * float(raised) for side in sides}
    look |= {f"browDown{side}": float(rng.uniform(0.1, 0.6)) * float(frown and not raised) for side in sides}
    return look


SIDES: tuple[Side, Side] = ("right", "left")
TO_CAMERA: Matrix = np.diag([1.0, -1.0, -1.0])
"""Axes of the body → axes of a camera that it faces."""

_MIRROR = np.diag([-1.0, 1.0, 1.0])
_EASE_M, _NEAREST = 0.11, 6
_FOREARM = ("lowerarm", "wrist", "metacarpal", "finger")


@dataclass(frozen=True, eq=False)
class Socket:
    """Where a hand sits on the resting body: rig point p → ``turn @ (mirror) @ (scale · p) + at_m``."""

    # [3, 3] columns: thumb's side (of a left hand the other), fingers, out of the palm
    turn: Matrix
    at_m: Vector  # [3] the rig's wrist
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
    loop = np.unique(rim_of(rig.faces))
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


def socket_of(vertices_m: Points, side: Side) -> Socket:
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
    palm_arch: Vector2,
    shape: Float[np.ndarray, "9"],
    camera: Camera,
    place_m: Vector,
) -> Hand:
    """Our hand (its shape's scale taken times the socket's) on the posed arm, in camera space."""
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


def give_way(skin_m: Points, hand: Hand) -> Points:
    """The body's skin in camera space with its forearm led smoothly to the hand's open wrist."""
    seam = joint(hand.side)
    offset = mesh_of(hand).vertices_cam_m[seam.loop] - skin_m[seam.hand[seam.loop]]
    out = skin_m.copy()
    out[seam.arm] += (seam.shares[..., None] * offset[seam.nearest]).sum(1)
    return out


@lru_cache(maxsize=1)
def dense_faces() -> tuple[Faces, CornerUV, int]:
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
def arm_share(side: Side) -> PerVertex:
    """How much of each skin vertex hangs on the bones from the elbow on, 0 … 1."""
    figure = load_figure()
    tag = "R" if side == "right" else "L"
    mine = [b for b, name in enumerate(figure.bones) if name.startswith(_FOREARM) and name.endswith(tag)]
    return (figure.weights * np.isin(figure.weight_bones, mine)).sum(1)[:SKIN_VERTICES]
