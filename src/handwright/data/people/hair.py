"""Hair that reads as hair: a cap on the scalp and locks that hang from it; scarves and hats."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int

from handwright.data.people.cut import Refined, cut_mesh, neighbours, refine, smoothed
from handwright.data.people.makehuman import SKIN_VERTICES, load_figure, texture
from handwright.data.people.reach import Capsules
from handwright.data.render.material import Material
from handwright.data.render.stage import Solid
from handwright.hand.dense import vertex_normals

_LINE_DEG = (0, 22, 42, 58, 70, 80, 92, 104, 118, 140, 180)
_LINE_M = (0.804, 0.806, 0.795, 0.776, 0.752, 0.712, 0.722, 0.715, 0.676, 0.655, 0.648)
"""The hairline of the neutral head: height by angle from the front."""

_AXIS_Z = 0.035
_LOCKS, _STEPS, _SWING_M, _LIFT = 420, 12, 0.07, 0.12
_DOWN = np.array([0.0, 1.0, 0.0])


@dataclass(frozen=True)
class Hair:
    """What is on a head.

    Attributes:
        style: 'bald', 'buzz', 'short', 'bob', 'long', 'bun', 'curly', 'headscarf' or 'beanie'.
        material: Of hair, or of the cloth.
        words: 'short black hair'; empty for bald.
        length_m: Of the locks.
        thickness_m: Of the cap.
        parting_m: Where locks part, metres from the middle.
        recede_m: How far the hairline has moved up.
        seed: Of the locks.
    """

    style: str
    material: Material
    words: str
    length_m: float
    thickness_m: float
    parting_m: float
    recede_m: float
    seed: int


@dataclass(frozen=True, eq=False)
class Scalp:
    """The refined head of the neutral body.

    Attributes:
        fine: The head's faces, split in four twice.
        again: The second split.
        edges: Its neighbourhoods.
        inside_m: [N] how far above the hairline each vertex is.
        rest_m: [N, 3] coordinates of the strands' pattern.
        points_m: [N, 3] neutral.
        sparse: A few hundred vertices spread over it.
    """

    fine: Refined
    again: Refined
    edges: Int[np.ndarray, "e 2"]
    inside_m: Float[np.ndarray, " n"]
    rest_m: Float[np.ndarray, "n 3"]
    points_m: Float[np.ndarray, "n 3"]
    sparse: Int[np.ndarray, " s"]

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


def _spread(points: Float[np.ndarray, "n 3"], count: int) -> Int[np.ndarray, " k"]:
    """Farthest-point sampling."""
    chosen = [0]
    gap = np.full(len(points), np.inf)
    for _ in range(count - 1):
        gap = np.minimum(gap, ((points - points[chosen[-1]]) ** 2).sum(1))
        chosen.append(int(gap.argmax()))
    return np.array(chosen)


def hair_solids(
    hair: Hair,
    skin_m: Float[np.ndarray, "v 3"],
    head: Float[np.ndarray, "3 3"],
    body: Capsules,
    label: int,
) -> list[Solid]:
    """Hair on a posed body in camera space.

    Args:
        hair: Which.
        skin_m: [19158, 3].
        head: [3, 3] the head's turn: neutral axes → camera.
        body: What hangs over it, camera space.
        label: In the parts picture.
    """
    if hair.style == "bald":
        return []
    crown = scalp()
    rng = np.random.default_rng(hair.seed)
    points = crown.carry(skin_m)
    normals = vertex_normals(points, crown.again.faces)
    inside = crown.inside_m - hair.recede_m * np.exp(-((crown.points_m[:, 0] / 0.05) ** 2)) * (
        crown.points_m[:, 2] > 0
    )
    ragged = 0.004 * np.sin(190 * crown.rest_m[:, 0] + hair.seed % 7) + 0.003 * np.sin(
        431 * crown.rest_m[:, 0]
    )
    field = inside + ragged * (hair.style not in ("headscarf", "beanie"))
    if hair.style == "beanie":
        field = crown.points_m[:, 1] - 0.775 + 0.25 * (0.1 - crown.points_m[:, 2]) * 0.3
    lift = hair.thickness_m * np.clip(field / 0.03, 0, 1) ** 0.6
    strands = np.sin(420 * crown.rest_m[:, 0] + 3 * np.sin(60 * crown.rest_m[:, 1] * 8))
    bumps = rng.standard_normal(len(points))[:, None]
    bumps = smoothed(bumps, crown.edges, 3 if hair.style == "curly" else 6)[:, 0]
    bumps /= bumps.std() + 1e-9
    rough = 0.25 * bumps if hair.style == "curly" else 0.10 * bumps + 0.06 * strands
    placed = points + (lift * (1 + rough) + 0.0015)[:, None] * normals
    part = cut_mesh(crown.again.faces, field)
    solids: list[Solid] = []
    if len(part.faces):
        vertices = part.carry(placed)
        solids.append(
            Solid(
                vertices,
                part.faces,
                np.zeros((len(part.faces), 3, 2)),
                part.carry(crown.rest_m),
                hair.material,
                -1,
                np.full(len(vertices), label),
            )
        )
    if hair.length_m > 0.012:
        solids.append(_locks(hair, crown, placed, normals, field, head, body, rng, label))
    return solids


def _locks(
    hair: Hair,
    crown: Scalp,
    placed: Float[np.ndarray, "n 3"],
    normals: Float[np.ndarray, "n 3"],
    field: Float[np.ndarray, " n"],
    head: Float[np.ndarray, "3 3"],
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
    flow = flow + 0.15 * rng.standard_normal(flow.shape)
    length = hair.length_m * rng.uniform(0.8, 1.08, len(chosen))
    shell = _Shell(crown, placed, field)
    height = rng.uniform(-0.002, 0.35 * hair.thickness_m + 0.002, len(chosen))
    at = placed[chosen] - 0.003 * normals[chosen]
    path = [at]
    for k in range(steps):
        gone = length[:, None] * k / steps
        way = flow * np.exp(-gone / _SWING_M) + _DOWN * (0.12 + np.minimum(gone / _SWING_M, 4.0))
        way = way / np.linalg.norm(way, axis=1, keepdims=True)
        at = body.pushed_out(at + (length / steps)[:, None] * way, 0.008)
        path.append(shell.laid_on(at, height + _LIFT * gone[:, 0] * short))
        at = path[-1]
    return _ribbons(hair, np.stack(path, 1), normals[chosen], rng, label)


class _Shell:
    """The head with its cap as a radius by direction: hair lies on the scalp and stays out of the face."""

    def __init__(
        self, crown: Scalp, placed: Float[np.ndarray, "n 3"], field: Float[np.ndarray, " n"]
    ) -> None:
        chosen = crown.sparse
        self._centre = placed[crown.inside_m > 0].mean(0)
        offset = placed[chosen] - self._centre
        self._radius = np.linalg.norm(offset, axis=1)
        self._ways = offset / self._radius[:, None]
        self._haired = field[chosen] > -0.004

    def laid_on(self, points: Float[np.ndarray, "n 3"], height: Float[np.ndarray, " n"]) -> np.ndarray:
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
        rng.uniform(0.0045, 0.009, count)[:, None]
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
    labels = np.full(points.size // 3, label)
    empty = np.zeros((len(faces), 3, 2))
    return Solid(points.reshape(-1, 3), faces, empty, rest.reshape(-1, 3), material, -1, labels)
