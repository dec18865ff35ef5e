"""Value noise for kernels: smooth, seeded by position, the same on every machine."""
# pyright: reportMissingParameterType=false

import numba as nb
import numpy as np


@nb.njit(cache=True, inline="always")
def hashed(x, y, z):
    """A number in 0 … 1 of a lattice point."""
    h = np.uint32(x) * np.uint32(374761393) + np.uint32(y) * np.uint32(668265263)
    h = h + np.uint32(z) * np.uint32(2246822519)
    h = (h ^ (h >> np.uint32(13))) * np.uint32(1274126177)
    h = h ^ (h >> np.uint32(16))
    return np.float32(h & np.uint32(0xFFFFFF)) * np.float32(1.0 / 16777216.0)


@nb.njit(cache=True)
def noise3(x, y, z):
    """Smooth noise in −1 … 1 at a point, one cell per unit."""
    fx, fy, fz = np.floor(x), np.floor(y), np.floor(z)
    ix, iy, iz = np.int32(fx), np.int32(fy), np.int32(fz)
    u, v, w = np.float32(x - fx), np.float32(y - fy), np.float32(z - fz)
    u, v, w = u * u * (3 - 2 * u), v * v * (3 - 2 * v), w * w * (3 - 2 * w)
    a = hashed(ix, iy, iz) * (1 - u) + hashed(ix + 1, iy, iz) * u
    b = hashed(ix, iy + 1, iz) * (1 - u) + hashed(ix + 1, iy + 1, iz) * u
    c = hashed(ix, iy, iz + 1) * (1 - u) + hashed(ix + 1, iy, iz + 1) * u
    d = hashed(ix, iy + 1, iz + 1) * (1 - u) + hashed(ix + 1, iy + 1, iz + 1) * u
    near, far = a * (1 - v) + b * v, c * (1 - v) + d * v
    return np.float32(2.0) * (near * (1 - w) + far * w) - np.float32(1.0)


@nb.njit(cache=True, inline="always")
def smooth(low, high, x):
    """Smoothstep."""
    t = (x - low) / (high - low)
    t = min(max(t, 0.0), 1.0)
    return np.float32(t * t * (3.0 - 2.0 * t))
