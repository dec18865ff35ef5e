from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handwright.hand.raster import _EDGE as EDGE  # pyright: ignore[reportPrivateUsage]
from handwright.hand.raster import Visible, rasterize, silhouette_coverage, silhouette_of


def rasterize_reference(points_px, depth_m, faces, height, width) -> Visible:
    """Rasterise in NumPy, one triangle at a time over the whole window: the readable reference."""
    face = np.full((height, width), -1, np.int32)
    bary = np.zeros((height, width, 3), np.float32)
    depth = np.full((height, width), np.inf, np.float32)
    y, x = np.mgrid[:height, :width] + 0.5
    for t, (i, j, k) in enumerate(faces):
        (x0, y0), (x1, y1), (x2, y2) = points_px[i], points_px[j], points_px[k]
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        if abs(area) < 1e-12 or min(depth_m[i], depth_m[j], depth_m[k]) <= 0:
            continue
        a = ((x1 - x) * (y2 - y) - (x2 - x) * (y1 - y)) / area
        b = ((x2 - x) * (y0 - y) - (x0 - x) * (y2 - y)) / area
        c = 1.0 - a - b
        inside = (a >= EDGE) & (b >= EDGE) & (c >= EDGE)
        share = np.stack([a / depth_m[i], b / depth_m[j], c / depth_m[k]], -1)
        z = 1.0 / share.sum(-1)
        win = inside & (z.astype(np.float32) < depth)
        face[win], depth[win] = t, z[win]
        bary[win] = (share * z[..., None])[win]
    return Visible(face, bary, depth)


def sphere(n: int = 48) -> tuple[np.ndarray, np.ndarray]:
    """Unit sphere: vertices and triangles."""
    theta, phi = np.meshgrid(np.linspace(0, np.pi, n), np.linspace(0, 2 * np.pi, 2 * n, endpoint=False))
    points = np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], -1)
    k = np.arange(2 * n * n).reshape(2 * n, n)
    a, b = k[:, :-1], k[:, 1:]
    c, d = np.roll(k, -1, 0)[:, :-1], np.roll(k, -1, 0)[:, 1:]
    faces = np.concatenate([np.stack([a, b, c], -1), np.stack([b, d, c], -1)], 1).reshape(-1, 3)
    return points.reshape(-1, 3), faces


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_fast_path_equals_the_reference_on_random_triangles(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    points = rng.uniform(-12, 52, (3 * count, 2))
    depth = rng.uniform(0.3, 3.0, 3 * count)
    depth[rng.random(3 * count) < 0.05] *= -1
    faces = np.arange(3 * count).reshape(-1, 3)
    fast, slow = rasterize(points, depth, faces, 30, 40), rasterize_reference(points, depth, faces, 30, 40)
    np.testing.assert_array_equal(fast.face, slow.face)
    np.testing.assert_allclose(fast.depth_m, slow.depth_m, rtol=1e-6)
    np.testing.assert_allclose(fast.bary, slow.bary, atol=1e-6)


def test_a_spheres_silhouette_has_its_area() -> None:
    points, faces = sphere()
    radius = 40.0
    seen = rasterize(points[:, :2] * radius + 50, points[:, 2] + 5, faces, 100, 100)
    assert (seen.face >= 0).sum() == pytest.approx(np.pi * radius**2, rel=0.01)
    assert seen.depth_m[50, 50] == pytest.approx(4.0, abs=0.01)


def test_the_nearer_triangle_hides_the_farther_in_any_order() -> None:
    corners = np.array([[0, 0], [40, 0], [0, 40]], float)
    points = np.concatenate([corners, corners])
    depth = np.array([2.0] * 3 + [1.0] * 3)
    for faces in ([[0, 1, 2], [3, 4, 5]], [[3, 4, 5], [0, 1, 2]]):
        seen = rasterize(points, depth, np.array(faces), 40, 40)
        assert np.unique(seen.depth_m[seen.face >= 0]).tolist() == [1.0]


def test_pixels_are_sampled_at_their_centres() -> None:
    square = np.array([[1.0, 1.0], [3.0, 1.0], [3.0, 3.0], [1.0, 3.0]])
    seen = rasterize(square, np.ones(4), np.array([[0, 1, 2], [0, 2, 3]]), 5, 5)
    expected = np.zeros((5, 5), bool)
    expected[1:3, 1:3] = True
    np.testing.assert_array_equal(seen.face >= 0, expected)


def test_barycentric_coordinates_are_perspective_correct() -> None:
    focal = 30.0
    corners = np.array([[-0.5, -0.5, 1.0], [0.8, -0.6, 2.0], [0.1, 0.9, 1.4]])
    px = focal * corners[:, :2] / corners[:, 2:] + 20
    seen = rasterize(px, corners[:, 2], np.array([[0, 1, 2]]), 40, 40)
    there = seen.interpolate(corners, np.array([[0, 1, 2]]))
    rows, columns = np.nonzero(seen.face >= 0)
    np.testing.assert_allclose(
        focal * there[:, :2] / there[:, 2:] + 20, np.stack([columns, rows], 1) + 0.5, atol=1e-4
    )
    np.testing.assert_allclose(there[:, 2], seen.depth_m[seen.face >= 0], rtol=1e-5)


def test_triangles_outside_the_window_or_behind_the_camera_leave_nothing() -> None:
    points = np.array([[-30.0, -30], [-10, -30], [-30, -10], [5, 5], [15, 5], [5, 15]])
    depth = np.array([1.0, 1, 1, -1, 1, 1])
    seen = rasterize(points, depth, np.array([[0, 1, 2], [3, 4, 5]]), 20, 20)
    assert (seen.face == -1).all() and np.isinf(seen.depth_m).all()


def test_coverage_of_a_half_covered_pixel_is_a_half():
    square = np.array([[1.0, 1.0], [3.5, 1.0], [3.5, 3.0], [1.0, 3.0]])
    coverage = silhouette_coverage(square, np.array([[0, 1, 2], [0, 2, 3]]), 4, 5)
    expected = np.zeros((4, 5), np.float32)
    expected[1:3, 1:3] = 1.0
    expected[1:3, 3] = 0.5
    np.testing.assert_array_equal(coverage, expected)


def test_coverage_of_a_disc_is_its_area():
    angle = np.linspace(0, 2 * np.pi, 65)[:-1]
    rim = 20 + 11.3 * np.stack([np.cos(angle), np.sin(angle)], 1)
    fan = np.array([[64, k, (k + 1) % 64] for k in range(64)])
    coverage = silhouette_coverage(np.concatenate([rim, [[20.0, 20.0]]]), fan, 40, 40)
    polygon = 0.5 * 64 * 11.3**2 * np.sin(2 * np.pi / 64)
    assert abs(coverage.sum() - polygon) < 0.01 * polygon


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_the_silhouette_is_where_any_triangle_is_seen(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    points = rng.uniform(-12, 52, (3 * count, 2))
    depth = rng.uniform(0.3, 3.0, 3 * count)
    depth[rng.random(3 * count) < 0.05] *= -1
    faces = np.arange(3 * count).reshape(-1, 3)
    seen = silhouette_of(points, depth, faces, 30, 40)
    np.testing.assert_array_equal(seen, rasterize_reference(points, depth, faces, 30, 40).face >= 0)
