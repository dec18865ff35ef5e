"""The scalp: where hair grows, and what can be on a head."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int

from handwright.data.people.figure.makehuman import load_figure, texture
from handwright.data.people.figure.mesh_cutting import Refined, neighbours, refine
from handwright.data.world.stage import Material

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
    rest_m: Float[np.ndarray, "n 3"]  # [N, 3] coordinates of the strands' pattern
    points_m: Float[np.ndarray, "n 3"]  # [N, 3] neutral
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


def _spread(points: Float[np.ndarray, "n 3"], count: int) -> Int[np.ndarray, " k"]:
    """Farthest-point sampling."""
    chosen = [0]
    gap = np.full(len(points), np.inf)
    for _ in range(count - 1):
        gap = np.minimum(gap, ((points - points[chosen[-1]]) ** 2).sum(1))
        chosen.append(int(gap.argmax()))
    return np.array(chosen)
