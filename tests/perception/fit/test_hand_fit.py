from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from handwright.hand.anatomy import DOF_LIMITS_RAD, DOF_MEAN_RAD, DOF_SPREAD_RAD, SHAPE_NAMES
from handwright.hand.kinematics import (
    dofs_of_pose,
    hand_landmarks_m,
    mirror_hand_x,
    pose_bones,
    pose_of_dofs,
    pose_points_reference,
)
from handwright.hand.rig import axis_angle_matrix, load_rig, matrix_axis_angle
from handwright.perception.fit.hand_fit import fit_hand, fit_of_given_hand, picture_camera
from handwright.types import Hand, HandObservation, Side

WIDTH, HEIGHT = 512, 480
BELIEVED = np.ones(21)
FIST_DEG = (0,) * 6 + (8, 57, 97, 54, -10, 62, 88, 55, 0, 72, 95, 55, 0, 72, 95, 55, 0, 0)
"""A closed fist in which nothing overlaps."""


def some_hand(seed: int, side: Side = "right", dofs: np.ndarray | None = None) -> Hand:
    """A hand of plausible pose, proportions and place, up to 50° away from facing the camera."""
    rng = np.random.default_rng(seed)
    random_dofs = DOF_MEAN_RAD + 0.7 * DOF_SPREAD_RAD * rng.standard_normal(24)
    pose, arch = pose_of_dofs(np.clip(random_dofs, *DOF_LIMITS_RAD.T) if dofs is None else dofs)
    shape = np.zeros(len(SHAPE_NAMES))
    shape[[1, 2, 4, 5, 6, 7, 8]] = rng.normal(0, 0.03, 7)
    axis = rng.standard_normal(3)
    facing = np.array([np.pi, 0, 0]) if rng.random() < 0.5 else np.array([0, 0, np.pi])
    turn = axis_angle_matrix(axis / np.linalg.norm(axis) * rng.uniform(0, 0.9)) @ axis_angle_matrix(facing)
    place = np.array([*rng.uniform(-0.05, 0.05, 2), rng.uniform(0.4, 0.8)])
    return Hand(
        pose=pose,
        palm_arch=arch,
        wrist=matrix_axis_angle(turn),
        translation_m=place,
        shape=shape,
        side=side,
        camera=picture_camera(WIDTH, HEIGHT),
    )


def observe(hand: Hand, noise: float = 0.0, seed: int = 0) -> HandObservation:
    """What a detector with this error (fraction of hand size; four times that in depth) would see."""
    points, rng = hand_landmarks_m(hand), np.random.default_rng(seed)
    px, z = hand.camera.project(points), points[:, 2]
    depth = (z - z.mean()) * hand.camera.focal_px / z.mean()
    size = np.ptp(px, axis=0).max()
    px = px + rng.normal(0, noise * size, (21, 2))
    depth = depth + rng.normal(0, 4 * noise * size, 21)
    return HandObservation(landmarks_px=px, depth_px=depth, side=hand.side, score=0.9, found_by="picture")


def error_2d(hand: Hand, fitted: Hand) -> np.ndarray:
    """Distances of the landmarks in the picture, as fractions of hand size."""
    a, b = (h.camera.project(hand_landmarks_m(h)) for h in (hand, fitted))
    return np.linalg.norm(a - b, axis=1) / np.ptp(a, axis=0).max()


def error_3d(hand: Hand, fitted: Hand) -> float:
    """Mean distance of the centred landmarks as a fraction of hand size; absolute size is not seen."""
    a, b = (p / p[:, 2].mean() for p in (hand_landmarks_m(h) for h in (hand, fitted)))
    a, b = a - a.mean(0), b - b.mean(0)
    return float(np.linalg.norm(a - b, axis=1).mean() / np.ptp(a, axis=0).max())


def penetration_m(hand: Hand) -> float:
    """Deepest overlap of two collision spheres."""
    rig = load_rig()
    bones, whole = rig.sphere_bones[:, None], np.ones((len(rig.spheres_m), 1))
    centres = pose_points_reference(rig.spheres_m, bones, whole, pose_bones(rig, hand))
    a, b = rig.sphere_pairs.T
    reach = (rig.sphere_radii_m[a] + rig.sphere_radii_m[b]) * np.exp(hand.shape[0] + hand.shape[2])
    return float((reach - np.linalg.norm(centres[a] - centres[b], axis=1)).max())


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("seed", range(8))
def test_a_known_hand_is_recovered(seed: int, side: Side) -> None:
    hand = some_hand(seed, side)
    fit = fit_hand(observe(hand), WIDTH, HEIGHT, landmark_weights=BELIEVED)
    assert error_2d(hand, fit.hand).mean() <= 0.006
    assert error_3d(hand, fit.hand) <= 0.015
    assert fit.residual == pytest.approx(error_2d(hand, fit.hand).mean(), rel=1e-6)
    assert fit.hand.side == side and (fit.landmark_weights == 1).all()


def test_noise_is_smoothed_not_followed() -> None:
    pairs = [(some_hand(seed), observe(some_hand(seed), 0.01, seed)) for seed in range(16)]
    fits = [fit_hand(seen, WIDTH, HEIGHT, landmark_weights=BELIEVED) for _, seen in pairs]
    flat = [error_2d(hand, fit.hand).mean() for (hand, _), fit in zip(pairs, fits, strict=True)]
    deep = [error_3d(hand, fit.hand) for (hand, _), fit in zip(pairs, fits, strict=True)]
    assert np.median(flat) < 0.01 * np.sqrt(np.pi / 2)
    assert np.median(deep) < 0.03 and max(deep) < 0.05


def test_more_noise_more_error() -> None:
    def median_error(noise: float) -> float:
        hands = [some_hand(seed) for seed in range(8)]
        return float(
            np.median(
                [
                    error_3d(h, fit_hand(observe(h, noise, 1), WIDTH, HEIGHT, landmark_weights=BELIEVED).hand)
                    for h in hands
                ]
            )
        )

    assert median_error(0.0) < median_error(0.01) < median_error(0.04)


@pytest.mark.parametrize("seed", range(4))
def test_the_mirrored_picture_gives_the_mirrored_hand(seed: int) -> None:
    seen = observe(some_hand(seed), 0.008, seed)
    flipped = HandObservation(
        landmarks_px=[WIDTH, 0] + seen.landmarks_px * [-1, 1],
        depth_px=seen.depth_px,
        side="left",
        score=0.9,
        found_by="picture",
    )
    right, left = fit_hand(seen, WIDTH, HEIGHT), fit_hand(flipped, WIDTH, HEIGHT)
    expected = mirror_hand_x(right.hand, WIDTH)
    for name in ("pose", "palm_arch", "wrist", "translation_m", "shape"):
        np.testing.assert_allclose(getattr(left.hand, name), getattr(expected, name), atol=1e-6)
    assert left.residual == pytest.approx(right.residual, rel=1e-6)


@pytest.mark.parametrize("finger", [1, 2, 4])
@pytest.mark.parametrize("seed", range(3))
def test_a_finger_seen_in_the_wrong_place_is_distrusted_and_drags_no_other(seed: int, finger: int) -> None:
    hand = some_hand(seed)
    seen = observe(hand)
    astray, wrong = seen.landmarks_px.copy(), slice(2 + 4 * finger, 5 + 4 * finger)
    astray[wrong] += 0.35 * seen.size_px * np.array([0.6, 0.8])
    fit = fit_hand(replace(seen, landmarks_px=astray), WIDTH, HEIGHT, landmark_weights=BELIEVED)
    others = np.delete(np.arange(21), range(1 + 4 * finger, 5 + 4 * finger))
    assert fit.landmark_weights[wrong].min() < 0.5
    assert fit.landmark_weights[others].min() > 0.9
    assert error_2d(hand, fit.hand)[others].mean() < 0.012


def test_landmarks_of_no_weight_are_ignored() -> None:
    hand = some_hand(3)
    seen = observe(hand)
    astray, weights = seen.landmarks_px.copy(), np.ones(21)
    astray[5:9] += 0.4 * seen.size_px
    weights[5:9] = 0.0
    fit = fit_hand(replace(seen, landmarks_px=astray), WIDTH, HEIGHT, landmark_weights=weights)
    assert np.delete(error_2d(hand, fit.hand), range(5, 9)).mean() < 0.01
    assert fit.landmark_weights[5:9].max() < 0.01


@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_seen_the_hand_stays_anatomical(seed: int) -> None:
    rng = np.random.default_rng(seed)
    side: Side = "left" if seed % 2 else "right"
    seen = HandObservation(
        landmarks_px=rng.uniform(50, 450, (21, 2)),
        depth_px=rng.normal(0, 40, 21),
        side=side,
        score=0.5,
        found_by="box",
    )
    fit = fit_hand(seen, WIDTH, HEIGHT)
    dofs = dofs_of_pose(fit.hand.pose, fit.hand.palm_arch)
    low, high = DOF_LIMITS_RAD.T
    assert ((dofs >= low - 1e-9) & (dofs <= high + 1e-9)).all()
    assert np.abs(fit.hand.shape).max() <= 0.25
    assert fit.hand.translation_m[2] > 0 and np.isfinite(fit.landmarks_px).all()


@pytest.mark.parametrize("seed", range(8))
def test_a_fist_does_not_sink_into_itself(seed: int) -> None:
    fist = some_hand(seed, dofs=np.deg2rad(np.array(FIST_DEG, float)))
    fit = fit_hand(observe(fist, 0.006, seed), WIDTH, HEIGHT)
    assert penetration_m(fit.hand) < 0.003
    assert fit.residual < 0.012


def test_collisions_hold_back_evidence_that_no_hand_allows() -> None:
    tight = np.zeros(24)
    tight[[7, 8, 9, 11, 12, 13, 15, 16, 17, 19, 20, 21]] = np.deg2rad([80, 98, 60] * 4)
    hand = replace(some_hand(1, dofs=tight), shape=np.zeros(len(SHAPE_NAMES)))
    fit = fit_hand(observe(hand), WIDTH, HEIGHT, landmark_weights=BELIEVED)
    assert penetration_m(fit.hand) < 0.75 * penetration_m(hand)


def test_the_result_is_the_same_every_time() -> None:
    seen = observe(some_hand(2), 0.01)
    one, other = (fit_hand(seen, WIDTH, HEIGHT) for _ in range(2))
    np.testing.assert_array_equal(one.landmarks_px, other.landmarks_px)
    np.testing.assert_array_equal(one.hand.pose, other.hand.pose)


def test_a_picture_twice_the_size_gives_the_same_hand() -> None:
    seen = observe(some_hand(5), 0.005)
    double = replace(seen, landmarks_px=2 * seen.landmarks_px, depth_px=2 * seen.depth_px)
    small, large = fit_hand(seen, WIDTH, HEIGHT), fit_hand(double, 2 * WIDTH, 2 * HEIGHT)
    np.testing.assert_allclose(large.hand.pose, small.hand.pose, atol=1e-5)
    np.testing.assert_allclose(large.hand.translation_m, small.hand.translation_m, atol=1e-6)


def test_a_given_hand_is_measured_not_changed() -> None:
    hand = some_hand(4)
    fit = fit_of_given_hand(observe(hand), hand)
    assert (
        fit.hand is hand and fit.residual == pytest.approx(0, abs=1e-12) and (fit.landmark_weights == 1).all()
    )


def test_every_hand_of_a_picture_is_fitted() -> None:
    seen = [observe(some_hand(seed)) for seed in range(3)]
    assert [fit_hand(o, WIDTH, HEIGHT).hand.side for o in seen] == [o.side for o in seen]


def test_points_alone_do_not_make_a_hand_flat() -> None:
    """Points are met more closely, and fingers bend more as they do, than with depth taken for 0."""
    misses, bends = [], []
    for seed in range(8):
        hand = some_hand(seed)
        flat = replace(observe(hand), depth_px=np.zeros(21))
        fits = [
            fit_hand(flat, WIDTH, HEIGHT, landmark_weights=BELIEVED, has_depth=known)
            for known in (False, True)
        ]
        misses.append([fit.residual for fit in fits])
        bends.append([np.abs(fit.hand.pose - hand.pose).mean() for fit in fits])
    (free, zero), (free_bend, zero_bend) = np.mean(misses, 0), np.mean(bends, 0)
    assert free < 0.5 * zero
    assert free_bend < 0.8 * zero_bend


def test_a_depth_that_is_not_known_counts_for_nothing() -> None:
    seen = observe(some_hand(3))
    one, other = (
        fit_hand(replace(seen, depth_px=depth), WIDTH, HEIGHT, landmark_weights=BELIEVED, has_depth=False)
        for depth in (np.zeros(21), seen.depth_px)
    )
    assert (one.hand.pose == other.hand.pose).all()
    assert (one.hand.translation_m == other.hand.translation_m).all()
