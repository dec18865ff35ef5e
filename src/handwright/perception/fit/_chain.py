"""The rig in the fit, compiled: posed bones, markers on them, and analytic derivatives.

Parameters (37): 0–2 wrist rotation (left increment), 3–5 x/z, y/z and log z of the wrist, 6–29 the 24
anatomical angles, 30 palm width, 31 thickness, 32–36 finger lengths (logarithms).
"""
# pyright: reportMissingParameterType=false

import numba as nb
import numpy as np

N = 37
_FIRST = np.array([13, 1, 4, 10, 7])
_PALM_BONE = np.array([0, 16, 17, 19, 18])
_FINGER_OF_BONE = np.array([-1, 1, 1, 1, 2, 2, 2, 4, 4, 4, 3, 3, 3, 0, 0, 0, -1, -1, -1, -1])


@nb.njit(cache=True)
def apply(matrix, vector):
    """[3, 3] · [3] → [3]; numba's own ``@`` needs SciPy, which the core does not install."""
    out = np.empty(3)
    for i in range(3):
        out[i] = matrix[i, 0] * vector[0] + matrix[i, 1] * vector[1] + matrix[i, 2] * vector[2]
    return out


@nb.njit(cache=True)
def product(left, right):
    """[3, 3] · [3, n] → [3, n]."""
    out = np.empty((3, right.shape[1]))
    for i in range(3):
        for j in range(right.shape[1]):
            out[i, j] = left[i, 0] * right[0, j] + left[i, 1] * right[1, j] + left[i, 2] * right[2, j]
    return out


@nb.njit(cache=True)
def rotate(axis, angle, out):
    """Rodrigues' formula for a unit axis, into ``out`` [3, 3]."""
    c, s = np.cos(angle), np.sin(angle)
    k = 1.0 - c
    x, y, z = axis[0], axis[1], axis[2]
    out[0, 0], out[0, 1], out[0, 2] = c + x * x * k, x * y * k - z * s, x * z * k + y * s
    out[1, 0], out[1, 1], out[1, 2] = y * x * k + z * s, c + y * y * k, y * z * k - x * s
    out[2, 0], out[2, 1], out[2, 2] = z * x * k - y * s, z * y * k + x * s, c + z * z * k


@nb.njit(cache=True)
def pose_chain(p, joints0, axes):
    """Forward kinematics of the 20 bones and everything that their derivatives need.

    Returns rot, lin [20, 3, 3] (rotation; rotation after shape), pos [20, 3], dof_axis, dof_pivot [24, 3]
    (axis and pivot of each angle in hand space), dlin [20, 2, 3, 3] (derivative of lin by the bone's width or
    length, and by thickness), dpos [20, 7, 3] (derivative of pos by width, thickness and the five lengths).
    """
    rot, lin, pos = np.empty((20, 3, 3)), np.empty((20, 3, 3)), np.empty((20, 3))
    dof_axis, dof_pivot = np.zeros((24, 3)), np.zeros((24, 3))
    dlin, dpos = np.zeros((20, 2, 3, 3)), np.zeros((20, 7, 3))
    chain = (rot, lin, pos, dof_axis, dof_pivot, dlin, dpos)
    _pose_palm(p, joints0, axes, chain)
    for f in range(5):
        palm, first = _PALM_BONE[f], _FIRST[f]
        offset = joints0[first] - joints0[palm]
        pos[first] = apply(lin[palm], offset) + pos[palm]
        dpos[first] = dpos[palm]
        dpos[first, 0] += apply(dlin[palm, 0], offset)
        if f == 0:
            _turn_thumb(p, axes, rot, dof_axis)
        else:
            _turn_finger(p, f, axes, rot, dof_axis)
        _stretch_finger(p, f, joints0, axes, chain)
        _place_pivots(f, pos, dof_pivot)
    return chain


@nb.njit(cache=True)
def _pose_palm(p, joints0, axes, chain):
    rot, lin, pos, dof_axis, dof_pivot, dlin, dpos = chain
    width = np.exp(p[30])
    for i in range(5):
        b = _PALM_BONE[i]
        pos[b] = joints0[b]
        pos[b, 0] *= width
        dpos[b, 0, 0] = pos[b, 0]
        rot[b] = np.eye(3)
        if i >= 3:
            d = 22 + (i - 3)
            rotate(axes[i, 0], p[6 + d], rot[b])
            dof_axis[d] = axes[i, 0]
            dof_pivot[d] = pos[b]
        lin[b] = rot[b]
        lin[b, :, 0] *= width
        dlin[b, 0, :, 0] = lin[b, :, 0]


@nb.njit(cache=True)
def _turn(parent, axis, angle, axis_now):
    """Turn about an axis that ``parent`` has rotated already; ``axis_now`` [3] receives the rotated axis."""
    axis_now[:] = apply(parent, axis)
    local = np.empty((3, 3))
    rotate(axis, angle, local)
    return product(parent, local)


@nb.njit(cache=True)
def _turn_thumb(p, axes, rot, dof_axis):
    flexion, abduction, along = axes[0, 0], axes[0, 1], axes[0, 2]
    b = _FIRST[0]
    g = _turn(rot[_PALM_BONE[0]], flexion, p[6], dof_axis[0])
    g = _turn(g, abduction, p[7], dof_axis[1])
    rot[b] = _turn(g, along, p[8], dof_axis[2])
    g = _turn(rot[b], flexion, p[9], dof_axis[3])
    rot[b + 1] = _turn(g, abduction, p[10], dof_axis[4])
    rot[b + 2] = _turn(rot[b + 1], flexion, p[11], dof_axis[5])


@nb.njit(cache=True)
def _turn_finger(p, f, axes, rot, dof_axis):
    flexion, abduction = axes[f, 0], axes[f, 1]
    b, d = _FIRST[f], 6 + 4 * (f - 1)
    g = _turn(rot[_PALM_BONE[f]], abduction, p[6 + d], dof_axis[d])
    rot[b] = _turn(g, flexion, p[7 + d], dof_axis[d + 1])
    rot[b + 1] = _turn(rot[b], flexion, p[8 + d], dof_axis[d + 2])
    rot[b + 2] = _turn(rot[b + 1], flexion, p[9 + d], dof_axis[d + 3])


@nb.njit(cache=True)
def _stretch_finger(p, f, joints0, axes, chain):
    rot, lin, pos, _, _, dlin, dpos = chain
    thick, length = np.exp(p[31]), np.exp(p[32 + f])
    along = axes[f, 2]
    for b in range(_FIRST[f], _FIRST[f] + 3):
        if b > _FIRST[f]:
            offset = joints0[b] - joints0[b - 1]
            pos[b] = apply(lin[b - 1], offset) + pos[b - 1]
            dpos[b] = dpos[b - 1]
            dpos[b, 2 + f] += apply(dlin[b - 1, 0], offset)
            dpos[b, 1] += apply(dlin[b - 1, 1], offset)
        turned = apply(rot[b], along)
        for r in range(3):
            for c in range(3):
                outer = turned[r] * along[c]
                lin[b, r, c] = thick * rot[b, r, c] + (length - thick) * outer
                dlin[b, 0, r, c] = length * outer
                dlin[b, 1, r, c] = thick * (rot[b, r, c] - outer)


@nb.njit(cache=True)
def _place_pivots(f, pos, dof_pivot):
    b = _FIRST[f]
    if f == 0:
        dof_pivot[0], dof_pivot[1], dof_pivot[2] = pos[b], pos[b], pos[b]
        dof_pivot[3], dof_pivot[4], dof_pivot[5] = pos[b + 1], pos[b + 1], pos[b + 2]
    else:
        d = 6 + 4 * (f - 1)
        dof_pivot[d], dof_pivot[d + 1] = pos[b], pos[b]
        dof_pivot[d + 2], dof_pivot[d + 3] = pos[b + 1], pos[b + 2]


@nb.njit(cache=True)
def _add_angle(jac, weight, x, d, chain):
    """Column 6 + d: the point's velocity when it turns about angle d's axis."""
    axis, pivot = chain[3][d], chain[4][d]
    vx, vy, vz = x[0] - pivot[0], x[1] - pivot[1], x[2] - pivot[2]
    jac[0, 6 + d] += weight * (axis[1] * vz - axis[2] * vy)
    jac[1, 6 + d] += weight * (axis[2] * vx - axis[0] * vz)
    jac[2, 6 + d] += weight * (axis[0] * vy - axis[1] * vx)


@nb.njit(cache=True)
def marker(point, bone, weight, joints0, chain, out, jac, want):
    """Add weight × (posed rest point) to ``out`` [3]; with ``want`` its derivatives to ``jac`` [3, 37]."""
    lin, pos, dlin, dpos = chain[1], chain[2], chain[5], chain[6]
    offset = point - joints0[bone]
    x = apply(lin[bone], offset) + pos[bone]
    out += weight * x
    if not want:
        return
    finger = _FINGER_OF_BONE[bone]
    if bone == 19 or finger == 3:
        _add_angle(jac, weight, x, 22, chain)
    if bone == 18 or finger == 4:
        _add_angle(jac, weight, x, 23, chain)
    for r in range(3):
        jac[r, 30] += weight * dpos[bone, 0, r]
    if finger < 0:
        for r in range(3):
            jac[r, 30] += weight * dlin[bone, 0, r, 0] * offset[0]
        return
    phalanx = bone - _FIRST[finger]
    first = 0 if finger == 0 else 6 + 4 * (finger - 1)
    angles = (3, 5, 6)[phalanx] if finger == 0 else 2 + phalanx
    for d in range(first, first + angles):
        _add_angle(jac, weight, x, d, chain)
    for r in range(3):
        by_thickness, by_length = dpos[bone, 1, r], dpos[bone, 2 + finger, r]
        for c in range(3):
            by_thickness += dlin[bone, 1, r, c] * offset[c]
            by_length += dlin[bone, 0, r, c] * offset[c]
        jac[r, 31] += weight * by_thickness
        jac[r, 32 + finger] += weight * by_length
