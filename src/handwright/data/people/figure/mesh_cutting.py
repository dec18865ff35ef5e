"""The body as a mesh: vertices at COCO-WholeBody's points (by position), pose, cuts and refinement.

Skin follows rotated bones (linear blend skinning); hems and necklines are level lines of a field.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from handwright.data.people.figure.makehuman import Figure, load_figure
from handwright.data.shapes import Faces, Matrix, PerVertex, Points
from handwright.hand.kinematics import blend_skin

FACE: Int[np.ndarray, "68"] = np.array(
    [
        5739, 859, 932, 5241, 737, 3697, 920, 918, 732, 7620, 7622, 10365, 7457, 11850, 7634, 7564, 12336,
        255, 224, 222, 208, 209, 6984, 6983, 6996, 6998, 7024,
        132, 131, 201, 5054, 323, 352, 312, 7113, 7085,
        23, 4848, 55, 4870, 46, 37, 11488, 6839, 11466, 6807, 6821, 6830,
        3737, 447, 457, 466, 7216, 7207, 10405, 7166, 7241, 492, 486, 406, 3733, 470, 468, 7226, 10401, 7280,
        493, 535,
    ]
)  # fmt: skip
"""The 68 points of iBUG 300-W: jaw from the right ear to the left, brows, nose, eyes, mouth."""

NOSE, LEFT_EAR = 5054, 12017
LEFT_TOES = (13080, 13301, 12911)  # Big toe, little toe, heel

BODY_BONES = (
    "upperarm01.L", "upperarm01.R", "lowerarm01.L", "lowerarm01.R", "wrist.L", "wrist.R",
    "upperleg01.L", "upperleg01.R", "lowerleg01.L", "lowerleg01.R", "foot.L", "foot.R",
)  # fmt: skip
"""Bones whose heads are points 5 … 16: shoulders, elbows, wrists, hips, knees, ankles."""


def feet() -> Int[np.ndarray, "6"]:
    """Vertices of both feet's points, left first."""
    left = np.array(LEFT_TOES)
    return np.concatenate([left, load_figure().mirror[left]])


def ears() -> Int[np.ndarray, "2"]:
    """Vertices before the ears, left first."""
    return np.array([LEFT_EAR, load_figure().mirror[LEFT_EAR]])


@dataclass(frozen=True, eq=False)
class Posed:
    """Where the bones went."""

    turns: Float[np.ndarray, "b 3 3"]  # [B, 3, 3] rotation of each bone from rest
    heads_m: Float[np.ndarray, "b 3"]  # [B, 3] its posed head
    rest_heads_m: Float[np.ndarray, "b 3"]  # [B, 3]


def rest_heads_m(vertices_m: Points) -> Float[np.ndarray, "b 3"]:
    """Head of every bone of a resting body."""
    return np.stack([vertices_m[chosen].mean(0) for chosen in load_figure().head_vertices])


def pose_bones(
    heads_m: Float[np.ndarray, "b 3"], local: dict[str, Matrix], turned: dict[str, Matrix] | None = None
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


def skin(vertices_m: Points, posed: Posed) -> Points:
    """Move all vertices of a resting body with its bones."""
    figure: Figure = load_figure()
    return blend_skin(
        vertices_m, figure.weight_bones, figure.weights, posed.turns, posed.heads_m, posed.rest_heads_m
    )


@dataclass(frozen=True, eq=False)
class Cut:
    """A part of a mesh, with new vertices on the edges that were cut."""

    # [N, 2] of each vertex of the part: the two vertices of the mesh that it lies between
    ends: Int[np.ndarray, "n 2"]
    shares: Float[np.ndarray, " n"]  # [N] how far it is on the way from the first to the second
    faces: Faces  # [F, 3] into the part's vertices

    def carry(self, values: Float[np.ndarray, "v c"]) -> Float[np.ndarray, "n c"]:
        """Values of the mesh's vertices on the part's vertices."""
        a, b = values[self.ends[:, 0]], values[self.ends[:, 1]]
        return a + self.shares[:, None] * (b - a)


def cut_mesh(faces: Faces, field: PerVertex) -> Cut:
    """Keep where ``field`` is positive; triangles on the level line are cut along it."""
    inside = field > 0
    count = inside[faces].sum(1)
    whole = faces[count == 3]
    one, two = faces[count == 1], faces[count == 2]
    one = np.take_along_axis(one, (inside[one].argmax(1)[:, None] + np.arange(3)) % 3, 1)
    two = np.take_along_axis(two, ((~inside[two]).argmax(1)[:, None] + np.arange(3)) % 3, 1)
    crossing = np.concatenate([one[:, [0, 1]], one[:, [0, 2]], two[:, [1, 0]], two[:, [2, 0]]])
    edges, place = np.unique(crossing, axis=0, return_inverse=True)
    place = place.ravel() + len(field)
    first, second, third, fourth = np.split(place, np.cumsum([len(one), len(one), len(two)]))
    pieces = np.concatenate(
        [
            whole,
            np.stack([one[:, 0], first, second], 1),
            np.stack([two[:, 1], two[:, 2], third], 1),
            np.stack([two[:, 2], fourth, third], 1),
        ]
    )
    used, numbered = np.unique(pieces, return_inverse=True)
    kept = used[used < len(field)]
    cut = edges[used[used >= len(field)] - len(field)]
    gap = field[cut[:, 0]] - field[cut[:, 1]]
    shares = np.concatenate([np.zeros(len(kept)), field[cut[:, 0]] / np.maximum(gap, 1e-12)])
    ends = np.concatenate([np.stack([kept, kept], 1), cut])
    return Cut(ends, shares, numbered.reshape(-1, 3))


@dataclass(frozen=True, eq=False)
class Refined:
    """A mesh whose triangles were split in four."""

    # [N, 2] of each vertex the two of the coarse mesh that it lies halfway between
    ends: Int[np.ndarray, "n 2"]
    faces: Faces  # [4F, 3]

    def carry(self, values: Float[np.ndarray, "v c"]) -> Float[np.ndarray, "n c"]:
        """Values of the coarse mesh's vertices on the fine mesh's."""
        return 0.5 * (values[self.ends[:, 0]] + values[self.ends[:, 1]])


def refine(faces: Faces) -> Refined:
    """Split every triangle in four at its edges' middles."""
    old, numbered = np.unique(faces, return_inverse=True)
    a, b, c = numbered.reshape(-1, 3).T
    edges = np.sort(np.concatenate([np.stack(p, 1) for p in ((a, b), (b, c), (c, a))]), 1)
    unique, place = np.unique(edges, axis=0, return_inverse=True)
    ab, bc, ca = place.ravel().reshape(3, -1) + len(old)
    split = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
    ends = np.concatenate([np.stack([old, old], 1), old[unique]])
    return Refined(ends, np.concatenate([np.stack(t, 1) for t in split]))


def neighbours(faces: Faces) -> Int[np.ndarray, "e 2"]:
    """Both directions of every edge once."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    return np.unique(np.concatenate([edges, edges[:, ::-1]]), axis=0)


def smoothed(
    points: Float[np.ndarray, "v c"], edges: Int[np.ndarray, "e 2"], rounds: int, amount: float = 0.5
) -> Float[np.ndarray, "v c"]:
    """Laplacian smoothing: each point goes part of the way to the mean of its neighbours."""
    count = np.maximum(np.bincount(edges[:, 0], minlength=len(points)), 1)[:, None]
    for _ in range(rounds):
        total = np.stack(
            [np.bincount(edges[:, 0], points[edges[:, 1], k], len(points)) for k in range(points.shape[1])], 1
        )
        points = points + amount * (total / count - points)
    return points
