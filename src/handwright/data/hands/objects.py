"""Simple things to hold: a signed distance to rest fingers on, and a mesh to draw."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from handwright.data.hands.person import any_colour, metal, tube_faces
from handwright.data.shapes import Faces, Matrix, Points, Vector
from handwright.data.world.stage import Material
from handwright.prompts.captions import with_article

_SIDES = 40

_BOXES = ("phone", "card", "board", "box")  # With flat faces; the others are round


@dataclass(frozen=True, eq=False)
class Thing:
    """A held thing in the hand's own frame (right-hand space)."""

    name: str  # 'cup', 'phone', 'pen', 'ball', 'handle', 'card'; in both hands also 'board', 'box', 'bowl'
    words: str  # 'a white cup'
    centre: Vector  # [3] metres
    axes: Matrix  # [3, 3] rows: its own x, y, z as unit vectors
    # [3] half sizes; balls and round things: radius, radius, half length (along z)
    half: Vector
    material: Material  # What it is made of
    in_both_hands: bool = False  # Whether the other hand holds it, too

    def distance(self, points: Points) -> Float[np.ndarray, " n"]:
        """Signed distance of points, negative inside."""
        at = (points - self.centre) @ self.axes.T
        if self.name == "ball":
            return np.linalg.norm(at, axis=1) - self.half[0]
        if self.name in _BOXES:
            q = np.abs(at) - self.half
            return np.linalg.norm(np.maximum(q, 0), axis=1) + np.minimum(q.max(1), 0)
        q = np.stack([np.hypot(at[:, 0], at[:, 1]) - self.half[0], np.abs(at[:, 2]) - self.half[2]], 1)
        return np.linalg.norm(np.maximum(q, 0), axis=1) + np.minimum(q.max(1), 0)


def frame(along: Vector, up: Vector) -> Matrix:
    """Rows x, y, z with z along ``along`` and y towards ``up``."""
    z = along / np.linalg.norm(along)
    y = up - (up @ z) * z
    y /= np.linalg.norm(y)
    return np.stack([np.cross(y, z), y, z])


def thing_material(name: str, rng: np.random.Generator) -> tuple[Material, str]:
    """What a thing is made of, and its words."""
    word, colour = any_colour(rng)
    second = any_colour(rng)[1]
    seed = float(rng.uniform(0, 50))
    if name == "phone":
        glow = 0.0 if rng.random() < 0.4 else float(rng.uniform(0.3, 0.9))
        screen = Material(
            "solid", (0.02, 0.02, 0.025) if glow == 0 else (0.55, 0.6, 0.7), 0.08, 0.05, pattern="screen",
            second=(0.02, 0.02, 0.02), glow=glow, seed=seed,
        )  # fmt: skip
        return screen, "a phone"
    if name == "card":
        stripes = str(rng.choice(["plain", "stripes"]))
        return Material(
            "solid", colour, 0.4, 0.04, pattern=stripes, scale_m=0.03, second=second
        ), with_article(f"{word} card")
    if name == "board":
        return Material("solid", colour, 0.6, 0.04, second=second), with_article(f"{word} board")
    if name == "box":
        pattern = str(rng.choice(["plain", "stripes", "checks"], p=[0.6, 0.2, 0.2]))
        return Material(
            "solid", colour, 0.6, 0.04, pattern=pattern, scale_m=0.04, second=second
        ), with_article(f"{word} box")
    if name == "pen":
        return Material("solid", colour, 0.25, 0.04, pattern="plain", seed=seed), with_article(f"{word} pen")
    if name == "ball":
        pattern = str(rng.choice(["plain", "panels", "stripes"], p=[0.5, 0.25, 0.25]))
        ball = Material(
            "solid", colour, float(rng.uniform(0.2, 0.8)), 0.04, pattern=pattern, scale_m=0.03, second=second
        )
        return ball, with_article(f"{word} ball")
    if name in ("cup", "bowl"):
        pattern = str(rng.choice(["plain", "stripes", "checks"], p=[0.7, 0.2, 0.1]))
        cup = Material(
            "solid", colour, float(rng.uniform(0.1, 0.5)), 0.045, pattern=pattern, scale_m=0.02, second=second
        )
        return cup, with_article(f"{word} {name}")
    if rng.random() < 0.4:
        wood = Material(
            "solid", (0.36, 0.2, 0.1), 0.5, 0.035, pattern="grain", second=(0.16, 0.08, 0.04), seed=seed
        )
        return wood, "a wooden handle"
    if rng.random() < 0.4:
        return metal("silver", seed), "a metal bar"
    return Material("solid", colour, 0.7, 0.04, pattern="leather", relief_m=0.0003, seed=seed), with_article(
        f"{word} handle"
    )


def thing_mesh(thing: Thing) -> tuple[Points, Faces, Points, Float[np.ndarray, "v 2"]]:
    """Vertices in the hand's frame, faces, own coordinates, and texture coordinates of each vertex."""
    if thing.name in _BOXES:
        own, faces = _box(thing.half, min(0.008, 0.8 * float(thing.half[:2].min())))
        uv = 0.5 + own[:, :2] / (2 * thing.half[:2])
        uv[own[:, 2] > -0.5 * thing.half[2]] = 0.0
    else:
        own, faces = _lathe(_profile(thing.name, thing.half))
        if thing.name == "cup":
            handle, more = _cup_handle(thing.half)
            faces = np.concatenate([faces, more + len(own)])
            own = np.concatenate([own, handle])
        uv = np.zeros((len(own), 2))
    return thing.centre + own @ thing.axes, faces, own, uv


def _lathe(profile: Float[np.ndarray, "p 2"]) -> tuple[Points, Faces]:
    """Turn (radius, height) pairs around z."""
    around = np.linspace(0, 2 * np.pi, _SIDES, endpoint=False)
    points = np.stack(
        np.broadcast_arrays(profile[:, :1] * np.cos(around), profile[:, :1] * np.sin(around), profile[:, 1:]),
        -1,
    )
    return points.reshape(-1, 3), tube_faces(len(profile), _SIDES)


def _profile(name: str, half: Vector) -> Float[np.ndarray, "p 2"]:
    """(Radius, height) pairs of a round thing, from its lower end to its upper one."""
    r, h = half[0], half[2]
    if name == "ball":
        t = np.linspace(-np.pi / 2, np.pi / 2, 22)
        return r * np.stack([np.cos(t), np.sin(t)], 1)
    if name == "pen":
        return np.array([
            (0, -h), (0.25 * r, -0.98 * h), (0.45 * r, -0.9 * h), (r, -0.76 * h), (r, 0.9 * h), (0.8 * r, h),
            (0, h),
        ])  # fmt: skip
    if name == "cup":
        wall = 0.003
        return np.array([
            (0, -h), (0.82 * r, -h), (0.9 * r, -0.96 * h), (0.96 * r, -0.6 * h), (r, 0.2 * h), (r, 0.98 * h),
            (r - 0.3 * wall, h), (r - wall, 0.98 * h), (0.9 * r, -0.6 * h), (0, -0.9 * h),
        ])  # fmt: skip
    if name == "bowl":
        wall, t = 0.004, np.linspace(0.0, np.pi / 2, 10)
        outside = np.stack([r * (0.45 + 0.55 * np.sin(t)), h * (1 - 2 * np.cos(t))], 1)
        inside = np.stack([np.maximum(outside[::-1, 0] - wall, 0), outside[::-1, 1] + wall], 1)
        return np.concatenate([[[0, -h]], outside, inside, [[0, wall - h]]])
    bevel = min(0.3 * r, 0.004)
    return np.array(
        [(0, -h), (r - bevel, -h), (r, -h + bevel), (r, 0), (r, h - bevel), (r - bevel, h), (0, h)]
    )


def _cup_handle(half: Vector) -> tuple[Points, Faces]:
    """Half a ring that sticks out along +x."""
    bend, tube = np.linspace(-np.pi / 2, np.pi / 2, 14), np.linspace(0, 2 * np.pi, 12, endpoint=False)
    reach, size = 0.55 * half[2], 0.0045
    centre = np.stack([half[0] * 0.95 + 0.8 * reach * np.cos(bend), 0 * bend, reach * np.sin(bend)], 1)
    out = np.stack([np.cos(bend), 0 * bend, np.sin(bend)], 1)
    ring = np.cos(tube)[None, :, None] * out[:, None] + np.sin(tube)[None, :, None] * np.array([0, 1.5, 0])
    return (centre[:, None] + size * ring).reshape(-1, 3), tube_faces(14, 12)


def _box(half: Vector, corner: float) -> tuple[Points, Faces]:
    """A plate with rounded corners and bevelled edges, its faces along z."""
    around = np.linspace(0, 2 * np.pi, 32, endpoint=False) + np.pi / 32
    inner = half[:2] - corner
    sign = np.sign(np.stack([np.cos(around), np.sin(around)], 1))
    bevel = min(0.35 * half[2], 0.0015)
    levels = [(0.0, -1.0), (1.0 - bevel / half[:2].min(), -1.0), (1.0, -1.0 + bevel / half[2]),
              (1.0, 1.0 - bevel / half[2]), (1.0 - bevel / half[:2].min(), 1.0), (0.0, 1.0)]  # fmt: skip
    outline = sign * inner + corner * np.stack([np.cos(around), np.sin(around)], 1)
    rings = [np.column_stack([scale * outline, np.full(32, z * half[2])]) for scale, z in levels]
    return np.concatenate(rings), tube_faces(len(levels), 32)
