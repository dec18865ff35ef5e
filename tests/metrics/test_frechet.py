from __future__ import annotations

import numpy as np
import pytest

from handwright.errors import NotEnoughDataError
from handwright.metrics.frechet import Gaussian, frechet_between, frechet_distance, influence


def spd(d: int, seed: int) -> np.ndarray:
    root = np.random.default_rng(seed).normal(size=(d, d))
    return root @ root.T + 0.1 * np.eye(d)


def test_gaussians_of_one_shape_are_apart_by_their_means():
    cov = spd(5, 0)
    a, b = Gaussian(np.zeros(5), cov), Gaussian(np.arange(5.0), cov)
    assert frechet_between(a, b) == pytest.approx(30.0, rel=1e-9)


def test_diagonal_gaussians_are_apart_by_their_standard_deviations():
    a = Gaussian(np.zeros(3), np.diag([1.0, 4.0, 9.0]))
    b = Gaussian(np.array([1.0, 0, 0]), np.diag([4.0, 4.0, 1.0]))
    assert frechet_between(a, b) == pytest.approx(1 + (1 + 0 + 4), rel=1e-9)


def test_the_distance_is_symmetric_and_zero_only_to_itself():
    a, b = Gaussian(np.zeros(4), spd(4, 1)), Gaussian(np.ones(4), spd(4, 2))
    assert frechet_between(a, b) == pytest.approx(frechet_between(b, a), rel=1e-9)
    assert frechet_between(a, a) == pytest.approx(0, abs=1e-9)
    assert frechet_between(a, b) > 1


def test_a_constant_feature_changes_nothing():
    a, b = spd(3, 1), spd(3, 2)
    wide = [Gaussian(np.zeros(4), np.pad(c, (0, 1))) for c in (a, b)]
    narrow = [Gaussian(np.zeros(3), c) for c in (a, b)]
    assert frechet_between(*wide) == pytest.approx(frechet_between(*narrow), rel=1e-9)


def test_torchmetrics_agrees():
    torch = pytest.importorskip("torch")
    from torchmetrics.image.fid import FrechetInceptionDistance

    rng = np.random.default_rng(0)
    x, y = rng.normal(0, 1, (400, 16)), rng.normal(0.3, 1.4, (380, 16))

    class Given(torch.nn.Module):
        num_features = 16

        def forward(self, rows):
            return rows

    theirs = FrechetInceptionDistance(feature=Given(), input_img_size=(1, 16)).set_dtype(torch.float64)
    theirs.update(torch.tensor(x), real=True)
    theirs.update(torch.tensor(y), real=False)
    assert frechet_distance(x, y, rounds=5).value == pytest.approx(float(theirs.compute()), rel=1e-4)


def test_identical_pictures_are_at_distance_zero():
    x = np.random.default_rng(0).normal(size=(100, 6))
    e = frechet_distance(x, x.copy())
    assert e.value == pytest.approx(0, abs=1e-8) and e.high < 1e-6


def test_growing_corruption_grows_the_distance_whatever_the_order():
    rng = np.random.default_rng(0)
    x, noise = rng.normal(size=(300, 6)), rng.normal(size=(300, 6))
    values = [frechet_distance(x, x + s * noise, rounds=2).value for s in (0, 0.25, 0.5, 1, 2)]
    assert values == sorted(values)
    again = frechet_distance(rng.permutation(x), rng.permutation(x + noise), rounds=2).value
    assert again == pytest.approx(values[3], rel=1e-9)


def test_the_influence_predicts_what_one_more_picture_does():
    rng = np.random.default_rng(1)
    x, y = rng.normal(0, 1, (4000, 3)), rng.normal(0.5, 1.5, (4000, 3))
    a, b = Gaussian.of(x), Gaussian.of(y)
    pull, before = influence(x, a, b), frechet_between(a, b)
    for i in (0, 7, 42):
        after = frechet_between(Gaussian.of(np.vstack([x, x[i]])), b)
        assert (after - before) * len(x) == pytest.approx(pull[i], rel=0.02, abs=0.02)


def test_the_interval_is_as_wide_as_repeating_the_experiment_shows():
    def sample(seed: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(seed)
        return rng.normal(0, 1, (400, 4)), rng.normal(0.4, 1.3, (400, 4))

    repeated = [frechet_distance(*sample(seed), rounds=2).value for seed in range(200)]
    width = np.percentile(repeated, 97.5) - np.percentile(repeated, 2.5)
    result = np.mean([(e := frechet_distance(*sample(s))).high - e.low for s in range(5)])
    assert result == pytest.approx(width, rel=0.2)


def test_no_more_pictures_than_features_are_refused():
    x = np.random.default_rng(0).normal(size=(16, 16))
    with pytest.raises(NotEnoughDataError, match="at least 17"):
        frechet_distance(x, x)
