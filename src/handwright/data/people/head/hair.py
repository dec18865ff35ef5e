"""Where hair grows, and what is on a head as meshes: hair with locks, a bun, a beanie, a headscarf."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int

from handwright.data.hands.person import tube_faces
from handwright.data.people.figure.makehuman import load_figure, texture
from handwright.data.people.figure.mesh_cutting import Refined, cut_mesh, neighbours, refine, smoothed
from handwright.data.people.posture.reach import Capsules
from handwright.data.shapes import Matrix, Points
from handwright.data.world.stage import Material, Solid, plain_solid
from handwright.hand.dense import vertex_normals

_LINE_DEG = (0, 22, 42, 58, 70, 80, 92, 104, 118, 140, 180)
_LINE_M = (0.804, 0.806, 0.795, 0.776, 0.752, 0.712, 0.722, 0.715, 0.676, 0.655, 0.648)
"""The hairline of the neutral head: height by angle from the front."""

_AXIS_Z = 0.035


@dataclass(frozen=True)
class Hair:
    """What is on a head."""

    style: str  # 'bald', 'buzz', 'short', 'bob', 'long', 'bun', 'curly', 'headscarf' or 'beanie'
    material: Material  # Of hair, or of the cloth
    words: str  # 'short black hair', 'a navy headscarf'
    length_m: float  # Of the locks
    thickness_m: float  # Of the cap
    parting_m: float  # Where locks part, metres from the middle
    recede_m: float  # How far the hairline has moved up
    seed: int  # Of the locks

    @property
    def worn(self) -> bool:
        """It is cloth over the hair."""
        return self.material.kind == "cloth"


@dataclass(frozen=True, eq=False)
class Scalp:
    """The refined head of the neutral body."""

    fine: Refined  # The head's faces, split in four twice
    again: Refined  # The second split
    edges: Int[np.ndarray, "e 2"]  # Its neighbourhoods
    inside_m: Float[np.ndarray, " n"]  # [N] how far above the hairline each vertex is
    rest_m: Points  # [N, 3] coordinates of the strands' pattern
    points_m: Points  # [N, 3] neutral
    sparse: Int[np.ndarray, " s"]  # A few hundred vertices spread over it

    def carry(self, values: Float[np.ndarray, "v c"]) -> Float[np.ndarray, "n c"]:
        """Values of the body's vertices on the refined head."""
        return self.again.carry(self.fine.carry(values))


@lru_cache(maxsize=1)
def scalp() -> Scalp:
    """The head, without its ears."""
    figure = load_figure()
    points = figure.vertices_m
    body = figure.groups["body"]
    mask = texture("ears")
    centre = (body.corner_uv.mean(1) * mask.shape[0]).astype(int).clip(0, mask.shape[0] - 1)
    ear = mask[centre[:, 1], centre[:, 0]] > 0.5
    high = (points[body.faces][..., 1] > 0.61).all(1) & (
        np.linalg.norm(points[body.faces].mean(1) - [0, 0.735, 0.03], axis=1) > 0.07
    )
    faces = body.faces[high & ~ear]
    fine = refine(faces)
    again = refine(fine.faces)
    placed = again.carry(fine.carry(points))
    x, y, z = placed.T
    angle = np.arctan2(x, z - _AXIS_Z)
    inside = y - np.interp(np.rad2deg(np.abs(angle)), _LINE_DEG, _LINE_M)
    rest = np.stack([0.085 * angle, 0.12 * y, 0 * y], 1)
    return Scalp(fine, again, neighbours(again.faces), inside, rest, placed, _spread(placed, 400))


def _spread(points: Points, count: int) -> Int[np.ndarray, " k"]:
    """Farthest-point sampling."""
    chosen = [0]
    gap = np.full(len(points), np.inf)
    for _ in range(count - 1):
        gap = np.minimum(gap, ((points - points[chosen[-1]]) ** 2).sum(1))
        chosen.append(int(gap.argmax()))
    return np.array(chosen)


_LOCKS, _STEPS, _SWING_M, _LIFT = 560, 12, 0.07, 0.12
_DOWN = np.array([0.0, 1.0, 0.0])


def locks(
    hair: Hair,
    crown: Scalp,
    placed: Points,
    normals: Points,
    field: Float[np.ndarray, " n"],
    head: Matrix,
    body: Capsules,
    rng: np.random.Generator,
    label: int,
) -> Solid:
    """Ribbons that leave the scalp and hang, outside head, neck and shoulders."""
    roots = np.flatnonzero(field > 0.006)
    short = hair.length_m < 0.1
    chosen = rng.choice(roots, min(len(roots), _LOCKS * (1 + short)), replace=False)
    steps = _STEPS // (1 + short)
    neutral = crown.points_m[chosen]
    front = np.clip((neutral[:, 2] - 0.05) / 0.06, 0, 1)[:, None]
    sideways = np.sign(neutral[:, :1] - hair.parting_m) * head[:, 0]
    flow = sideways * (0.7 + 0.5 * front) - head[:, 2] * (0.45 - 0.75 * front)
    curly = hair.style == "curly"
    flow = flow * (1 - curly) + (1.5 if curly else 0.15) * rng.standard_normal(flow.shape)
    length = hair.length_m * rng.uniform(0.8, 1.08, len(chosen))
    shell = _Shell(crown, placed, field)
    height = rng.uniform(-0.002, (0.2 if curly else 0.35) * hair.thickness_m + 0.002, len(chosen))
    at = placed[chosen] - 0.003 * normals[chosen]
    path = [at]
    for k in range(steps):
        gone = length[:, None] * k / steps
        way = flow * np.exp(-gone / _SWING_M) + _DOWN * (0.12 + np.minimum(gone / _SWING_M, 4.0))
        way = way / np.linalg.norm(way, axis=1, keepdims=True)
        at = body.pushed_out(at + (length / steps)[:, None] * way, 0.008)
        path.append(shell.laid_on(at, height + _LIFT * gone[:, 0] * short * (1 - curly)))
        at = path[-1]
    return _ribbons(hair, np.stack(path, 1), normals[chosen], rng, label)


class _Shell:
    """The head with its cap as a radius by direction: hair lies on the scalp and stays out of the face."""

    def __init__(self, crown: Scalp, placed: Points, field: Float[np.ndarray, " n"]) -> None:
        chosen = crown.sparse
        self._centre = placed[crown.inside_m > 0].mean(0)
        offset = placed[chosen] - self._centre
        self._radius = np.linalg.norm(offset, axis=1)
        self._ways = offset / self._radius[:, None]
        self._haired = field[chosen] > -0.004

    def laid_on(self, points: Points, height: Float[np.ndarray, " n"]) -> np.ndarray:
        """Points over the scalp at this height over the cap, others at least outside the skin."""
        offset = points - self._centre
        far = np.linalg.norm(offset, axis=1)
        nearest = (offset @ self._ways.T).argmax(1)
        close = (offset * self._ways[nearest]).sum(1) > 0.9 * far
        surface = self._radius[nearest]
        wanted = np.where(self._haired[nearest], np.minimum(far, surface + height), far)
        wanted = np.maximum(wanted, surface + np.where(self._haired[nearest], height, 0.003))
        scale = np.where(close, wanted / far, 1.0)
        return self._centre + offset * scale[:, None]


def _ribbons(
    hair: Hair,
    line: Float[np.ndarray, "l s 3"],
    outwards: Float[np.ndarray, "l 3"],
    rng: np.random.Generator,
    label: int,
) -> Solid:
    """Curved ribbons along lines, tapering to their ends."""
    count, steps = line.shape[:2]
    along = np.gradient(line, axis=1)
    side = np.cross(along, outwards[:, None])
    side /= np.linalg.norm(side, axis=2, keepdims=True) + 1e-9
    bulge = np.cross(side, along)
    bulge /= np.linalg.norm(bulge, axis=2, keepdims=True) + 1e-9
    share = np.linspace(0, 1, steps)
    wide = (
        rng.uniform(0.005, 0.010, count)[:, None]
        * (0.65 if hair.length_m < 0.1 else 1.0)
        * (0.9 + 0.3 * share - 1.1 * share**4)[None]
    )
    across = np.array([-1.0, 0.0, 1.0])
    lift = 0.35 * wide[..., None, None] * (1 - across**2)[:, None] * bulge[:, :, None]
    points = line[:, :, None] + across[:, None] * wide[..., None, None] * side[:, :, None] + lift
    index = np.arange(count * steps * 3).reshape(count, steps, 3)
    a, b, c, d = index[:, :-1, :-1], index[:, :-1, 1:], index[:, 1:, :-1], index[:, 1:, 1:]
    faces = np.concatenate([np.stack([a, b, d], -1).reshape(-1, 3), np.stack([a, d, c], -1).reshape(-1, 3)])
    far = np.cumsum(np.linalg.norm(along, axis=2), 1)[..., None]
    number = 0.031 * np.arange(count)[:, None, None]
    rest = np.stack(np.broadcast_arrays(number + across * wide[..., None], 0.12 * far, 0.0), -1)
    material = replace(hair.material, seed=hair.material.seed + 3)
    return plain_solid(points.reshape(-1, 3), faces, rest.reshape(-1, 3), material, label)


_BEANIE_M, _SHORTEST_M = 0.768, 0.012
_FACE_AT, _FACE_HALF = np.array([0.0, 0.712]), np.array([0.061, 0.090])
"""Opening of a headscarf on the neutral head, seen from the front."""

_SCARF_LOW_M = 0.53


def hair_solids(hair: Hair, skin_m: Points, head: Matrix, body: Capsules, label: int) -> list[Solid]:
    """Hair, or what covers it, on a posed body in camera space; ``head`` [3, 3] turns neutral axes."""
    if hair.style == "bald":
        return []
    if hair.style == "headscarf":
        return [_scarf(hair, skin_m, label)]
    crown, rng = scalp(), np.random.default_rng(hair.seed)
    points = crown.carry(skin_m)
    normals = vertex_normals(points, crown.again.faces)
    field = _field(hair, crown)
    lift = hair.thickness_m * np.clip(field / 0.03, 0, 1) ** 0.6
    placed = points + (lift * (1 + _relief(hair, crown, rng)) + 0.0015)[:, None] * normals
    part = cut_mesh(crown.again.faces, field)
    solids: list[Solid] = []
    if len(part.faces):
        cap = part.carry(placed), part.faces, part.carry(crown.rest_m)
        solids.append(plain_solid(*cap, hair.material, label))
    if hair.length_m > _SHORTEST_M and (field > 0).any():
        solids.append(locks(hair, crown, placed, normals, field, head, body, rng, label))
    if hair.style == "bun":
        solids.append(_bun(hair, points, head, rng, label))
    return solids


def _field(hair: Hair, crown: Scalp) -> Float[np.ndarray, " n"]:
    """How far above the hairline, or the beanie's edge, each vertex of the scalp is; metres."""
    x, y, z = crown.points_m.T
    if hair.style == "beanie":
        return y - _BEANIE_M - 0.08 * (z - 0.06)
    receded = hair.recede_m * np.exp(-((x / 0.05) ** 2)) * (z > 0)
    around = crown.rest_m[:, 0]
    ragged = 0.004 * np.sin(190 * around + hair.seed % 7) + 0.003 * np.sin(431 * around)
    return crown.inside_m - receded + ragged


def _relief(hair: Hair, crown: Scalp, rng: np.random.Generator) -> Float[np.ndarray, " n"]:
    """Relative unevenness of the cap."""
    if hair.style == "beanie":
        return np.zeros(len(crown.points_m))
    bumps = smoothed(rng.standard_normal((len(crown.points_m), 1)), crown.edges, 6)[:, 0]
    bumps /= bumps.std() + 1e-9
    around, along = crown.rest_m[:, 0], crown.rest_m[:, 1]
    strands = np.sin(420 * around + 3 * np.sin(480 * along))
    return 0.16 * bumps if hair.style == "curly" else 0.10 * bumps + 0.06 * strands


def _bun(hair: Hair, points: Points, head: Matrix, rng: np.random.Generator, label: int) -> Solid:
    """A knot of hair on top of the head, or behind it."""
    crown = scalp()
    up, back = np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, -1.0])
    out = up + rng.uniform(0.2, 1.2) * back
    out /= np.linalg.norm(out)
    top = points[(crown.points_m @ out).argmax()]
    out = head @ out
    radius = float(rng.uniform(0.032, 0.045))
    across = np.cross(out, head[:, 0])
    other = np.cross(out, across)
    rise, around = np.linspace(-1.45, 1.5, 14), np.linspace(0, 2 * np.pi, 28, endpoint=False)
    spokes = np.cos(around)[:, None] * across + np.sin(around)[:, None] * other
    uneven = 1 + 0.05 * np.sin(3 * around + 4 * rise[:, None]) + 0.03 * np.sin(9 * around - 5 * rise[:, None])
    ring = (np.cos(rise)[:, None] * uneven)[..., None] * spokes + 0.8 * np.sin(rise)[:, None, None] * out
    ball = top + 0.55 * radius * out + radius * ring
    rest = np.stack(
        np.broadcast_arrays(radius * rise[:, None] + 0.01 * around, 0.12 * radius * around, 0.0), -1
    )
    return plain_solid(ball.reshape(-1, 3), tube_faces(14, 28), rest.reshape(-1, 3), hair.material, label)


@lru_cache(maxsize=1)
def _wrapped() -> tuple[Refined, Int[np.ndarray, "e 2"], Points]:
    """Head and neck, ears and all."""
    figure = load_figure()
    faces = figure.groups["body"].faces
    points = figure.vertices_m
    chosen = (points[faces][..., 1] > _SCARF_LOW_M - 0.03).all(1) & (
        np.abs(points[faces][..., 0]) < 0.13
    ).all(1)
    fine = refine(faces[chosen])
    return fine, neighbours(fine.faces), fine.carry(points)


def _scarf(hair: Hair, skin_m: Points, label: int) -> Solid:
    """Cloth around head and neck that leaves the face free."""
    fine, edges, neutral = _wrapped()
    rng = np.random.default_rng(hair.seed)
    points = smoothed(fine.carry(skin_m), edges, 30, 0.6)
    normals = smoothed(vertex_normals(points, fine.faces), edges, 4)
    opening = np.hypot(*((neutral[:, :2] - _FACE_AT) / _FACE_HALF).T) - 1
    field = np.where(neutral[:, 2] > 0.035, 0.075 * opening, 1.0)
    field = np.minimum(field, neutral[:, 1] - _SCARF_LOW_M)
    neck = np.clip((0.64 - neutral[:, 1]) / 0.08, 0, 1)
    around = 0.09 * np.arctan2(neutral[:, 0], neutral[:, 2] - 0.03)
    wave = sum(
        rng.uniform(0.4, 1)
        * np.sin(rng.normal(0, 25) * around + rng.uniform(40, 110) * neutral[:, 1] + phase)
        for phase in rng.uniform(0, 6.28, 5)
    )
    lift = hair.thickness_m + 0.014 + 0.012 * neck + (0.001 + 0.0035 * neck) * wave
    placed = points + (lift * np.clip(0.3 + field / 0.03, 0.3, 1))[:, None] * normals
    part = cut_mesh(fine.faces, field)
    rest = np.stack([around, neutral[:, 1], 0 * around], 1)
    return plain_solid(part.carry(placed), part.faces, part.carry(rest), hair.material, label)
