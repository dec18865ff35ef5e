"""What reaches each seen point: surroundings, lamps with soft shadows, highlights, light through flesh."""
# pyright: reportMissingParameterType=false

import numba as nb
import numpy as np

from handwright.data.world._noise import hashed
from handwright.data.world._surface import ALBEDO, HEIGHT, METAL, NORMAL, ROUGH, SHINE


@nb.njit(cache=True, fastmath=True)
def occlusion(depth, taps, reach_m):
    """Share of the surroundings that each pixel sees, from depth alone; taps [K, 3]: dx, dy, reach in m."""
    height, width = depth.shape
    out = np.ones((height, width), np.float32)
    for r in range(height):
        for c in range(width):
            here = depth[r, c]
            if not here < 1e6:
                continue
            hidden = np.float32(0.0)
            spin = int(4 * hashed(r, c, 3))
            for k in range(taps.shape[0]):
                dx, dy = taps[k, 0], taps[k, 1]
                for _ in range(spin):
                    dx, dy = -dy, dx
                y, x = r + int(dy), c + int(dx)
                if y < 0 or x < 0 or y >= height or x >= width or not depth[y, x] < 1e6:
                    continue
                gap = (here - depth[y, x]) / taps[k, 2]
                if gap > 0.25:
                    hidden += min((gap - 0.25) * 1.3, 1.0) / (1.0 + max(0.0, gap - 2.5))
            out[r, c] = max(1.0 - 1.0 * hidden / taps.shape[0], 0.08)
    return out


@nb.njit(cache=True, fastmath=True)
def bump(table, rows, columns, index, part, depth, focal):
    """Tilt normals by the relief's slope across the picture, within one part."""
    height, width = index.shape
    out = np.empty((table.shape[0], 3), np.float32)
    for n in range(table.shape[0]):
        r, c = rows[n], columns[n]
        step = depth[r, c] / focal
        slopes = np.zeros(2, np.float32)
        for axis in range(2):
            a_r, a_c = (r, max(c - 1, 0)) if axis == 0 else (max(r - 1, 0), c)
            b_r, b_c = (r, min(c + 1, width - 1)) if axis == 0 else (min(r + 1, height - 1), c)
            a, b = index[a_r, a_c], index[b_r, b_c]
            own = part[n]
            h0 = table[a, HEIGHT] if a >= 0 and part[a] == own else table[n, HEIGHT]
            h1 = table[b, HEIGHT] if b >= 0 and part[b] == own else table[n, HEIGHT]
            slope = (h1 - h0) / (2 * step)
            slopes[axis] = min(max(slope, -0.9), 0.9)
        facing = max(-table[n, NORMAL + 2], 0.25)
        nx = table[n, NORMAL] - slopes[0] * facing
        ny = table[n, NORMAL + 1] - slopes[1] * facing
        nz = table[n, NORMAL + 2]
        length = np.sqrt(nx * nx + ny * ny + nz * nz) + 1e-9
        out[n, 0], out[n, 1], out[n, 2] = nx / length, ny / length, nz / length
    return out


@nb.njit(cache=True, fastmath=True)
def shade(table, normals, points, ambient, lobes, lamps, shadows, frames, taps):
    """Diffuse irradiance and highlights, each [N, 3].

    lobes [K, 7]: direction, colour, exponent. lamps [L, 8]: direction, colour, softness px, size.
    frames [L, 7]: low x, low y, low z, scale, and per lamp two axes follow in ``frames[L:, :]``.
    """
    count, lamp_count = table.shape[0], lamps.shape[0]
    soft, gleam = np.zeros((count, 3), np.float32), np.zeros((count, 3), np.float32)
    for n in range(count):
        nx, ny, nz = normals[n, 0], normals[n, 1], normals[n, 2]
        px, py, pz = points[n, 0], points[n, 1], points[n, 2]
        far = np.sqrt(px * px + py * py + pz * pz)
        vx, vy, vz = -px / far, -py / far, -pz / far
        nv = max(nx * vx + ny * vy + nz * vz, 0.02)
        seen = ambient[n]
        rough, shine, metal = max(table[n, ROUGH], 0.06), table[n, SHINE], table[n, METAL]
        rx, ry, rz = 2 * nv * nx - vx, 2 * nv * ny - vy, 2 * nv * nz - vz
        grazing = (1 - nv) ** 5 * (1 - 0.75 * rough)
        occluded = min(max(seen * (1 + 0.6 * (seen - 1)), 0.0), 1.0)
        for k in range(lobes.shape[0]):
            facing = max(0.5 + 0.5 * (nx * lobes[k, 0] + ny * lobes[k, 1] + nz * lobes[k, 2]), 0.0)
            mirrored = max(0.5 + 0.5 * (rx * lobes[k, 0] + ry * lobes[k, 1] + rz * lobes[k, 2]), 0.0)
            share = facing ** lobes[k, 6] * seen
            sheen = mirrored ** (lobes[k, 6] * (1 + 3.5 * (1 - rough))) * occluded * (1.15 - 0.45 * rough)
            for q in range(3):
                tint = shine * (1 - metal) + metal * table[n, ALBEDO + q]
                soft[n, q] += lobes[k, 3 + q] * share
                gleam[n, q] += lobes[k, 3 + q] * sheen * (tint + (1 - tint) * grazing)
        for j in range(lamp_count):
            lx, ly, lz = lamps[j, 0], lamps[j, 1], lamps[j, 2]
            facing = nx * lx + ny * ly + nz * lz
            lit, thick = _reach(
                px, py, pz, n, j, frames, lamps, shadows, taps, nx * 0.0015, ny * 0.0015, nz * 0.0015
            )
            through = np.exp(-thick / np.float32(0.0036)) * max(0.1 - facing, 0.0) * 0.42
            veil = lit * (0.55 + 0.45 * seen)
            hx, hy, hz = lx + vx, ly + vy, lz + vz
            length = np.sqrt(hx * hx + hy * hy + hz * hz) + 1e-6
            nh = max((nx * hx + ny * hy + nz * hz) / length, 0.0)
            vh = max((vx * hx + vy * hy + vz * hz) / length, 0.0)
            light = max(facing, 0.0)
            peak = 0.0
            if light > 0 and lit > 0.01:
                wide = max(rough, lamps[j, 7])
                peak = (
                    (0.65 * _ggx(nh, nv, light, wide) + 0.35 * _ggx(nh, nv, light, 0.55 * wide)) * light * lit
                )
            fresnel = (1 - vh) ** 5
            for q in range(3):
                wrap = np.float32(0.22 if q == 0 else (0.10 if q == 1 else 0.06))
                wrapped = max((facing + wrap) / (1 + wrap), 0.0) if table[n, 16] > 0 else light
                red = np.float32(1.0 if q == 0 else (0.22 if q == 1 else 0.10))
                soft[n, q] += lamps[j, 3 + q] * (wrapped * veil + through * red * table[n, 16])
                tint = shine * (1 - metal) + metal * table[n, ALBEDO + q]
                gleam[n, q] += lamps[j, 3 + q] * peak * (tint + (1 - tint) * fresnel)
    return soft, gleam


@nb.njit(cache=True, fastmath=True)
def _ggx(nh, nv, nl, rough):
    """Microfacet lobe D·V of Walter et al. 2007 with Schlick's visibility, without Fresnel; times π/4."""
    a = rough * rough
    d = nh * nh * (a * a - 1) + 1
    k = a / 2
    spread = a * a / (d * d)
    return 0.25 * spread / ((nv * (1 - k) + k) * (nl * (1 - k) + k))


@nb.njit(cache=True, fastmath=True)
def _reach(px, py, pz, n, j, frames, lamps, shadows, taps, ox, oy, oz):
    """Share of a lamp that reaches a point, and how much flesh lies before it (metres)."""
    scale = frames[j, 12]
    wx, wy, wz = px + ox, py + oy, pz + oz
    x = (wx * frames[j, 0] + wy * frames[j, 1] + wz * frames[j, 2] - frames[j, 9]) * scale
    y = (wx * frames[j, 3] + wy * frames[j, 4] + wz * frames[j, 5] - frames[j, 10]) * scale
    z = wx * frames[j, 6] + wy * frames[j, 7] + wz * frames[j, 8] - frames[j, 11]
    size = shadows.shape[1]
    angle = 6.2832 * hashed(n, j, 7)
    ca, sa = np.cos(angle), np.sin(angle)
    reach = lamps[j, 6] * scale
    slack = max(np.float32(0.003), np.float32(1.2) / scale)
    lit, thick = 0.0, 0.0
    for k in range(taps.shape[0]):
        u = x + reach * (taps[k, 0] * ca - taps[k, 1] * sa)
        v = y + reach * (taps[k, 0] * sa + taps[k, 1] * ca)
        if u < 0 or v < 0 or u >= size or v >= size:
            lit += 1.0
            continue
        c, r = int(u), int(v)
        gap = z - shadows[j, r, c]
        lit += min(max(1.5 - gap / slack, 0.0), 1.0)
        thick += min(max(gap, 0.0), 0.05)
    return lit / taps.shape[0], thick / taps.shape[0]
