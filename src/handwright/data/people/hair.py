"""Hair that reads as hair: a cap on the scalp and locks that hang from it; scarves and hats."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int

from handwright.data.people.cut import Refined, cut_mesh, neighbours, refine, smoothed
from handwright.data.people.makehuman import SKIN_VERTICES, load_figure, texture
from handwright.data.render.material import Material
from handwright.data.render.stage import Solid
from handwright.hand.dense import vertex_normals

_LINE_DEG = (0, 22, 42, 58, 70, 80, 92, 104, 118, 140, 180)
_LINE_M = (0.804, 0.806, 0.795, 0.776, 0.752, 0.712, 0.722, 0.715, 0.676, 0.655, 0.648)
"""The hairline of the neutral head: height by angle from the front."""

_AXIS_Z = 0.035
_STEPS = 11
_GRAVITY = np.array([0.0, 1.0, 0.0])


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
    """

    fine: Refined
    again: Refined
    edges: Int[np.ndarray, "e 2"]
    inside_m: Float[np.ndarray, " n"]
    rest_m: Float[np.ndarray, "n 3"]
    points_m: Float[np.ndarray, "n 3"]

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
    return Scalp(fine, again, neighbours(again.faces), inside, rest, placed)


def hair_solids(
    hair: Hair, skin_m: Float[np.ndarray, "v 3"], head: Float[np.ndarray, "3 3"], label: int
) -> list[Solid]:
    """Hair on a posed body in camera space.

    Args:
        hair: Which.
        skin_m: [19158, 3].
        head: [3, 3] the head's turn: neutral axes → camera.
        label: In the parts picture.
    """
    if hair.style == "bald":
        return []
    crown = scalp()
    rng = np.random.default_rng(hair.seed)
    points = crown.carry(skin_m)
    normals = vertex_normals(points, crown.again.faces)
    scale = float(np.linalg.norm(skin_m[:SKIN_VERTICES].max(0) - skin_m[:SKIN_VERTICES].min(0))) * 0 + 1
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
    bumps = smoothed(bumps, crown.edges, 6)[:, 0]
    bumps /= bumps.std() + 1e-9
    rough = 0.25 * bumps if hair.style == "curly" else 0.10 * bumps + 0.06 * strands
    placed = points + (scale * lift * (1 + rough) + 0.0015)[:, None] * normals
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
        solids.append(_locks(hair, crown, placed, normals, field, head, rng, label))
    return solids


def _locks(
    hair: Hair,
    crown: Scalp,
    placed: Float[np.ndarray, "n 3"],
    normals: Float[np.ndarray, "n 3"],
    field: Float[np.ndarray, " n"],
    head: Float[np.ndarray, "3 3"],
    rng: np.random.Generator,
    label: int,
) -> Solid:
    """Ribbons that leave the scalp and hang; they stay out of the head and the neck."""
    roots = np.flatnonzero(field > 0.004)
    chosen = rng.choice(roots, min(len(roots), 340), replace=False)
    at = placed[chosen].copy()
    neutral = crown.points_m[chosen]
    centre = placed[field > 0].mean(0)
    sideways = np.sign(neutral[:, 0] - hair.parting_m)[:, None] * head[:, 0]
    back = -head[:, 2]
    front = np.clip((neutral[:, 2] - 0.06) / 0.06, 0, 1)[:, None]
    flow = normals[chosen] * 0.15 + sideways * (0.7 + 0.3 * front) + back * (0.55 - 0.35 * front)
    length = hair.length_m * rng.uniform(0.75, 1.1, len(chosen))
    step = (length / _STEPS)[:, None]
    away = normals[chosen]
    path, sides = [at.copy()], []
    stiff = float(np.clip(1.1 - hair.length_m / 0.12, 0.0, 1.0))
    for k in range(_STEPS):
        fall = _GRAVITY * (0.35 + 1.2 * k / _STEPS) * (1 - 0.6 * stiff)
        way = flow * (1.0 - 0.75 * k / _STEPS * (1 - stiff)) + fall
        offset = at - centre
        radial = offset / np.linalg.norm(offset, axis=1, keepdims=True)
        inward = np.minimum((way * radial).sum(1, keepdims=True), 0)
        near = np.linalg.norm(offset, axis=1, keepdims=True) < 0.115
        way = way - inward * radial * near
        way = way / np.linalg.norm(way, axis=1, keepdims=True)
        at = at + step * way
        path.append(at.copy())
        sides.append(np.cross(way, radial))
    line = np.stack(path, 1)
    side = np.stack([sides[0], *sides], 1)
    side /= np.linalg.norm(side, axis=2, keepdims=True) + 1e-9
    share = np.linspace(0, 1, _STEPS + 1)
    wide = rng.uniform(0.006, 0.011, len(chosen))[:, None] * (0.8 + 0.4 * share - 1.05 * share**3)[None]
    bulge = np.cross(side, np.gradient(line, axis=1))
    bulge /= np.linalg.norm(bulge, axis=2, keepdims=True) + 1e-9
    bulge *= np.sign((bulge * (line - centre)).sum(2, keepdims=True))
    ribbon = np.stack(
        [line + k * side * wide[..., None] + (0.0025 if k == 0 else 0.0) * bulge for k in (-1, 0, 1)], 2
    )
    count = len(chosen)
    index = np.arange(count * (_STEPS + 1) * 3).reshape(count, _STEPS + 1, 3)
    a, b, c, d = index[:, :-1, :-1], index[:, :-1, 1:], index[:, 1:, :-1], index[:, 1:, 1:]
    faces = np.concatenate([np.stack([a, b, d], -1).reshape(-1, 3), np.stack([a, d, c], -1).reshape(-1, 3)])
    number = np.arange(count)[:, None, None] * 0.031
    across = np.array([-1.0, 0, 1])[None, None] * wide[..., None]
    along = 0.12 * share[None, :, None] * length[:, None, None]
    rest = np.stack(np.broadcast_arrays(number + across, along + 0 * across, 0 * across), -1)
    del away
    return Solid(
        ribbon.reshape(-1, 3),
        faces,
        np.zeros((len(faces), 3, 2)),
        rest.reshape(-1, 3),
        replace(hair.material, seed=hair.material.seed + 3),
        -1,
        np.full(ribbon.size // 3, label),
    )
