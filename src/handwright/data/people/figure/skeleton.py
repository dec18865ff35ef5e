"""How a body stands: rotations of its bones, and skin that follows them (linear blend skinning)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from handwright.data.people.figure.makehuman import Figure, load_figure
from handwright.hand.kinematics import blend_skin


@dataclass(frozen=True, eq=False)
class Posed:
    """Where the bones went."""

    turns: Float[np.ndarray, "b 3 3"]  # [B, 3, 3] rotation of each bone from rest
    heads_m: Float[np.ndarray, "b 3"]  # [B, 3] its posed head
    rest_heads_m: Float[np.ndarray, "b 3"]  # [B, 3]


def rest_heads_m(vertices_m: Float[np.ndarray, "v 3"]) -> Float[np.ndarray, "b 3"]:
    """Head of every bone of a resting body."""
    return np.stack([vertices_m[chosen].mean(0) for chosen in load_figure().head_vertices])


def pose_bones(
    heads_m: Float[np.ndarray, "b 3"],
    local: dict[str, Float[np.ndarray, "3 3"]],
    turned: dict[str, Float[np.ndarray, "3 3"]] | None = None,
) -> Posed:
    """Forward kinematics: bones turn ``local`` to their parents or ``turned`` against the resting body."""
    figure = load_figure()
    turned = turned or {}
    turns = np.repeat(np.eye(3)[None], len(figure.bones), 0)
    heads = heads_m.copy()
    for b, (name, parent) in enumerate(zip(figure.bones, figure.parents, strict=True)):
        above = turns[parent] if parent >= 0 else np.eye(3)
        turns[b] = turned[name] if name in turned else above @ local[name] if name in local else above
        if parent >= 0:
            heads[b] = heads[parent] + above @ (heads_m[b] - heads_m[parent])
    return Posed(turns, heads, heads_m)


def bone(name: str) -> int:
    """Index of a bone."""
    return load_figure().bones.index(name)


def skin(vertices_m: Float[np.ndarray, "v 3"], posed: Posed) -> Float[np.ndarray, "v 3"]:
    """Move all vertices of a resting body with its bones."""
    figure: Figure = load_figure()
    return blend_skin(
        vertices_m, figure.weight_bones, figure.weights, posed.turns, posed.heads_m, posed.rest_heads_m
    )
