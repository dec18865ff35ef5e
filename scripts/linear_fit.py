"""The fit that scripts/fit_appearance.py and scripts/fit_comparison.py share: a ridge by L-BFGS."""

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
