"""What arms and hair must not go through: torso, head and thighs as capsules."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from handwright.data.people.figure.makehuman import SKIN_VERTICES
from handwright.data.people.figure.skeleton import Posed, bone


@dataclass(frozen=True, eq=False)
class Capsules:
    """What arms must not go through."""

    starts_m: Float[np.ndarray, "k 3"]  # [K, 3] one end of each axis
    ends_m: Float[np.ndarray, "k 3"]  # [K, 3]
    radii_m: Float[np.ndarray, " k"]  # [K]

    def moved(self, turn: Float[np.ndarray, "3 3"], by_m: Float[np.ndarray, "3"]) -> Capsules:
        """The same elsewhere: each point p → p·turn + by_m."""
        return Capsules(self.starts_m @ turn + by_m, self.ends_m @ turn + by_m, self.radii_m)

    def pushed_out(self, points_m: Float[np.ndarray, "n 3"], gap_m: float) -> Float[np.ndarray, "n 3"]:
        """Points; those nearer than ``gap_m`` to a surface moved out of the capsule they are deepest in."""
        offset, inside = self._offsets(points_m)
        worst = inside.argmax(-1)[:, None, None]
        away = np.take_along_axis(offset, worst, 1)[:, 0]
        deep = np.take_along_axis(inside, worst[..., 0], 1) + gap_m
        far = np.linalg.norm(away, axis=1, keepdims=True)
        return points_m + np.maximum(deep, 0) * away / np.maximum(far, 1e-6)

    def depth_m(self, points_m: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n"]:
        """How deep each point lies inside, negative outside."""
        return self._offsets(points_m)[1].max(-1)

    def _offsets(self, points_m: Float[np.ndarray, "*n 3"]) -> tuple[np.ndarray, np.ndarray]:
        """From every capsule's axis to every point [..., K, 3], and how deep the point is inside [..., K]."""
        along = self.ends_m - self.starts_m
        offset = points_m[..., None, :] - self.starts_m
        share = np.clip((offset * along).sum(-1) / (along**2).sum(-1), 0, 1)
        away = offset - share[..., None] * along
        return away, self.radii_m - np.linalg.norm(away, axis=-1)


def capsules_of(vertices_m: Float[np.ndarray, "v 3"], posed: Posed) -> Capsules:
    """Torso, head and thighs of a posed body."""
    rest = posed.rest_heads_m
    pelvis, chest, head = rest[bone("root")], rest[bone("spine01")], rest[bone("head")]
    tall = float(np.ptp(vertices_m[:SKIN_VERTICES, 1]))
    near = vertices_m[:SKIN_VERTICES]
    ring = near[
        (np.abs(near[:, 1] - rest[bone("spine03")][1]) < 0.02 * tall) & (np.abs(near[:, 0]) < 0.12 * tall)
    ]
    half_depth, half_width = np.ptp(ring[:, 2]) / 2, np.ptp(ring[:, 0]) / 2
    middle = np.array([0.0, 0.0, float(ring[:, 2].mean() + 0.01)])
    shift = np.array([max(float(half_width - half_depth), 0.02), 0.0, 0.0])
    top = chest * [0, 1, 0] + middle - [0, 0.02 * tall, 0]
    base = pelvis * [0, 1, 0] + middle
    crown = head + np.array([0.0, 0.065 * tall, 0.03 * tall])
    pairs = [(base + k * shift, top + k * shift, half_depth, "spine03") for k in (-1, 0, 1)]
    pairs += [(head, crown, 0.062 * tall, "head"), (rest[bone("neck01")], head, 0.05 * tall, "neck02")]
    for tag in "LR":
        hip, knee = rest[bone(f"upperleg01.{tag}")], rest[bone(f"lowerleg01.{tag}")]
        pairs.append((hip, knee, 0.05 * tall, f"upperleg01.{tag}"))
    ends = [[_carried(posed, end, name) for end in (a, b)] for a, b, _, name in pairs]
    return Capsules(
        np.array([e[0] for e in ends]), np.array([e[1] for e in ends]), np.array([float(p[2]) for p in pairs])
    )


def below_head(body: Capsules, bones: Posed, vertices_m: Float[np.ndarray, "v 3"]) -> Capsules:
    """Torso, neck and shoulders of a posed body: what hair hangs over."""
    keep = [0, 1, 2, 4]
    tall = float(np.ptp(vertices_m[:SKIN_VERTICES, 1]))
    neck = bones.heads_m[bone("neck01")]
    ends = [bones.heads_m[bone(f"upperarm01.{tag}")] for tag in "LR"]
    return Capsules(
        np.concatenate([body.starts_m[keep], [neck - [0, 0.03 * tall, 0]] * 2]),
        np.concatenate([body.ends_m[keep], ends]),
        np.concatenate([body.radii_m[keep], [0.042 * tall] * 2]),
    )


def _carried(posed: Posed, point: Float[np.ndarray, "3"], name: str) -> Float[np.ndarray, "3"]:
    b = bone(name)
    return posed.heads_m[b] + posed.turns[b] @ (point - posed.rest_heads_m[b])
