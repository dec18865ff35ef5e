"""Angles → bones in one kernel, for loops over thousands of poses; equals ``hand.kinematics`` (tested)."""
# pyright: reportMissingParameterType=false

import numba as nb
import numpy as np


@nb.njit(cache=True)
def turn(axis, angle):
    """Rotation matrix about a unit axis."""
    c, s = np.cos(angle), np.sin(angle)
    x, y, z = axis[0], axis[1], axis[2]
    t = 1.0 - c
    out = np.empty((3, 3))
    out[0, 0], out[0, 1], out[0, 2] = t * x * x + c, t * x * y - s * z, t * x * z + s * y
    out[1, 0], out[1, 1], out[1, 2] = t * x * y + s * z, t * y * y + c, t * y * z - s * x
    out[2, 0], out[2, 1], out[2, 2] = t * x * z - s * y, t * y * z + s * x, t * z * z + c
    return out


@nb.njit(cache=True)
def multiply(a, b):
    """Product of two 3 × 3 matrices."""
    out = np.zeros((3, 3))
    for i in range(3):
        for j in range(3):
            out[i, j] = a[i, 0] * b[0, j] + a[i, 1] * b[1, j] + a[i, 2] * b[2, j]
    return out


@nb.njit(cache=True)
def move_bones(dofs, joints, axes, parents, order, chains):
    """Rotations [20, 3, 3] and pivots [20, 3] of the rig's bones at 24 angles, mean shape, hand space."""
    local = np.zeros((20, 3, 3))
    for b in range(20):
        local[b] = np.eye(3)
    a = axes[0]
    local[chains[0, 0]] = multiply(multiply(turn(a[0], dofs[0]), turn(a[1], dofs[1])), turn(a[2], dofs[2]))
    local[chains[0, 1]] = multiply(turn(a[0], dofs[3]), turn(a[1], dofs[4]))
    local[chains[0, 2]] = turn(a[0], dofs[5])
    for f in range(1, 5):
        k, a = 6 + 4 * (f - 1), axes[f]
        local[chains[f, 0]] = multiply(turn(a[1], dofs[k]), turn(a[0], dofs[k + 1]))
        local[chains[f, 1]] = turn(a[0], dofs[k + 2])
        local[chains[f, 2]] = turn(a[0], dofs[k + 3])
    local[19] = turn(axes[3, 0], dofs[22])
    local[18] = turn(axes[4, 0], dofs[23])
    rotations, pivots = local.copy(), joints.copy()
    for n in range(1, 20):
        b = order[n]
        parent = parents[b]
        rotations[b] = multiply(rotations[parent], local[b])
        for i in range(3):
            at = pivots[parent, i]
            for j in range(3):
                at += rotations[parent, i, j] * (joints[b, j] - joints[parent, j])
            pivots[b, i] = at
    return rotations, pivots


@nb.njit(cache=True)
def carry(points, bones, rotations, pivots, joints):
    """Points [N, 3] carried by bones [N, K], an equal share each."""
    out = np.zeros((points.shape[0], 3))
    share = 1.0 / bones.shape[1]
    for n in range(points.shape[0]):
        for k in range(bones.shape[1]):
            b = bones[n, k]
            for i in range(3):
                at = pivots[b, i]
                for j in range(3):
                    at += rotations[b, i, j] * (points[n, j] - joints[b, j])
                out[n, i] += share * at
    return out


@nb.njit(cache=True)
def overlaps(centres, radii, pairs):
    """How deep each listed pair of spheres overlaps, [P]; negative where apart."""
    out = np.empty(pairs.shape[0])
    for n in range(pairs.shape[0]):
        a, b = pairs[n, 0], pairs[n, 1]
        dx, dy = centres[a, 0] - centres[b, 0], centres[a, 1] - centres[b, 1]
        dz = centres[a, 2] - centres[b, 2]
        out[n] = radii[a] + radii[b] - np.sqrt(dx * dx + dy * dy + dz * dz)
    return out
