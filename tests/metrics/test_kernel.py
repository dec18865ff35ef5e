from __future__ import annotations

import numpy as np
import pytest

from handwright.errors import InvalidValueError, NotEnoughDataError
from handwright.metrics.kernel import (
    kernel_distance,
    kernel_distance_difference,
    polynomial_kernel,
)


def features(n: int, d: int = 8, shift: float = 0.0, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(shift, 1.0, (n, d))


def mmd2_readable(x: np.ndarray, y: np.ndarray) -> float:
    """Unbiased squared MMD as its definition reads (Gretton et al. 2012, eq. 3)."""
    xx, yy, xy = polynomial_kernel(x, x), polynomial_kernel(y, y), polynomial_kernel(x, y)
    n, m = len(x), len(y)
    within_x = (xx.sum() - np.trace(xx)) / (n * (n - 1))
    within_y = (yy.sum() - np.trace(yy)) / (m * (m - 1))
    return float(within_x + within_y - 2 * xy.mean())


def test_the_fast_distance_equals_its_readable_definition():
    x, y = features(700, seed=1), features(650, shift=0.3, seed=2)
    assert kernel_distance(x, y, rounds=5).value == pytest.approx(mmd2_readable(x, y), rel=1e-10)


@pytest.mark.filterwarnings("ignore:Metric `Kernel Inception Distance` will save")
def test_torchmetrics_agrees_when_its_one_subset_is_everything():
    torch = pytest.importorskip("torch")
    from torchmetrics.image.kid import KernelInceptionDistance

    x, y = features(200, 12, seed=3), features(200, 12, shift=0.4, seed=4)

    class Given(torch.nn.Module):
        num_features = 12

        def forward(self, rows):
            return rows

    theirs = KernelInceptionDistance(feature=Given(), subsets=1, subset_size=200)
    theirs.update(torch.tensor(x), real=True)
    theirs.update(torch.tensor(y), real=False)
    mean, _ = theirs.compute()
    assert kernel_distance(x, y, rounds=5).value == pytest.approx(float(mean), abs=1e-4, rel=1e-4)


def test_identical_pictures_are_at_no_distance():
    """Exactly: 2 / N of (k of a picture with others − k with itself), which is not above 0 and vanishes."""
    x = features(300)
    kernel = polynomial_kernel(x, x)
    others = (kernel.sum() - np.trace(kernel)) / (300 * 299)
    same = kernel_distance(x, x.copy(), rounds=5).value
    assert same == pytest.approx(2 / 300 * (others - np.trace(kernel) / 300), rel=1e-9)
    assert -0.1 * kernel_distance(x, features(300, shift=0.5, seed=1), rounds=5).value < same < 0


def test_the_same_distribution_gives_an_interval_around_zero():
    around = [
        kernel_distance(features(200, seed=s), features(200, seed=100 + s), rounds=300) for s in range(20)
    ]
    assert sum(e.low <= 0 <= e.high for e in around) >= 18


def test_growing_corruption_grows_the_distance():
    x = features(300)
    noise = features(300, seed=5)
    values = [kernel_distance(x, x + s * noise, rounds=5).value for s in (0.0, 0.25, 0.5, 1.0, 2.0)]
    assert values == sorted(values) and values[1] < values[-1] / 10


def test_the_order_of_pictures_does_not_matter():
    x, y = features(120, seed=1), features(140, shift=0.3, seed=2)
    rng = np.random.default_rng(0)
    shuffled = kernel_distance(rng.permutation(x), rng.permutation(y), rounds=5)
    assert shuffled.value == pytest.approx(kernel_distance(x, y, rounds=5).value, rel=1e-9)


def test_the_interval_covers_the_truth_of_a_closed_form_case():
    """One feature of ±1 with P(+1) = p: k takes 8 (equal) and 0 (opposite), MMD² = 16 (p − q)²."""
    covered = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        x = np.where(rng.random((150, 1)) < 0.5, 1.0, -1.0)
        y = np.where(rng.random((150, 1)) < 0.8, 1.0, -1.0)
        e = kernel_distance(x, y, rounds=400, seed=seed)
        covered += e.low <= 16 * 0.3**2 <= e.high
    assert 34 <= covered <= 40


def test_bootstrap_rounds_are_unbiased():
    x, y = features(60, seed=1), features(60, shift=0.4, seed=2)
    e = kernel_distance(x, y, rounds=4000)
    assert (e.low + e.high) / 2 == pytest.approx(e.value, abs=0.2 * (e.high - e.low))


def test_the_kernel_is_cubic():
    assert polynomial_kernel(np.ones((1, 4)), 2 * np.ones((1, 4)))[0, 0] == 27.0


def test_n_of_both_sets_is_told():
    e = kernel_distance(features(30), features(40, seed=1), name="kid[x]", rounds=5)
    assert (e.n, e.n_reference, e.name) == (40, 30, "kid[x]")


def test_a_paired_difference_sees_what_two_intervals_cannot():
    rng = np.random.default_rng(0)
    real, a = features(150, seed=1), features(150, shift=0.5, seed=2)
    b = a - 0.05 + 0.01 * rng.normal(size=a.shape)
    apart = [kernel_distance(real, f, rounds=300) for f in (a, b)]
    together = kernel_distance_difference(real, a, b, rounds=300)
    assert apart[0].low < apart[1].high
    assert together.low > 0
    assert together.value == pytest.approx(apart[0].value - apart[1].value, rel=1e-9)


@pytest.mark.parametrize("n", [0, 3, 9])
def test_three_pictures_are_refused_in_one_line(n):
    with pytest.raises(NotEnoughDataError, match=f"measured set has {n}"):
        kernel_distance(features(50), features(n), name="kid[x]")


def test_features_of_two_extractors_are_refused():
    with pytest.raises(InvalidValueError, match="compares"):
        kernel_distance(features(20, 8), features(20, 9))


def test_features_that_are_not_finite_are_refused():
    x = features(20)
    x[3, 2] = np.nan
    with pytest.raises(InvalidValueError, match="not finite"):
        kernel_distance(x, features(20))
