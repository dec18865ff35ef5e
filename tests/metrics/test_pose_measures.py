from __future__ import annotations

import numpy as np
import pytest

from handwright.errors import InvalidValueError, NotEnoughDataError
from handwright.metrics.poses import (
    diversity,
    multimodality,
    pose_distance,
    r_precision,
    rotations_6d,
)


def poses(n: int, scale: float = 0.5, seed: int = 0) -> np.ndarray:
    return scale * np.random.default_rng(seed).normal(size=(n, 3, 3))


def test_a_full_turn_is_none_and_a_quarter_turn_is_known():
    axis = np.array([0.6, 0.0, 0.8])
    assert rotations_6d(2 * np.pi * axis) == pytest.approx(rotations_6d(np.zeros(3)), abs=1e-12)
    assert rotations_6d(np.array([0, 0, np.pi / 2])) == pytest.approx([0, 1, 0, -1, 0, 0], abs=1e-12)
    assert rotations_6d((np.pi + 0.3) * axis) == pytest.approx(rotations_6d((0.3 - np.pi) * axis))


def test_equal_poses_are_at_no_distance_and_stiffer_ones_farther_and_farther():
    real = poses(400)
    assert pose_distance(real, real.copy()).value == pytest.approx(0, abs=1e-6)
    values = [pose_distance(real, s * real).value for s in (1, 0.8, 0.5, 0)]
    assert values == sorted(values)
    assert pose_distance(real, real).name == "pose-fid[rot6d]"


def test_turning_joints_by_whole_turns_changes_nothing():
    real = poses(200)
    norms = np.linalg.norm(real, axis=-1, keepdims=True)
    turned = real * (norms + 2 * np.pi) / norms
    assert pose_distance(real, turned).value == pytest.approx(0, abs=1e-6)


def test_matching_pairs_are_always_found_and_strangers_as_often_as_chance_says():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(640, 16)), rng.normal(size=(640, 16))
    assert r_precision(a, a, embedding="x").value == 1
    by_chance = r_precision(a, b, 3, embedding="x")
    assert by_chance.low < 3 / 32 < by_chance.high
    assert by_chance.name == "r-precision@3[x, pool 32]"


def test_embeddings_that_say_nothing_are_right_as_often_as_chance():
    constant = np.ones((64, 4))
    assert r_precision(constant, constant, 3, embedding="x").value == pytest.approx(3 / 32)


def test_a_caption_that_is_there_twice_is_right_half_of_the_time_at_first():
    twice = np.repeat(np.eye(16), 2, axis=0)
    assert r_precision(twice, twice, 1, embedding="x").value == 0.5
    assert r_precision(twice, twice, 2, embedding="x").value == 1


def test_precision_falls_with_noise_and_rises_with_the_top():
    rng = np.random.default_rng(0)
    text, noise = rng.normal(size=(320, 16)), rng.normal(size=(320, 16))
    values = [r_precision(text, text + s * noise, embedding="x").value for s in (0, 1, 2, 4)]
    assert values == sorted(values, reverse=True) and values[-1] < 0.6
    tops = [r_precision(text, text + 2 * noise, k, embedding="x").value for k in (1, 2, 3, 32)]
    assert tops == sorted(tops) and tops[-1] == 1


def test_pairs_that_do_not_fill_a_pool_are_left_out():
    a = np.random.default_rng(0).normal(size=(70, 4))
    assert r_precision(a, a, embedding="x").n == 64


def test_diversity_is_the_mean_distance_of_pairs():
    on_two_points = np.repeat([[0.0, 0], [3, 4]], 500, axis=0)
    assert diversity(on_two_points).value == pytest.approx(2.5, abs=0.4)
    assert diversity(np.ones((10, 3))).value == 0
    normal = np.random.default_rng(0).normal(size=(4000, 1))
    assert diversity(normal).value == pytest.approx(2 / np.sqrt(np.pi), rel=0.05)


def test_multimodality_is_within_a_text():
    within = np.zeros((5, 2, 2))
    within[:, 1] = [3, 4]
    within += np.arange(5)[:, None, None] * 100
    assert multimodality(within).value == pytest.approx(5)


def test_too_few_are_refused():
    a = np.ones((10, 3))
    with pytest.raises(NotEnoughDataError, match="at least 32 pairs"):
        r_precision(a, a, embedding="x")
    with pytest.raises(InvalidValueError, match="pairs"):
        r_precision(a, a[:5], embedding="x")
    with pytest.raises(NotEnoughDataError):
        diversity(a[:3])
