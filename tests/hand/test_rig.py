from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handwright.errors import InvalidValueError
from handwright.hand.anatomy import (
    BONE_PARENTS,
    BONES,
    DOF_LIMITS_RAD,
    DOF_MEAN_RAD,
    DOF_NAMES,
    FINGER_BONES,
    JOINT_OF_LANDMARK,
    LANDMARKS,
    MANO_JOINTS,
    SHAPE_NAMES,
)
from handwright.hand.rig import axis_angle_matrix, load_rig, matrix_axis_angle, rest_bones, similarity

ANGLES = st.floats(-3.1, 3.1)


def shape_of(**numbers: float) -> np.ndarray:
    return np.array([numbers.get(name, 0.0) for name in SHAPE_NAMES])


@given(st.lists(ANGLES, min_size=3, max_size=3))
def test_axis_angle_comes_back_from_its_matrix(vector: list[float]) -> None:
    v = np.array(vector)
    angle = np.linalg.norm(v)
    if angle > np.pi:
        v *= (np.pi - 1e-3) / angle
    np.testing.assert_allclose(matrix_axis_angle(axis_angle_matrix(v)), v, atol=1e-7)


@pytest.mark.parametrize("short_of_pi", [0.0, 1e-9, 1e-7, 1e-5, 9e-5, 2e-4, 1e-3])
@pytest.mark.parametrize("seed", range(5))
def test_axis_angle_near_a_half_turn_keeps_axis_and_sense(short_of_pi: float, seed: int) -> None:
    axis = np.random.default_rng(seed).standard_normal(3)
    v = axis / np.linalg.norm(axis) * (np.pi - short_of_pi)
    matrix = axis_angle_matrix(v)
    back = matrix_axis_angle(matrix)
    np.testing.assert_allclose(axis_angle_matrix(back), matrix, atol=1e-7)
    if short_of_pi:
        np.testing.assert_allclose(back, v, atol=1e-6)


@pytest.mark.parametrize("size", [0.0, 1e-12, 1e-9, 1e-7, 1e-5])
def test_small_axis_angle_survives(size: float) -> None:
    v = np.array([0.6, -0.48, 0.64]) * size
    np.testing.assert_allclose(matrix_axis_angle(axis_angle_matrix(v)), v, rtol=1e-6, atol=1e-16)


def test_a_rotation_by_two_pi_is_none() -> None:
    axis = np.array([0.36, 0.48, 0.8])
    np.testing.assert_allclose(axis_angle_matrix(2 * np.pi * axis), np.eye(3), atol=1e-12)


@given(st.lists(ANGLES, min_size=3, max_size=3))
def test_matrices_are_rotations(vector: list[float]) -> None:
    matrix = axis_angle_matrix(np.array(vector))
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(matrix) == pytest.approx(1.0)


def test_the_similarity_of_turned_and_scaled_points_is_that_turn_and_scale_and_never_a_mirror() -> None:
    points = np.random.default_rng(4).normal(size=(6, 3))
    points -= points.mean(0)
    turn = 1.7 * axis_angle_matrix(np.array([0.3, -1.1, 2.0])).T
    np.testing.assert_allclose(similarity(points, points @ turn), turn, atol=1e-9)
    assert np.linalg.det(similarity(points, points * [-1, 1, 1])) > 0


def test_rig_is_consistent() -> None:
    rig = load_rig()
    np.testing.assert_allclose(rig.weights.sum(1), 1.0, atol=1e-6)
    assert rig.weights.min() >= 0
    assert set(np.unique(rig.part_ids)) <= set(range(len(BONES)))
    assert rig.faces.min() == 0 and rig.faces.max() == len(rig.vertices_m) - 1
    np.testing.assert_allclose(rig.joints_m[0], 0.0, atol=1e-9)
    for axes in rig.finger_axes:
        np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-9)
    assert not rig.vertices_m.flags.writeable


def test_rest_frame_is_fingers_up_thumb_to_x_palm_to_z() -> None:
    rig = load_rig()
    assert (rig.tips_m[1:, 1] > 0.12).all()
    assert rig.tips_m[0, 0] == rig.tips_m[:, 0].max()
    assert np.all(np.diff(rig.tips_m[:, 0]) < 0)
    # Flexion carries the fingertips towards the palm's side.
    for f, chain in enumerate(FINGER_BONES[1:], 1):
        bent = axis_angle_matrix(rig.finger_axes[f, 0] * 0.5) @ (rig.tips_m[f] - rig.joints_m[chain[0]])
        assert bent[2] > rig.tips_m[f, 2] - rig.joints_m[chain[0], 2]


def test_tables_of_names_agree() -> None:
    assert len(DOF_NAMES) == len(DOF_LIMITS_RAD) == len(DOF_MEAN_RAD) == 24
    assert BONES[:16] == MANO_JOINTS and len(BONES) == len(BONE_PARENTS) == 20
    for name, joint in zip(LANDMARKS, JOINT_OF_LANDMARK, strict=True):
        assert (joint == -1) == name.endswith("_tip")
        if joint > 0:
            assert name.split("_")[0] == MANO_JOINTS[joint][:-1]


def test_mean_pose_and_rest_lie_within_the_limits() -> None:
    low, high = DOF_LIMITS_RAD.T
    assert (low < high).all()
    assert ((low <= DOF_MEAN_RAD) & (high >= DOF_MEAN_RAD)).all()
    assert ((low <= 0) & (high >= 0)).all()


def test_mean_shape_leaves_the_rig_alone() -> None:
    rig = load_rig()
    linear, joints = rest_bones(rig, np.zeros(len(SHAPE_NAMES)))
    np.testing.assert_allclose(linear, np.repeat(np.eye(3)[None], 20, 0), atol=1e-12)
    np.testing.assert_allclose(joints, rig.joints_m, atol=1e-12)


@given(st.floats(-0.5, 0.5), st.integers(0, 99))
def test_scale_multiplies_every_length(scale: float, seed: int) -> None:
    rig = load_rig()
    shape = np.random.default_rng(seed).uniform(-0.2, 0.2, len(SHAPE_NAMES))
    shape[0] = 0.0
    linear, joints = rest_bones(rig, shape)
    shape[0] = scale
    scaled_linear, scaled_joints = rest_bones(rig, shape)
    np.testing.assert_allclose(scaled_joints, np.exp(scale) * joints, atol=1e-12)
    np.testing.assert_allclose(scaled_linear, np.exp(scale) * linear, atol=1e-12)


def test_a_finger_length_number_stretches_that_finger_alone() -> None:
    rig = load_rig()
    _, joints = rest_bones(rig, shape_of(middle_length=np.log(1.2)))
    a, b, c = FINGER_BONES[2]
    length = np.linalg.norm(rig.joints_m[c] - rig.joints_m[b])
    # Only the part along the finger's own axis is stretched; bones bend a little away from it.
    assert np.linalg.norm(joints[c] - joints[b]) == pytest.approx(1.2 * length, rel=0.02)
    others = [k for k in range(20) if k not in (b, c)]
    np.testing.assert_allclose(joints[others], rig.joints_m[others], atol=1e-12)
    assert a in others


def test_wrong_number_of_shape_numbers_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="9 numbers"):
        rest_bones(load_rig(), np.zeros(3))


def test_collision_spheres_are_apart_at_rest() -> None:
    rig = load_rig()
    a, b = rig.sphere_pairs.T
    gap = np.linalg.norm(rig.spheres_m[a] - rig.spheres_m[b], axis=1)
    assert (gap >= rig.sphere_radii_m[a] + rig.sphere_radii_m[b] - 1e-9).all()
