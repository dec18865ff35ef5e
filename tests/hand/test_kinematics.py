from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from handwright.hand.anatomy import DOF_LIMITS_RAD, DOF_NAMES, FINGER_BONES, JOINT_OF_LANDMARK
from handwright.hand.kinematics import (
    dofs_of_pose,
    hand_landmarks_m,
    mesh_of,
    mirror_hand_x,
    pose_bones,
    pose_of_dofs,
    pose_points,
    pose_points_reference,
    to_camera,
)
from handwright.hand.rig import axis_angle_matrix, load_rig
from handwright.types import Hand

SHARES = arrays(np.float64, 24, elements=st.floats(0, 1))


def with_pose(hand: Hand, dofs: np.ndarray) -> Hand:
    pose, arch = pose_of_dofs(dofs)
    return Hand(
        pose=pose,
        palm_arch=arch,
        wrist=hand.wrist,
        translation_m=hand.translation_m,
        shape=hand.shape,
        side=hand.side,
        camera=hand.camera,
    )


def test_the_rest_pose_is_the_rig(rest_hand: Hand) -> None:
    rig = load_rig()
    posed = pose_bones(rig, rest_hand)
    skin = pose_points(rig.vertices_m, rig.weight_bones, rig.weights, posed)
    np.testing.assert_allclose(skin, rig.vertices_m, atol=1e-8)
    np.testing.assert_allclose(posed.joints_m, rig.joints_m, atol=1e-12)
    upright = rig.vertices_m * [1, -1, -1] + rest_hand.translation_m
    np.testing.assert_allclose(mesh_of(rest_hand).vertices_cam_m, upright, atol=1e-8)


@pytest.mark.parametrize("seed", range(4))
def test_fast_skinning_equals_its_reference(make_hand: Callable[..., Hand], seed: int) -> None:
    rig, hand = load_rig(), make_hand(seed)
    posed = pose_bones(rig, hand)
    fast = pose_points(rig.vertices_m, rig.weight_bones, rig.weights, posed)
    slow = pose_points_reference(rig.vertices_m, rig.weight_bones, rig.weights, posed)
    np.testing.assert_allclose(fast, slow, atol=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_landmarks_sit_near_their_joints_and_in_the_mesh(make_hand: Callable[..., Hand], seed: int) -> None:
    mesh = mesh_of(make_hand(seed))
    np.testing.assert_array_equal(mesh.landmarks_cam_m, hand_landmarks_m(make_hand(seed)))
    for landmark, joint in enumerate(JOINT_OF_LANDMARK):
        if joint >= 0:
            assert np.linalg.norm(mesh.landmarks_cam_m[landmark] - mesh.joints_cam_m[joint]) < 0.025
    assert np.ptp(mesh.vertices_cam_m, axis=0).max() < 0.3


@pytest.mark.parametrize("side", ["left", "right"])
def test_mirroring_twice_is_nothing(make_hand: Callable[..., Hand], side: str) -> None:
    hand = make_hand(3, side)
    back = mirror_hand_x(mirror_hand_x(hand, 640), 640)
    assert back.side == hand.side
    np.testing.assert_allclose(back.camera.center_px, hand.camera.center_px, atol=1e-12)
    np.testing.assert_allclose(mesh_of(back).vertices_cam_m, mesh_of(hand).vertices_cam_m, atol=1e-12)


def test_the_mirrored_hand_is_the_mirrored_mesh(make_hand: Callable[..., Hand]) -> None:
    hand = make_hand(5)
    left, right = mesh_of(mirror_hand_x(hand, 640)), mesh_of(hand)
    assert left.side == "left"
    np.testing.assert_allclose(left.vertices_cam_m, right.vertices_cam_m * [-1, 1, 1], atol=1e-12)
    np.testing.assert_array_equal(left.faces, right.faces[:, ::-1])
    px = mirror_hand_x(hand, 640).camera.project(left.landmarks_cam_m)
    expected = hand.camera.project(right.landmarks_cam_m)
    np.testing.assert_allclose(px, [640, 0] + expected * [-1, 1], atol=1e-9)


@pytest.mark.parametrize("side", ["left", "right"])
def test_moving_and_turning_the_wrist_is_rigid(make_hand: Callable[..., Hand], side: str) -> None:
    hand = make_hand(1, side)
    points = hand_landmarks_m(hand)
    turn = axis_angle_matrix(np.array([0.3, -0.2, 0.5]))
    turned = to_camera(points, hand)
    assert np.linalg.norm(turned[0] - turned[5]) == pytest.approx(np.linalg.norm(points[0] - points[5]))
    assert np.linalg.det(turn) == pytest.approx(1)


@given(SHARES)
def test_angles_come_back_from_the_pose_they_make(share: np.ndarray) -> None:
    low, high = DOF_LIMITS_RAD.T
    dofs = low + share * (high - low)
    np.testing.assert_allclose(dofs_of_pose(*pose_of_dofs(dofs)), dofs, atol=1e-7)


@pytest.mark.parametrize("dof", range(22))
def test_each_angle_moves_its_own_finger_only(rest_hand: Hand, dof: int) -> None:
    finger = ["thumb", "index", "middle", "ring", "pinky"].index(DOF_NAMES[dof].split("_")[0])
    angles = np.zeros(24)
    angles[dof] = 0.4
    moved = hand_landmarks_m(with_pose(rest_hand, angles)) - hand_landmarks_m(rest_hand)
    own = np.linalg.norm(moved[1 + 4 * finger : 5 + 4 * finger], axis=1)
    others = np.delete(moved, range(1 + 4 * finger, 5 + 4 * finger), axis=0)
    assert own.max() > 0.002 or DOF_NAMES[dof].endswith("twist")
    assert np.linalg.norm(others[1:], axis=1).max() < 1e-12


@pytest.mark.parametrize("finger", range(1, 5))
def test_flexion_brings_the_tip_to_the_palm(rest_hand: Hand, finger: int) -> None:
    angles = np.zeros(24)
    angles[7 + 4 * (finger - 1) : 10 + 4 * (finger - 1)] = np.deg2rad([80, 95, 60])
    tip = 4 + 4 * finger
    bent, straight = hand_landmarks_m(with_pose(rest_hand, angles)), hand_landmarks_m(rest_hand)
    knuckle = straight[1 + 4 * finger]
    assert np.linalg.norm(bent[tip] - knuckle) < 0.55 * np.linalg.norm(straight[tip] - knuckle)
    assert bent[tip, 2] < knuckle[2]


def test_wrong_number_of_angles_is_refused() -> None:
    with pytest.raises(ValueError, match="24 angles"):
        pose_of_dofs(np.zeros(10))


def test_finger_bones_cover_the_pose() -> None:
    assert sorted(b for chain in FINGER_BONES for b in chain) == list(range(1, 16))
