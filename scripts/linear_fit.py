"""The fits that scripts/fit_appearance.py, fit_comparison.py and fit_holding.py share: a ridge by L-BFGS."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor


def fit_linear(
    x: np.ndarray, sizes: np.ndarray | int, columns: int, loss: Callable[[Tensor], Tensor], decay: float
) -> tuple[np.ndarray, np.ndarray]:
    """Weights [F, C] and biases [C] on raw inputs that minimise ``loss`` of the logits [N, C].

    Args:
        x: Inputs [N, F].
        sizes: How many inputs stand in each one's group, [F] or one number: every group weighs the same.
        columns: C.
        loss: Of the logits.
        decay: Factor on the sum of the squared weights of the standardised inputs.
    """
    mean, spread = x.mean(0), (x.std(0) + 1e-6) * np.sqrt(sizes)
    inputs = torch.from_numpy((x - mean) / spread)
    w = torch.zeros(x.shape[1], columns, dtype=torch.float64, requires_grad=True)
    b = torch.zeros(columns, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([w, b], max_iter=300, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        total = loss(inputs @ w + b) + decay * w.square().sum()
        total.backward()
        return total

    optimiser.step(closure)
    raw = w.detach().numpy() / spread[:, None]
    return raw, b.detach().numpy() - mean @ raw


def fit_two_classes(
    x: np.ndarray, sizes: np.ndarray | int, truth: np.ndarray, weight: np.ndarray, decay: float
) -> tuple[np.ndarray, np.ndarray]:
    """Weights [F, 2] and biases [2] of a logistic regression; the second class has none.

    Args:
        x: Inputs [N, F].
        sizes: As of ``fit_linear``.
        truth: How much of each is of the first class, [N] in [0, 1].
        weight: What each counts, [N].
        decay: As of ``fit_linear``.
    """
    t, each = torch.from_numpy(truth.astype(np.float64)), torch.from_numpy(weight)

    def loss(logits: Tensor) -> Tensor:
        losses = torch.nn.functional.binary_cross_entropy_with_logits(logits[:, 0], t, reduction="none")
        return (each * losses).sum()

    weights, biases = fit_linear(x, sizes, 1, loss, decay)
    return np.pad(weights, ((0, 0), (0, 1))), np.pad(biases, (0, 1))


def balanced(truth: np.ndarray) -> np.ndarray:
    """A weight for each: both classes weigh the same, all of them 1."""
    each = truth * 0.5 / truth.sum() + (1 - truth) * 0.5 / (1 - truth).sum()
    return each / each.sum()


def log_odds(x: np.ndarray, fitted: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Log odds of the first class by weights and biases of ``fit_two_classes``."""
    return x @ (fitted[0][:, 0] - fitted[0][:, 1]) + fitted[1][0] - fitted[1][1]
