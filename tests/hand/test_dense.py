from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from handwright.hand.dense import load_dense_rig, vertex_normals
from handwright.hand.kinematics import mesh_of
from handwright.hand.rig import load_rig


@pytest.fixture(scope="module")
def dense():
    return load_dense_rig()


def directed_edges(faces: np.ndarray) -> Counter[tuple[int, int]]:
    pairs = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    return Counter(map(tuple, pairs.tolist()))


def test_the_surface_is_closed_except_at_the_forearms_end(dense):
    edges = directed_edges(dense.rig.faces)
    assert set(edges.values()) == {1}
    follow = {a: b for a, b in edges if (b, a) not in edges}
    start = vertex = min(follow)
    loop = [start]
    while (vertex := follow[vertex]) != start:
        loop.append(vertex)
    assert len(loop) == len(follow), "one hole only"
    assert dense.rig.vertices_m[loop, 1].max() < dense.rig.vertices_m[:, 1].min() + 0.005


def test_it_has_four_triangles_for_one_and_a_stump(dense):
    rig = load_rig()
    assert len(dense.rig.faces) > 4 * len(rig.faces)
    assert np.array_equal(dense.rig.vertices_m[: len(rig.vertices_m)], rig.vertices_m)
    assert rig.vertices_m[:, 1].min() - dense.rig.vertices_m[:, 1].min() == pytest.approx(0.05, abs=0.012)


def test_normals_are_unit_and_point_outwards(dense):
    vertices, normals = dense.rig.vertices_m, dense.normals
    assert np.linalg.norm(normals, axis=1) == pytest.approx(1.0)
    rays = vertices[dense.rig.faces]
    volume = (np.cross(rays[:, 0], rays[:, 1]) * rays[:, 2]).sum() / 6
    assert volume > 0
    centres = dense.rig.joints_m[dense.rig.weight_bones[:, 0]]
    assert ((vertices - centres) * normals).sum(1).mean() > 0.005


def test_texture_coordinates_lie_in_0_1(dense):
    assert dense.rig.corner_uv.shape == (len(dense.rig.faces), 3, 2)
    assert dense.rig.corner_uv.min() >= 0
    assert dense.rig.corner_uv.max() <= 1


def test_weights_are_shares_of_real_bones(dense):
    weights, bones = dense.rig.weights, dense.rig.weight_bones
    assert weights.sum(1) == pytest.approx(1.0)
    assert weights.min() >= 0
    assert bones.min() >= 0
    assert bones.max() < len(dense.rig.joints_m)


def test_the_denser_hand_poses_like_the_rig(dense, make_hand):
    for seed in range(3):
        hand = make_hand(seed)
        coarse, fine = mesh_of(hand), mesh_of(hand, dense.rig)
        count = len(coarse.vertices_cam_m)
        off = np.linalg.norm(coarse.vertices_cam_m - fine.vertices_cam_m[:count], axis=1)
        assert off.max() < 1e-3
        assert np.array_equal(coarse.landmarks_cam_m, fine.landmarks_cam_m)


def test_new_points_bulge_but_stay_near_their_triangles(dense):
    rig = load_rig()
    new = dense.rig.vertices_m[len(rig.vertices_m) :]
    inner = new[new[:, 1] > rig.vertices_m[:, 1].min()]
    nearest = np.array([np.linalg.norm(rig.vertices_m - p, axis=1).min() for p in inner[::20]])
    assert nearest.max() < 0.010


def test_the_normals_of_a_tetrahedron_point_away_from_its_middle():
    corners = np.array([(1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)], float)
    faces = np.array([(0, 1, 2), (0, 3, 1), (0, 2, 3), (1, 3, 2)])
    normals = vertex_normals(corners, faces)
    assert (normals * corners).sum(1) == pytest.approx(np.sqrt(3))


def test_a_vertex_without_faces_has_no_normal_and_no_nan():
    normals = vertex_normals(np.zeros((4, 3)), np.array([(0, 1, 2)]))
    assert np.array_equal(normals, np.zeros((4, 3)))
