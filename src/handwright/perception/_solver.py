"""The fit's inner loop, compiled: markers with analytic Jacobians, residuals, damped least squares.

Parameters (37): 0–2 wrist rotation (left increment), 3–5 x/z, y/z and log z of the wrist, 6–29 the 24 anatomical
angles, 30 palm width, 31 thickness, 32–36 finger lengths (logarithms).
"""

from __future__ import annotations

import numba as nb
import numpy as np

N = 37
_FIRST = np.array([13, 1, 4, 10, 7])
_PALM_BONE = np.array([0, 16, 17, 19, 18])


@nb.njit(cache=True)
def _rot(axis, angle, out):
    c, s = np.cos(angle), np.sin(angle)
    k = 1.0 - c
    x, y, z = axis[0], axis[1], axis[2]
    out[0, 0], out[0, 1], out[0, 2] = c + x * x * k, x * y * k - z * s, x * z * k + y * s
    out[1, 0], out[1, 1], out[1, 2] = y * x * k + z * s, c + y * y * k, y * z * k - x * s
    out[2, 0], out[2, 1], out[2, 2] = z * x * k - y * s, z * y * k + x * s, c + z * z * k


@nb.njit(cache=True)
def pose_chain(p, joints0, axes, rot, lin, pos, dof_axis, dof_pivot, dlin, dpos):
    """Forward kinematics of the 20 bones and everything that their derivatives need.

    Fills rot/lin [20,3,3], pos [20,3]; dof_axis/dof_pivot [24,3] (world axis and pivot of each angle);
    dlin [20,2,3,3] and dpos [20,7,3] derivatives by (width, thickness, lengths): dlin[:, 0] is by the bone's width
    or length parameter, dlin[:, 1] by thickness.
    """
    r1, r2, r3 = np.empty((3, 3)), np.empty((3, 3)), np.empty((3, 3))
    width, thick = np.exp(p[30]), np.exp(p[31])
    dpos[:] = 0.0
    dlin[:] = 0.0
    eye = np.eye(3)
    for i in range(5):
        b = _PALM_BONE[i]
        pos[b] = joints0[b]
        pos[b, 0] *= width
        dpos[b, 0, 0] = pos[b, 0]
        rot[b] = eye
        if i >= 3:
            d = 22 + (i - 3)
            _rot(axes[i, 0], p[6 + d], r1)
            rot[b] = r1
            dof_axis[d] = axes[i, 0]
            dof_pivot[d] = pos[b]
        for r in range(3):
            for c in range(3):
                lin[b, r, c] = rot[b, r, c] * (width if c == 0 else 1.0)
            dlin[b, 0, r, 0] = lin[b, r, 0]
    for f in range(5):
        mc, b0 = _PALM_BONE[f], _FIRST[f]
        off = joints0[b0] - joints0[mc]
        pos[b0] = lin[mc] @ off + pos[mc]
        dpos[b0] = dpos[mc]
        dpos[b0, 0] += dlin[mc, 0] @ off
        base = rot[mc]
        if f == 0:
            dof_axis[0] = base @ axes[0, 0]
            _rot(axes[0, 0], p[6], r1)
            g = base @ r1
            dof_axis[1] = g @ axes[0, 1]
            _rot(axes[0, 1], p[7], r2)
            g = g @ r2
            dof_axis[2] = g @ axes[0, 2]
            _rot(axes[0, 2], p[8], r3)
            rot[b0] = g @ r3
            dof_axis[3] = rot[b0] @ axes[0, 0]
            _rot(axes[0, 0], p[9], r1)
            g = rot[b0] @ r1
            dof_axis[4] = g @ axes[0, 1]
            _rot(axes[0, 1], p[10], r2)
            rot[b0 + 1] = g @ r2
            dof_axis[5] = rot[b0 + 1] @ axes[0, 0]
            _rot(axes[0, 0], p[11], r1)
            rot[b0 + 2] = rot[b0 + 1] @ r1
        else:
            d = 6 + 4 * (f - 1)
            dof_axis[d] = base @ axes[f, 1]
            _rot(axes[f, 1], p[6 + d], r1)
            g = base @ r1
            dof_axis[d + 1] = g @ axes[f, 0]
            _rot(axes[f, 0], p[7 + d], r2)
            rot[b0] = g @ r2
            dof_axis[d + 2] = rot[b0] @ axes[f, 0]
            _rot(axes[f, 0], p[8 + d], r1)
            rot[b0 + 1] = rot[b0] @ r1
            dof_axis[d + 3] = rot[b0 + 1] @ axes[f, 0]
            _rot(axes[f, 0], p[9 + d], r2)
            rot[b0 + 2] = rot[b0 + 1] @ r2
        length = np.exp(p[32 + f])
        along = axes[f, 2]
        for k in range(3):
            b = b0 + k
            if k:
                off = joints0[b] - joints0[b - 1]
                pos[b] = lin[b - 1] @ off + pos[b - 1]
                dpos[b] = dpos[b - 1]
                dpos[b, 2 + f] += dlin[b - 1, 0] @ off
                dpos[b, 1] += dlin[b - 1, 1] @ off
            turned = rot[b] @ along
            for r in range(3):
                for c in range(3):
                    outer = turned[r] * along[c]
                    lin[b, r, c] = thick * rot[b, r, c] + (length - thick) * outer
                    dlin[b, 0, r, c] = length * outer
                    dlin[b, 1, r, c] = thick * (rot[b, r, c] - outer)
        if f == 0:
            dof_pivot[0], dof_pivot[1], dof_pivot[2] = pos[b0], pos[b0], pos[b0]
            dof_pivot[3], dof_pivot[4], dof_pivot[5] = pos[b0 + 1], pos[b0 + 1], pos[b0 + 2]
        else:
            d = 6 + 4 * (f - 1)
            dof_pivot[d], dof_pivot[d + 1], dof_pivot[d + 2], dof_pivot[d + 3] = pos[b0], pos[b0], pos[b0 + 1], pos[b0 + 2]


@nb.njit(cache=True)
def _add_dof(jac, weight, x, d, dof_axis, dof_pivot):
    ax, pv = dof_axis[d], dof_pivot[d]
    vx, vy, vz = x[0] - pv[0], x[1] - pv[1], x[2] - pv[2]
    jac[0, 6 + d] += weight * (ax[1] * vz - ax[2] * vy)
    jac[1, 6 + d] += weight * (ax[2] * vx - ax[0] * vz)
    jac[2, 6 + d] += weight * (ax[0] * vy - ax[1] * vx)


@nb.njit(cache=True)
def marker(point, bone, weight, joints0, lin, pos, dof_axis, dof_pivot, dlin, dpos, out, jac, want):
    """Add weight × (posed rest point on a bone) to ``out`` [3] and its derivatives to ``jac`` [3, 37], hand space."""
    off = point - joints0[bone]
    x = lin[bone] @ off + pos[bone]
    out += weight * x
    if not want:
        return
    finger = -1
    if bone >= 1 and bone <= 15:
        finger = 0 if bone >= 13 else (1 if bone <= 3 else (2 if bone <= 6 else (4 if bone <= 9 else 3)))
    if bone == 19 or finger == 3:
        _add_dof(jac, weight, x, 22, dof_axis, dof_pivot)
    if bone == 18 or finger == 4:
        _add_dof(jac, weight, x, 23, dof_axis, dof_pivot)
    for r in range(3):
        jac[r, 30] += weight * dpos[bone, 0, r]
    if finger < 0:
        for r in range(3):
            jac[r, 30] += weight * dlin[bone, 0, r, 0] * off[0]
        return
    k = bone - _FIRST[finger]
    if finger == 0:
        for d in range(3):
            _add_dof(jac, weight, x, d, dof_axis, dof_pivot)
        if k >= 1:
            _add_dof(jac, weight, x, 3, dof_axis, dof_pivot)
            _add_dof(jac, weight, x, 4, dof_axis, dof_pivot)
        if k >= 2:
            _add_dof(jac, weight, x, 5, dof_axis, dof_pivot)
    else:
        d = 6 + 4 * (finger - 1)
        _add_dof(jac, weight, x, d, dof_axis, dof_pivot)
        _add_dof(jac, weight, x, d + 1, dof_axis, dof_pivot)
        if k >= 1:
            _add_dof(jac, weight, x, d + 2, dof_axis, dof_pivot)
        if k >= 2:
            _add_dof(jac, weight, x, d + 3, dof_axis, dof_pivot)
    for r in range(3):
        t = dpos[bone, 1, r]
        s = dpos[bone, 2 + finger, r]
        for c in range(3):
            t += dlin[bone, 1, r, c] * off[c]
            s += dlin[bone, 0, r, c] * off[c]
        jac[r, 31] += weight * t
        jac[r, 32 + finger] += weight * s


@nb.njit(cache=True)
def _accumulate(hess, grad, row, value, idx, n):
    for a in range(n):
        i = idx[a]
        grad[i] += row[i] * value
        for b in range(a + 1):
            j = idx[b]
            hess[i, j] += row[i] * row[j]


@nb.njit(cache=True)
def evaluate(p, wrist, rig, obs, prior, w, hess, grad, out_px, out_cam, want):
    """Cost at ``p``; with ``want`` also the Gauss-Newton matrix (lower triangle) and gradient.

    rig = (joints0, axes, lm_bones, lm, sp_bones, sp, sp_r, pairs); obs = (uv, z, focal, su, sz) in pixels;
    prior = (mean, spread, lo, hi); w [21] landmark weights.
    """
    joints0, axes, lm_bones, lm, sp_bones, sp, sp_r, pairs = rig
    uv, z, focal, su, sz = obs
    mean, spread, lo, hi = prior
    rot, lin, pos = np.empty((20, 3, 3)), np.empty((20, 3, 3)), np.empty((20, 3))
    dof_axis, dof_pivot = np.zeros((24, 3)), np.zeros((24, 3))
    dlin, dpos = np.empty((20, 2, 3, 3)), np.empty((20, 7, 3))
    pose_chain(p, joints0, axes, rot, lin, pos, dof_axis, dof_pivot, dlin, dpos)
    depth = np.exp(p[5])
    t = np.array([p[3] * depth, p[4] * depth, depth])
    x, jx = np.zeros((21, 3)), np.zeros((21, 3, N))
    for m in range(21):
        for k in range(2):
            marker(lm[m], lm_bones[m, k], 0.5, joints0, lin, pos, dof_axis, dof_pivot, dlin, dpos, x[m], jx[m], want)
    cost = 0.0
    zm = 0.0
    cam = np.empty((21, 3))
    for m in range(21):
        cam[m] = wrist @ x[m] + t
        zm += cam[m, 2] / 21.0
    jc = np.zeros((21, 3, N))
    jzm = np.zeros(N)
    idx = np.arange(N)
    row = np.zeros(N)
    if want:
        hess[:] = 0.0
        grad[:] = 0.0
        for m in range(21):
            jc[m] = wrist @ jx[m]
            v = cam[m] - t
            jc[m, 1, 0], jc[m, 2, 0] = -v[2], v[1]
            jc[m, 0, 1], jc[m, 2, 1] = v[2], -v[0]
            jc[m, 0, 2], jc[m, 1, 2] = -v[1], v[0]
            jc[m, 0, 3], jc[m, 1, 4] = depth, depth
            jc[m, 0, 5], jc[m, 1, 5], jc[m, 2, 5] = t[0], t[1], t[2]
            jzm += jc[m, 2] / 21.0
    for m in range(21):
        iz = 1.0 / cam[m, 2]
        for c in range(2):
            out_px[m, c] = focal * cam[m, c] * iz
            s = w[m] / su
            r = (out_px[m, c] - uv[m, c]) * s
            cost += r * r
            if want:
                row[:] = (focal * iz * s) * (jc[m, c] - cam[m, c] * iz * jc[m, 2])
                _accumulate(hess, grad, row, r, idx, N)
        s = focal / zm / sz * min(1.0, w[m] * 2.0)
        r = (cam[m, 2] - zm) * s - z[m] / sz * min(1.0, w[m] * 2.0)
        cost += r * r
        if want:
            row[:] = s * (jc[m, 2] - jzm * (cam[m, 2] / zm))
            _accumulate(hess, grad, row, r, idx, N)
        out_cam[m] = cam[m]
    for i in range(6, N):
        s = 0.6 / spread[i]
        r = (p[i] - mean[i]) * s
        cost += r * r
        over = p[i] - hi[i] if p[i] > hi[i] else (p[i] - lo[i] if p[i] < lo[i] else 0.0)
        h = 1.0 / (0.035 if i < 30 else 0.01)
        cost += over * over * h * h
        if want:
            grad[i] += r * s + over * h * h
            hess[i, i] += s * s + (h * h if over != 0.0 else 0.0)
    two = np.zeros(5, np.int64)
    for k in range(4):
        mcp, pip, dip, abd = 13 + 4 * k, 14 + 4 * k, 15 + 4 * k, 12 + 4 * k
        r = (p[dip] - 0.55 * p[pip]) / 0.22
        cost += r * r
        flexed = min(max((p[mcp] - 0.35) / 0.7, 0.0), 1.0)
        q = flexed * p[abd] / 0.06
        cost += q * q
        if want:
            two[0], two[1] = pip, dip
            row[pip], row[dip] = -0.55 / 0.22, 1.0 / 0.22
            _accumulate(hess, grad, row, r, two, 2)
            two[0] = abd
            row[abd] = flexed / 0.06
            _accumulate(hess, grad, row, q, two, 1)
        if k < 3:
            r = p[17 + 4 * k] - p[mcp]
            cost += r * r
            if want:
                two[0], two[1] = mcp, mcp + 4
                row[mcp], row[mcp + 4] = -1.0, 1.0
                _accumulate(hess, grad, row, r, two, 2)
    r = (p[32] + p[33] + p[34] + p[35] + p[36]) / 5.0 / 0.04
    cost += r * r
    if want:
        for k in range(5):
            two[k] = 32 + k
            row[32 + k] = 0.2 / 0.04
        _accumulate(hess, grad, row, r, two, 5)
    # collisions: overlapping spheres push apart
    ns = sp.shape[0]
    centre = np.zeros((ns, 3))
    dummy, spare = np.zeros((3, N)), np.zeros(3)
    for k in range(ns):
        marker(sp[k], sp_bones[k], 1.0, joints0, lin, pos, dof_axis, dof_pivot, dlin, dpos, centre[k], dummy, False)
    ja, jb = np.zeros((3, N)), np.zeros((3, N))
    thick = np.exp(p[31])
    for q in range(pairs.shape[0]):
        a, b = pairs[q, 0], pairs[q, 1]
        reach = (sp_r[a] + sp_r[b]) * thick
        d0, d1, d2 = centre[a, 0] - centre[b, 0], centre[a, 1] - centre[b, 1], centre[a, 2] - centre[b, 2]
        sq = d0 * d0 + d1 * d1 + d2 * d2
        if sq >= reach * reach:
            continue
        dist = np.sqrt(sq) + 1e-9
        r = (reach - dist) / 0.0035
        cost += r * r
        if want:
            ja[:] = 0.0
            jb[:] = 0.0
            marker(sp[a], sp_bones[a], 1.0, joints0, lin, pos, dof_axis, dof_pivot, dlin, dpos, spare, ja, True)
            marker(sp[b], sp_bones[b], 1.0, joints0, lin, pos, dof_axis, dof_pivot, dlin, dpos, spare, jb, True)
            row[:] = -(d0 * (ja[0] - jb[0]) + d1 * (ja[1] - jb[1]) + d2 * (ja[2] - jb[2])) / dist / 0.0035
            _accumulate(hess, grad, row, r, idx, N)
    return cost


@nb.njit(cache=True)
def _cholesky_solve(hess, lam, grad, step):
    n = hess.shape[0]
    low = np.zeros((n, n))
    for i in range(n):
        for j in range(i + 1):
            s = hess[i, j]
            if i == j:
                s += lam * hess[i, i] + 1e-9
            for k in range(j):
                s -= low[i, k] * low[j, k]
            if i == j:
                if s <= 0.0:
                    return False
                low[i, i] = np.sqrt(s)
            else:
                low[i, j] = s / low[j, j]
    for i in range(n):
        s = -grad[i]
        for k in range(i):
            s -= low[i, k] * step[k]
        step[i] = s / low[i, i]
    for i in range(n - 1, -1, -1):
        s = step[i]
        for k in range(i + 1, n):
            s -= low[k, i] * step[k]
        step[i] = s / low[i, i]
    return True


@nb.njit(cache=True)
def solve(p, wrist, rig, obs, prior, base_w, iters, huber):
    """Levenberg–Marquardt with Huber weights per landmark. Returns p, wrist, cost, weights, px, cam points."""
    hess, grad = np.zeros((N, N)), np.zeros(N)
    px, cam = np.zeros((21, 2)), np.zeros((21, 3))
    qx, qc = np.zeros((21, 2)), np.zeros((21, 3))
    w = base_w.copy()
    step, turn = np.zeros(N), np.zeros((3, 3))
    lam = 1e-2
    cost = evaluate(p, wrist, rig, obs, prior, w, hess, grad, px, cam, True)
    for it in range(iters):
        if not _cholesky_solve(hess, lam, grad, step):
            lam = lam * 10.0
            continue
        for i in range(N):
            cap = 0.5 if 3 <= i < 6 else 0.8
            step[i] = min(max(step[i], -cap), cap)
        q = p + step
        angle = np.sqrt(step[0] ** 2 + step[1] ** 2 + step[2] ** 2)
        new = wrist
        if angle > 1e-12:
            _rot(step[:3] / angle, angle, turn)
            new = turn @ wrist
        q[0], q[1], q[2] = 0.0, 0.0, 0.0
        c2 = evaluate(q, new, rig, obs, prior, w, hess, grad, qx, qc, False)
        if c2 < cost:
            gain = cost - c2
            p, wrist = q, new
            lam = max(lam * 0.3, 1e-6)
            if it > 3:
                for m in range(21):
                    e = np.sqrt((qx[m, 0] - obs[0][m, 0]) ** 2 + (qx[m, 1] - obs[0][m, 1]) ** 2) / obs[3]
                    w[m] = base_w[m] * (1.0 if e < huber else np.sqrt(huber / e))
            cost = evaluate(p, wrist, rig, obs, prior, w, hess, grad, px, cam, True)
            if gain < 2e-4 * cost and it > 7:
                break
        else:
            lam = min(lam * 6.0, 1e5)
            if lam > 1e4:
                break
    return p, wrist, cost, w, px, cam
