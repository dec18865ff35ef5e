"""The fit's inner loop, compiled: residuals with analytic Jacobians, Levenberg–Marquardt.

The 37 parameters are those of ``_chain``. Lengths are metres, angles radians; cost terms are squares of
dimensionless residuals.
"""
# pyright: reportMissingParameterType=false

from dataclasses import dataclass

import numba as nb
import numpy as np

from handwright.perception.fit._chain import N, apply, marker, pose_chain, product, rotate

_ALL = np.arange(N)


@dataclass(frozen=True, kw_only=True)
class SolverParams:
    """Standard deviations of the prior's residuals and limits of the iteration.

    The relations between joints are those of healthy hands (DIP ≈ 2/3 PIP in Lee & Kunii, *Model-based
    analysis of hand posture*, 1995, here .55 of it); widths and limits were chosen by eye on rendered and
    real hands (``bench/fit.py`` measures).

    Attributes:
        prior_weight: Weight of the pull to the mean pose and shape, in 1 / standard deviation.
        angle_wall_rad, shape_wall: A parameter this far beyond its limit costs 1.
        dip_of_pip: DIP flexion over PIP flexion of a relaxed finger.
        dip_sd_rad: Standard deviation of the DIP about that.
        flexed_from_rad, flexed_over_rad: MCP flexion at which a finger stops spreading, and the range over
        which.
        spread_sd_rad: Standard deviation of the spread of a fully flexed finger.
        neighbour_sd_rad: Standard deviation of the MCP flexion's difference between neighbouring fingers.
        length_sd: Standard deviation of the mean logarithm of the five finger lengths.
        collision_m: Overlap of two collision spheres that costs 1.
        max_rigid_step, max_step: Trust box of one step: distance parameters; all others.
        start_damping, min_damping: λ of the first step, and its floor. damping_down, damping_up: Factors on λ
        after a step that lowers the cost, and after one that does not. robust_after, stop_after: Iterations
        before Huber weights are used, and before a small gain may end the fit.
        small_gain: Gain over cost that counts as small.
    """

    prior_weight: float = 0.6
    angle_wall_rad: float = 0.035
    shape_wall: float = 0.01
    dip_of_pip: float = 0.55
    dip_sd_rad: float = 0.22
    flexed_from_rad: float = 0.35
    flexed_over_rad: float = 0.7
    spread_sd_rad: float = 0.06
    neighbour_sd_rad: float = 1.0
    length_sd: float = 0.04
    collision_m: float = 0.0035
    max_rigid_step: float = 0.5
    max_step: float = 0.8
    start_damping: float = 1e-2
    min_damping: float = 1e-6
    damping_down: float = 0.3
    damping_up: float = 6.0
    robust_after: int = 3
    stop_after: int = 7
    small_gain: float = 2e-4


_P = SolverParams()
# Kernels take plain numbers as compile-time constants.
_PRIOR, _ANGLE_WALL, _SHAPE_WALL = _P.prior_weight, _P.angle_wall_rad, _P.shape_wall
_DIP_OF_PIP, _DIP_SD, _SPREAD_SD = _P.dip_of_pip, _P.dip_sd_rad, _P.spread_sd_rad
_FLEXED_FROM, _FLEXED_OVER = _P.flexed_from_rad, _P.flexed_over_rad
_NEIGHBOUR_SD, _LENGTH_SD, _COLLISION = _P.neighbour_sd_rad, _P.length_sd, _P.collision_m
_MAX_RIGID_STEP, _MAX_STEP = _P.max_rigid_step, _P.max_step
_START_DAMPING, _MIN_DAMPING = _P.start_damping, _P.min_damping
_DAMPING_DOWN, _DAMPING_UP = _P.damping_down, _P.damping_up
_ROBUST_AFTER, _STOP_AFTER, _SMALL_GAIN = _P.robust_after, _P.stop_after, _P.small_gain


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
    """Cost at ``p``; with ``want`` also the Gauss-Newton matrix (lower triangle) and half the gradient.

    rig = (joints0, axes, lm_bones, lm, sp_bones, sp, sp_r, pairs); obs = (uv, z, focal, su, sz) in pixels;
    prior = (mean, spread, lo, hi); w [21] landmark weights.
    """
    if want:
        hess[:] = 0.0
        grad[:] = 0.0
    chain = pose_chain(p, rig[0], rig[1])
    cost = _landmark_terms(p, wrist, rig, chain, obs, w, hess, grad, out_px, out_cam, want)
    cost += _prior_terms(p, prior, hess, grad, want)
    cost += _coupling_terms(p, hess, grad, want)
    return cost + _collision_terms(p, rig, chain, hess, grad, want)


@nb.njit(cache=True)
def _landmark_terms(p, wrist, rig, chain, obs, w, hess, grad, out_px, out_cam, want):
    """Distances in the picture, and relative depths with z scaled by the hand's mean depth."""
    joints0, lm_bones, lm = rig[0], rig[2], rig[3]
    uv, z, focal, su, sz = obs
    depth = np.exp(p[5])
    t = np.array([p[3] * depth, p[4] * depth, depth])
    x, jc, jz_mean, row = np.zeros((21, 3)), np.zeros((21, 3, N)), np.zeros(N), np.zeros(N)
    z_mean = 0.0
    for m in range(21):
        for k in range(2):
            marker(lm[m], lm_bones[m, k], 0.5, joints0, chain, x[m], jc[m], want)
        out_cam[m] = apply(wrist, x[m]) + t
        z_mean += out_cam[m, 2] / 21.0
        if want:
            jc[m] = product(wrist, jc[m])
            _add_rigid(jc[m], out_cam[m] - t, t)
            jz_mean += jc[m, 2] / 21.0
    cost = 0.0
    for m in range(21):
        iz = 1.0 / out_cam[m, 2]
        s = w[m] / su
        for c in range(2):
            out_px[m, c] = focal * out_cam[m, c] * iz
            r = (out_px[m, c] - uv[m, c]) * s
            cost += r * r
            if want:
                row[:] = (focal * iz * s) * (jc[m, c] - out_cam[m, c] * iz * jc[m, 2])
                _accumulate(hess, grad, row, r, _ALL, N)
        s = min(1.0, w[m] * 2.0) / sz
        r = ((out_cam[m, 2] - z_mean) * focal / z_mean - z[m]) * s
        cost += r * r
        if want:
            row[:] = (s * focal / z_mean) * (jc[m, 2] - jz_mean * (out_cam[m, 2] / z_mean))
            _accumulate(hess, grad, row, r, _ALL, N)
    return cost


@nb.njit(cache=True)
def _add_rigid(jac, arm, t):
    """Columns 0–5: the wrist's turn (left increment) and its place."""
    jac[1, 0], jac[2, 0] = -arm[2], arm[1]
    jac[0, 1], jac[2, 1] = arm[2], -arm[0]
    jac[0, 2], jac[1, 2] = -arm[1], arm[0]
    jac[0, 3], jac[1, 4] = t[2], t[2]
    jac[0, 5], jac[1, 5], jac[2, 5] = t[0], t[1], t[2]


@nb.njit(cache=True)
def _prior_terms(p, prior, hess, grad, want):
    """A weak pull to the mean hand, and steep walls at the limits."""
    mean, spread, lo, hi = prior
    cost = 0.0
    for i in range(6, N):
        s = _PRIOR / spread[i]
        r = (p[i] - mean[i]) * s
        over = p[i] - hi[i] if p[i] > hi[i] else (p[i] - lo[i] if p[i] < lo[i] else 0.0)
        h = 1.0 / (_ANGLE_WALL if i < 30 else _SHAPE_WALL)
        cost += r * r + over * over * h * h
        if want:
            grad[i] += r * s + over * h * h
            hess[i, i] += s * s + (h * h if over != 0.0 else 0.0)
    return cost


@nb.njit(cache=True)
def _coupling_terms(p, hess, grad, want):
    """Coupling of joints: DIP follows PIP, neighbours flex alike, flexed fingers do not spread.

    The last term's derivative is approximate on purpose: a finger's flexion is held constant in it.
    """
    cost = 0.0
    two, row = np.zeros(5, np.int64), np.zeros(N)
    for k in range(4):
        spread, mcp, pip, dip = 12 + 4 * k, 13 + 4 * k, 14 + 4 * k, 15 + 4 * k
        follow = (p[dip] - _DIP_OF_PIP * p[pip]) / _DIP_SD
        flexed = min(max((p[mcp] - _FLEXED_FROM) / _FLEXED_OVER, 0.0), 1.0)
        apart = flexed * p[spread] / _SPREAD_SD
        cost += follow * follow + apart * apart
        if want:
            two[0], two[1] = pip, dip
            row[pip], row[dip] = -_DIP_OF_PIP / _DIP_SD, 1.0 / _DIP_SD
            _accumulate(hess, grad, row, follow, two, 2)
            two[0] = spread
            row[spread] = flexed / _SPREAD_SD
            _accumulate(hess, grad, row, apart, two, 1)
        if k < 3:
            alike = (p[mcp + 4] - p[mcp]) / _NEIGHBOUR_SD
            cost += alike * alike
            if want:
                two[0], two[1] = mcp, mcp + 4
                row[mcp], row[mcp + 4] = -1.0 / _NEIGHBOUR_SD, 1.0 / _NEIGHBOUR_SD
                _accumulate(hess, grad, row, alike, two, 2)
    longer = (p[32] + p[33] + p[34] + p[35] + p[36]) / 5.0 / _LENGTH_SD
    if want:
        for k in range(5):
            two[k] = 32 + k
            row[32 + k] = 0.2 / _LENGTH_SD
        _accumulate(hess, grad, row, longer, two, 5)
    return cost + longer * longer


@nb.njit(cache=True)
def _collision_terms(p, rig, chain, hess, grad, want):
    """Overlapping collision spheres push apart."""
    joints0, sp_bones, sp, sp_r, pairs = rig[0], rig[4], rig[5], rig[6], rig[7]
    cost, thick = 0.0, np.exp(p[31])
    centre, spare, row = np.zeros((sp.shape[0], 3)), np.zeros(3), np.zeros(N)
    ja, jb = np.zeros((3, N)), np.zeros((3, N))
    for k in range(sp.shape[0]):
        marker(sp[k], sp_bones[k], 1.0, joints0, chain, centre[k], ja, False)
    for q in range(pairs.shape[0]):
        a, b = pairs[q, 0], pairs[q, 1]
        reach = (sp_r[a] + sp_r[b]) * thick
        d0, d1, d2 = centre[a, 0] - centre[b, 0], centre[a, 1] - centre[b, 1], centre[a, 2] - centre[b, 2]
        square = d0 * d0 + d1 * d1 + d2 * d2
        if square >= reach * reach:
            continue
        distance = np.sqrt(square) + 1e-9
        r = (reach - distance) / _COLLISION
        cost += r * r
        if want:
            ja[:] = 0.0
            jb[:] = 0.0
            marker(sp[a], sp_bones[a], 1.0, joints0, chain, spare, ja, True)
            marker(sp[b], sp_bones[b], 1.0, joints0, chain, spare, jb, True)
            ja -= jb
            row[:] = -(d0 * ja[0] + d1 * ja[1] + d2 * ja[2]) / (distance * _COLLISION)
            row[31] += reach / _COLLISION
            _accumulate(hess, grad, row, r, _ALL, N)
    return cost


@nb.njit(cache=True)
def _cholesky_solve(hess, lam, grad, step):
    """Solve (H + λ diag H) step = −gradient; False when the matrix is not positive definite."""
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
def _converged(gain, cost, it):
    """Whether a step's gain ends the fit."""
    return gain < _SMALL_GAIN * cost and it > _STOP_AFTER


@nb.njit(cache=True)
def _take_step(p, wrist, step):
    """Return parameters and wrist after a step, which is clipped to a trust box."""
    for i in range(N):
        cap = _MAX_RIGID_STEP if 3 <= i < 6 else _MAX_STEP
        step[i] = min(max(step[i], -cap), cap)
    q, turned = p + step, wrist
    angle = np.sqrt(step[0] ** 2 + step[1] ** 2 + step[2] ** 2)
    if angle > 1e-12:
        turn = np.zeros((3, 3))
        rotate(step[:3] / angle, angle, turn)
        turned = product(turn, wrist)
    q[:3] = 0.0
    return q, turned


@nb.njit(cache=True)
def _huber_weights(px, uv, su, base_w, huber, w):
    for m in range(21):
        e = np.sqrt((px[m, 0] - uv[m, 0]) ** 2 + (px[m, 1] - uv[m, 1]) ** 2) / su
        w[m] = base_w[m] * (1.0 if e < huber else np.sqrt(huber / e))


@nb.njit(cache=True, nogil=True)
def solve(p, wrist, rig, obs, prior, base_w, iters, huber):
    """Levenberg–Marquardt with Huber weights; returns p, wrist, cost, weights, px and camera points."""
    hess, grad, step = np.zeros((N, N)), np.zeros(N), np.zeros(N)
    px, cam = np.zeros((21, 2)), np.zeros((21, 3))
    new_px, new_cam = np.zeros((21, 2)), np.zeros((21, 3))
    w = base_w.copy()
    lam = _START_DAMPING
    cost = evaluate(p, wrist, rig, obs, prior, w, hess, grad, px, cam, True)
    for it in range(iters):
        if not _cholesky_solve(hess, lam, grad, step):
            lam = lam * 10.0
            continue
        q, turned = _take_step(p, wrist, step)
        new_cost = evaluate(q, turned, rig, obs, prior, w, hess, grad, new_px, new_cam, False)
        if new_cost < cost:
            gain = cost - new_cost
            p, wrist = q, turned
            lam = max(lam * _DAMPING_DOWN, _MIN_DAMPING)
            if it > _ROBUST_AFTER:
                _huber_weights(new_px, obs[0], obs[3], base_w, huber, w)
            cost = evaluate(p, wrist, rig, obs, prior, w, hess, grad, px, cam, True)
            if _converged(gain, cost, it):
                break
        else:
            lam *= _DAMPING_UP
    return p, wrist, cost, w, px, cam
