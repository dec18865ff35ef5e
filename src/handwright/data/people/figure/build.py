"""A body of one's own: sex, age, build, descent, face and look, as weights of MakeHuman's targets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

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
    ages = _age_shares(rng, age)
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


def rest_vertices_m(build: Build) -> Float[np.ndarray, "v 3"]:
    """The body and its helper meshes at rest: arms 45° down, standing on y = 0."""
    figure = load_figure()
    vertices = figure.vertices_m.copy()
    for name, weight in build.weights.items():
        index, moves = figure.macros[name]
        vertices[index] += weight * moves
    vertices *= build.stature
    return vertices - [0.0, float(vertices[:SKIN_VERTICES, 1].min()), 0.0]


def _age_shares(rng: np.random.Generator, age: str) -> tuple[float, float, float]:
    shares = np.array([rng.uniform(low, high) for low, high in _AGE_MIX[age]])
    child, young, old = shares / shares.sum()
    return float(child), float(young), float(old)


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
