from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from handwright.hand.kinematics import hand_landmarks_m, mesh_of
from handwright.hand.rig import axis_angle_matrix
from handwright.types import Hand

torch = pytest.importorskip("torch")

from handwright.hand.pose_torch import axis_angle_matrix_torch, landmarks_torch, vertices_torch  # noqa: E402

FIELDS = ("pose", "palm_arch", "wrist", "translation_m", "shape")


def batch(hands: list[Hand], *, dtype: object = None) -> list:
    arrays = [np.stack([getattr(hand, name) for hand in hands]) for name in FIELDS]
    return [torch.tensor(array, dtype=dtype or torch.float64) for array in arrays]


def test_a_mixed_batch_equals_numpy_hand_by_hand(make_hand: Callable[..., Hand], rest_hand: Hand) -> None:
    hands = [make_hand(seed, "left" if seed % 2 else "right") for seed in range(5)] + [rest_hand]
    sides = [hand.side for hand in hands]
    landmarks, vertices = landmarks_torch(*batch(hands), sides), vertices_torch(*batch(hands), sides)
    for k, hand in enumerate(hands):
        np.testing.assert_allclose(landmarks[k].numpy(), hand_landmarks_m(hand), atol=1e-9)
        np.testing.assert_allclose(vertices[k].numpy(), mesh_of(hand).vertices_cam_m, atol=1e-9)


def test_single_precision_stays_within_a_hundredth_of_a_millimetre(make_hand: Callable[..., Hand]) -> None:
    hand = make_hand(1)
    single = vertices_torch(*batch([hand], dtype=torch.float32), hand.side)
    assert single.dtype == torch.float32
    np.testing.assert_allclose(single[0].numpy(), mesh_of(hand).vertices_cam_m, atol=1e-5)


def test_rotations_equal_numpy_from_none_to_a_full_turn() -> None:
    vectors = np.random.default_rng(0).normal(size=(40, 3)) * np.logspace(-12, 0.3, 40)[:, None]
    vectors[0] = 0
    rotations = axis_angle_matrix_torch(torch.tensor(vectors))
    np.testing.assert_allclose(rotations.numpy(), axis_angle_matrix(vectors), atol=1e-12)


def test_rotations_have_exact_derivatives_even_at_rest() -> None:
    for vector in ([0.0, 0, 0], [1e-6, 0, 2e-6], [0.4, -1.1, 0.7], [np.pi, 0, 0]):
        point = torch.tensor(vector, dtype=torch.float64, requires_grad=True)
        assert torch.autograd.gradcheck(axis_angle_matrix_torch, (point,))


@pytest.mark.parametrize("at_rest", [True, False])
def test_landmarks_have_exact_derivatives(make_hand: Callable[..., Hand], at_rest: bool) -> None:
    hand = make_hand(2, "left")
    if at_rest:
        hand = replace(hand, pose=np.zeros((15, 3)), palm_arch=np.zeros(2), shape=np.zeros_like(hand.shape))
    inputs = [tensor.requires_grad_() for tensor in batch([hand])]

    def tips(*tensors: object) -> object:
        return landmarks_torch(*tensors, hand.side)[:, [4, 8, 20]]

    assert torch.autograd.gradcheck(tips, inputs)


def test_gradient_descent_finds_a_known_pose(make_hand: Callable[..., Hand]) -> None:
    hand = make_hand(3)
    pose, arch, wrist, translation, shape = batch([hand])
    target = landmarks_torch(pose, arch, wrist, translation, shape, "right")
    guess = (0.8 * pose).requires_grad_()
    descent = torch.optim.LBFGS([guess], max_iter=40)

    def closure() -> object:
        descent.zero_grad()
        loss = 1e4 * ((landmarks_torch(guess, arch, wrist, translation, shape, "right") - target) ** 2).sum()
        loss.backward()
        return loss

    before = closure().item()
    descent.step(closure)
    assert closure().item() < 1e-4 * before


def test_wrong_number_of_shape_numbers_is_refused(make_hand: Callable[..., Hand]) -> None:
    pose, arch, wrist, translation, _ = batch([make_hand(0)])
    with pytest.raises(ValueError, match="9 numbers"):
        landmarks_torch(pose, arch, wrist, translation, torch.zeros(1, 4), "right")
