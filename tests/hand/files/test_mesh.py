from __future__ import annotations

import json
import struct
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from handwright.hand.files.mesh import mesh_to_glb, mesh_to_obj
from handwright.hand.kinematics import mesh_of
from handwright.hand.rig import load_rig
from handwright.types import Hand

SIDES = pytest.mark.parametrize("side", ["left", "right"])


def read_glb(data: bytes) -> tuple[dict, list[np.ndarray]]:
    magic, version, length = struct.unpack("<4sII", data[:12])
    assert (magic, version, length) == (b"glTF", 2, len(data))
    size, kind = struct.unpack("<I4s", data[12:20])
    assert kind == b"JSON" and size % 4 == 0
    document, binary = json.loads(data[20 : 20 + size]), data[20 + size :]
    size, kind = struct.unpack("<I4s", binary[:8])
    assert kind == b"BIN\0" and size == len(binary) - 8
    arrays = []
    for accessor in document["accessors"]:
        view = document["bufferViews"][accessor["bufferView"]]
        raw = binary[8 + view["byteOffset"] :][: view["byteLength"]]
        width = {"SCALAR": 1, "VEC3": 3}[accessor["type"]]
        array = np.frombuffer(raw, {5126: "<f4", 5125: "<u4"}[accessor["componentType"]]).reshape(-1, width)
        assert len(array) == accessor["count"]
        arrays.append(array)
    return document, arrays


def signed_volume(points: np.ndarray, faces: np.ndarray) -> float:
    """Volume enclosed with the open wrist closed by a fan."""
    edges = Counter((int(a), int(b)) for t in faces for a, b in zip(t, np.roll(t, -1), strict=True))
    rim = [edge for edge in edges if edge[::-1] not in edges]
    centre = points[[a for a, _ in rim]].mean(0)
    triangles = [points[faces] - centre, np.array([[points[b], points[a], centre] for a, b in rim]) - centre]
    return float(sum(np.linalg.det(t).sum() for t in triangles) / 6)


@SIDES
def test_the_surface_is_closed_but_for_one_loop_at_the_wrist(
    make_hand: Callable[..., Hand], side: str
) -> None:
    faces = mesh_of(make_hand(0, side)).faces
    edges = Counter((int(a), int(b)) for t in faces for a, b in zip(t, np.roll(t, -1), strict=True))
    assert set(edges.values()) == {1}
    after = dict(edge for edge in edges if edge[::-1] not in edges)
    start = vertex = next(iter(after))
    loop = 0
    while loop == 0 or vertex != start:
        vertex, loop = after[vertex], loop + 1
    assert loop == len(after)
    assert (load_rig().vertices_m[list(after), 1] < 0.01).all()


@SIDES
@pytest.mark.parametrize("seed", range(3))
def test_normals_point_outwards_on_both_hands(make_hand: Callable[..., Hand], side: str, seed: int) -> None:
    mesh = mesh_of(make_hand(seed, side))
    volume = signed_volume(mesh.vertices_cam_m, mesh.faces)
    assert 1e-4 < volume < 8e-4
    _, (points, normals, faces) = read_glb(mesh_to_glb(mesh))
    assert signed_volume(points.astype(float), faces.reshape(-1, 3)) == pytest.approx(volume, rel=1e-4)
    grown = signed_volume(points + 1e-4 * normals, faces.reshape(-1, 3))
    assert grown > volume


@SIDES
def test_glb_holds_the_mesh_the_right_way_up(make_hand: Callable[..., Hand], side: str) -> None:
    mesh = mesh_of(make_hand(4, side))
    document, (points, normals, faces) = read_glb(mesh_to_glb(mesh))
    np.testing.assert_allclose(points, mesh.vertices_cam_m * [1, -1, -1], atol=1e-6)
    np.testing.assert_array_equal(faces.reshape(-1, 3), mesh.faces)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-5)
    position = document["accessors"][document["meshes"][0]["primitives"][0]["attributes"]["POSITION"]]
    np.testing.assert_allclose(position["min"], points.min(0))
    np.testing.assert_allclose(position["max"], points.max(0))


def test_obj_reads_back(make_hand: Callable[..., Hand]) -> None:
    mesh = mesh_of(make_hand(2, "left"))
    rows = [line.split() for line in mesh_to_obj(mesh).splitlines()]
    points = np.array([row[1:] for row in rows if row[0] == "v"], float)
    normals = np.array([row[1:] for row in rows if row[0] == "vn"], float)
    faces = np.array([[c.split("//")[0] for c in row[1:]] for row in rows if row[0] == "f"], int) - 1
    np.testing.assert_allclose(points, mesh.vertices_cam_m * [1, -1, -1], atol=1e-6)
    np.testing.assert_array_equal(faces, mesh.faces)
    assert len(normals) == len(points)
    assert signed_volume(points, faces) > 0
