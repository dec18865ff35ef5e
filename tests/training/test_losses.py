"""Parts of objectives: means over what is known, heatmaps as distributions."""

from __future__ import annotations

import math

import pytest
import torch

from handwright.training.noising import cell_gaussians, heatmap_error, mean_where


def test_a_mean_over_nothing_is_nothing_and_weights_weigh():
    values = torch.tensor([1.0, 3.0, 8.0])
    assert float(mean_where(values, torch.tensor([True, True, False]))) == 2.0
    assert float(mean_where(values, torch.tensor([3.0, 0.0, 1.0]))) == 11 / 4
    assert float(mean_where(values, torch.zeros(3))) == 0.0


def test_a_wanted_heatmap_is_a_distribution_around_its_landmark():
    wanted = cell_gaussians(torch.tensor([[[0.5, 0.25]] * 21]), 16)
    assert torch.allclose(wanted.sum(2), torch.ones(1, 21))
    columns = (torch.arange(16) + 0.5) / 16
    across = (wanted.reshape(1, 21, 16, 16).sum(2) * columns).sum(2)
    down = (wanted.reshape(1, 21, 16, 16).sum(3) * columns).sum(2)
    assert torch.allclose(across, torch.full((1, 21), 0.5), atol=1e-4)
    assert torch.allclose(down, torch.full((1, 21), 0.25), atol=1e-3)


def test_a_heatmap_that_is_right_has_no_error_and_one_that_says_nothing_has_the_entropy_that_it_lacks():
    points = torch.tensor([[[0.5, 0.5]] * 21])
    wanted = cell_gaussians(points, 16)
    right = heatmap_error(wanted.log().reshape(1, 21, 16, 16), points)
    flat = heatmap_error(torch.zeros(1, 21, 16, 16), points)
    entropy = float(-(wanted[0, 0] * wanted[0, 0].log()).sum())
    assert float(right.abs().max()) == pytest.approx(0.0, abs=1e-5)
    assert float(flat[0, 0]) == pytest.approx(math.log(256) - entropy, abs=1e-4)
