from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from handwright.errors import InvalidValueError
from handwright.hand.anatomy import FINGER_BONES, SHAPE_NAMES
from handwright.hand.files.mano import (
    FLAT_DEG,
    MANO_FROM_OURS,
    ManoParameters,
    from_mano,
    rotation_between,
    to_mano,
)
from handwright.hand.kinematics import mesh_of, mirror_hand_x
from handwright.hand.rig import axis_angle_matrix
from handwright.types import Camera, Hand

CAMERA = Camera(600.0, (256.0, 256.0))
SIDES = pytest.mark.parametrize("side", ["left", "right"])


def flat(side: str = "right") -> ManoParameters:
    return ManoParameters(
        global_orient=np.zeros(3),
        hand_pose=np.zeros((15, 3)),
        betas=None,
        transl=np.array([0, 0, 0.5]),
        side=side,
        palm_arch=np.zeros(2),
    )


def bone_directions(hand: Hand) -> np.ndarray:
    joints = mesh_of(hand).joints_cam_m
    bones = [joints[b] - joints[a] for chain in FINGER_BONES for a, b in pairwise(chain)]
    return np.array([bone / np.linalg.norm(bone) for bone in bones])


@SIDES
@pytest.mark.parametrize("seed", range(8))
def test_there_and_back_is_nothing(make_hand: Callable[..., Hand], side: str, seed: int) -> None:
    hand, rest = make_hand(seed, side, betas=True), np.array([0.1, 0.01, 0.006])
    back = from_mano(to_mano(hand, wrist_rest_m=rest), hand.camera, shape=hand.shape, wrist_rest_m=rest)
    for name in ("pose", "palm_arch", "translation_m"):
        np.testing.assert_allclose(getattr(back, name), getattr(hand, name), atol=1e-9)
    np.testing.assert_allclose(axis_angle_matrix(back.wrist), axis_angle_matrix(hand.wrist), atol=1e-9)
    np.testing.assert_allclose(mesh_of(back).vertices_cam_m, mesh_of(hand).vertices_cam_m, atol=1e-9)
    assert back.betas is hand.betas and back.side == side


@SIDES
@pytest.mark.parametrize("seed", range(4))
def test_back_and_there_is_nothing(side: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    given = ManoParameters(
        global_orient=rng.uniform(-1.5, 1.5, 3),
        hand_pose=rng.normal(0, 0.5, (15, 3)),
        betas=rng.normal(size=10),
        transl=np.array([0, 0, 0.5]),
        side=side,
        palm_arch=np.zeros(2),
    )
    back = to_mano(from_mano(given, CAMERA))
    for name in ("global_orient", "hand_pose", "transl", "betas"):
        np.testing.assert_allclose(getattr(back, name), getattr(given, name), atol=1e-9)


def test_the_frame_is_a_rotation_with_fingers_to_minus_x_and_thumb_to_z() -> None:
    np.testing.assert_allclose(MANO_FROM_OURS @ MANO_FROM_OURS.T, np.eye(3))
    assert np.linalg.det(MANO_FROM_OURS) == pytest.approx(1)
    np.testing.assert_allclose(MANO_FROM_OURS @ [0, 1, 0], [-1, 0, 0])
    np.testing.assert_allclose(MANO_FROM_OURS @ [1, 0, 0], [0, 0, 1])
    np.testing.assert_allclose(MANO_FROM_OURS @ [0, 0, 1], [0, -1, 0])


@SIDES
def test_manos_zero_pose_lays_our_fingers_flat_and_fanned(side: str) -> None:
    directions = bone_directions(from_mano(flat(side), CAMERA))
    degrees = np.deg2rad([angle for finger in FLAT_DEG for angle in finger[:2]])
    sign = -1.0 if side == "right" else 1.0
    expected = np.stack([sign * np.cos(degrees), np.zeros(10), np.sin(degrees)], 1)
    np.testing.assert_allclose(directions, expected, atol=1e-9)


def test_positive_z_bends_a_right_finger_towards_the_palm() -> None:
    # In the right template fingers point to −x and the palm faces −y: +z turns −x to −y.
    pose = np.zeros((15, 3))
    pose[3, 2] = 1.0
    bent, straight = (from_mano(replace(flat(), hand_pose=p), CAMERA) for p in (pose, np.zeros((15, 3))))
    tip = mesh_of(bent).landmarks_cam_m[12] - mesh_of(straight).landmarks_cam_m[12]
    assert tip[1] < -0.03


@pytest.mark.parametrize("seed", range(4))
def test_a_mirrored_hand_has_mirrored_numbers(make_hand: Callable[..., Hand], seed: int) -> None:
    right = make_hand(seed)
    a, b = to_mano(right), to_mano(mirror_hand_x(right, 512))
    flip = np.array([1.0, -1.0, -1.0])
    assert b.side == "left"
    np.testing.assert_allclose(b.hand_pose, a.hand_pose * flip, atol=1e-9)
    np.testing.assert_allclose(b.global_orient, a.global_orient * flip, atol=1e-9)
    np.testing.assert_allclose(b.transl, a.transl * [-1, 1, 1], atol=1e-12)


@SIDES
@pytest.mark.parametrize("seed", range(4))
def test_every_bone_keeps_its_direction_on_a_hand_of_other_proportions(
    make_hand: Callable[..., Hand], side: str, seed: int
) -> None:
    hand = make_hand(seed, side)
    shape = np.random.default_rng(seed + 50).uniform(-0.12, 0.12, len(SHAPE_NAMES))
    other = from_mano(to_mano(hand), hand.camera, shape=shape)
    cosines = (bone_directions(hand) * bone_directions(other)).sum(1)
    assert np.rad2deg(np.arccos(np.clip(cosines, -1, 1))).max() < 1e-4


@pytest.mark.parametrize("seed", range(4))
def test_joints_of_a_hand_with_fingers_a_tenth_longer_move_by_the_added_length_only(
    make_hand: Callable[..., Hand], seed: int
) -> None:
    hand = replace(make_hand(seed), shape=np.zeros(len(SHAPE_NAMES)))
    longer = np.zeros(len(SHAPE_NAMES))
    longer[4:] = np.log(1.1)
    other = from_mano(to_mano(hand), hand.camera, shape=longer)
    moved = np.linalg.norm(mesh_of(other).joints_cam_m - mesh_of(hand).joints_cam_m, axis=1)
    assert moved.max() < 0.1 * 0.085


def test_rotation_between_turns_one_direction_into_the_other() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        a, b = rng.normal(size=(2, 3))
        turned = rotation_between(a, b) @ (a / np.linalg.norm(a))
        np.testing.assert_allclose(turned, b / np.linalg.norm(b), atol=1e-12)
    np.testing.assert_allclose(rotation_between(a, 2 * a), np.eye(3), atol=1e-12)


def test_numbers_of_the_wrong_shape_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="hand_pose"):
        replace(flat(), hand_pose=np.zeros((16, 3)))
    with pytest.raises(InvalidValueError, match="betas"):
        replace(flat(), betas=np.zeros(3))
    with pytest.raises(InvalidValueError, match="side"):
        replace(flat(), side="both")  # type: ignore[arg-type]
