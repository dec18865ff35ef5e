"""Value noise for kernels, seeded by position, the same on every machine; details of the back of a hand."""
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


@nb.njit(cache=True)
def draw_detail(points, normals, finger, veins, knuckles):
    """[N, 4] vein, tendon, crease, hair in 0 … 1 at rest positions in centimetres.

    points, normals [N, 3]; finger [N] share of finger bones; veins [K, 4] pieces; knuckles [4, 3].
    """
    out = np.zeros((points.shape[0], 4), np.float32)
    for n in range(points.shape[0]):
        x, y, z = points[n, 0], points[n, 1], points[n, 2]
        back = smooth(0.1, 0.6, -normals[n, 2])
        hand = back * (1 - smooth(0.2, 0.8, finger[n]))
        wx = x + 0.22 * noise3(0.9 * x, 0.9 * y, 1.0) + 0.07 * noise3(3 * x, 3 * y, 2.0)
        wy = y + 0.22 * noise3(0.9 * x, 0.9 * y, 5.0)
        near = 9.0
        for k in range(veins.shape[0]):
            near = min(near, _gap(wx, wy, veins[k, 0], veins[k, 1], veins[k, 2], veins[k, 3]))
        out[n, 0] = np.exp(-((near / 0.13) ** 2)) * hand * (0.6 + 0.4 * noise3(0.7 * x, 0.7 * y, 9.0))
        ridge = 0.0
        for k in range(4):
            gap = _gap(x, y, knuckles[k, 0], knuckles[k, 1], 0.25 * knuckles[k, 0], 0.8)
            along = smooth(1.5, 4.5, y) * smooth(knuckles[k, 1] + 0.3, knuckles[k, 1] - 1.2, y)
            ridge = max(ridge, np.exp(-((gap / 0.2) ** 2)) * along)
        out[n, 1] = ridge * hand
        bent_x, bent_y = x + 0.05 * noise3(4 * x, 4 * y, z), y + 0.05 * noise3(4 * x, 4 * y, z + 7)
        first = abs(noise3(5.5 * bent_x, 9 * bent_y, 5.5 * z))
        second = abs(noise3(9 * bent_x + 3, 5 * bent_y, 8 * z))
        web = max(1 - smooth(0.0, 0.16, first), 0.7 * (1 - smooth(0.0, 0.14, second)))
        out[n, 2] = web * back * (0.35 + 0.65 * smooth(-0.2, 0.5, noise3(0.8 * x, 0.8 * y, 0.8 * z)))
        out[n, 3] = hand * smooth(1.2, -1.0, x) * 0.8 + 0.25 * back * smooth(0.3, 0.8, finger[n])
    return out


@nb.njit(cache=True)
def _gap(x, y, ax, ay, bx, by):
    """Distance of a point from a line piece."""
    dx, dy = bx - ax, by - ay
    t = ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy)
    t = min(max(t, 0.0), 1.0)
    return np.sqrt((x - ax - t * dx) ** 2 + (y - ay - t * dy) ** 2)
