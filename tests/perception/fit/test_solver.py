"""The compiled Jacobians against finite differences, the compiled chain against the readable kinematics."""

from __future__ import annotations

import numpy as np
import pytest

from handwright.hand.anatomy import DOF_LIMITS_RAD, DOF_MEAN_RAD, DOF_SPREAD_RAD, SHAPE_NAMES
from handwright.hand.kinematics import pose_bones, pose_of_dofs
from handwright.hand.rig import axis_angle_matrix, load_rig
from handwright.perception.fit import _chain, _solver
from handwright.types import Camera, Hand

N = _solver.N
MCP_FLEXIONS = [13, 17, 21, 25]


def arrays() -> tuple[np.ndarray, ...]:
    rig = load_rig()
    names = (
        "joints_m finger_axes landmark_bones landmarks_m sphere_bones spheres_m sphere_radii_m sphere_pairs"
    )
    return tuple(getattr(rig, name) for name in names.split())


def prior() -> tuple[np.ndarray, ...]:
    mean = np.concatenate([np.zeros(6), DOF_MEAN_RAD, np.zeros(7)])
    spread = np.concatenate([np.ones(6), DOF_SPREAD_RAD, np.full(7, 0.08)])
    low = np.concatenate([np.full(6, -1e9), DOF_LIMITS_RAD[:, 0], np.full(7, -0.1)])
    high = np.concatenate([np.full(6, 1e9), DOF_LIMITS_RAD[:, 1], np.full(7, 0.1)])
    return mean, spread, low, high


def state(seed: int) -> tuple[np.ndarray, np.ndarray, tuple, np.ndarray]:
    """Parameters (some beyond their limits, fingers colliding), wrist, observation, weights."""
    rng = np.random.default_rng(seed)
    p = np.zeros(N)
    p[3:6] = rng.normal(0, 0.05), rng.normal(0, 0.05), np.log(0.5)
    p[6:30] = rng.uniform(DOF_LIMITS_RAD[:, 0] - 0.1, DOF_LIMITS_RAD[:, 1] + 0.1)
    p[30:] = rng.uniform(-0.14, 0.14, 7)
    wrist = axis_angle_matrix(rng.uniform(-2, 2, 3))
    observed = rng.normal(0, 60, (21, 2)), rng.normal(0, 20, 21), 600.0, 3.0, 12.0
    return p, wrist, observed, rng.uniform(0.2, 1.0, 21)


def evaluate(
    p: np.ndarray, wrist: np.ndarray, observed: tuple, w: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray]:
    hess, grad, px, cam = np.zeros((N, N)), np.zeros(N), np.zeros((21, 2)), np.zeros((21, 3))
    cost = _solver.evaluate(p, wrist, arrays(), observed, prior(), w, hess, grad, px, cam, True)
    return cost, grad, hess


@pytest.mark.parametrize("seed", range(6))
def test_the_gradient_is_the_costs_slope(seed: int) -> None:
    p, wrist, observed, w = state(seed)
    _, half, _ = evaluate(p, wrist, observed, w)
    step = 1e-6
    for i in range(N):
        if i in MCP_FLEXIONS and 0.35 < p[i] < 1.05:
            continue  # spread counts less the less a finger is flexed; taken as given on purpose
        costs = []
        for sign in (1, -1):
            q, turned = p.copy(), wrist
            if i < 3:
                turned = axis_angle_matrix(sign * step * np.eye(3)[i]) @ wrist
            else:
                q[i] += sign * step
            costs.append(evaluate(q, turned, observed, w)[0])
        slope = (costs[0] - costs[1]) / (2 * step)
        assert 2 * half[i] == pytest.approx(slope, rel=2e-4, abs=2e-4 * np.abs(half).max() + 1e-2), i


def test_collisions_were_part_of_that_check() -> None:
    rig = load_rig()
    for seed in range(6):
        p, wrist, observed, w = state(seed)
        apart = list(arrays())
        apart[6] = np.zeros_like(rig.sphere_radii_m)
        apart[6].setflags(write=False)
        buffers = np.zeros((N, N)), np.zeros(N), np.zeros((21, 2)), np.zeros((21, 3))
        without = _solver.evaluate(p, wrist, tuple(apart), observed, prior(), w, *buffers, True)
        if evaluate(p, wrist, observed, w)[0] > without + 1:
            return
    pytest.fail("no seed makes fingers collide")


@pytest.mark.parametrize("seed", range(3))
def test_the_gauss_newton_matrix_is_positive_and_the_cost_needs_no_derivatives(seed: int) -> None:
    p, wrist, observed, w = state(seed)
    cost, _, lower = evaluate(p, wrist, observed, w)
    matrix = np.tril(lower) + np.tril(lower, -1).T
    assert np.linalg.eigvalsh(matrix)[0] > -1e-6 * np.abs(matrix).max()
    buffers = np.zeros((N, N)), np.zeros(N), np.zeros((21, 2)), np.zeros((21, 3))
    assert _solver.evaluate(p, wrist, arrays(), observed, prior(), w, *buffers, False) == pytest.approx(cost)


@pytest.mark.parametrize("seed", range(4))
def test_the_compiled_chain_is_the_rooms_kinematics(seed: int) -> None:
    p, *_ = state(seed)
    rig = load_rig()
    pose, arch = pose_of_dofs(p[6:30])
    shape = np.zeros(len(SHAPE_NAMES))
    shape[[1, 2, 4, 5, 6, 7, 8]] = p[30:]
    hand = Hand(
        pose=pose,
        palm_arch=arch,
        wrist=np.zeros(3),
        translation_m=np.array([0, 0, 0.5]),
        shape=shape,
        side="right",
        camera=Camera(600, (0, 0)),
    )
    posed = pose_bones(rig, hand)
    rotations, linear, positions, *_ = _chain.pose_chain(p, rig.joints_m, rig.finger_axes)
    np.testing.assert_allclose(rotations, posed.rotations, atol=1e-12)
    np.testing.assert_allclose(linear, posed.linear, atol=1e-12)
    np.testing.assert_allclose(positions, posed.joints_m, atol=1e-12)


def test_a_fit_ends_at_a_small_gain_after_its_first_iterations():
    limits = _solver.SolverParams()
    late, cost = limits.stop_after + 1, 3.0
    assert _solver._converged(0.9 * limits.small_gain * cost, cost, late)
    assert not _solver._converged(1.1 * limits.small_gain * cost, cost, late)
    assert not _solver._converged(0.0, cost, limits.stop_after)
