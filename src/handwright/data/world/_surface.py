"""What each seen point looks like unlit: colour, relief, roughness; see ``stage`` and ``material``."""
# pyright: reportMissingParameterType=false

import numba as nb
import numpy as np

from handwright.data.world._noise import noise3, smooth

NORMAL, REST, UV, ALBEDO, HEIGHT, ROUGH, SHINE, METAL, GLOW, BLEED = 0, 3, 6, 8, 11, 12, 13, 14, 15, 16
POINT_COLUMNS = 17  # Columns of the table of seen points that the kernels hand on


@nb.njit(cache=True, fastmath=True)
def vertex_normals(points, faces):
    """Area-weighted unit normals [V, 3], float32."""
    out = np.zeros((points.shape[0], 3), np.float32)
    for t in range(faces.shape[0]):
        i, j, k = faces[t, 0], faces[t, 1], faces[t, 2]
        ax, ay, az = (points[j, 0] - points[i, 0], points[j, 1] - points[i, 1], points[j, 2] - points[i, 2])
        bx, by, bz = (points[k, 0] - points[i, 0], points[k, 1] - points[i, 1], points[k, 2] - points[i, 2])
        nx, ny, nz = 1e4 * (ay * bz - az * by), 1e4 * (az * bx - ax * bz), 1e4 * (ax * by - ay * bx)
        for v in (i, j, k):
            out[v, 0] += nx
            out[v, 1] += ny
            out[v, 2] += nz
    for v in range(points.shape[0]):
        length = np.sqrt(out[v, 0] ** 2 + out[v, 1] ** 2 + out[v, 2] ** 2) + 1e-12
        out[v, 0] /= length
        out[v, 1] /= length
        out[v, 2] /= length
    return out


@nb.njit(cache=True, fastmath=True)
def see_points(
    rows, columns, face, bary, faces, face_material, normals, rest, corner_uv, materials, atlas, detail
):
    """The table of seen points [N, POINT_COLUMNS]: geometry interpolated, materials looked up."""
    table = np.zeros((rows.shape[0], POINT_COLUMNS), np.float32)
    for n in range(rows.shape[0]):
        r, c = rows[n], columns[n]
        t = face[r, c]
        a, b, g = bary[r, c, 0], bary[r, c, 1], bary[r, c, 2]
        i, j, k = faces[t, 0], faces[t, 1], faces[t, 2]
        for q in range(3):
            table[n, NORMAL + q] = a * normals[i, q] + b * normals[j, q] + g * normals[k, q]
            table[n, REST + q] = a * rest[i, q] + b * rest[j, q] + g * rest[k, q]
        for q in range(2):
            table[n, UV + q] = a * corner_uv[t, 0, q] + b * corner_uv[t, 1, q] + g * corner_uv[t, 2, q]
        if table[n, NORMAL + 2] > 0:
            table[n, NORMAL + 2] = -table[n, NORMAL + 2]
        length = np.sqrt(table[n, 0] ** 2 + table[n, 1] ** 2 + table[n, 2] ** 2) + 1e-9
        for q in range(3):
            table[n, NORMAL + q] /= length
        m = materials[face_material[t]]
        if m[0] == 0.0:
            _skin(table[n], m, atlas, detail)
        else:
            _fabric_or_object(table[n], m)
    return table


@nb.njit(cache=True, fastmath=True)
def _lookup(atlas, u, v, out):
    size = atlas.shape[0]
    x = min(max(u * size - 0.5, 0.0), size - 1.001)
    y = min(max(v * size - 0.5, 0.0), size - 1.001)
    c, r = int(x), int(y)
    fx, fy = np.float32(x - c), np.float32(y - r)
    for q in range(atlas.shape[2]):
        top = atlas[r, c, q] * (1 - fx) + atlas[r, c + 1, q] * fx
        low = atlas[r + 1, c, q] * (1 - fx) + atlas[r + 1, c + 1, q] * fx
        out[q] = top * (1 - fy) + low * fy


@nb.njit(cache=True, fastmath=True)
def _skin(p, m, atlas, detail):
    """Atlas (albedo 3, height, nail, palmar), details (vein, tendon, crease, hair), noise on top."""
    base, fine = np.empty(6, np.float32), np.empty(4, np.float32)
    x, y, z, s = p[REST], p[REST + 1], p[REST + 2], m[24]
    _lookup(atlas, p[UV], p[UV + 1], base)
    _lookup(detail, p[UV], p[UV + 1], fine)
    height, nail, palmar = (base[3] - 128) / 127, base[4] / 255, base[5] / 255
    beyond = smooth(-0.02, -0.05, y)
    if y < -0.035:
        palmar = np.float32(smooth(-0.012, 0.016, z))
    dorsal = 1 - palmar
    wide = noise3(70 * x + s, 70 * y, 70 * z)
    blotch = noise3(160 * x, 160 * y + s, 160 * z)
    tiny = noise3(620 * x, 620 * y, 620 * z + s)
    pores = noise3(1700 * x, 1700 * y, 1700 * z + s)
    warp = 0.4 * tiny
    spot = smooth(0.42, 0.72, noise3(230 * x + 9 * s + warp, 230 * y - warp, 230 * z)) * dorsal * (1 - nail)
    spot *= smooth(0.1, 0.5, noise3(60 * x - s, 60 * y, 60 * z) + 0.3)
    red = m[17]
    relative = 1 + 0.04 * wide + 0.03 * tiny
    for q in range(3):
        tint = base[q] / 128
        warm = np.float32(1.0 if q == 0 else (0.55 if q == 1 else 0.4))
        tint = 1 + (tint - 1) * (0.75 + 0.5 * red)
        tint *= relative + (1 - warm) * -0.10 * red * blotch
        tint *= 1 + m[16] * palmar * (1 - nail) * (1.0 if q == 0 else (0.85 if q == 1 else 0.74))
        tint *= 1 - m[15] * fine[0] * (0.16 if q == 0 else (0.07 if q == 1 else 0.02)) * (1 - beyond)
        tint *= 1 - m[13] * m[13] * spot * (0.13 if q == 0 else (0.22 if q == 1 else 0.27))
        p[ALBEDO + q] = m[1 + q] * max(tint, 0.05)
    strands = noise3(2600 * x + 500 * z, 210 * y + 200 * x + s, 2600 * z)
    strand = smooth(0.3, 0.8, strands) * m[14] * dorsal * max(fine[3], beyond * 0.9) * (1 - nail)
    for q in range(3):
        p[ALBEDO + q] = p[ALBEDO + q] * (1 - 0.36 * strand) + 0.01 * strand
    age = m[13]
    lines = fine[2] * (0.25 + 1.3 * age)
    p[HEIGHT] = m[12] * (
        height * (0.7 + 0.9 * age) * (1 - 0.6 * beyond) - 0.5 * lines + 0.06 * tiny + 0.04 * pores
    )
    p[HEIGHT] += 0.0011 * m[15] * fine[0] * (1 - beyond) + 0.0011 * (0.3 + 0.7 * m[15]) * fine[1]
    for q in range(3):
        p[ALBEDO + q] *= 1 - 0.22 * min(lines, 1.2) * (1.0 if q else 0.7)
    p[ROUGH], p[SHINE], p[BLEED] = m[4] + 0.08 * tiny, m[5], m[23]
    if nail > 0.02:
        if m[18] > 0.5:
            coat = smooth(0.25, 0.6, nail)
            for q in range(3):
                p[ALBEDO + q] = p[ALBEDO + q] * (1 - coat) + m[19 + q] * coat
            p[HEIGHT] += 0.0004 * coat
            p[BLEED] *= 1 - coat
            nail = max(nail, coat)
        p[ROUGH] = p[ROUGH] * (1 - nail) + (0.16 if m[18] > 0.5 else 0.3) * nail
        p[SHINE] = p[SHINE] * (1 - nail) + 0.045 * nail


@nb.njit(cache=True, fastmath=True)
def _fabric_or_object(p, m):
    """Cloth (rest = around, along, layer in metres) and solid things (rest = own frame in metres)."""
    x, y, z, s, scale = p[REST], p[REST + 1], p[REST + 2], m[24], m[8]
    pattern = int(m[7])
    share, tone, height = np.float32(0.0), np.float32(1.0), np.float32(0.0)
    if m[0] == 1.0:
        weave = np.sin(6.2832 * x / 0.0013) * np.sin(6.2832 * y / 0.0013)
        tone = 1 + 0.06 * weave + 0.07 * noise3(500 * x, 500 * y, s) + 0.05 * noise3(90 * x, 90 * y, s)
        height = 0.00012 * weave
    else:
        tone = 1 + 0.03 * noise3(300 * x, 300 * y, 300 * z + s)
    if pattern == 1:
        share = smooth(0.3, 0.45, np.sin(6.2832 * y / scale))
    elif pattern == 2:
        rib = np.sin(6.2832 * x / max(scale, 0.002))
        height += 0.0007 * rib
        tone *= 1 + 0.16 * rib
    elif pattern == 3:
        share = 0.5 * smooth(0.0, 0.1, np.sin(6.2832 * y / scale)) + 0.5 * smooth(
            0.0, 0.1, np.sin(6.2832 * x / scale)
        )
    elif pattern == 4:
        twill = np.sin(6.2832 * (x + y) / 0.0018)
        height += 0.0002 * twill
        share = 0.25 + 0.2 * twill + 0.2 * noise3(60 * x, 60 * y, s)
    elif pattern == 5:
        share = smooth(-0.2, 0.8, noise3(900 * x, 350 * y, s) + 0.4 * noise3(200 * x, 200 * y, s))
    elif pattern == 6:
        share = smooth(0.0, 0.15, np.sin(6.2832 * y / scale))
    elif pattern == 7:
        share = smooth(
            0.0, 0.06, np.sin(3.1416 * x / scale) * np.sin(3.1416 * y / scale) * np.sin(3.1416 * z / scale)
        )
    elif pattern == 8:
        rings = np.sin(
            900 * x + 6 * noise3(30 * x, 12 * y, 30 * z + s) + 3 * noise3(200 * x, 20 * y, 200 * z)
        )
        share = 0.5 + 0.35 * rings
        height = 0.0001 * rings
    elif pattern == 9:
        cells = noise3(700 * x, 700 * y, 700 * z + s)
        height = m[12] * (0.6 * cells + 0.5 * noise3(260 * x, 260 * y, 260 * z + s))
        tone *= 1 + 0.10 * cells
    elif pattern == 10:
        share = smooth(0.42, 0.5, np.abs(p[UV] - 0.5)) + smooth(
            0.0, 0.01, noise3(np.floor(4 * p[UV]) + 0.5, np.floor(11 * p[UV + 1]) + 0.5, s)
        )
        share = min(share, 1.0)
    elif pattern == 11:
        rows = np.sin(6.2832 * y / scale)
        loops = np.sin(6.2832 * x / scale + 1.2 * rows) * np.sin(6.2832 * z / scale + 0.5)
        height = m[12] * (0.6 * rows + 0.6 * loops)
        tone *= 1 + 0.12 * rows * loops
    elif pattern == 12:
        height = 0.00004 * noise3(3000 * x, 60 * y, 3000 * z)
    for q in range(3):
        p[ALBEDO + q] = (m[1 + q] * (1 - share) + m[9 + q] * share) * tone
    p[HEIGHT], p[ROUGH], p[SHINE], p[METAL] = height, m[4], m[5], m[6]
    p[GLOW], p[BLEED] = m[22], m[23]
