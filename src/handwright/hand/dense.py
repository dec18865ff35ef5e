"""A denser hand for drawing: the rig's skin subdivided once, extended by a stump of the forearm."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int

from handwright.hand.rig import Rig, load_rig

WRIST_M = 0.002  # Rest height at which hands end: below it skin is the forearm's, which is no part of masks

_RINGS, _RING_STEP_M = 5, 0.01  # Rings of the forearm's stump and their distance in metres
_RING_WIDER, _RING_THICKER = 0.03, 0.02  # Growth of the stump's width and depth from ring to ring (by eye)
_BULGE = 0.6
"""α of Phong tessellation: 0 keeps the triangles flat, 1 moves new points to the tangent planes (by eye)."""


@dataclass(frozen=True, eq=False)
class DenseRig:
    """A rig with more triangles and its rest normals."""

    rig: Rig  # Same bones and landmarks, denser skin; ``corner_uv`` follows it
    normals: Float[np.ndarray, "v 3"]  # [V, 3] unit normals at rest, outwards


@lru_cache(maxsize=1)
def load_dense_rig() -> DenseRig:
    """Return the packaged rig, subdivided once and extended by 5 cm of forearm; computed once a process."""
    rig = _subdivide(load_rig())
    rig = _extend_forearm(rig)
    return DenseRig(rig, vertex_normals(rig.vertices_m, rig.faces))


def vertex_normals(
    vertices: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"]
) -> Float[np.ndarray, "v 3"]:
    """Return area-weighted unit normals [V, 3] of a mesh whose faces are counter-clockwise from outside."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    weighted = np.cross(b - a, c - a)
    normals = np.stack(
        [np.bincount(faces.ravel(), np.repeat(weighted[:, k], 3), len(vertices)) for k in range(3)], 1
    )
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-15)


def _subdivide(rig: Rig) -> Rig:
    """Split every triangle in four; new points bulge to the tangent planes (Phong tessellation)."""
    faces, count = rig.faces, len(rig.vertices_m)
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), 1)
    unique, inverse = np.unique(edges, axis=0, return_inverse=True)
    ab, bc, ca = (count + inverse.reshape(3, -1)).astype(np.int64)
    a, b, c = faces.T
    split = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
    uv = rig.corner_uv
    mid = [(uv[:, 0] + uv[:, 1]) / 2, (uv[:, 1] + uv[:, 2]) / 2, (uv[:, 2] + uv[:, 0]) / 2]
    split_uv = [
        (uv[:, 0], mid[0], mid[2]),
        (mid[0], uv[:, 1], mid[1]),
        (mid[2], mid[1], uv[:, 2]),
        tuple(mid),
    ]
    ends, normals = rig.vertices_m[unique], vertex_normals(rig.vertices_m, faces)[unique]
    middle = ends.mean(1, keepdims=True)
    height = ((middle - ends) * normals).sum(-1, keepdims=True)
    bulged = (1 - _BULGE) * middle[:, 0] + _BULGE * (middle - height * normals).mean(1)
    full = np.zeros((count, len(rig.joints_m)))
    np.put_along_axis(full, rig.weight_bones, rig.weights, 1)
    bones, weights = _strongest(np.concatenate([full, full[unique].mean(1)]))
    return replace(
        rig,
        vertices_m=np.concatenate([rig.vertices_m, bulged]),
        faces=np.concatenate([np.stack(t, 1) for t in split]),
        corner_uv=np.concatenate([np.stack(t, 1) for t in split_uv]),
        weight_bones=bones,
        weights=weights,
    )


def _strongest(
    full: Float[np.ndarray, "v b"], keep: int = 6
) -> tuple[Int[np.ndarray, "v k"], Float[np.ndarray, "v k"]]:
    bones = np.argsort(-full, axis=1)[:, :keep]
    weights = np.take_along_axis(full, bones, 1)
    return bones, weights / weights.sum(1, keepdims=True)


def _extend_forearm(rig: Rig) -> Rig:
    """Extrude the wrist's open loop along −y, widening from ring to ring."""
    loop, uv = _wrist_loop(rig)
    base, size = rig.vertices_m[loop], len(loop)
    centre = base.mean(0)
    rings = []
    for k in range(1, _RINGS + 1):
        level = min(k / 2, 1.0)
        y = (1 - level) * base[:, 1] + level * centre[1] - _RING_STEP_M * k
        x = centre[0] + (base[:, 0] - centre[0]) * (1 + _RING_WIDER * k)
        z = centre[2] + (base[:, 2] - centre[2]) * (1 + _RING_THICKER * k)
        rings.append(np.stack([x, y, z], 1))
    index = np.concatenate([loop, len(rig.vertices_m) + np.arange(_RINGS * size)]).reshape(-1, size)
    near, far = index[:-1], index[1:]
    here, there = near.ravel(), np.roll(near, -1, 1).ravel()
    out, beside = far.ravel(), np.roll(far, -1, 1).ravel()
    faces = np.concatenate([np.stack([there, here, out], 1), np.stack([there, out, beside], 1)])
    corner = np.tile(uv, (_RINGS, 1))
    corner_uv = np.repeat(np.concatenate([corner, corner])[:, None], 3, 1)
    bones = np.zeros((_RINGS * size, rig.weight_bones.shape[1]), np.int64)
    weights = np.zeros(bones.shape)
    weights[:, 0] = 1.0
    return replace(
        rig,
        vertices_m=np.concatenate([rig.vertices_m, *rings]),
        faces=np.concatenate([rig.faces, faces]),
        corner_uv=np.concatenate([rig.corner_uv, corner_uv]),
        weight_bones=np.concatenate([rig.weight_bones, bones]),
        weights=np.concatenate([rig.weights, weights]),
    )


def _wrist_loop(rig: Rig) -> tuple[Int[np.ndarray, " n"], Float[np.ndarray, "n 2"]]:
    """Vertices of the open wrist in order of their directed edges, and a texture coordinate of each."""
    starts, ends = rig.faces.ravel(), np.roll(rig.faces, -1, 1).ravel()
    uv = rig.corner_uv.reshape(-1, 2)
    directed = {(int(a), int(b)) for a, b in zip(starts, ends, strict=True)}
    follow: dict[int, int] = {}
    where: dict[int, np.ndarray] = {}
    for a, b, corner in zip(starts.tolist(), ends.tolist(), uv, strict=True):
        if (b, a) not in directed:
            follow[a], where[a] = b, corner
    loop = [min(follow)]
    while (following := follow[loop[-1]]) != loop[0]:
        loop.append(following)
    return np.array(loop), np.stack([where[v] for v in loop])
