"""A z-buffer: the visible triangle at each pixel centre, the place on it, and its depth."""
# pyright: reportMissingParameterType=false

from dataclasses import dataclass
from pathlib import Path

import numba as nb
import numpy as np
from jaxtyping import Bool, Float, Int

_EDGE = -1e-9  # Barycentric slack that lets no pixel centre fall between two triangles that share an edge


@dataclass(frozen=True, eq=False)
class Visible:
    """The visible surface at each pixel of a window."""

    face: Int[np.ndarray, "h w"]  # int32 [h, w] index of the nearest triangle, −1 for none
    bary: Float[np.ndarray, "h w 3"]  # float32 [h, w, 3] perspective-correct barycentric coordinates on it
    depth_m: Float[np.ndarray, "h w"]  # float32 [h, w] distance along the camera's axis, +inf for none

    def interpolate(self, values: Float[np.ndarray, "v c"], faces: Int[np.ndarray, "f 3"]) -> np.ndarray:
        """Interpolate vertex values [V, C] at covered pixels: [N, C] in row-major order of ``face >= 0``."""
        covered = self.face >= 0
        corners, share = faces[self.face[covered]], self.bary[covered].astype(values.dtype)
        return (values[corners] * share[..., None]).sum(1)


def rasterize(
    points_px: Float[np.ndarray, "v 2"],
    depth_m: Float[np.ndarray, " v"],
    faces: Int[np.ndarray, "f 3"],
    height: int,
    width: int,
) -> Visible:
    """Rasterise triangles, each pixel by its centre."""
    face = np.full((height, width), -1, np.int32)
    bary = np.zeros((height, width, 3), np.float32)
    depth = np.full((height, width), np.inf, np.float32)
    _rasterize(
        np.ascontiguousarray(points_px, np.float64),
        np.ascontiguousarray(depth_m, np.float64),
        faces,
        face,
        bary,
        depth,
    )
    return Visible(face, bary, depth)


def kernel_cache() -> Path:
    """Return the folder in which numba keeps this module's compiled kernels."""
    return Path(str(_rasterize.stats.cache_path))


def silhouette_of(
    points_px: Float[np.ndarray, "v 2"],
    depth_m: Float[np.ndarray, " v"],
    faces: Int[np.ndarray, "f 3"],
    height: int,
    width: int,
) -> Bool[np.ndarray, "h w"]:
    """Return where :func:`rasterize` finds any triangle, in a fifth of its time."""
    covered = np.zeros((height, width), np.bool_)
    _shade(
        np.ascontiguousarray(points_px, np.float64), np.ascontiguousarray(depth_m, np.float64), faces, covered
    )
    return covered


def silhouette_coverage(
    points_px: Float[np.ndarray, "v 2"], faces: Int[np.ndarray, "f 3"], height: int, width: int
) -> Float[np.ndarray, "h w"]:
    """Return the share of each pixel that triangles cover, float32 from 4 × 4 sample points a pixel."""
    hit = np.zeros((height, width), np.uint16)
    _cover(np.ascontiguousarray(points_px, np.float64), np.ascontiguousarray(faces), hit)
    return _BITS_SET[hit]


_BITS_SET = np.array([bin(k).count("1") for k in range(1 << 16)], np.float32) / 16


@nb.njit(cache=True, nogil=True)
def _corners(points, i, j, k):  # noqa: ANN001, ANN202
    """Corners of a triangle, and twice its signed area."""
    x0, y0, x1, y1 = points[i, 0], points[i, 1], points[j, 0], points[j, 1]
    x2, y2 = points[k, 0], points[k, 1]
    return x0, y0, x1, y1, x2, y2, (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)


@nb.njit(cache=True, nogil=True)
def _pixels_near(x0, y0, x1, y1, x2, y2, area, nearest, width, height):  # noqa: ANN001, ANN202
    """Range of the columns and rows whose centres a triangle may cover; none where it cannot be drawn."""
    if nearest <= 0.0 or abs(area) < 1e-12:
        return 0, -1, 0, -1
    left = max(0, int(np.floor(min(x0, x1, x2) - 0.5)))
    right = min(width - 1, int(np.ceil(max(x0, x1, x2) - 0.5)))
    top = max(0, int(np.floor(min(y0, y1, y2) - 0.5)))
    bottom = min(height - 1, int(np.ceil(max(y0, y1, y2) - 0.5)))
    return left, right, top, bottom


@nb.njit(cache=True, nogil=True)
def _cover(points, faces, hit):  # noqa: ANN001, ANN202
    """Set bit 4·row + column of every sample point that lies in a triangle."""
    height, width = hit.shape
    for t in range(faces.shape[0]):
        x0, y0, x1, y1, x2, y2, area = _corners(points, faces[t, 0], faces[t, 1], faces[t, 2])
        if abs(area) < 1e-12:
            continue
        left, right = max(0, int(np.floor(min(x0, x1, x2)))), min(width - 1, int(np.floor(max(x0, x1, x2))))
        top, bottom = max(0, int(np.floor(min(y0, y1, y2)))), min(height - 1, int(np.floor(max(y0, y1, y2))))
        for r in range(top, bottom + 1):
            for c in range(left, right + 1):
                bits = hit[r, c]
                if bits == 65535:
                    continue
                for k in range(16):
                    x, y = c + 0.125 + 0.25 * (k % 4), r + 0.125 + 0.25 * (k // 4)
                    a = ((x1 - x) * (y2 - y) - (x2 - x) * (y1 - y)) / area
                    b = ((x2 - x) * (y0 - y) - (x0 - x) * (y2 - y)) / area
                    if a >= -1e-9 and b >= -1e-9 and a + b <= 1.0 + 1e-9:
                        bits |= np.uint16(1 << k)
                hit[r, c] = bits


@nb.njit(cache=True, nogil=True)
def _rasterize(points, depths, faces, face, bary, depth):  # noqa: ANN001, ANN202
    height, width = face.shape
    for t in range(faces.shape[0]):
        i, j, k = faces[t, 0], faces[t, 1], faces[t, 2]
        z0, z1, z2 = depths[i], depths[j], depths[k]
        x0, y0, x1, y1, x2, y2, area = _corners(points, i, j, k)
        left, right, top, bottom = _pixels_near(x0, y0, x1, y1, x2, y2, area, min(z0, z1, z2), width, height)
        for r in range(top, bottom + 1):
            y = r + 0.5
            for c in range(left, right + 1):
                x = c + 0.5
                a = ((x1 - x) * (y2 - y) - (x2 - x) * (y1 - y)) / area
                b = ((x2 - x) * (y0 - y) - (x0 - x) * (y2 - y)) / area
                g = 1.0 - a - b
                if a < _EDGE or b < _EDGE or g < _EDGE:
                    continue
                a, b, g = a / z0, b / z1, g / z2
                z = 1.0 / (a + b + g)
                if np.float32(z) < depth[r, c]:
                    depth[r, c] = z
                    face[r, c] = t
                    bary[r, c, 0], bary[r, c, 1], bary[r, c, 2] = a * z, b * z, g * z


@nb.njit(cache=True, nogil=True)
def _shade(points, depths, faces, covered):  # noqa: ANN001, ANN202
    """Set every pixel whose centre lies in a triangle in front of the camera."""
    height, width = covered.shape
    for t in range(faces.shape[0]):
        i, j, k = faces[t, 0], faces[t, 1], faces[t, 2]
        x0, y0, x1, y1, x2, y2, area = _corners(points, i, j, k)
        nearest = min(depths[i], depths[j], depths[k])
        left, right, top, bottom = _pixels_near(x0, y0, x1, y1, x2, y2, area, nearest, width, height)
        for r in range(top, bottom + 1):
            y = r + 0.5
            for c in range(left, right + 1):
                if covered[r, c]:
                    continue
                x = c + 0.5
                a = ((x1 - x) * (y2 - y) - (x2 - x) * (y1 - y)) / area
                b = ((x2 - x) * (y0 - y) - (x0 - x) * (y2 - y)) / area
                covered[r, c] = a >= _EDGE and b >= _EDGE and 1.0 - a - b >= _EDGE
