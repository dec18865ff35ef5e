"""Locks: ribbons that leave the scalp, lie on it, and hang."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from handwright.data.people.head.scalp import Hair, Scalp
from handwright.data.people.posture.capsules import Capsules
from handwright.data.world.stage import Solid

_LOCKS, _STEPS, _SWING_M, _LIFT = 560, 12, 0.07, 0.12
_DOWN = np.array([0.0, 1.0, 0.0])


def locks(
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
    labels = np.full(points.size // 3, label)
    empty = np.zeros((len(faces), 3, 2))
    return Solid(points.reshape(-1, 3), faces, empty, rest.reshape(-1, 3), material, -1, labels)
