"""Surfaces gone wrong: melted skin, a hand that has come off its arm. Amounts are chosen by eye."""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float

from handwright.data.hands.defects.malformed import SurfaceFlaw
from handwright.data.hands.parts import Part
from handwright.data.shapes import Faces, Points
from handwright.hand.defects import Defect
from handwright.hand.rig import axis_angle_matrix

_CUT_M = -0.012  # Height of the cut through a detached hand's arm, metres above the resting wrist
_PIVOT = np.array([0.0, -0.02, 0.0])


def apply_surface_flaw(parts: list[Part], flaw: SurfaceFlaw) -> list[Part]:
    """The parts of a hand with arm (skin first) as the flaw leaves them."""
    rng = np.random.default_rng([flaw.seed, 31])
    if flaw.kind == Defect.MELTED:
        return [_melted(part, flaw, rng) if not part.cloth else part for part in parts]
    return _detached(parts, flaw, rng)


def _melted(part: Part, flaw: SurfaceFlaw, rng: np.random.Generator) -> Part:
    """0: swollen and wavy; 1: running down one side; 2: texture smeared over a slightly wavy hand."""
    points = part.vertices
    share = np.clip((part.rest[:, 1] - 0.015) / 0.03, 0, 1)[:, None]
    wave = np.stack([_waves(points, rng, 0.022, 0.05) for _ in range(3)], 1)
    if flaw.variant == 0:
        return replace(part, vertices=points + share * flaw.amount * 0.0075 * wave)
    if flaw.variant == 1:
        down = rng.normal(size=3)
        run = np.clip(_waves(points, rng, 0.015, 0.03) + 0.2, 0, None)[:, None]
        down *= 0.014 / np.linalg.norm(down)
        return replace(part, vertices=points + share * flaw.amount * run * down)
    middle = part.corner_uv.mean((0, 1))
    place = points[part.faces]
    drift = np.stack([_waves(place.reshape(-1, 3), rng, 0.02, 0.04) for _ in range(2)], 1).reshape(-1, 3, 2)
    smeared = middle + (part.corner_uv - middle) * (1 - 0.35 * flaw.amount) + 0.035 * flaw.amount * drift
    return replace(
        part, vertices=points + share * flaw.amount * 0.0035 * wave, corner_uv=np.clip(smeared, 0.002, 0.998)
    )


def _detached(parts: list[Part], flaw: SurfaceFlaw, rng: np.random.Generator) -> list[Part]:
    """0: a gap along the arm; 1: the arm beside the wrist; 2: the arm turned away from it."""
    away = np.array([0.0, -1.0, 0.0])
    turn = np.eye(3)
    gap = 0.012 + 0.035 * flaw.amount
    offset = gap * away
    if flaw.variant == 1:
        offset = np.array([rng.choice([-1, 1]) * gap, -0.008, 0.0])
    if flaw.variant == 2:
        turn = axis_angle_matrix(np.array([0.0, 0.0, rng.choice([-1, 1]) * (0.5 + 0.6 * flaw.amount)]))
        offset = 0.015 * away
    skin = parts[0]
    height = skin.rest[skin.faces][..., 1]
    hand, arm = np.asarray(height.min(1) > _CUT_M), np.asarray(height.max(1) < _CUT_M)
    swung = (skin.vertices - _PIVOT) @ turn.T + _PIVOT + offset
    moved = Part(swung, skin.faces[arm], skin.corner_uv[arm], skin.rest)
    out = [_joined(_closed(skin, hand), _closed(moved, None))]
    for part in parts[1:]:
        swung = (part.vertices - _PIVOT) @ turn.T + _PIVOT + offset
        out.append(replace(part, vertices=swung) if part.cloth else part)
    return out


def _closed(part: Part, kept: Bool[np.ndarray, " f"] | None) -> Part:
    """The kept faces with a lid on every open edge."""
    faces = part.faces if kept is None else part.faces[kept]
    corner_uv = part.corner_uv if kept is None else part.corner_uv[kept]
    starts, ends = faces.ravel(), np.roll(faces, -1, 1).ravel()
    count = len(part.vertices)
    known = set((starts * count + ends).tolist())
    free = np.array([(ends[k] * count + starts[k]) not in known for k in range(len(starts))])
    rim = np.stack([ends[free], starts[free]], 1)
    near = part.rest[rim[:, 0], 1] > _CUT_M - 0.05
    rim = rim[near]
    if not len(rim):
        return replace(part, faces=faces, corner_uv=corner_uv)
    centre = part.vertices[rim[:, 0]].mean(0)
    lid = np.concatenate([rim, np.full((len(rim), 1), count)], 1)
    uv = corner_uv.reshape(-1, 2)[np.flatnonzero(free)[near]]
    return Part(
        np.concatenate([part.vertices, centre[None]]),
        np.concatenate([faces, lid]),
        np.concatenate([corner_uv, np.repeat(uv[:, None], 3, 1)]),
        np.concatenate([part.rest, part.rest[rim[:, 0]].mean(0)[None]]),
    )


def _joined(first: Part, second: Part) -> Part:
    """Two parts in one mesh; the first keeps its numbering."""
    faces: Faces = np.concatenate([first.faces, second.faces + len(first.vertices)])
    return Part(
        np.concatenate([first.vertices, second.vertices]),
        faces,
        np.concatenate([first.corner_uv, second.corner_uv]),
        np.concatenate([first.rest, second.rest]),
    )


def _waves(
    points: Points, rng: np.random.Generator, least_m: float, most_m: float
) -> Float[np.ndarray, " n"]:
    """A smooth field of about unit deviation with wavelengths in this range."""
    total = np.zeros(len(points))
    for _ in range(6):
        direction = rng.normal(size=3)
        pitch = 2 * np.pi / rng.uniform(least_m, most_m) * direction / np.linalg.norm(direction)
        total += np.sin(points @ pitch + rng.uniform(0, 2 * np.pi))
    return total / np.sqrt(3)
